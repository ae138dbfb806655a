"""A widget that is one screen line, drawn from parts; it repaints only when what it shows changes."""

from __future__ import annotations

from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.ui.look import palette_of
from tui.ui.widgets.row import Part


class LineWidget(Widget):
    """Subclasses draw themselves in `line`."""

    DEFAULT_CSS = "LineWidget { height: 1; width: 100%; }"

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        width = self.size.width
        if y != 0 or width <= 0:
            return Strip.blank(width, self.base())
        return self.line(width)

    def line(self, width: int) -> Strip:
        """The line on exactly `width` cells."""
        return Strip.blank(width, self.base())

    def base(self) -> Style:
        """Foreground on background."""
        palette = palette_of(self)
        return palette["foreground"] + palette["background"]

    def part(self, text: str, role: str = "") -> Part:
        """`text` in the style of `role`."""
        return text, palette_of(self)[role] if role else Style.null()
