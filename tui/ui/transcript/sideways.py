"""Code, formulas and tables that are wider than the screen, moved sideways: they are never wrapped."""

from __future__ import annotations

from collections.abc import Iterator

from tui.core.blocks import Block, Kind
from tui.ui.transcript.markdown import overhang
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.rendered_message import RenderedMessage

_NEVER_WRAPPED = (Kind.CODE, Kind.FORMULA, Kind.TABLE)


def shift_of(rendered: RenderedMessage, index: int, block: Block) -> int:
    """How many cells of that piece of the message are left out at the left."""
    return rendered.shifts.get(index - block.part, 0) if rendered.shifts else 0


def widest(rendered: RenderedMessage, number: int | None, width: int, palette: RolePalette) -> dict[int, int]:
    """By how many cells the blocks that do not fit are too wide, by their first piece: all of a message, or the one with
    that number."""
    over: dict[int, int] = {}
    for first, block in _parts(rendered, number):
        cells = overhang(block, width, palette)
        if cells > 0:
            over[first] = max(cells, over.get(first, 0))
    return over


def move(
    rendered: RenderedMessage, number: int | None, by: int, width: int, palette: RolePalette
) -> bool | None:
    """Move what is too wide by so many cells, to the right if they are negative, no further than to its ends.

    False = it is at its end already, None = nothing is too wide.
    """
    over = widest(rendered, number, width, palette)
    if not over:
        return None
    moved = False
    for first, most in over.items():
        before = rendered.shifts.get(first, 0)
        after = max(0, min(most, before + by))
        moved |= after != before
        rendered.shifts[first] = after
    return moved


def _parts(rendered: RenderedMessage, number: int | None) -> Iterator[tuple[int, Block]]:
    """The parts of those blocks, each with the place of its block's first piece."""
    for at in range(rendered.text.pieces(rendered.entry.streaming)):
        block = rendered.text.piece(at).block
        if block.kind in _NEVER_WRAPPED and number in (None, block.number):
            yield at - block.part, block
