"""One block as lines of a width: the marks of its lists and quotes, and inside them what its kind looks like."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.core.block import QUOTE
from tui.core.blocks import Block, Holder, Kind
from tui.ui.transcript.code import code_lines, code_overhang
from tui.ui.transcript.inline import runs_of
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import MEASURE, Line, set_runs, steady, width_of
from tui.ui.transcript.table import table_lines, table_overhang

CURSOR = "▌"
"""Stands where the answer goes on."""

BULLET = "•"
QUOTE_BAR = "│ "
RULE_WIDTH = 24
"""Columns of a thematic break: short, so that it is not taken for the line between two messages."""

_LEAST_ROOM = 24
_BOLD, _UNDERLINE = Style(bold=True), Style(underline=True)


def block_lines(
    block: Block,
    width: int,
    palette: RolePalette,
    ink: Style | None = None,
    cursor: bool = False,
    shift: int = 0,
) -> list[Line]:
    """The block's lines, with the empty line before it where it wants one; none wider than `width` cells.

    `ink` replaces the colour of text shown verbatim; with `cursor`, the place where an open text goes on is marked.
    `shift` cells of what is not wrapped are left out at the left.
    """
    holders = _shown_holders(block.holders, width)
    first, rest = _prefix(holders, palette)
    prefix_width = width_of(rest)
    room = max(1, width - prefix_width)
    body = _body(block, room, palette, prefix_width, ink, shift)
    if cursor and block.open and block.kind is not Kind.TABLE:
        _mark_end(body, room, palette)
    lines = [[*(first if at == 0 else rest), *line] for at, line in enumerate(body)]
    if block.gap and lines:
        lines.insert(0, _prefix(_closed(block.holders[: block.shared]), palette)[1])
    return lines


def overhang(block: Block, width: int, palette: RolePalette) -> int:
    """By how many of `width` cells a block that is not wrapped is too wide; 0 or less if it fits."""
    prefix_width = sum([_mark_width(holder) for holder in _shown_holders(block.holders, width)])
    room = max(1, width - prefix_width)
    if block.kind is Kind.TABLE:
        return table_overhang(block, room, palette)
    return code_overhang(block, room, prefix_width)


def _body(
    block: Block, room: int, palette: RolePalette, prefix_width: int, ink: Style | None, shift: int
) -> list[Line]:
    measure = min(room, MEASURE - prefix_width) if prefix_width < MEASURE // 2 else room
    base = palette.base
    match block.kind:
        case Kind.PARAGRAPH:
            quoted = any(holder.marker == QUOTE for holder in block.holders)
            ink = palette.ink("quote") if quoted else base
            return set_runs(runs_of(block.text, palette, ink, block.open), measure)
        case Kind.HEADING:
            style = palette.ink("heading") + _BOLD
            ink = style + _UNDERLINE if block.level == 1 else style
            return set_runs(runs_of(block.text, palette, ink, block.open), measure)
        case Kind.CODE | Kind.FORMULA:
            return code_lines(block, room, palette, prefix_width, shift)
        case Kind.TABLE:
            return table_lines(block, room, palette, shift)
        case Kind.RULE:
            return [[Segment("─" * min(RULE_WIDTH, room), palette.ink("rule"))]]
        case Kind.HTML | Kind.VERBATIM:
            return set_runs([(steady(block.text), ink or base)], measure)
        case Kind.BLANK:
            return []


def _shown_holders(holders: tuple[Holder, ...], width: int) -> tuple[Holder, ...]:
    """The innermost holders whose marks leave room for text."""
    while holders and sum([_mark_width(holder) for holder in holders]) > max(width // 3, width - _LEAST_ROOM):
        holders = holders[1:]
    return holders


def _closed(holders: tuple[Holder, ...]) -> tuple[Holder, ...]:
    """The holders up to the last quote: what an empty line between two blocks shows of them."""
    count = max([at + 1 for at, holder in enumerate(holders) if holder.marker == QUOTE], default=0)
    return holders[:count]


def _mark(holder: Holder) -> str:
    return QUOTE_BAR if holder.marker == QUOTE else f"{BULLET if holder.marker == '-' else holder.marker} "


def _mark_width(holder: Holder) -> int:
    return cell_len(_mark(holder))


def _prefix(holders: tuple[Holder, ...], palette: RolePalette) -> tuple[Line, Line]:
    """What stands before the first line and before the others."""
    first: Line = []
    rest: Line = []
    for holder in holders:
        mark = _mark(holder)
        if holder.marker == QUOTE:
            bar = Segment(mark, palette.ink("rule"))
            first.append(bar)
            rest.append(bar)
        else:
            blank = Segment(" " * cell_len(mark), palette.base)
            first.append(Segment(mark, palette.ink("muted")) if holder.opens else blank)
            rest.append(blank)
    return first, rest


def _mark_end(body: list[Line], room: int, palette: RolePalette) -> None:
    """Put the cursor behind the last line, if there is a cell left for it: it never moves the text."""
    if body and width_of(body[-1]) < room:
        body[-1] = [*body[-1], Segment(CURSOR, palette.ink("second"))]
