"""Reads Textual's compositor updates into rows of cells.

The private types here are those of Textual 8.2 (textual/_compositor.py): they are what `App._display` is given, and
there is no public way to a frame's content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.strip import Strip

from tui.ui.terminal.cells import CellRow
from tui.ui.terminal.sgr import DEFAULT_PEN, Pen, pen_from
from tui.ui.terminal.writer import Patch


class UnusualUpdate(Exception):
    """An update that rows of cells cannot hold; it has to be shown by Textual itself."""


class StripReader:
    """Turns strips into rows, and knows the rows of the last frame by the strips they were made from."""

    def __init__(self, colours: ColorSystem) -> None:
        self._colours = colours
        # By the identities of a row's strips; the strips are kept too, so that no identity is given out again.
        self._known: dict[tuple[int, ...], tuple[tuple[Strip, ...], CellRow]] = {}

    def rows(self, update: LayoutUpdate) -> list[CellRow]:
        """All rows of a full update. Raises UnusualUpdate."""
        if update.region.offset != (0, 0):
            raise UnusualUpdate("a full update of a part of the screen")
        width = update.region.width
        known: dict[tuple[int, ...], tuple[tuple[Strip, ...], CellRow]] = {}
        rows: list[CellRow] = []
        for line in update.strips:
            strips = tuple(line)
            key = tuple(map(id, strips))
            seen = self._known.get(key)
            row = seen[1] if seen and seen[1].width == width else CellRow.of(self._runs(strips), width)
            known[key] = strips, row
            rows.append(row)
        self._known = known
        return rows

    def patches(self, update: ChopsUpdate) -> Iterator[Patch]:
        """The parts of rows that a partial update changes: those, and cut as, Textual would send. Raises UnusualUpdate."""
        for y, start, stop in update.spans:
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is None or x >= stop or end <= start:
                    continue
                piece = strip if end <= stop else strip.crop(0, stop - x)
                yield Patch(x, y, CellRow.of(self._runs((piece,))))

    def _runs(self, strips: Iterable[Strip | None]) -> Iterator[tuple[str, Pen]]:
        for strip in strips:
            if strip is None:
                raise UnusualUpdate("a row with a hole")
            for text, style, control in strip:
                if control:
                    raise UnusualUpdate("a control sequence among the text")
                if style is None:
                    yield text, DEFAULT_PEN
                else:
                    yield text, pen_from(Strip.render_ansi(style, self._colours), style.link or "")
