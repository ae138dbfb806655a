"""Which columns of a row have to be sent, given what the terminal shows there now."""

from __future__ import annotations

from collections.abc import Iterator

from tui.ui.terminal.cells import BLANK, CONTINUED, Row, settled


def changed_spans(old: Row, new: Row) -> Iterator[tuple[int, int]]:
    """The spans `[start, stop)` of columns to rewrite, left to right, none touching another.

    A span never cuts a wide cluster, neither the one that goes nor the one that comes: terminals blank the other half
    of a cut cluster, or leave it. It takes in a cluster of unsettled width beside it, since that may reach into it,
    and the column after such a cluster. A row with right-to-left text is rewritten whole, because a terminal that
    reorders it does so over the whole row.
    """
    changed = [
        x
        for x, (was, glyph, had, pen) in enumerate(zip(old.glyphs, new.glyphs, old.pens, new.pens, strict=True))
        if was != glyph or (had is not pen and had != pen)
    ]
    if not changed:
        return
    if old.right_to_left or new.right_to_left:
        yield 0, new.width
        return
    start, stop = _widened(old, new, changed[0], changed[0] + 1)
    for x in changed:
        if x < stop:
            continue
        if x > stop:
            yield start, stop
            start = x
        # Widening to the left never passes the span before: that ends where a cluster ends, in both rows, and takes
        # in the column after an unsettled one.
        start, stop = _widened(old, new, start, x + 1)
    yield start, stop


def blank_tail(row: Row) -> int:
    """The first column of the blanks of one pen that end the row; the row's width if it ends in a glyph."""
    x = row.width
    if not x:
        return 0
    pen = row.pens[-1]
    while x and row.glyphs[x - 1] == BLANK and row.pens[x - 1] == pen:
        x -= 1
    return x


def _widened(old: Row, new: Row, start: int, stop: int) -> tuple[int, int]:
    """The span made wide enough for the clusters at its ends, of both rows."""
    rows = (old, new)
    careful = old.careful or new.careful
    grown = True
    while grown:
        grown = False
        while start and any(row.glyphs[start] == CONTINUED for row in rows):
            start -= 1
            grown = True
        while stop < new.width and any(row.glyphs[stop] == CONTINUED for row in rows):
            stop += 1
            grown = True
        if careful and start and any(not settled(_cluster_at(row, start - 1)) for row in rows):
            start -= 1
            grown = True
        if careful and stop < new.width and any(not settled(_cluster_at(row, stop - 1)) for row in rows):
            stop += 1
            grown = True
    return start, stop


def _cluster_at(row: Row, x: int) -> str:
    while x and row.glyphs[x] == CONTINUED:
        x -= 1
    return row.glyphs[x]
