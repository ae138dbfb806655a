"""Turns cells into bytes: cursor moves, pen changes, glyphs and erases, each in its shortest safe form.

Sequences are those of the VT100 and ECMA-48 that xterm, VTE, kitty, PuTTY, mosh, tmux, screen and the Linux console
share: CUP, CUF, CHA, EL, ECH, DECSTBM, IND by line feed, RI, SGR. The terminal must not wrap at the right edge
(DECAWM off), which Textual sees to.
"""

from __future__ import annotations

from tui.ui.terminal.cells import BLANK, CONTINUED, CellRow, settled
from tui.ui.terminal.diff import blank_tail, changed_spans
from tui.ui.terminal.scroll import Shift
from tui.ui.terminal.sgr import DEFAULT_PEN, Pen, blank_pen, erasable, transition

# Blanks from which an erase (ECH and the move behind it, up to 11 bytes) is shorter than the blanks themselves.
_MANY_BLANKS = 12
# Blanks from which an erase to the end of the row (EL, 3 bytes) is shorter.
_SOME_BLANKS = 4


class Encoder:
    """Collects one frame's bytes and knows the cursor and the pen that the terminal will have after them.

    The cursor starts unknown, since others may have moved it. `pen` is what the terminal was left with, None if
    unknown. `erases_with_colour`: erased cells get the pen's background (BCE), not the default one.
    """

    def __init__(self, width: int, *, pen: Pen | None, erases_with_colour: bool) -> None:
        self._width = width
        self._erases_with_colour = erases_with_colour
        self.pen = pen
        self._x: int | None = None
        self._y: int | None = None
        self._out: list[str] = []

    def text(self) -> str:
        return "".join(self._out)

    def reset(self) -> None:
        """Makes pen and scroll region known, whatever ran in the terminal before."""
        self._out.append(transition(None, DEFAULT_PEN) + "\x1b[r")
        self.pen = DEFAULT_PEN
        self._x = self._y = None  # not every emulator sends the cursor home for it

    def scroll(self, shift: Shift) -> None:
        """Moves the rows of `shift`; by line feeds at the region's edge, which every terminal since the VT100 has.

        The colour in which the new rows come in differs between terminals: they have to be rewritten.
        """
        self._out.append(f"\x1b[{shift.top + 1};{shift.bottom + 1}r")
        if shift.lines > 0:
            self._out.append(f"\x1b[{shift.bottom + 1}H" + "\n" * shift.lines)
        else:
            self._out.append(f"\x1b[{shift.top + 1}H" + "\x1bM" * -shift.lines)
        # Without parameters the region is the whole screen again. The cursor goes home, but not in every emulator.
        self._out.append("\x1b[r")
        self._x = self._y = None

    def row(self, y: int, old: CellRow, new: CellRow) -> None:
        """Sends what differs between the row on the terminal and the new one."""
        for start, stop in changed_spans(old, new):
            self._span(y, start, stop, new)

    def finish(self, x: int, y: int) -> None:
        """Ends a link that is still open and leaves the cursor where it is wanted."""
        if self.pen is not None and self.pen.link:
            self._change_pen(self.pen._replace(link=""))
        self.move(x, y)

    def move(self, x: int, y: int) -> None:
        """Brings the cursor to column `x` of row `y`."""
        if (self._x, self._y) != (x, y):
            self._out.append(self._way(x, y))
            self._x, self._y = x, y

    def _way(self, x: int, y: int) -> str:
        if y == self._y:
            if x == 0:
                return "\r"
            if self._x is not None and x > self._x:
                return "\x1b[C" if x == self._x + 1 else f"\x1b[{x - self._x}C"
            if self._x is not None and self._x - x <= 3:
                return "\b" * (self._x - x)
            return f"\x1b[{x + 1}G"
        if x == 0 and self._y is not None and y == self._y + 1:
            return "\r\n"
        if x == 0:
            return f"\x1b[{y + 1}H" if y else "\x1b[H"
        return f"\x1b[{y + 1};{x + 1}H" if y else f"\x1b[;{x + 1}H"

    def _span(self, y: int, start: int, stop: int, row: CellRow) -> None:
        tail = max(blank_tail(row), start)
        to_the_end = stop - tail >= _SOME_BLANKS and self._can_erase(row.pens[-1])
        end = tail if to_the_end else stop
        start = self._start_over_gap(y, start, row)
        x = start
        while x < end:
            x = self._run(y, x, end, row)
        if to_the_end:
            self.move(tail, y)
            self._change_pen_for_blank(row.pens[-1], None)
            self._out.append("\x1b[K")

    def _start_over_gap(self, y: int, start: int, row: CellRow) -> int:
        """Where to begin: at `start`, or at the cursor if sending the cells between again is no longer than a move."""
        if y != self._y or self._x is None or not self._x < start or row.careful:
            return start
        between = range(self._x, start)
        if len(between) > 6 or not all(self._fits(row, x) for x in between):
            return start
        gap = "".join(row.glyphs[self._x : start])
        return self._x if len(gap.encode()) <= len(self._way(start, y)) else start

    def _fits(self, row: CellRow, x: int) -> bool:
        """Whether the cell can be written with the pen as it is."""
        if self.pen is None:
            return False
        return self.pen == row.pens[x] or (row.glyphs[x] == BLANK and blank_pen(self.pen) == row.pens[x])

    def _run(self, y: int, x: int, end: int, row: CellRow) -> int:
        """Sends cells from `x` on that go together; returns the column after them."""
        pen = row.pens[x]
        stop = x + 1
        if row.glyphs[x] == BLANK:
            while stop < end and row.glyphs[stop] == BLANK and row.pens[stop] == pen:
                stop += 1
            self.move(x, y)
            self._change_pen_for_blank(pen, row.pens[stop] if stop < end else None)
            if stop - x >= _MANY_BLANKS and self._can_erase(pen):
                self._out.append(f"\x1b[{stop - x}X")
            else:
                self._write(BLANK * (stop - x), stop)
            return stop
        while stop < end and row.glyphs[stop] != BLANK and row.pens[stop] == pen:
            stop += 1
        self.move(x, y)
        self._change_pen(pen)
        if not row.careful:
            self._write("".join(row.glyphs[x:stop]), stop)
            return stop
        while x < stop:
            after = x + 1
            while after < stop and row.glyphs[after] == CONTINUED:
                after += 1
            self._cluster(y, x, after, row.glyphs[x])
            x = after
        return stop

    def _cluster(self, y: int, x: int, after: int, cluster: str) -> None:
        """Sends one cluster; around one of unsettled width nothing depends on how far the terminal moves.

        Its columns are blanked first, in case the terminal draws it narrower, and the cursor is unknown after it.
        """
        self.move(x, y)
        if settled(cluster):
            self._write(cluster, after)
            return
        self._write(BLANK * (after - x), after)
        self.move(x, y)
        self._out.append(cluster)
        self._x = None

    def _write(self, text: str, after: int) -> None:
        self._out.append(text)
        # In the last column terminals differ in where the cursor is: still there, or behind it.
        self._x = after if after < self._width else None

    def _change_pen(self, pen: Pen) -> None:
        self._out.append(transition(self.pen, pen))
        self.pen = pen

    def _change_pen_for_blank(self, pen: Pen, following: Pen | None) -> None:
        """Takes a pen that draws this blank: the one in hand, or the next one needed, or the blank's own."""
        if self.pen is not None and blank_pen(self.pen) == pen:
            return
        self._change_pen(following if following is not None and blank_pen(following) == pen else pen)

    def _can_erase(self, pen: Pen) -> bool:
        return erasable(pen) and (self._erases_with_colour or not pen.background)
