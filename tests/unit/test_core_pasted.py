"""Long pastes as pieces: what is shown, what is kept, what is sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.paste_folds import END, START, PasteFolds, is_long, plain

TEXT = st.text(st.characters(exclude_characters=START + END + "⟦⟧", exclude_categories=["Cs"]), max_size=60)


@pytest.mark.parametrize(
    ("text", "long"),
    [("", False), ("x" * 2000, False), ("x" * 2001, True), ("a\n" * 20, False), ("a\n" * 20 + "b", True)],
)
def test_what_is_a_long_paste(text: str, long: bool) -> None:
    assert is_long(text) is long


def test_a_chip_says_how_much_it_stands_for() -> None:
    pieces = PasteFolds()
    assert pieces.add("row\n" * 4199 + "row") == "⟦pasted 4,200 lines · 1⟧"
    assert pieces.add("row\n" * 4200) == "⟦pasted 4,200 lines · 2⟧"
    assert pieces.add("x" * 12_345) == "⟦pasted 12,345 characters · 3⟧"


def test_what_only_looks_like_a_chip_is_text() -> None:
    pieces = PasteFolds()
    chip = pieces.add("x" * 3000)
    shown = f"{chip} ⟦pasted 3,000 characters · 2⟧ ⟦pasted 4 lines · 1⟧"
    assert pieces.chips(shown) == [(0, len(chip), 1)]
    assert plain(pieces.marked(shown)) == f"{'x' * 3000} ⟦pasted 3,000 characters · 2⟧ ⟦pasted 4 lines · 1⟧"


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4), TEXT)
def test_nothing_is_lost_on_the_way_to_the_disk_and_back(parts: list[tuple[str, str]], end: str) -> None:
    pieces = PasteFolds()
    shown = "".join(before + pieces.add(piece) for before, piece in parts) + end
    marked = pieces.marked(shown)
    assert plain(marked) == "".join(before + piece for before, piece in parts) + end
    others = PasteFolds()
    assert others.load(marked) == shown
    assert others.marked(shown) == marked


@given(st.text(max_size=80))
def test_any_text_is_taken_as_a_marked_one(text: str) -> None:
    """Also one with marks that lokal did not make."""
    pieces = PasteFolds()
    shown = pieces.load(text)
    assert START not in shown
    assert END not in shown
    assert plain(pieces.marked(shown)) == plain(text)


def test_a_piece_that_came_back_from_an_editor_is_folded_again() -> None:
    pieces = PasteFolds()
    first, second = "one\n" * 30, "two\n" * 30
    shown = f"a {pieces.add(first)} b {pieces.add(second)} c"
    text = plain(pieces.marked(shown))
    assert pieces.refold(text) == shown
    changed = text.replace("one", "ONE", 1)
    folded = pieces.refold(changed)
    assert len(pieces.chips(folded)) == 1
    assert plain(pieces.marked(folded)) == changed
    assert pieces.refold(f"{START}typed{END}") == "typed"
    assert pieces.refold("") == ""
