"""How much of the context window is in use: exactly where the server has counted, else by estimate; also while an answer
comes in and while a long draft is written."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from textual.message import Message as UiMessage
from textual.widgets import TextArea

from tui.chat import overflow
from tui.chat.session import ChatSession
from tui.core.message import Message, Role, Timings
from tui.core.tokens import Count, quick_estimate
from tui.ui.chat.composer import Composer
from tui.ui.chat.deciding import Deciding
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.work import begin

LONG_DRAFT = 400
"""Characters from which a draft is worth being counted in."""
COUNTED_DRAFT = 2000
"""Characters from which the server is asked to count it, if it can and is on this machine: none else sees a draft."""
REST_S, COUNT_REST_S = 0.3, 1.0
"""How long the keys rest before a draft is estimated, and before it is counted."""


class Metered(Deciding):
    """A talk that knows how full the window is."""

    class DraftCounted(UiMessage):
        """The server has counted the chat with the draft `text`."""

        def __init__(self, text: str, tokens: int) -> None:
            super().__init__()
            self.text = text
            self.tokens = tokens

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._draft_tokens = 0
        self._draft_counted: int | None = None
        self._draft_alarm: asyncio.TimerHandle | None = None
        self._draft_touched_at = 0.0
        self._base = ("", 0)  # the running answer and the tokens of its prompt

    @property
    def meter(self) -> Count | None:
        """Tokens of the context window in use; None where nobody can tell."""
        session = self._session
        if session is None:
            return Count(0, exact=True)
        if self._answering is not None:
            return self._meter_running(self._answering.message)
        self._base = ("", 0)
        path = session.conversation.path()
        if not path and not self._draft_tokens:
            return Count(0, exact=True)
        if self._draft_counted is not None:
            return Count(self._draft_counted, exact=True)
        budget = self.budget_of(path, self._state)
        if budget is None:
            used = self.used
            return Count(used, exact=True) if used is not None else None
        if not self._draft_tokens:
            return budget.used
        return Count(budget.prompt.tokens + budget.estimated(self._draft_tokens))

    def _meter_running(self, message: Message) -> Count | None:
        answering, session = self._answering, self._session
        if answering is None or session is None:
            return None
        if self._base[0] != message.id:
            before = str(message.parent)
            path = session.conversation.path_to(before) if before in session.conversation else ()
            budget = self.budget_of(path, self._state)
            if budget is None:
                return None
            written = budget.estimated(quick_estimate(message.content))  # of an answer that is continued
            self._base = message.id, budget.prompt.tokens + written
        return Count(self._base[1] + answering.generation.deltas)

    @property
    def last_timings(self) -> Timings:
        """How fast the last answer of the open branch was."""
        last = self._session.conversation.last_of(Role.ASSISTANT) if self._session else None
        return last.timings if last is not None else Timings()

    def show_session(self, session: ChatSession) -> None:
        """Show a chat."""
        self._base = ("", 0)
        super().show_session(session)

    # -- the draft ----------------------------------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """The draft is another: it is looked at when the keys rest, not at each of them."""
        if isinstance(event.text_area, Composer):
            self._draft_touched_at = time.monotonic()
            if self._draft_counted is not None:
                self._draft_counted = None
                self.post_message(self.Changed())
            if self._draft_alarm is None:
                self._arm(REST_S, self._estimate_draft)

    def _arm(self, delay_s: float, what: Callable[[], None]) -> None:
        self._draft_alarm = asyncio.get_running_loop().call_later(delay_s, what)

    def _estimate_draft(self) -> None:
        self._draft_alarm = None
        if not self.query(Composer):  # lokal ends
            return
        text = self.query_one(Composer).plain
        tokens = quick_estimate(text) if len(text) >= LONG_DRAFT else 0
        if tokens != self._draft_tokens:
            self._draft_tokens = tokens
            self.post_message(self.Changed())
        left = self._draft_touched_at + REST_S - time.monotonic()
        if left > 0:
            self._arm(left, self._estimate_draft)
        elif len(text) >= COUNTED_DRAFT and self.may_count_draft:
            self._arm(COUNT_REST_S, self._count_draft)

    @property
    def may_count_draft(self) -> bool:
        """Whether a draft can be counted now without it leaving this machine."""
        connection = self._state.connection
        return (
            connection is not None
            and connection.server.endpoint.on_this_machine
            and connection.server.capabilities.counts_tokens
            and overflow.window_of(self._state) is not None
            and not self.busy
        )

    def _count_draft(self) -> None:
        self._draft_alarm = None
        if not self.is_mounted:
            return
        if time.monotonic() - self._draft_touched_at < COUNT_REST_S:
            self._arm(REST_S, self._estimate_draft)
        elif self.may_count_draft:
            begin(
                self,
                partial(self._ask_for_count, self.query_one(Composer).plain),
                "draft count",
                exclusive=True,
            )

    async def _ask_for_count(self, text: str) -> None:
        session, connection = self._session, self._state.connection
        if session is None or connection is None:
            return
        question = Message("", None, Role.USER, text, 0.0)
        request = self.request_of((*session.conversation.path(), question), self._state)
        tokens = await connection.server.count_tokens(request) if request is not None else None
        if tokens is not None:
            self.post_message(self.DraftCounted(text, tokens))

    def on_metered_draft_counted(self, event: DraftCounted) -> None:
        """The server has counted; if nothing was written meanwhile it is right."""
        event.stop()
        if self._draft_tokens and self.query_one(Composer).plain == event.text:
            self._draft_counted = event.tokens
            self.post_message(self.Changed())
