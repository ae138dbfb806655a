"""The list of chats without a screen: the line that is written, the cursor, what is in memory, how lines look."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.core.message import Role
from tui.store.search import Hit
from tui.store.store import ChatSummary, ListWindow
from tui.ui.chat_list.messages import SearchHits
from tui.ui.chat_list.rows import chat_line, hit_height, hit_lines, when
from tui.ui.chat_list.window import Hits, Listed
from tui.ui.transcript.palette import RolePalette
from tui.ui.widgets.line_edit import LONGEST, LineEdit
from tui.ui.widgets.list_cursor import ListCursor

PLAIN = RolePalette.plain()
KEYS = ("left", "right", "home", "end", "backspace", "delete", "ctrl+w", "ctrl+u", "ctrl+k", "ctrl+left", "ctrl+right", "a", "ệ", "e\u0301", "語", " ")  # fmt: skip


# -- the line that is written -------------------------------------------------------------------------------------------


def typed(line: LineEdit, *keys: str) -> LineEdit:
    for key in keys:
        assert line.key(key, key if len(key) == 1 else None), key
    return line


def test_a_line_is_edited_as_any_other() -> None:
    line = typed(LineEdit("bad gateway"), "home", "x", "end", "y", "left", "left", "z")
    assert line.text == "xbad gatewazyy"
    line = typed(LineEdit("one two three"), "ctrl+w")
    assert line.text == "one two "
    assert typed(line, "ctrl+left", "delete").text == "one wo "
    assert typed(line, "ctrl+k").text == "one "
    assert typed(line, "backspace", "backspace").text == "on"
    assert typed(line, "ctrl+u").text == ""
    assert not line.key("f5", None)
    assert not line.key("up", None)


def test_an_accent_of_its_own_goes_with_its_letter() -> None:
    line = LineEdit("e\u0301x")
    typed(line, "home", "right")
    assert line.at == 2
    assert typed(line, "backspace").text == "x"


def test_what_is_pasted_is_one_safe_line_and_not_endless() -> None:
    line = LineEdit()
    line.insert("a\x1b[31m b\nc\u202ed")
    assert line.text == "a b cd"
    line.insert("x" * 1000)
    assert len(line.text) == LONGEST


@given(st.lists(st.sampled_from(KEYS), max_size=60), st.integers(3, 40))
def test_whatever_is_typed_the_cursor_is_in_sight(keys: list[str], width: int) -> None:
    line = LineEdit()
    for key in keys:
        if len(key) <= 2 and cell_len(key) and not key.isascii():
            line.insert(key)
        else:
            line.key(key, key if len(key) == 1 else None)
        assert 0 <= line.at <= len(line.text)
        before, under, after = line.shown(width)
        assert under
        assert cell_len(before + under + after) <= width
        assert line.text[: line.at].endswith(before)
        if line.at == len(line.text):
            assert (under, after) == (" ", "")
        else:
            assert line.text[line.at :].startswith(under + after)
        if before + under + after not in (line.text, line.text + " "):
            assert cell_len(before + under + after) >= width - 1, "what is cut off does not fit"


# -- the cursor ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 30), st.integers(0, 60))))
def test_the_cursor_is_in_sight_and_no_room_is_wasted(moves: list[tuple[int, int, int]]) -> None:
    cursor = ListCursor()
    for step, rows, count in moves:
        cursor.resize(count, rows)
        cursor.go(cursor.at + step, rows)
        assert 0 <= cursor.at < max(1, count)
        assert cursor.top <= cursor.at < cursor.top + rows
        assert cursor.top == 0 or cursor.top + rows <= count


# -- what is in memory --------------------------------------------------------------------------------------------------


def summary(number: int, **more: object) -> ChatSummary:
    return ChatSummary(f"c{number}", f"Chat {number}", 0.0, float(-number), 2, **more)  # type: ignore[arg-type]  # flags


def window(first: int, count: int, total: int, place: int | None = None) -> ListWindow:
    return ListWindow(first, tuple(summary(n) for n in range(first, first + count)), total, place)


def test_only_a_part_of_the_list_is_held_and_the_next_is_asked_for_in_time() -> None:
    listed = Listed()
    assert (listed.known, listed.total, listed.current, listed.wanted(20)) == (False, 0, None, None)
    listed.show(window(0, 200, 10_000), 20)
    assert listed.wanted(20) is None
    listed.cursor.go(159, 20)
    assert listed.wanted(20) is None
    listed.cursor.go(160, 20)
    assert listed.wanted(20) == 160
    listed.show(window(60, 200, 10_000), 20)
    assert listed.cursor.at == 160
    assert listed.wanted(20) is None
    listed.cursor.go(9_999, 20)
    assert listed.at(9_999) is None
    assert listed.wanted(20) == 9_999
    listed.show(window(9_800, 200, 10_000), 20)
    assert listed.current == summary(9_999)
    assert listed.wanted(20) is None


def test_the_cursor_goes_to_the_chat_that_was_asked_for() -> None:
    listed = Listed()
    listed.show(window(400, 200, 1_000, place=500), 20)
    assert listed.current == summary(500)


def test_a_chat_that_goes_leaves_the_cursor_on_the_next() -> None:
    listed = Listed()
    listed.show(window(0, 3, 3), 20)
    listed.cursor.go(1, 20)
    listed.drop("c1", 20)
    assert (listed.current, listed.total) == (summary(2), 2)
    listed.drop("c2", 20)
    listed.drop("c0", 20)
    assert (listed.current, listed.total) == (None, 0)


def hit(chat_id: str, message_id: str) -> Hit:
    return Hit(chat_id, "T", message_id, Role.USER if message_id else None, 0.0, "word", ((0, 4),))


def test_hits_come_by_pages_and_titles_that_say_nothing_new_are_left_out() -> None:
    hits = Hits()
    page = (*tuple(hit(f"c{number}", f"m{number}") for number in range(49)), hit("c0", ""))
    hits.show(SearchHits("word", 0, page, True, 0), 10)
    assert len(hits.hits) == 49
    assert not hits.take_wish()
    hits.cursor.go(45, 10)
    assert hits.take_wish()
    assert not hits.take_wish(), "once for each page"
    hits.show(SearchHits("word", 50, (hit("c1", ""), hit("z", "")), False, 7), 10)
    assert [each.chat_id for each in hits.hits[49:]] == ["z"]
    assert (hits.cursor.at, hits.more, hits.behind) == (45, False, 7)
    hits.show(SearchHits("other", 50, (hit("y", "m"),), False, 0), 10)
    assert len(hits.hits) == 50, "a page of another search"


# -- how it looks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("then", "words"),
    [
        ("2026-03-18T09:05", "09:05"),
        ("2026-03-17T23:59", "Tue"),
        ("2026-03-12T00:00", "Thu"),
        ("2026-03-11T23:59", "11 Mar"),
        ("2026-01-01T00:00", "1 Jan"),
        ("2025-11-02T14:05", "2025-11-02"),
        ("2026-03-19T10:00", "19 Mar"),
    ],
)
def test_a_moment_is_said_as_short_as_it_can_be(then: str, words: str) -> None:
    now = datetime(2026, 3, 18, 10, 0).timestamp()
    assert when(datetime.fromisoformat(then).timestamp(), now) == words


@pytest.mark.parametrize("then", [float("nan"), float("inf"), 1e18, -1e18])
def test_a_moment_that_cannot_be_is_left_out(then: float) -> None:
    assert when(then, time.time()) == ""


def drawn(width: int, title: str, **more: object) -> str:
    chat = ChatSummary("c", title, 0.0, time.time() - 400 * 86_400, 12_345, **more)  # type: ignore[arg-type]  # flags
    parts = chat_line(chat, width, time.time(), PLAIN, is_open=False)
    return "".join(text for text, _ in parts)


@given(st.text(), st.integers(20, 150), st.booleans())
def test_a_line_fits_whatever_the_title_says(title: str, width: int, pinned: bool) -> None:
    line = drawn(width, title, pinned=pinned)
    assert cell_len(line) == width
    assert not set(line) & set("\x1b\n\r\u202e")


def test_what_a_narrow_line_has_room_for() -> None:
    assert "pinned" in drawn(78, "T", pinned=True)
    assert "12,345" in drawn(78, "T")
    assert drawn(36, "T", pinned=True).startswith("* T")
    assert drawn(36, "").startswith("  (no title)")


@given(
    st.text(max_size=120),
    st.lists(st.tuples(st.integers(0, 119), st.integers(1, 20)), max_size=3),
    st.integers(20, 120),
)
def test_a_hit_fits_and_keeps_its_height(text: str, places: list[tuple[int, int]], width: int) -> None:
    snippet = "".join(character for character in text if character.isprintable())
    spans = []
    last = 0
    for start, size in sorted(places):
        if last <= start < start + size <= len(snippet):
            spans.append((start, start + size))
            last = start + size
    found = Hit("c", "Title", "m", Role.USER, 0.0, snippet, tuple(spans))
    lines = hit_lines(found, width, time.time(), PLAIN)
    assert len(lines) == hit_height(width)
    for line in lines:
        assert cell_len("".join(part for part, _ in line)) <= width


@pytest.mark.parametrize("width", [36, 48, 78, 118])
@pytest.mark.parametrize("at", [0, 30, 60, 110])
def test_the_first_match_is_in_sight(width: int, at: int) -> None:
    words = "so many words that nobody reads them all before it is too late to read the rest of them, and even then some are left"
    snippet = f"{words[:at]} needle {words[at:]}"[:120]
    start = snippet.find("needle")
    if start < 0:
        return
    found = Hit("c", "Title", "m", Role.ASSISTANT, 0.0, snippet, ((start, start + 6),))
    lines = hit_lines(found, width, time.time(), PLAIN)
    bold = [part for line in lines for part, style in line if style.underline]
    assert "".join(bold) == "needle"


def test_reading_on_does_not_depend_on_the_order_of_answers() -> None:
    shows: list[Callable[[Listed], None]] = [
        lambda listed: listed.show(window(0, 200, 500), 20),
        lambda listed: listed.show(window(300, 200, 500), 20),
    ]
    listed = Listed()
    for show in shows:
        show(listed)
    assert listed.wanted(20) == 0, "what is in sight is not held any more"


@given(st.integers(1, 120), st.integers(1, 2_000), st.integers(0, 2_000), st.integers(0, 200))
def test_what_was_read_is_enough_for_what_is_in_sight(rows: int, total: int, at: int, top: int) -> None:
    listed = Listed()
    listed.cursor.count = total
    listed.cursor.top = max(0, at - top)
    listed.cursor.go(at, rows)
    size = Listed.size(rows)
    first = max(0, min(listed.cursor.at - size // 2, total - size))
    listed.show(window(first, min(size, total - first), total), rows)
    assert listed.wanted(rows) is None, "or it would be asked for again and again"
