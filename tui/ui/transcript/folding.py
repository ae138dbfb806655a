"""Long code blocks, and long texts of a person's own, folded to their first lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from rich.segment import Segment

from tui.core.blocks import Block, Kind
from tui.core.text import count_of
from tui.ui.transcript.code import INDENT
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line
from tui.ui.transcript.rendered_message import RenderedMessage
from tui.ui.widgets.row import cut

FOLDED_OVER = 20
"""Lines up to which a block stays as it is."""
SHOWN_LINES = 8
"""Lines of a folded block that are shown."""
OWN_TEXT = 0
"""Stands for the number of a block in a text that is no Markdown: the whole of it folds."""


class CodePlace(NamedTuple):
    """A block that folds: its number, the pieces it is made of, how many lines it has, what its fence says."""

    number: int
    first: int
    stop: int
    lines: int
    info: str = ""


def number_of(block: Block) -> int | None:
    """The number by which a block folds; None for one that does not."""
    if block.kind in (Kind.CODE, Kind.FORMULA):
        return block.number
    return OWN_TEXT if block.kind is Kind.VERBATIM else None


def places(rendered: RenderedMessage) -> Iterator[CodePlace]:
    """The blocks of a message that fold, from the first on."""
    count = rendered.text.pieces(rendered.entry.streaming)
    at = 0
    while at < count:
        place = place_at(rendered, at, count)
        if place is None:
            at += 1
        else:
            yield place
            at = place.stop


def place_at(rendered: RenderedMessage, first: int, count: int) -> CodePlace | None:
    """The block that begins with that piece, of `count`; None if none does."""
    block = rendered.text.piece(first).block
    number = number_of(block)
    if number is None:
        return None
    stop, lines = first + 1, _line_count(block)
    while stop < count:
        part = rendered.text.piece(stop).block
        if not part.part or number_of(part) != number:
            break
        lines += _line_count(part)
        stop += 1
    return CodePlace(number, first, stop, lines, block.info)


def is_folded(rendered: RenderedMessage, block: Block) -> bool:
    """Whether a block of the message is folded."""
    return bool(rendered.folded) and number_of(block) in rendered.folded


def folded(rendered: RenderedMessage, index: int) -> tuple[Block, int] | None:
    """What is shown of the folded block that begins with that piece, and how many lines are not; None behind its first
    piece, of which nothing is shown."""
    block = rendered.text.piece(index).block
    if block.part:
        return None
    shown = replace(block, text="\n".join(block.text.split("\n", SHOWN_LINES)[:SHOWN_LINES]))
    place = place_at(rendered, index, rendered.text.pieces(rendered.entry.streaming))
    return shown, (place.lines if place is not None else 0) - _line_count(shown)


def more_line(shown: Block, left: int, key: str, width: int, palette: RolePalette) -> Line:
    """What stands for the rest of a folded block."""
    indent = " " * INDENT if shown.kind is not Kind.VERBATIM else ""
    text = cut(f"{indent}… {count_of(left, 'more line')} · {key} shows them", width)
    return [Segment(text, palette.ink("muted"))]


def toggle(rendered: RenderedMessage, number: int | None, shows_reasoning: bool) -> bool | None:
    """Fold a message, or the block with that number; unfold it if nothing of it is open any more.

    `shows_reasoning` says whether its reasoning is open now. True = folded, None = there is nothing to fold.
    """
    long = {place.number for place in places(rendered) if place.lines > FOLDED_OVER}
    if number is not None:
        if number not in long:
            return None
        rendered.folded ^= {number}
        return number in rendered.folded
    has_reasoning = bool(rendered.reasoning)
    if not long and not has_reasoning:
        return None
    folds = bool(long - rendered.folded) or (has_reasoning and shows_reasoning)
    rendered.folded = long if folds else set()
    if has_reasoning:
        rendered.shows_reasoning = not folds
    return folds


def _line_count(block: Block) -> int:
    return block.text.count("\n") + 1
