"""Where a person writes: several lines, Enter sends, Up and Down bring back earlier prompts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.ui.line import LineWidget
from tui.ui.row import fit

# Ctrl+J is the one key that makes a new line on every terminal. `shift+\r` and `\r` are how Textual 8.2 names what
# xterm's modifyOtherKeys sends for Shift+Enter and Alt+Enter.
NEW_LINE_KEYS = frozenset({"ctrl+j", "alt+enter", "shift+enter", "ctrl+enter", "shift+\r", "\r"})


class PromptMark(LineWidget):
    """The `›` before the composer."""

    def line(self, width: int) -> Strip:
        return fit([self.part("› ", "accent")], width, self.base())


class Composer(TextArea):
    """A text area that sends on Enter and knows the prompts before this one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+u", "delete_to_start_of_line", "Delete to the start", show=False)
    ]

    class Submitted(Message):
        """The person pressed Enter on `text`; the composer still holds it."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(
            id="composer",
            theme="css",
            soft_wrap=True,
            show_line_numbers=False,
            tab_behavior="focus",
            highlight_cursor_line=False,
            compact=True,
        )
        self.cursor_blink = False
        self._history: list[str] = []
        self._place: int | None = None
        self._draft = ""

    def set_history(self, prompts: Sequence[str]) -> None:
        """The prompts of earlier, oldest first."""
        self._history = list(prompts)
        self._place = None

    def remember(self, prompt: str) -> None:
        """Add a prompt that was just sent."""
        if not self._history or self._history[-1] != prompt:
            self._history.append(prompt)
        self._place = None

    def fill(self, text: str) -> None:
        """Replace what is written, the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            if self.text.strip():
                self.post_message(self.Submitted(self.text))
            return
        if event.key in NEW_LINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
            return
        await super()._on_key(event)

    def action_cursor_up(self, select: bool = False) -> None:
        """Up; in the first line the prompt before."""
        if not select and self._in_first_row() and self._recall(-1):
            return
        super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        """Down; in the last line the prompt after."""
        if not select and self._in_last_row() and self._recall(1):
            return
        super().action_cursor_down(select)

    def _in_first_row(self) -> bool:
        return self._row() == 0

    def _in_last_row(self) -> bool:
        return self._row() >= self.wrapped_document.height - 1

    def _row(self) -> int:
        """The screen row of the cursor, counted through wrapped lines."""
        return self.wrapped_document.location_to_offset(self.cursor_location).y

    def _recall(self, step: int) -> bool:
        place = len(self._history) if self._place is None else self._place
        target = place + step
        if target < 0 or target > len(self._history) or (self._place is None and step > 0):
            return False
        if self._place is None:
            self._draft = self.text
        if target == len(self._history):
            self._place = None
            self.fill(self._draft)
        else:
            self._place = target
            self.fill(self._history[target])
        return True
