"""The lines over the composer: questions that wait, files that go along, and the search in the earlier prompts."""

from __future__ import annotations

from dataclasses import dataclass

from textual.strip import Strip
from textual.widget import Widget

from tui.ui.look import palette_of
from tui.ui.row import Part, cut, parts_width, spread

_LEAST_TEXT = 12
"""Cells that the text of a line keeps before what is at its right end."""


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """`label text           hint`; what does not fit is cut from the text first, then from the hint."""

    label: str
    text: str
    hint: str
    tone: str = "accent"


class Shelf(Widget):
    """As high as it has lines; without any it takes no place."""

    DEFAULT_CSS = "Shelf { height: 0; width: 100%; }"

    def __init__(self) -> None:
        super().__init__(id="shelf")
        self._lines: tuple[ShelfLine, ...] = ()

    def show(self, lines: tuple[ShelfLine, ...]) -> None:
        """Show these; nothing is laid out or painted if nothing changed."""
        if lines == self._lines:
            return
        if len(lines) != len(self._lines):
            self.styles.height = len(lines)
        self._lines = lines
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        if y >= len(self._lines) or width <= 0:
            return Strip.blank(width, base)
        line = self._lines[y]
        label: list[Part] = [(f" {line.label} ", palette[line.tone])]
        hint: list[Part] = [(line.hint, palette["muted"]), (" ", base)]
        room = max(_LEAST_TEXT, width - parts_width(label) - parts_width(hint) - 2)
        return spread([*label, (cut(line.text, room), palette["foreground"])], hint, width, base, gap=2)
