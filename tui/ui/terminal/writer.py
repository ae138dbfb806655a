"""The frame writer: keeps what the terminal shows and sends, for each new frame, only what differs.

A streamed answer changes a few cells a frame and scrolls a line now and then. Textual repaints the whole widths of
all rows then, about 5 kB a frame at 120x40; this sends some tens of bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.ui.terminal.cells import CellRow
from tui.ui.terminal.encoder import Encoder
from tui.ui.terminal.scroll import find_shift
from tui.ui.terminal.sgr import Pen


@dataclass(frozen=True, slots=True)
class Patch:
    """Cells that are new from column `x` of row `y` on."""

    x: int
    y: int
    cells: CellRow


class FrameWriter:
    """Turns frames into the bytes that bring a terminal from the frame before to the new one.

    The pen is left as it is between frames (only a link is closed), because setting it anew costs some 40 bytes a
    frame. Whoever else writes text to the terminal sends `sgr.RESET` first and calls `forget` after.
    """

    def __init__(self, *, erases_with_colour: bool = False) -> None:
        self._erases_with_colour = erases_with_colour
        self._rows: tuple[CellRow, ...] = ()
        self._pen: Pen | None = None
        self._cursor: tuple[int, int] | None = None

    @property
    def rows(self) -> tuple[CellRow, ...]:
        """What the terminal shows; empty when that is not known."""
        return self._rows

    def forget(self) -> None:
        """Makes the next frame a full one: the terminal may show anything now."""
        self._rows = ()
        self._pen = None
        self._cursor = None

    def frame(self, rows: Sequence[CellRow], cursor: tuple[int, int]) -> str:
        """The bytes for a whole frame, its rows all of one width; `cursor` is (column, row) from 0.

        A frame of another size than the last is sent in full.
        """
        rows = tuple(rows)
        width = rows[0].width if rows else 0
        encoder = Encoder(width, pen=self._pen, erases_with_colour=self._erases_with_colour)
        known: Sequence[CellRow] = self._rows
        if len(known) != len(rows) or (rows and known[0].width != width):
            encoder.reset()
            known = [CellRow.unknown(width)] * len(rows)
        elif shift := find_shift(known, rows):
            encoder.scroll(shift)
            known = shift.applied(known)
        for y, (old, new) in enumerate(zip(known, rows, strict=True)):
            if old is not new and old != new:
                encoder.row(y, old, new)
        if encoder.text() or cursor != self._cursor:
            encoder.finish(*cursor)
        self._rows, self._pen, self._cursor = rows, encoder.pen, cursor
        return encoder.text()

    def patch(self, patches: Iterable[Patch], cursor: tuple[int, int]) -> str:
        """The bytes for a frame that differs from the last one in `patches` only. The last one must be known."""
        rows = list(self._rows)
        for patch in patches:
            if patch.cells.width and 0 <= patch.y < len(rows) and 0 <= patch.x < rows[patch.y].width:
                rows[patch.y] = rows[patch.y].replaced(patch.x, patch.cells)
        return self.frame(rows, cursor)
