"""A page of text over the whole screen, scrolled by keys: the keys, the figures, what a command says at length."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.ui.line import LineWidget
from tui.ui.look import palette_of
from tui.ui.row import Part, cut, fit, wrap_words

Line = tuple[tuple[str, str], ...]
"""One line as (text, role) parts."""
Setting = Callable[[int], tuple[Line, ...]]
"""The lines of a page that is so many cells wide."""


class PageLines(ScrollView, can_focus=True):
    """The page, scrolled by arrows and page keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", show=False),
        Binding("down,j", "go(1)", show=False),
        Binding("pageup", "go(-10)", show=False),
        Binding("pagedown,space", "go(10)", show=False),
        Binding("home", "go(-100000)", show=False),
        Binding("end", "go(100000)", show=False),
    ]

    def __init__(self, setting: Setting) -> None:
        super().__init__(id="page-lines")
        self._setting = setting
        self._lines: tuple[Line, ...] = ()

    def on_resize(self) -> None:
        """The page is set to the width; Textual needs to know how long it is."""
        self._lines = self._setting(self.size.width)
        self.virtual_size = Size(0, len(self._lines))
        self.refresh()

    def action_go(self, lines: int) -> None:
        """Up or down; Textual's own scrolling wants a scroll bar."""
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        palette, width = palette_of(self), self.size.width
        base = palette["foreground"] + palette["background"]
        index = y + round(self.scroll_offset.y)
        parts: list[Part] = []
        if index < len(self._lines):
            parts = [(text, palette[role or "foreground"]) for text, role in self._lines[index]]
        return fit(parts, width, base)


class PageTitle(LineWidget):
    """The first line of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def line(self, width: int) -> Strip:
        hint = "   ↑↓ scroll   Esc back"
        title = self.part(cut(f" {self._text}", max(width // 2, width - len(hint))), "accent")
        return fit([title, self.part(hint, "muted")], width, self.base())


class PageScreen(ModalScreen[None]):
    """Covers the whole screen; Esc, q, Enter or the key that opened it goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss_page", show=False)]

    def __init__(self, title: str, setting: Setting, key: str = "") -> None:
        """`key` is the one that opened it, in Textual's notation."""
        super().__init__()
        self._heading = title
        self._setting = setting
        self._key = key

    def compose(self) -> ComposeResult:
        yield PageTitle(self._heading)
        yield PageLines(self._setting)

    def on_key(self, event: events.Key) -> None:
        """The key that opened the page, whichever that is."""
        if event.key == self._key:
            event.stop()
            self.dismiss(None)

    def action_dismiss_page(self) -> None:
        """Back."""
        self.dismiss(None)


def table(rows: list[tuple[str, str, str]], width: int, least: int = 12) -> list[Line]:
    """Rows of a name, its role and a text that is wrapped beside it, set to `width` cells."""
    column = min(max([least, *(len(name) + 4 for name, _, _ in rows)]), max(least, width // 2))
    lines: list[Line] = []
    for name, role, text in rows:
        first, *others = wrap_words(text, max(10, width - column - 1)) or [""]
        if len(name) + 3 > column:
            lines.append(((cut(f"  {name}", width), role),))
            name = ""
        lines.append(((f"  {name}".ljust(column) if name else " " * column, role), (first, "foreground")))
        lines += [((" " * column + other, "foreground"),) for other in others]
    return lines
