"""Text as cells: widths, clusters, cuts."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from tui.ui.terminal import cells
from tui.ui.terminal.cells import BLANK, CONTINUED, CellRow, clusters, reach, settled
from tui.ui.terminal.sgr import DEFAULT_PEN, pen_from

RED = pen_from("31;44")


def row(text: str) -> CellRow:
    return CellRow.of([(text, RED)])


def test_what_counts_as_simple_has_one_column_each() -> None:
    simple = "".join(re.findall(cells.SIMPLE, "".join(map(chr, range(sys.maxunicode + 1)))))
    assert len(simple) > 1500
    assert [character for character in simple if get_character_cell_size(character) != 1] == []
    assert [character for character in simple if not settled(character)] == []


@given(st.text())
def test_clusters_add_up_to_what_textual_measures(text: str) -> None:
    printable = re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029]", "", text)
    parts = clusters(text)
    assert "".join(part for part, _ in parts) == printable.rstrip("\u200d")
    assert sum(columns for _, columns in parts) == cell_len(printable)


@given(st.lists(st.text()), st.integers(1, 30))
def test_rows_have_the_width_they_are_given(texts: list[str], width: int) -> None:
    made = CellRow.of([(text, RED) for text in texts], width)
    assert made.width == len(made.glyphs) == len(made.pens) == width
    assert made.glyphs[0] != CONTINUED


def test_clusters_of_several_characters_share_a_cell() -> None:
    assert row("e\u0301漢👩\u200d💻a").glyphs == ("e\u0301", "漢", CONTINUED, "👩\u200d💻", CONTINUED, "a")
    assert CellRow.of([("e", RED), ("\u0301x", RED)]).glyphs == ("e\u0301", "x")


def test_controls_get_no_cell() -> None:
    assert row("a\x1b[2Jb\n\tc\x9b").glyphs == tuple("a[2Jbc")


def test_blanks_forget_what_cannot_be_seen_of_them() -> None:
    assert CellRow.of([("a b", RED)]).pens == (RED, pen_from("44"), RED)


def test_a_wide_character_that_is_cut_becomes_blanks() -> None:
    wide = row("漢字a")
    assert wide.fitted(3).glyphs == ("漢", CONTINUED, BLANK)
    assert wide.replaced(1, row("x")).glyphs == (BLANK, "x", "字", CONTINUED, "a")
    assert wide.replaced(2, row("x")).glyphs == ("漢", CONTINUED, "x", BLANK, "a")
    assert wide.replaced(1, row("漢")).glyphs == (BLANK, "漢", CONTINUED, BLANK, "a")
    assert wide.replaced(4, row("漢")).glyphs == ("漢", CONTINUED, "字", CONTINUED, BLANK)


def test_marks_before_a_piece_join_the_cell_to_its_left() -> None:
    base = row("ab")
    assert base.replaced(1, row("\u0301c")).glyphs == ("a\u0301", "c")
    assert base.replaced(1, row("\u0301c")).replaced(1, row("\u0301d")).glyphs == ("a\u0301", "d")
    assert base.replaced(0, row("\u0301c")).glyphs == ("c", "b")


@pytest.mark.parametrize("text", ["a", "ж", "ế", "漢", "한", "ア", "e\u0301", "─", "ʻ", "ก\u0e31"])
def test_settled_widths(text: str) -> None:
    assert settled(text)
    assert reach(text) == 0


@pytest.mark.parametrize("text", ["✅", "🙂", "⚠\ufe0f", "👩\u200d💻", "🇺🇿", "नि", "👍🏽", "1\ufe0f\u20e3"])
def test_widths_that_depend_on_the_terminal(text: str) -> None:
    assert not settled(text)
    assert reach(text) >= cell_len(text)
    assert row(text).careful


def test_right_to_left_text_is_known() -> None:
    assert row("abc שלום").right_to_left
    assert row("سلام").right_to_left
    assert not row("abc 漢字").right_to_left
    assert not CellRow.of([("abc", DEFAULT_PEN)]).right_to_left


def test_what_turns_text_around_is_left_out() -> None:
    """A name or an answer could otherwise show something else than it says."""
    row = CellRow.of([("photo_\u202egnp.exe\u2066\u2069 \ud83d\x1b[31m", DEFAULT_PEN)])
    assert "".join(row.glyphs) == "photo_gnp.exe \ufffd[31m"
