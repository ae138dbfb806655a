"""Whatever frames follow each other, the terminal shows the last one."""

from __future__ import annotations

from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.emulator import Terminal, difference
from tui.ui.terminal.cells import CONTINUED, CellRow
from tui.ui.terminal.sgr import DEFAULT_PEN, Pen, pen_from, transition
from tui.ui.terminal.writer import FrameWriter, Patch

WIDTH, HEIGHT = 24, 9

PENS = (
    DEFAULT_PEN,
    pen_from("31"),
    pen_from("1;31"),
    pen_from("1;2;3;31"),
    pen_from("1;38;2;1;2;3;48;2;9;9;9"),
    pen_from("48;2;9;9;9"),
    pen_from("2;4;38;5;7"),
    pen_from("7;44"),
    pen_from("3;9;53;38;2;1;2;3"),
    pen_from("", "https://example.org/"),
)
# Widths that terminals agree on, and those that they do not: emoji, joined, flagged and with a variation selector,
# Indic vowel signs. The emulated terminal joins nothing, so it draws some of them wider than Rich thinks.
SETTLED = (
    "a",
    "b ",
    "word",
    "  ",
    " " * 14,
    "чай",
    "ę",
    "Việt",
    "漢字",
    "字漢",
    "한",
    "e\u0301",
    "…│",
    "─" * 9,
    "שלום",
)
UNSETTLED = ("🙂", "✅", "👩\u200d💻", "⚠\ufe0f", "🇺🇿", "नि", "👍🏽", "\u200d", "\u00ad")
WORDS = SETTLED + UNSETTLED
run = st.tuples(st.sampled_from(WORDS), st.sampled_from(PENS))
row = st.lists(run, max_size=7).map(lambda runs: CellRow.of(runs, WIDTH))
screen = st.lists(row, min_size=HEIGHT, max_size=HEIGHT)
point = st.tuples(st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1))


def painted(rows: list[CellRow], **terminal_kind: bool) -> Terminal:
    """The rows drawn the plain way: each glyph at its place with its whole pen, on blanks of the same pen. An ASCII
    letter beside one of the same pen needs no place of its own: every terminal has the cursor there."""
    terminal = Terminal(WIDTH, HEIGHT, **terminal_kind)
    sent = []
    for y, cells in enumerate(rows):
        next_to, written = -1, DEFAULT_PEN
        for x, (glyph, pen) in enumerate(zip(cells.glyphs, cells.pens, strict=True)):
            if glyph == CONTINUED:
                continue
            place = f"\x1b[{y + 1};{x + 1}H"
            if not (x == next_to and pen == written):
                sent.append(f"{place}{transition(None, pen)}")
            if not glyph.isascii():
                columns = len(list(takewhile(lambda other: other == CONTINUED, cells.glyphs[x + 1 :]))) + 1
                sent.append(f"{' ' * columns}{place}")
            sent.append(glyph)
            next_to, written = x + 1 if glyph.isascii() else -1, pen
    terminal.feed("".join(sent))
    return terminal


@st.composite
def next_frame(draw: st.DrawFn, rows: list[CellRow]) -> list[CellRow]:
    """A frame as frames follow each other: rows move, change in part, or all is new."""
    kind = draw(st.sampled_from(("up", "down", "edit", "edit", "new")))
    rows = list(rows)
    if kind in ("up", "down"):
        top = draw(st.integers(0, HEIGHT - 2))
        bottom = draw(st.integers(top + 1, HEIGHT - 1))
        lines = draw(st.integers(1, bottom - top))
        fresh = draw(st.lists(row, min_size=lines, max_size=lines))
        region = rows[top : bottom + 1]
        rows[top : bottom + 1] = region[lines:] + fresh if kind == "up" else fresh + region[:-lines]
    if kind == "new":
        return draw(screen)
    for _ in range(draw(st.integers(0, 3))):
        y = draw(st.integers(0, HEIGHT - 1))
        piece = CellRow.of(draw(st.lists(run, min_size=1, max_size=2)))
        rows[y] = rows[y].replaced(draw(st.integers(0, WIDTH - 1)), piece)
    return rows


@st.composite
def frames(draw: st.DrawFn) -> list[list[CellRow]]:
    """Some frames, each made from the one before."""
    result = [draw(screen)]
    for _ in range(draw(st.integers(1, 5))):
        result.append(draw(next_frame(result[-1])))
    return result


@settings(max_examples=100, deadline=None)
@given(frames(), st.booleans(), st.booleans(), st.booleans(), st.booleans(), point)
def test_the_terminal_shows_the_last_frame(
    sequence: list[list[CellRow]],
    erases: bool,
    scrolls: bool,
    trusts: bool,
    narrow: bool,
    cursor: tuple[int, int],
) -> None:
    terminal = Terminal(
        WIDTH, HEIGHT, erases_with_colour=erases, scrolls_with_colour=scrolls, narrow_symbols=narrow
    )
    writer = FrameWriter(erases_with_colour=erases and trusts)
    for rows in sequence:
        terminal.feed(writer.frame(rows, cursor))
        assert not difference(painted(rows, narrow_symbols=narrow).cells(), terminal.cells())
        assert terminal.cursor == cursor
        assert terminal.margins is None


