"""The lines of blocks that were rendered: kept as long as they look right and are looked at."""

from __future__ import annotations

from tui.core.blocks import Block, Kind
from tui.ui.transcript.markdown import block_lines
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line
from tui.ui.transcript.stream import RenderedBlock

CACHED_LINES = 4000
"""How many rendered lines are kept, about 100 screens; the least recently used go first."""


class LineCache:
    """Renders pieces for a width (cells) and a palette. `stamp` tells the heights that it noted on pieces from older
    ones."""

    def __init__(self, palette: RolePalette, width: int) -> None:
        self._palette = palette
        self._width = width
        self._lines: dict[RenderedBlock, tuple[int, list[Line]]] = {}
        self.count = 0
        """How many lines are kept; about `CACHED_LINES` at most."""
        self.stamp = 0

    def forget(self, palette: RolePalette, width: int) -> None:
        """Everything looks different from now on."""
        self._palette, self._width = palette, width
        self.stamp += 1
        self._lines.clear()
        self.count = 0

    def lines(self, piece: RenderedBlock, cursor: bool, shift: int = 0) -> list[Line]:
        """The piece's lines; `cursor` marks where an open text goes on; `shift` cells are left out at the left."""
        kept = self._lines.pop(piece, None)
        if kept is None or kept[0] != shift:
            lines = self.rendered(piece.block, cursor, shift)
            piece.height, piece.stamp = len(lines), self.stamp
            self.count += len(lines) - (0 if kept is None else len(kept[1]))
            kept = shift, lines
        # Dicts keep their order: the first is the one that was not used for longest.
        self._lines[piece] = kept
        while self.count > CACHED_LINES and len(self._lines) > 1:
            oldest = next(iter(self._lines))
            self.count -= len(self._lines.pop(oldest)[1])
        return kept[1]

    def rendered(self, block: Block, cursor: bool = False, shift: int = 0) -> list[Line]:
        """A block's lines, not kept."""
        barred = bool(block.holders) and block.kind is Kind.VERBATIM
        ink = self._palette.ink("muted") if barred else None
        return block_lines(block, self._width, self._palette, ink, cursor, shift)
