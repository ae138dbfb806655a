"""Folding and marking in the layout, without a screen: whatever is folded, walking up and down sees the same lines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.ui.transcript import folding
from tui.ui.transcript.cursor_target import CursorTarget
from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition, MessageSection
from tui.ui.transcript.palette import RolePalette

HEADING = Heading("model", Tone.MODEL)


def code(lines: int, language: str = "py") -> str:
    return f"```{language}\n" + "\n".join(f"x{number} = {number}" for number in range(lines)) + "\n```"


def document(*entries: Entry, width: int = 40) -> TranscriptLayout:
    made = TranscriptLayout(RolePalette.plain(), "Ctrl+O")
    made.show(entries)
    made.set_width(width, LinePosition())
    return made


def answer(text: str, id: str = "a", reasoning: str = "", streaming: bool = False) -> Entry:
    return Entry(id, HEADING, text, reasoning, streaming=streaming)


def shown(made: TranscriptLayout) -> list[str]:
    return [
        "".join(segment.text for segment in line).rstrip() for line in made.window(LinePosition(), 10_000)
    ]


def toggle(made: TranscriptLayout, id: str = "a", number: int | None = None) -> bool | None:
    rendered = made.rendered(id)
    return folding.toggle(rendered, number, made.reasons(rendered))


@pytest.mark.parametrize("lines", [21, 100, 1000])
def test_a_long_block_shows_its_first_lines_and_how_many_are_left(lines: int) -> None:
    made = document(answer(f"Before.\n\n{code(lines)}\n\nAfter."), width=50)
    whole = shown(made)
    assert toggle(made, number=1) is True
    assert shown(made) == [
        *("── model " + "─" * 41, "Before.", ""),
        "   │ x0 = 0" + " " * 36 + "[1]",
        *(f"   │ x{number} = {number}" for number in range(1, 8)),
        f"   … {lines - 8:,} more lines · Space shows them",
        *("", "After."),
    ]
    assert toggle(made, number=1) is False
    assert shown(made) == whole


def test_short_blocks_and_other_messages_stay_as_they_are() -> None:
    made = document(answer(code(20)), answer(code(30), "b"))
    assert toggle(made) is None
    assert toggle(made, number=1) is None
    assert toggle(made, number=2) is None
    assert toggle(made, "b") is True
    assert "   │ x19 = 19" in shown(made)
    assert "   │ x29 = 29" not in shown(made)


def test_a_message_folds_as_a_whole_and_then_opens_as_a_whole() -> None:
    made = document(answer(f"{code(30)}\n\n{code(40, 'sh')}", reasoning="thought one\n\nthought two"))
    assert toggle(made, number=2) is True
    assert toggle(made) is True, "one block was still open"
    assert sum("more lines" in line for line in shown(made)) == 2
    assert "│ thought one" not in shown(made)
    assert toggle(made) is False
    assert "│ thought one" in shown(made)
    assert not any("more lines" in line for line in shown(made))
    made.shows_reasoning = False
    assert "│ thought one" not in shown(made), "for all messages goes before"


def test_a_persons_own_long_text_folds() -> None:
    text = "\n".join(f"log line {number}" for number in range(500))
    made = document(Entry("q", Heading("you", Tone.PERSON), text, markdown=False))
    assert toggle(made, "q") is True
    assert shown(made)[1:] == [
        *(f"log line {number}" for number in range(8)),
        "… 492 more lines · Space shows them",
    ]


def test_a_block_that_still_grows_stays_folded() -> None:
    made = document(answer("", streaming=True))
    made.rendered("a").append("Look:\n\n```py\n" + "x\n" * 30, "")
    assert toggle(made, number=1) is True
    made.rendered("a").append("y\n" * 70, "")
    assert "… 92 more lines" in "\n".join(shown(made))
    made.rendered("a").append("```\n\nDone.", "")
    assert "… 92 more lines" in "\n".join(shown(made))
    assert shown(made)[-1].startswith("Done.")


def test_places_are_found_by_name() -> None:
    made = document(answer(f"Text.\n\n{code(50)}\n\nMore.\n\n{code(3)}"), answer("Short.", "b"))
    assert made.place("a") == (LinePosition(0, MessageSection.HEAD), LinePosition(1))
    assert made.place("b") == (LinePosition(1, MessageSection.HEAD, 0, 1), LinePosition(2))
    start, stop = made.place("a", 2)
    assert made.lines_between(start, stop) == 4
    start, stop = made.place("a", 1)
    assert made.lines_between(start, stop) == 51
    assert [place.lines for place in folding.places(made.rendered("a"))] == [50, 3]


def test_the_cursor_is_seen_by_a_sign_and_takes_no_room() -> None:
    made = document(answer(f"> ```sh\n> ls\n> ```\n\n{code(60)}"), answer("Short.", "b"))
    plain = shown(made)
    made.cursor_target = CursorTarget("b")
    assert [(old, new) for old, new in zip(plain, shown(made), strict=True) if old != new] == [
        ("── model " + "─" * 31, "›─ model " + "─" * 31)
    ]
    made.cursor_target = CursorTarget("a", 1)
    changed = [(old, new) for old, new in zip(plain, shown(made), strict=True) if old != new]
    assert [new[:6] for _, new in changed] == ["│  › l"]
    made.cursor_target = CursorTarget("a", 2)
    changed = [(old, new) for old, new in zip(plain, shown(made), strict=True) if old != new]
    assert [new[:5] for _, new in changed] == ["   › ", *["   ┃ "] * 59]
    toggle(made, number=2)
    assert sum("┃" in line for line in shown(made)) == 7


PARTS = st.sampled_from(
    ["text\n\n", code(25) + "\n\n", code(3) + "\n\n", "- item\n\n  " + "```\n  " + "a\n  " * 30 + "```\n\n"]
)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.lists(PARTS, min_size=1, max_size=4).map("".join), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(1, 4)), max_size=8),
    st.integers(1, 30),
)
def test_walking_through_folded_text_by_any_step_sees_every_line_once(
    texts: list[str], folds: list[tuple[int, int | None]], step: int
) -> None:
    made = document(*(answer(text, str(at)) for at, text in enumerate(texts)))
    for at, number in folds:
        if at < len(texts):
            toggle(made, str(at), number)
    every = shown(made)
    assert made.lines_between(LinePosition(), None) == len(every)
    top = LinePosition()
    for at in range(0, len(every), step):
        line = made.window(top, 1)
        assert "".join(segment.text for segment in line[0]).rstrip() == every[at]
        assert made.lines_between(LinePosition(), top) == at
        assert made.moved(made.moved(top, -3), min(3, at)) == top
        top = made.moved(top, step)