@settings(max_examples=60, deadline=None)
@given(frames(), st.lists(st.tuples(point, st.lists(run, min_size=1, max_size=3)), max_size=4))
def test_patches_are_frames(
    sequence: list[list[CellRow]], edits: list[tuple[tuple[int, int], list[tuple[str, Pen]]]]
) -> None:
    writer, terminal = FrameWriter(), Terminal(WIDTH, HEIGHT)
    terminal.feed(writer.frame(sequence[-1], (0, 0)))
    patches = [Patch(x, y, CellRow.of(runs)) for (x, y), runs in edits]
    rows = list(sequence[-1])
    for patch in patches:
        if patch.cells.width:
            rows[patch.y] = rows[patch.y].replaced(patch.x, patch.cells)
    terminal.feed(writer.patch(patches, (1, 1)))
    assert list(writer.rows) == rows
    assert not difference(painted(rows).cells(), terminal.cells())


def text_rows(*texts: str, width: int = WIDTH) -> list[CellRow]:
    return [CellRow.of([(text, DEFAULT_PEN)], width) for text in texts]


def test_a_frame_like_the_last_costs_nothing() -> None:
    writer = FrameWriter()
    rows = text_rows("one", "two", "three")
    assert writer.frame(rows, (0, 0))
    assert writer.frame(list(rows), (0, 0)) == ""
    assert writer.frame(text_rows("one", "two", "three"), (0, 0)) == ""
    assert writer.frame(rows, (5, 2)) == "\x1b[3;6H"


def test_a_word_more_is_a_move_the_word_and_the_move_back() -> None:
    writer = FrameWriter()
    writer.frame(text_rows("one", "two", "three"), (0, 0))
    assert writer.frame(text_rows("one", "two more", "three"), (0, 0)) == "\x1b[2;5Hmore\x1b[H"


def test_a_line_scrolled_in_is_a_region_a_line_feed_and_the_line() -> None:
    writer = FrameWriter()
    lines = [f"line number {n}, {'abc'[n % 3] * 4}" for n in range(20)]
    writer.frame(text_rows("head", *lines[:10], "foot"), (0, 11))
    sent = writer.frame(text_rows("head", *lines[1:11], "foot"), (0, 11))
    assert sent == f"\x1b[2;11r\x1b[11H\n\x1b[r\x1b[11H{lines[10]}\x1b[K\r\n"


def test_a_frame_forgotten_is_sent_in_full() -> None:
    writer = FrameWriter()
    rows = text_rows("one", "two")
    full = writer.frame(rows, (0, 0))
    writer.forget()
    assert writer.rows == ()
    assert writer.frame(rows, (0, 0)) == full
    assert writer.frame(text_rows("one", "two", width=WIDTH + 1), (0, 0)) == full


def test_the_pen_stays_but_a_link_is_closed() -> None:
    writer = FrameWriter()
    red, link = pen_from("31"), pen_from("31", "https://example.org/")
    first = writer.frame([CellRow.of([("red", red)], WIDTH)], (0, 0))
    assert "\x1b[31mred" in first
    second = writer.frame([CellRow.of([("redder", red)], WIDTH)], (0, 0))
    assert "31" not in second
    third = writer.frame([CellRow.of([("linked", link)], WIDTH)], (0, 0))
    assert third.count("\x1b]8;") == 2
    assert third.endswith("\x1b]8;;\x1b\\\r")


def test_after_a_cluster_of_unsettled_width_the_column_is_said_anew() -> None:
    writer = FrameWriter()
    writer.frame(text_rows("a b"), (0, 0))
    sent = writer.frame(text_rows("a 👩\u200d💻 b"), (0, 0))
    assert sent.startswith("\x1b[;3H  \b\b👩\u200d💻\x1b[5G b")


def test_a_row_read_from_right_to_left_is_sent_whole() -> None:
    writer = FrameWriter()
    writer.frame(text_rows("שלום olam"), (0, 0))
    assert writer.frame(text_rows("שלום olam!"), (0, 0)) == "\x1b[Hשלום olam!\x1b[K\r"


def test_coloured_blanks_are_erased_only_where_that_colours_them() -> None:
    blue = pen_from("44")
    for erases in (True, False):
        writer = FrameWriter(erases_with_colour=erases)
        sent = writer.frame([CellRow.of([("x" + " " * (WIDTH - 1), blue)])], (0, 0))
        assert ("\x1b[K" in sent) is erases
        assert (" " * (WIDTH - 1) in sent) is not erases
