"""A list of lines with a cursor: moving by keys, and scrolling so that the cursor stays in sight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.ui.look import palette_of
from tui.ui.widgets.row import Part, colourless, fit


class LineList(ScrollView, can_focus=True):
    """Subclasses say how a line looks, in `line_parts`, and what stands over the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "move(-100000)", show=False),
        Binding("end", "move(100000)", show=False),
    ]
    HEAD_LINES: ClassVar[int] = 0
    """How many lines stand over the list and scroll with nothing."""

    @dataclass
    class Moved(Message):
        """Another line is under the cursor, or there is something else to say of the one that is."""

        line_list: LineList

        @property
        def control(self) -> LineList:
            """The list that tells it."""
            return self.line_list

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self.count = 0
        self.cursor = 0
        """The place of the line under the cursor, from 0."""

    def set_lines(self, count: int, cursor: int) -> None:
        """There are so many lines now, and the cursor is on that one."""
        self.count, self.cursor = count, cursor
        self.virtual_size = Size(0, count + self.HEAD_LINES)
        self.refresh()
        self.call_after_refresh(self.show_cursor)

    def on_resize(self) -> None:
        """The cursor stays in sight. What there is to scroll is known only after this message."""
        self.call_after_refresh(self.show_cursor)

    def show_cursor(self) -> None:
        """Scroll so that the line under the cursor is in sight."""
        self.scroll_to_region(Region(0, self.cursor, 1, 1 + self.HEAD_LINES), animate=False, force=True)

    def action_move(self, step: int) -> None:
        """Move the cursor by so many lines; past those that it cannot stop at."""
        if not self.count:
            return
        target = max(0, min(self.count - 1, self.cursor + step))
        while not self.may_stop_at(target):
            target += 1 if step > 0 or target == 0 else -1
        self.cursor = target
        self.show_cursor()
        self.refresh()
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

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        over = self.over_list(y, width)
        if over is not None:
            return fit(over, width, base)
        index = y - self.HEAD_LINES + round(self.scroll_offset.y)
        if index >= self.count:
            return Strip.blank(width, base)
        under = index == self.cursor
        style = base + palette["cursor_line"] if under and self.has_focus else base
        parts = self.line_parts(index, width, under=under)
        return fit(colourless(parts) if style.reverse else parts, width, style)
