"""Tables: aligned columns under a rule. What does not fit is wrapped inside its column, the widest columns first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.core.blocklines import split_row
from tui.core.blocks import Block
from tui.ui.transcript.code import CUT_BEFORE_SIGN, CUT_SIGN
from tui.ui.transcript.inline import mended, runs_of
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line, Run, cut, set_runs, shifted, width_of

SEPARATOR = " │ "
NARROWEST = 6
"""Cells below which no column is shrunk; a table that needs more than the screen then is cut at the right."""

_BOLD = Style(bold=True)


@lru_cache(maxsize=1024)
def _runs(cell: str, palette: RolePalette, base: Style) -> tuple[Run, ...]:
    """A cell's runs; kept, for a table that grows is laid out anew at each row."""
    return tuple(runs_of(cell, palette, base))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Column widths in cells, and each column's alignment."""

    widths: tuple[int, ...]
    columns: tuple[str, ...]


def table_lines(block: Block, width: int, palette: RolePalette, shift: int = 0) -> list[Line]:
    """The lines of a table, or of a later part of one, which has the columns that its first part was given; `shift` cells
    are left out at the left."""
    rows = [_cells(line, len(block.columns)) for line in block.text.split("\n")] if block.text else []
    base = palette.base
    if block.open and rows:
        rows[-1] = [mended(cell) for cell in rows[-1]]
    has_header = block.head is None
    inks = [base + palette["heading"] + _BOLD if has_header and at == 0 else base for at in range(len(rows))]
    set_rows = [[_runs(cell, palette, ink) for cell in row] for row, ink in zip(rows, inks, strict=True)]
    measured = set_rows if block.head is None else _set(block.head, palette)
    grid = _Grid(_fitted(_natural(measured, len(block.columns)), width), block.columns)
    lines: list[Line] = []
    for at, row in enumerate(set_rows):
        lines += _row_lines(row, grid, palette)
        if has_header and at == 0:
            rule = "─┼─".join("─" * cells for cells in grid.widths)
            lines.append([Segment(rule, palette.ink("rule"))])
    muted = palette.ink("muted")
    return [cut(shifted(line, shift, CUT_BEFORE_SIGN, muted), width, CUT_SIGN, muted) for line in lines]


def table_overhang(block: Block, width: int, palette: RolePalette) -> int:
    """By how many cells the table is wider than `width` with the narrowest columns that it is set in; 0 or less if it
    fits."""
    count = len(block.columns)
    if len(SEPARATOR) * (count - 1) + count * NARROWEST <= width:
        return 0
    cells = _fitted(_natural(_set(block.head or block, palette), count), width)
    return sum(cells) + len(SEPARATOR) * (count - 1) - width


def _set(block: Block, palette: RolePalette) -> list[list[tuple[Run, ...]]]:
    rows = [_cells(line, len(block.columns)) for line in block.text.split("\n")]
    return [[_runs(cell, palette, palette.base) for cell in row] for row in rows]


def _cells(line: str, count: int) -> list[str]:
    """The cells of a row, as many as the table has columns: missing ones are empty, surplus ones dropped."""
    cells = split_row(line)[:count]
    return cells + [""] * (count - len(cells))


def _natural(rows: list[list[tuple[Run, ...]]], count: int) -> list[int]:
    widths = [1] * count
    for row in rows:
        for at, runs in enumerate(row):
            text = "".join([part for part, _ in runs])
            widths[at] = max(widths[at], *[cell_len(line) for line in text.split("\n")])
    return widths


def _fitted(widths: list[int], width: int) -> tuple[int, ...]:
    """The widths shrunk to `width` cells with separators, by taking from the widest until they are like the next."""
    room = width - len(SEPARATOR) * (len(widths) - 1)
    shrunk = list(widths)
    surplus = sum(shrunk) - room
    while surplus > 0:
        widest = max(shrunk)
        if widest <= NARROWEST:
            break
        at_top = [at for at, cells in enumerate(shrunk) if cells == widest]
        next_widest = max([cells for cells in shrunk if cells < widest], default=NARROWEST)
        step = min(max(1, surplus // len(at_top)), widest - max(next_widest, NARROWEST))
        for at in at_top:
            taken = min(step, surplus)
            shrunk[at] -= taken
            surplus -= taken
    return tuple(shrunk)


def _row_lines(row: list[tuple[Run, ...]], grid: _Grid, palette: RolePalette) -> list[Line]:
    cells = [set_runs(runs, cells) if runs else [] for runs, cells in zip(row, grid.widths, strict=True)]
    bar = Segment(SEPARATOR, palette.ink("rule"))
    lines: list[Line] = []
    for level in range(max([len(cell) for cell in cells], default=0) or 1):
        line: Line = []
        for at, cell in enumerate(cells):
            shown = cell[level] if level < len(cell) else []
            space = grid.widths[at] - width_of(shown)
            before = (
                space if grid.columns[at] == "right" else space // 2 if grid.columns[at] == "center" else 0
            )
            if at:
                line.append(bar)
            if before:
                line.append(Segment(" " * before, palette.base))
            line += shown
            if space > before and at < len(cells) - 1:
                line.append(Segment(" " * (space - before), palette.base))
        lines.append(line)
    return lines
