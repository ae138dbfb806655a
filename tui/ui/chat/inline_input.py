"""A second place to write, laid over the composer for a while: what is in the composer stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events

from tui.ui.chat.composer import NEW_LINE_KEYS
from tui.ui.chat.prompt_text_area import PromptTextArea, WritingMessage
from tui.ui.compat import run_binding


class InlineInput(PromptTextArea):
    """An edit of a message, or the name of a file. Enter hands it in; Esc is the message cursor's."""

    @dataclass(eq=False, repr=False)
    class HandedIn(WritingMessage):
        """The person pressed Enter on `text`; the inline input still holds it."""

        text: str

    @dataclass(eq=False, repr=False)
    class EditorWanted(WritingMessage):
        """The person wants to go on in their own editor."""

    def __init__(self, text: str, keys: Mapping[str, str]) -> None:
        super().__init__("inline-input")
        self._send, self._newline = keys.get("send", ""), keys.get("newline", "")
        self._open, self._editor = keys.get("paste.open", ""), keys.get("editor", "")
        self._choices = keys.get("choices.enter", "")
        self._first = text
        self._begun_with = ""

    @property
    def changed(self) -> bool:
        """Whether something else is on it than at the beginning."""
        return self.plain != self._begun_with

    def on_mount(self) -> None:
        """It is given to somebody at once."""
        self.begin(self._first)

    def begin(self, text: str) -> None:
        """Start anew with `text`, the cursor at its end."""
        self.fill("")
        self.text = text
        self._begun_with = self.plain
        self.move_cursor(self.document.end)
        self.call_after_refresh(self.scroll_cursor_visible)

    async def _on_key(self, event: events.Key) -> None:
        if (
            self.hand_over(event)
            or self.take_line(event)
            or (event.key == self._choices and self.enter_choices())
        ):
            pass
        elif event.key == self._send and self._send:
            self.post_message(self.HandedIn(self.plain))
        elif event.key in (self._newline, "enter", *NEW_LINE_KEYS):
            self.replace("\n", *self.selection, maintain_selection_offset=False)
        elif event.key == self._open:
            self.open_piece()
        elif event.key == self._editor:
            self.post_message(self.EditorWanted())
        elif event.is_printable or not await run_binding(self, event.key):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
