"""Which columns of a row have to be sent, given what the terminal shows there now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tui.ui.terminal.cells import BLANK, CONTINUED, CellRow, reach


def changed_spans(old: CellRow, new: CellRow) -> Iterator[tuple[int, int]]:
    """The spans `[start, stop)` of columns to rewrite, left to right, none touching another.

    A span never cuts a wide cluster, neither the one that goes nor the one that comes: terminals blank the other half
    of a cut cluster, or leave it. After a cluster of unsettled width it goes on over the columns that some terminal may
    have drawn it in. A row with right-to-left text is rewritten whole, because a terminal that
    reorders it does so over the whole row.
    """
    changed = [
        x
        for x, (was, glyph, had, pen) in enumerate(
            zip(old.glyphs, new.glyphs, old.pens, new.pens, strict=True)
        )
        if was != glyph or (had is not pen and had != pen)
    ]
    if not changed:
        return
    if old.right_to_left or new.right_to_left:
        yield 0, new.width
        return
    simple = not (old.careful or new.careful or CONTINUED in old.glyphs or CONTINUED in new.glyphs)
    # How far to the right a cluster may have been drawn; few rows have such clusters, and those have few.
    covered = (
        [(x, x + reach(glyph)) for x, glyph in enumerate(new.glyphs) if reach(glyph)] if new.careful else []
    )
    start = stop = changed[0]
    for x in changed:
        if x < stop:
            continue
        if x > stop:
            yield start, stop
            start = x
        # Widening to the left never passes the span before: that ends where clusters end, in both rows.
        start, stop = (start, x + 1) if simple else _widened(old, new, start, x + 1, covered)
    yield start, stop


def blank_tail(row: CellRow) -> int:
    """The first column of the blanks of one pen that end the row; the row's width if it ends in a glyph."""
    x = row.width
    if not x:
        return 0
    pen = row.pens[-1]
    while x and row.glyphs[x - 1] == BLANK and row.pens[x - 1] == pen:
        x -= 1
    return x


def _widened(
    old: CellRow, new: CellRow, start: int, stop: int, covered: Sequence[tuple[int, int]]
) -> tuple[int, int]:
    """The span made wide enough for the clusters at its ends, of both rows, and for what unsettled ones may cover:
    `covered` has their columns and how far each may reach."""
    grown = True
    while grown:
        grown = False
        while start and CONTINUED in (old.glyphs[start], new.glyphs[start]):
            start -= 1
        while stop < new.width and CONTINUED in (old.glyphs[stop], new.glyphs[stop]):
            stop += 1
        for x, end in covered:
            if start <= x < stop < min(end, new.width):
                stop, grown = min(end, new.width), True
    return start, stop
