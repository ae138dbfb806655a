"""The line under the list in which something is typed or confirmed: a filter, the name of a download or copy, a deletion."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.ui.keys import named_by
from tui.ui.look import palette_of
from tui.ui.terminal.reader import IN_TEXT
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_edit import LineEdit
from tui.ui.widgets.row import Part, cut, fit, parts_width


class Purpose(Enum):
    """What the line is for."""

    FILTER = auto()
    PULL = auto()
    COPY = auto()
    DELETE = auto()
    DELETE_BY_NAME = auto()
    RENAME = auto()
    LOAD = auto()
    CREATE = auto()
    ADAPTERS = auto()
    CONFIRM_CREATE = auto()


class ModelPrompt(LineWidget, can_focus=True):
    """Hidden while nothing is asked. It takes all keys, so that those which come in one piece count in their order."""

    DEFAULT_CSS = "ModelPrompt { height: 1; display: none; }"

    @dataclass(eq=False, repr=False)
    class Typed(Message):
        """What is typed is another text; a copy's name is not told of."""

        text: str

    @dataclass(eq=False, repr=False)
    class Ended(Message):
        """Enter, or the key that confirms: `text` is what was typed. With `text` None it was left."""

        purpose: Purpose
        model: str
        text: str | None

    @dataclass(eq=False, repr=False)
    class Walked(Message):
        """A key for the list, while a filter is typed."""

        key: str

    def __init__(self) -> None:
        super().__init__(id="model-prompt")
        self._purpose = Purpose.FILTER
        self._label = ""
        self._hint = ""
        self._model = ""
        self._line_edit = LineEdit()
        self._sure_key = ""
        self.offered = ""
        """What Tab makes of the name that is typed."""

    @property
    def text(self) -> str:
        """What is typed."""
        return self._line_edit.text

    @property
    def purpose(self) -> Purpose | None:
        """What is asked now; None for nothing."""
        return self._purpose if self.display else None

    def ask(self, purpose: Purpose, label: str, hint: str, model: str = "", text: str = "") -> None:
        """Ask for a line of text, which is `text` at first."""
        self._purpose, self._label, self._hint, self._model = purpose, label, hint, model
        self._line_edit, self._sure_key = LineEdit(text), ""
        self._open()

    def confirm(self, purpose: Purpose, label: str, hint: str, model: str, key: str) -> None:
        """Ask whether that is meant; only `key` says so, as every other key keeps what is there."""
        self.ask(purpose, label, hint, model)
        self._sure_key = key
        self.refresh()

    def _open(self) -> None:
        self.display = True
        self.refresh()
        self.screen.set_focus(self)

    def close(self) -> None:
        """Nothing is asked any more."""
        self.display = False

    def on_key(self, event: events.Key) -> None:
        """All keys are for the line."""
        event.stop()
        event.prevent_default()
        if self._sure_key:
            is_sure = bool(named_by(event, {self._sure_key: "sure"})) and event.character != IN_TEXT
            self._end("" if is_sure else None)
        elif event.key in ("enter", "tab") and event.character == IN_TEXT:
            self._insert(" ")  # of several lines that came at once
        elif event.key == "tab" and self._purpose is Purpose.PULL:
            if self.offered:
                self._line_edit = LineEdit(self.offered)
                self._written()
        elif event.key == "enter":
            self._end(self._line_edit.text.strip())
        elif event.key == "escape":
            self._end(None)
        elif self._purpose is Purpose.FILTER and event.key in ("up", "down", "pageup", "pagedown"):
            self.post_message(self.Walked(event.key))
        elif self._line_edit.key(event.key, event.character):
            self._written()

    def on_paste(self, event: events.Paste) -> None:
        """It goes into the line; a deletion is not confirmed by it."""
        event.stop()
        event.prevent_default()
        if self._sure_key:
            self._end(None)
        else:
            self._insert(event.text)

    def _insert(self, text: str) -> None:
        self._line_edit.insert(text)
        self._written()

    def _written(self) -> None:
        self.refresh()
        if self._purpose in (Purpose.FILTER, Purpose.PULL):
            self.post_message(self.Typed(self._line_edit.text))

    def _end(self, text: str | None) -> None:
        self.post_message(self.Ended(self._purpose, self._model, text))

    def line(self, width: int) -> Strip:
        parts: list[Part] = [self.part(" "), self.part(cut(self._label, width - 2), "accent")]
        if self._sure_key:
            return fit([*parts, self.part(f"  {self._hint}", "muted")], width, self.base())
        hint = f"   {self._hint}" if self._hint else ""
        room = width - parts_width(parts) - len(hint) - 3
        if room < 20:
            room, hint = width - parts_width(parts) - 3, ""
        before, under, after = self._line_edit.shown(max(1, room))
        cursor = palette_of(self)["foreground"] + Style(reverse=True)
        parts += [self.part(f" {before}"), (under, cursor), self.part(after)]
        pad = width - parts_width(parts) - len(hint)
        return fit([*parts, self.part(" " * max(0, pad)), self.part(hint, "muted")], width, self.base())
