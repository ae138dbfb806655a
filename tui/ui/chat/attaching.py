"""Asking for a file to attach: in the composer where nothing is written, over it where a question is written already."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tui.core.message import Message
from tui.errors import LokalError, UsageError

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView


def ask_for_file(pane: ChatView) -> None:
    """Let a file be named that goes with the next question. What is written stays as it is."""
    pane.composer.end_search(take=False)
    if not pane.composer.text.strip():
        pane.prompt_entry.complete("/attach ")
        return
    pane.message_cursor.end()
    pane.message_cursor.edits.open(AttachFile(pane), "", None)


class AttachFile:
    """Attaches the file that is named on the inline input to the draft under it."""

    def __init__(self, pane: ChatView) -> None:
        self._pane = pane
        self._reading = ""

    @property
    def edited(self) -> Message | None:
        return None

    @property
    def enter(self) -> str:
        return "attach"

    @property
    def label(self) -> str:
        key = self._pane.state.key
        return f"attach which file? {key('send')} attaches it, {key('messages.leave')} leaves it"

    def take(self, text: str) -> bool:
        name = text.strip()
        if "\n" in name:
            self._pane.show_notice_about_text(UsageError("A file's name is one line"))
        elif name != self._reading:  # not twice what is being read
            self._reading = name
            self._pane.controller.outbox.read_files(name, partial(self._was_read, name))
        return False

    def _was_read(self, name: str, problem: LokalError | None) -> None:
        """The file is attached, or not."""
        pane = self._pane
        is_asked = name == self._reading and pane.message_cursor.edits.purpose is self
        self._reading = ""
        if problem is None and is_asked:
            pane.message_cursor.go_back()
        elif problem is not None:
            # Tab completes a name in the composer, not here.
            is_missing = isinstance(problem.__cause__, FileNotFoundError)
            hint = "Check the name" if is_missing else problem.hint
            pane.show_notice_about_text(LokalError(problem.title, problem.detail, hint))
