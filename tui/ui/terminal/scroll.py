"""Finding the vertical shift between two frames that a terminal can do itself with a scroll region.

Rows vote for the shifts that would bring them where they are now; the shift and the range of rows are then chosen by
the cells they save, so a line that grew while it moved, or a scrollbar beside the text, costs little.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import ne

from tui.ui.terminal.cells import BLANK, CellRow

# Bytes: two region sequences, two cursor moves and the line feeds; and one cursor move with a pen for a changed row.
_SCROLL_COST = 28
_ROW_COST = 8
_CANDIDATES = 3
# A shift of fewer rows would save less than it costs.
_FEWEST_ROWS = 3
# A row that stands more often than this in a frame (a rule, a blank quote) says nothing about where rows went.
_COMMON = 3


@dataclass(frozen=True, slots=True)
class Shift:
    """Rows `top` to `bottom` (both inclusive, from 0) move up by `lines`; down if negative."""

    top: int
    bottom: int
    lines: int

    def applied(self, rows: Sequence[CellRow]) -> list[CellRow]:
        """What the terminal shows after the shift; of the rows that came in nothing is known."""
        region = list(rows[self.top : self.bottom + 1])
        fresh = [CellRow.unknown(rows[self.top].width)] * abs(self.lines)
        region = region[self.lines :] + fresh if self.lines > 0 else fresh + region[: self.lines]
        return [*rows[: self.top], *region, *rows[self.bottom + 1 :]]


def find_shift(old: Sequence[CellRow], new: Sequence[CellRow]) -> Shift | None:
    """The shift after which the fewest bytes remain to be sent; None where none is worth its own."""
    height = len(new)
    changed = [y for y in range(height) if old[y] is not new[y] and old[y] != new[y]]
    if len(changed) < _FEWEST_ROWS:
        return None
    staying = [0] * height
    for y in changed:
        staying[y] = _cost(old[y], new[y])
    if sum(staying) <= _SCROLL_COST:
        return None
    arriving = [stay - _fresh_cost(row) for stay, row in zip(staying, new, strict=True)]
    best: Shift | None = None
    most = _SCROLL_COST
    for lines in _candidates(old, new, changed):
        gains = [
            staying[y] - _cost(old[y + lines], new[y]) if 0 <= y + lines < height else 0
            for y in range(height)
        ]
        shift, gain = _best_range(gains, arriving, lines)
        if shift is not None and gain > most:
            best, most = shift, gain
    return best


def _candidates(old: Sequence[CellRow], new: Sequence[CellRow], changed: Sequence[int]) -> list[int]:
    votes: Counter[int] = Counter()
    for part in _parts(new[0].width):
        places: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for y, row in enumerate(old):
            places[row.glyphs[part]].append(y)
        for y in changed:
            key = new[y].glyphs[part]
            sources = places.get(key, ())
            if len(sources) <= _COMMON and not _is_blank(key):
                votes.update(source - y for source in sources if source != y)
    return [lines for lines, _ in votes.most_common(_CANDIDATES)]


def _parts(width: int) -> tuple[slice, slice]:
    """Columns to know a row by: all but a scrollbar's, and those right of a list beside the text."""
    end = max(1, width - 2)
    return slice(0, end), slice(min(end - 1, width * 2 // 5), end)


def _is_blank(glyphs: tuple[str, ...]) -> bool:
    return glyphs.count(BLANK) == len(glyphs)


def _cost(old: CellRow, new: CellRow) -> int:
    """About how many bytes it takes to turn one row into the other."""
    if old is new or (old.glyphs == new.glyphs and old.pens == new.pens):
        return 0
    # Other pens on equal glyphs cost as much as other glyphs, and pens that change with the glyphs cost once.
    cells = _unequal(old.glyphs, new.glyphs)
    return _ROW_COST + (cells if old.pens == new.pens else max(cells, _unequal(old.pens, new.pens)))


def _unequal(these: Sequence[object], those: Sequence[object]) -> int:
    return sum(map(ne, these, those))


def _fresh_cost(row: CellRow) -> int:
    return _ROW_COST + row.width - row.glyphs.count(BLANK)


def _best_range(gains: Sequence[int], arriving: Sequence[int], lines: int) -> tuple[Shift | None, int]:
    """The range of rows with the highest sum of gains, counting the rows that come in empty at its edge."""
    height = len(gains)
    count = abs(lines)
    gained = [0, *accumulate(gains)]
    emptied = [0, *accumulate(arriving)]
    best: Shift | None = None
    most = 0
    if lines > 0:
        # Rows start..last get their new content from below; last + 1..last + count come in empty.
        start = 0
        for last in range(height - count):
            if gained[last] < gained[start]:
                start = last
            total = gained[last + 1] - gained[start] + emptied[last + 1 + count] - emptied[last + 1]
            if total > most:
                best, most = Shift(start, last + count, lines), total
        return best, most
    # Rows first..last get their new content from above; first - count..first - 1 come in empty.
    worth = [emptied[y] - emptied[y - count] - gained[y] if y >= count else 0 for y in range(height)]
    first = count
    for last in range(count, height):
        if worth[last] > worth[first]:
            first = last
        total = gained[last + 1] + worth[first]
        if total > most:
            best, most = Shift(first - count, last, lines), total
    return best, most
