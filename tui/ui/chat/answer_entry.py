"""An answer on the screen while it comes in."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.chat.answer_stream import AnswerStream, HeadingPace
from tui.core.message import Message
from tui.ui.chat.entries import entry_of, heading_of
from tui.ui.terminal.pace import Pace

if TYPE_CHECKING:
    from tui.ui.chat.view import ChatView


class AnswerEntry:
    """The entry of an answer in the transcript, as what is heard of its stream makes it."""

    def __init__(self, view: ChatView, pace: Callable[[], Pace]) -> None:
        """`pace` says how often a frame is worth its bytes."""
        self._view = view
        self._pace = pace
        self._heading_pace = HeadingPace()

    def start(self, stream: AnswerStream) -> None:
        """Show it in its place: anew where it is there, at the end of its branch where it is not."""
        view, session = self._view, self._view.session
        if session is None:
            return
        message, transcript = stream.message, view.transcript
        entry = entry_of(message, session.conversation, view.state.key, stream.generation)
        if transcript.has(entry.id):
            transcript.replace(entry)
        else:
            path = session.conversation.path()
            if message.parent is not None and any(each.id == message.parent for each in path):
                transcript.truncate_after(message.parent)
            transcript.add(entry)
        view.message_cursor.follow_branch()

    def advance(self, stream: AnswerStream) -> None:
        """Show what came since the last time."""
        view, session = self._view, self._view.session
        if session is None:
            return
        transcript = view.transcript
        transcript.set_paging(self._pace().slow)
        text, reasoning = stream.take()
        generation, message = stream.generation, stream.message
        if stream.rewritten:
            stream.rewritten = False
            transcript.replace(entry_of(message, session.conversation, view.state.key, generation))
        elif text or reasoning:
            transcript.extend(message.id, text, reasoning)
        if not generation.finished and self._heading_pace.due(generation, time.monotonic()):
            transcript.set_heading(message.id, heading_of(message, session.conversation, generation))
            view.post_message(view.Changed())

    def finish(self, message: Message) -> None:
        """It has ended, in whatever way."""
        view, session = self._view, self._view.session
        if session is not None:
            # Nothing more comes, for which room would be left below.
            view.transcript.set_paging(False)
            view.transcript.replace(entry_of(message, session.conversation, view.state.key))
            view.post_message(view.Finished())
