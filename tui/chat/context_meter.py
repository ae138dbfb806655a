"""How much of the context window is in use: exactly where the server has counted, else by estimate; also while an answer
comes in and while a long draft is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tui.chat import overflow
from tui.chat.context_check import request_of
from tui.chat.events import StateChanged
from tui.core.message import Message, Role, Timings
from tui.core.tokens import Count, quick_estimate

if TYPE_CHECKING:
    from tui.chat.answer_stream import AnswerStream
    from tui.chat.open_chat import OpenChat
    from tui.chat.outbox import FrontEnd
    from tui.chat.tasks import TaskRunner

LONG_DRAFT = 400
"""Characters from which a draft is worth being counted in."""
COUNTED_DRAFT = 2000
"""Characters from which the server is asked to count it, if it can and is on this machine: none else sees a draft."""
REST_S, COUNT_REST_S = 0.3, 1.0
"""How long the keys rest before a draft is estimated, and before it is counted."""


class ContextMeter:
    """Reads the open chat; `draft` gives the text that is being written, without marks."""

    def __init__(self, chat: OpenChat, front: FrontEnd, tasks: TaskRunner, draft: Callable[[], str]) -> None:
        self._chat = chat
        self._front = front
        self._tasks = tasks
        self._draft = draft
        self._draft_tokens = 0
        self._draft_counted: int | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._touched_at = 0.0
        self._base = ("", 0)  # the running answer and the tokens of its prompt

    @property
    def used(self) -> Count | None:
        """Tokens of the context window in use; None where nobody can tell."""
        chat, session = self._chat, self._chat.session
        if session is None:
            return Count(0, exact=True)
        if chat.stream is not None:
            return self._used_by(chat.stream)
        self._base = ("", 0)
        path = session.conversation.path()
        if not path and not self._draft_tokens:
            return Count(0, exact=True)
        if self._draft_counted is not None:
            return Count(self._draft_counted, exact=True)
        budget = chat.context_check.budget(session.conversation, path, chat.state)
        if budget is None:
            last = session.conversation.last_of(Role.ASSISTANT)
            told = 0 if last is None else last.usage.total
            return Count(told, exact=True) if told is not None else None
        if not self._draft_tokens:
            return budget.used
        return Count(budget.prompt.tokens + budget.estimated(self._draft_tokens))

    def _used_by(self, stream: AnswerStream) -> Count | None:
        chat, session, message = self._chat, self._chat.session, stream.message
        if session is None:
            return None
        if self._base[0] != message.id:
            before = str(message.parent)
            path = session.conversation.path_to(before) if before in session.conversation else ()
            budget = chat.context_check.budget(session.conversation, path, chat.state)
            if budget is None:
                return None
            written = budget.estimated(quick_estimate(message.content))  # of an answer that is continued
            self._base = message.id, budget.prompt.tokens + written
        return Count(self._base[1] + stream.generation.deltas)

    @property
    def last_timings(self) -> Timings:
        """How fast the last answer of the open branch was."""
        session = self._chat.session
        last = session.conversation.last_of(Role.ASSISTANT) if session is not None else None
        return last.timings if last is not None else Timings()

    def forget(self) -> None:
        """Another chat is open."""
        self._base = ("", 0)

    # -- the draft --------------------------------------------------------------------------------------------------

    def draft_changed(self) -> None:
        """The draft is another: it is looked at when the keys rest, not at each of them."""
        self._touched_at = time.monotonic()
        if self._draft_counted is not None:
            self._draft_counted = None
            self._front.hear(StateChanged())
        if self._alarm is None:
            self._arm(REST_S, self._estimate)

    def close(self) -> None:
        """lokal ends."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _arm(self, delay_s: float, what: Callable[[], None]) -> None:
        self._alarm = asyncio.get_running_loop().call_later(delay_s, partial(self._front.post, what))

    def _estimate(self) -> None:
        self._alarm = None
        text = self._draft()
        tokens = quick_estimate(text) if len(text) >= LONG_DRAFT else 0
        if tokens != self._draft_tokens:
            self._draft_tokens = tokens
            self._front.hear(StateChanged())
        left = self._touched_at + REST_S - time.monotonic()
        if left > 0:
            self._arm(left, self._estimate)
        elif len(text) >= COUNTED_DRAFT and self.may_count:
            self._arm(COUNT_REST_S, self._count)

    @property
    def may_count(self) -> bool:
        """Whether a draft can be counted now without it leaving this machine."""
        connection = self._chat.state.connection
        return (
            connection is not None
            and connection.server.endpoint.on_this_machine
            and connection.server.capabilities.counts_tokens
            and overflow.window_of(self._chat.state) is not None
            and not self._chat.busy
        )

    def _count(self) -> None:
        self._alarm = None
        if time.monotonic() - self._touched_at < COUNT_REST_S:
            self._arm(REST_S, self._estimate)
        elif self.may_count:
            self._tasks.start(partial(self._ask_for_count, self._draft()), "draft count", exclusive=True)

    async def _ask_for_count(self, text: str) -> None:
        chat, session, connection = self._chat, self._chat.session, self._chat.state.connection
        if session is None or connection is None:
            return
        question = Message("", None, Role.USER, text, 0.0)
        path = (*session.conversation.path(), question)
        request = request_of(session.conversation, path, chat.state)
        tokens = await connection.server.count_tokens(request) if request is not None else None
        if tokens is not None:
            self._front.post(partial(self._counted, text, tokens))

    def _counted(self, text: str, tokens: int) -> None:
        """The server has counted; if nothing was written meanwhile it is right."""
        if self._draft_tokens and self._draft() == text:
            self._draft_counted = tokens
            self._front.hear(StateChanged())
