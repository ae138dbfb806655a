"""The layout without a screen: walking it, streaming into it, the cache, and counting what came in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.ui.transcript.cache import CACHED_LINES
from tui.ui.transcript.entry import Entry, Heading, Tone
from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line
from tui.ui.transcript.rendered_message import LineCounter
from tui.ui.transcript.unread import Unread

HEADING = Heading("model", Tone.MODEL)
MARKS = st.sampled_from(
    ["\n", "\n\n", "- ", "1. ", "  ", "> ", "```", "```py\n", "# ", "| a | b |\n|--|--|\n", "| c |\n", "word " * 9, "**", "`", "中文", "===\n", "x" * 90, "$$", "$$\n", "\\[", "\\]\n", "\\(a_1", "\\)", "\\begin{a}\n", "\\end{a}", "\\frac", "\n"]
)  # fmt: skip
TEXTS = st.lists(MARKS, max_size=30).map("".join)


def document(*entries: Entry, width: int = 30) -> TranscriptLayout:
    made = TranscriptLayout(RolePalette.plain(), "Ctrl+O")
    made.set_width(width, LinePosition())
    made.show(entries)
    return made


def looks(lines: list[Line]) -> list[list[tuple[str, object]]]:
    return [[(char, segment.style) for segment in line for char in segment.text] for line in lines]


def entry(name: str, text: str, *, streaming: bool = False, reasoning: str = "") -> Entry:
    return Entry(name, HEADING, text, reasoning, streaming=streaming)


@given(TEXTS, st.lists(st.integers(0, 999), max_size=10))
@settings(max_examples=200, deadline=None)
def test_streamed_and_whole_look_the_same(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    grown = document(entry("a", "", streaming=True))
    for start, stop in zip(places, places[1:], strict=False):  # noqa: RUF007  # an empty text has one place
        grown.rendered("a").append(text[start:stop], "")
        grown.window(LinePosition(), 10_000)
    grown.replace("a", entry("a", text))
    whole = document(entry("a", text))
    assert looks(grown.window(LinePosition(), 10_000)) == looks(whole.window(LinePosition(), 10_000))


@given(st.lists(TEXTS, min_size=1, max_size=4), st.integers(0, 60), st.integers(1, 20))
@settings(max_examples=150, deadline=None)
def test_walking_down_and_up_agree_with_the_lines(texts: list[str], lines: int, height: int) -> None:
    shown = document(*(entry(str(n), text, reasoning="a\nb" * (n % 2)) for n, text in enumerate(texts)))
    every = shown.window(LinePosition(), 10_000)
    assert shown.lines_between(LinePosition(), None) == len(every)
    position = shown.moved(LinePosition(), lines)
    down = min(lines, len(every) - 1)
    assert shown.lines_between(LinePosition(), position) == down
    assert looks(shown.window(position, height)) == looks(every[down : down + height])
    assert shown.moved(position, -down) == LinePosition()
    assert looks(shown.window(shown.last_top(height), height)) == looks(every[-height:])


def test_the_cache_is_bounded_and_right_after_it_overflowed() -> None:
    shown = document(*(entry(str(n), f"text {n}\n\n" + "word " * 300) for n in range(400)))
    first = looks(shown.window(LinePosition(), 50))
    assert len(shown.window(LinePosition(), 100_000)) > CACHED_LINES * 2
    assert shown.cached_lines <= CACHED_LINES
    assert looks(shown.window(LinePosition(), 50)) == first


def test_new_lines_are_counted_across_entries_and_growth() -> None:
    shown = document(entry("a", "begun", streaming=True), width=80)
    unread = Unread()
    unread.start(shown)
    assert unread.count(shown) == 0
    shown.rendered("a").append(" and on", "")
    assert unread.count(shown) == 0
    shown.rendered("a").append("\n\nsecond\n\nthird", "")
    assert unread.count(shown) == 4
    shown.replace("a", entry("a", "begun and on\n\nsecond\n\nthird"))
    shown.add(entry("b", "next"))
    assert unread.count(shown) == 4 + 3
    assert unread.cap(7, 5) == 5
    assert unread.count(shown) == 5


def test_an_id_is_shown_once() -> None:
    shown = document(entry("a", "x"))
    with pytest.raises(ValueError, match="already"):
        shown.add(entry("a", "y"))


@given(st.lists(st.sampled_from(["word ", "longer-word ", "\n", "\n\n", "x" * 25, "中", "\t"]), max_size=40))
@settings(max_examples=150, deadline=None)
def test_the_tally_counts_as_the_whole_text_wraps(pieces: list[str]) -> None:
    grown, whole = LineCounter(20), LineCounter(20)
    for piece in pieces:
        grown.add(piece.replace("\t", "    "))
    whole.add("".join(pieces).replace("\t", "    "))
    assert (grown.count, grown.newest) == (whole.count, whole.newest)
