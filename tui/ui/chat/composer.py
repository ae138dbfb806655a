"""Where a person writes: several lines, Enter sends, Up and Down bring back earlier prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import TextArea

from tui.core.text import safe_block
from tui.ui.compat import run_binding
from tui.ui.line import LineWidget
from tui.ui.row import fit

# What terminals that can tell them apart send for Enter with another key. `shift+\r` and `\r` are how Textual 8.2 names
# what xterm's modifyOtherKeys sends for Shift+Enter and Alt+Enter.
NEW_LINE_KEYS = frozenset({"alt+enter", "shift+enter", "ctrl+enter", "shift+\r", "\r"})


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

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` by command id: `send`, `newline` and the two of the history are looked at here."""
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
        self._does = {keys.get(id, ""): id for id in ("send", "newline", "history.previous", "history.next")}
        self._history: list[str] = []
        self._sent: list[str] = []
        self._place: int | None = None
        self._draft = ""

    def set_history(self, prompts: Sequence[str]) -> None:
        """The prompts of earlier, oldest first. One that was sent before they were read stays the newest."""
        self._history = [*prompts, *(prompt for prompt in self._sent if prompt not in prompts)]
        self._place = None

    def remember(self, prompt: str) -> None:
        """Add a prompt that was just sent."""
        if not self._history or self._history[-1] != prompt:
            self._history.append(prompt)
            self._sent.append(prompt)
        self._place = None

    def fill(self, text: str) -> None:
        """Replace what is written, the cursor at its end."""
        self.text = text
        self.move_cursor(self.document.end)

    async def _on_paste(self, event: events.Paste) -> None:
        """A paste as plain text: a log's colours or a page's hidden marks are to reach neither terminal nor model."""
        event.stop()
        event.prevent_default()
        await super()._on_paste(events.Paste(safe_block(event.text)))

    async def _on_key(self, event: events.Key) -> None:
        # Enter that is not for sending is what it is in any other text field.
        does = self._does.get(event.key, "newline" if event.key in (*NEW_LINE_KEYS, "enter") else "")
        if does == "send":
            if self.text.strip():
                self.post_message(self.Submitted(self.text))
        elif does == "newline":
            self.replace("\n", *self.selection, maintain_selection_offset=False)
        elif does == "history.previous" and self._in_first_row():
            does = "taken" if self._recall(-1) else ""
        elif does == "history.next" and self._in_last_row():
            does = "taken" if self._recall(1) else ""
        else:
            does = ""
        bound = not (does or event.is_printable) and await run_binding(self.app, event.key)
        if does or bound:
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)

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
