"""The key page: every key, where it works, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.commands import COMMANDS, Command, key_name
from tui.ui.line import LineWidget
from tui.ui.look import palette_of
from tui.ui.row import Part, fit, wrap_words

PLACES = (
    ("everywhere", "Everywhere"),
    ("composer", "Writing"),
    ("chat", "Chat"),
    ("models", "Models"),
    ("settings", "Settings"),
)
KEY_WIDTH = 12
"""The least width of the column of keys, in cells."""

Line = tuple[tuple[str, str], ...]


def key_page(keys: Mapping[str, str], width: int) -> tuple[Line, ...]:
    """The lines as (text, role) parts for `width` cells."""
    lines: list[Line] = []
    column = max([KEY_WIDTH, *(len(key_name(key)) + 4 for key in keys.values())])
    for place, title in PLACES:
        commands = [command for command in COMMANDS if command.where == place and keys.get(command.id)]
        lines.append(((" ", "foreground"), (title, "heading")))
        for command in _presets_as_one(commands):
            key = key_name(keys[command.id])
            if command.id == "preset.1":
                key = f"{key}–9"
            first, *others = wrap_words(command.help, max(10, width - column - 1))
            lines.append(((f"  {key}".ljust(column), "accent"), (first, "foreground")))
            lines += [((" " * column + other, "foreground"),) for other in others]
        lines.append(())
    lines += [((" " + line, "muted"),) for line in wrap_words(_TEXT_KEYS, max(10, width - 2))]
    return tuple(lines)


_TEXT_KEYS = (
    "The composer also takes the usual keys of a text field: arrows, Home, End, Ctrl+← and Ctrl+→ by word, "
    "Ctrl+W and Ctrl+U delete, Ctrl+Z undoes."
)


def _presets_as_one(commands: list[Command]) -> list[Command]:
    numbered = {f"preset.{n}" for n in range(2, 10)}
    return [command for command in commands if command.id not in numbered]


class KeyLines(ScrollView, can_focus=True):
    """The page, scrolled by arrows and page keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "go(-1)", show=False),
        Binding("down,j", "go(1)", show=False),
        Binding("pageup", "go(-10)", show=False),
        Binding("pagedown,space", "go(10)", show=False),
        Binding("home", "go(-1000)", show=False),
        Binding("end", "go(1000)", show=False),
    ]

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__(id="key-lines")
        self._keys = keys
        self._lines: tuple[Line, ...] = ()

    def on_resize(self) -> None:
        """The page is set to the width; Textual needs to know how long it is."""
        self._lines = key_page(self._keys, self.size.width)
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
            parts = [(text, palette[role]) for text, role in self._lines[index]]
        return fit(parts, width, base)


class KeyTitle(LineWidget):
    """The first line of the page."""

    def line(self, width: int) -> Strip:
        return fit(
            [self.part(" Keys", "accent"), self.part("   ↑↓ scroll   Esc back", "muted")], width, self.base()
        )


class KeyScreen(ModalScreen[None]):
    """Covers the whole screen; Esc, q or the key that opened it goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "dismiss_page", show=False)]

    def __init__(self, keys: Mapping[str, str]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        yield KeyTitle()
        yield KeyLines(self._keys)

    def on_key(self, event: events.Key) -> None:
        """The key that opened the page, whichever that is."""
        if event.key == self._keys.get("help"):
            event.stop()
            self.dismiss(None)

    def action_dismiss_page(self) -> None:
        """Back."""
        self.dismiss(None)
