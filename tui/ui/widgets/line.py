"""A widget that is drawn line by line from styled parts; it repaints only when what it shows changes."""

from __future__ import annotations

from collections.abc import Iterable

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.look import palette_of
from tui.ui.widgets.row import Part, colourless, fit


class LineWidget(Widget):
    """Subclasses draw themselves in `line`, or in `line_at` where they have several."""

    DEFAULT_CSS = "LineWidget { height: 1; width: 100%; }"

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        width = self.size.width
        return self.line_at(y, width) if width > 0 else Strip.blank(width, self.base())

    def line_at(self, y: int, width: int) -> Strip:
        """The line in row `y` of the widget, from 0, on exactly `width` cells."""
        return self.line(width) if y == 0 else Strip.blank(width, self.base())

    def line(self, width: int) -> Strip:
        """The first line, on exactly `width` cells."""
        return Strip.blank(width, self.base())

    def base(self) -> Style:
        """Foreground on background."""
        return palette_of(self).base

    def part(self, text: str, role: str = "") -> Part:
        """`text` in the style of `role`."""
        return text, palette_of(self)[role] if role else Style.null()

    def item_line(self, parts: Iterable[Part], width: int, *, marked: bool) -> Strip:
        """A line of a list, in the style of the line under the cursor where it is `marked`."""
        palette = palette_of(self)
        style = palette.base + palette["cursor_line"] if marked else palette.base
        return fit(colourless(parts) if style.reverse else parts, width, style)
