"""A list of lines with a cursor: moving by keys, and scrolling so that the cursor stays in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.list_cursor import ListCursor
from tui.ui.widgets.row import Part, fit

FAR = 100_000
"""More lines than any list has."""


class LineList(LineWidget, can_focus=True):
    """Subclasses say how a line looks, in `line_parts`, and what stands over the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", f"move(-{FAR})", show=False),
        Binding("end", f"move({FAR})", show=False),
    ]
    HEAD_LINES: ClassVar[int] = 0
    """How many lines stand over the list and scroll with nothing."""

    @dataclass(eq=False, repr=False)
    class Moved(Message):
        """Another line is under the cursor, or there is something else to say of the one that is."""

        line_list: LineList

        @property
        def control(self) -> LineList:
            """The list that tells it."""
            return self.line_list

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.cursor = ListCursor()

    @property
    def rows(self) -> int:
        """How many lines of the list are in sight."""
        return max(1, self.size.height - self.HEAD_LINES)

    @property
    def is_cursor_marked(self) -> bool:
        """Whether the line under the cursor has a style of its own."""
        return self.has_focus

    def set_lines(self, count: int, at: int) -> None:
        """There are so many lines now, and the cursor is on that one."""
        self.cursor.count, self.cursor.at = count, at
        self.fit()

    def fit(self) -> None:
        """Bring the cursor into sight, once the list has a place on the screen."""
        if self.size.height:
            self.cursor.fit(self.rows)
        self.refresh()

    def on_resize(self) -> None:
        """The cursor stays in sight."""
        self.fit()

    def action_move(self, step: int) -> None:
        """Move the cursor by so many lines; past those that it cannot stop at."""
        cursor = self.cursor
        if not cursor.count:
            return
        target = max(0, min(cursor.count - 1, cursor.at + step))
        while not self.may_stop_at(target):
            target += 1 if step > 0 or target == 0 else -1
        cursor.at = target
        self.fit()
        self.post_message(self.Moved(self))

    def action_page(self, direction: int) -> None:
        """As far as a screen of the list goes; the line that was last is still seen."""
        self.action_move(direction * max(1, self.size.height - 1 - self.HEAD_LINES))

    def may_stop_at(self, index: int) -> bool:
        """Whether the cursor can be on that line; never false for the last one."""
        return True

    def line_parts(self, index: int, width: int, *, under: bool) -> Sequence[Part]:
        """The line at that place on so many cells; `under` = the cursor is on it."""
        raise NotImplementedError

    def over_list(self, y: int, width: int) -> Sequence[Part] | None:
        """What is shown in that row of the screen instead of a line of the list; None = that line."""
        return None

    def line_at(self, y: int, width: int) -> Strip:
        over = self.over_list(y, width)
        if over is not None:
            return fit(over, width, self.base())
        index = y - self.HEAD_LINES + self.cursor.top
        if index >= self.cursor.count:
            return Strip.blank(width, self.base())
        under = index == self.cursor.at
        parts = self.line_parts(index, width, under=under)
        return self.item_line(parts, width, marked=under and self.is_cursor_marked)
