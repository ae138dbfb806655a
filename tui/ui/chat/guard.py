"""The guard before what would not fit into the context window: nothing is sent that a server would cut off.

A short question is not held up: it is estimated, and goes on at once. Only where more than half of the window is taken
the server counts, if it can; what does not fit is not sent before the person has said what is to be done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from textual.message import Message as UiMessage

from tui.chat import overflow
from tui.chat.decision import Decision
from tui.chat.overflow import Overflow
from tui.chat.requests import request_for
from tui.chat.session import ChatSession
from tui.chat.state import ClientState
from tui.core.attaching import is_picture
from tui.core.budget import Budget
from tui.core.message import Attachment, Message, Role
from tui.core.request import ChatRequest
from tui.core.tokens import IMAGE_TOKENS, Sizes
from tui.errors import LokalError
from tui.ui.chat.talk import Order, Talk
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.work import begin


@dataclass(slots=True)
class Held:
    """What is not sent yet: the branch down to its question, or to the answer that is continued (`resume`), and what it
    is asked with. `go` sends it, `back` takes it back. `unasked` = the question is not in the chat yet: `marked` is then its
    text with its pieces, and `attachments` go with it. With `command` that text is a slash command.
    `unsent` = the question is in the chat, but goes back into the composer: no server was asked it, or the one that was
    has refused it."""

    path: Sequence[Message]
    state: ClientState
    go: Callable[[], None]
    back: Callable[[], None]
    resume: bool = False
    unasked: bool = False
    unsent: bool = False
    marked: str = ""
    attachments: tuple[Attachment, ...] = ()
    command: bool = False
    tried: bool = False
    budget: Budget | None = None
    window: int = 0
    case: Overflow | None = None


class Guarded(Talk):
    """A talk that holds back what would not fit."""

    class Counted(UiMessage):
        """The server has counted the tokens of what is held; None = it did not."""

        def __init__(self, held: Held, tokens: int | None) -> None:
            super().__init__()
            self.held = held
            self.tokens = tokens

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._held: Held | None = None
        self._cleared = False
        self._order: Order | None = None
        self._written = ("", "")  # the question that was asked last, and its text with its pieces
        self._sizes = Sizes()
        self._factor = ("", 1.0)  # a model, and what was learnt of its tokenizer

    # -- what is asked ------------------------------------------------------------------------------------------------

    @property
    def choosing(self) -> tuple[str, ...]:
        """The commands among which the person is asked to choose; none while there is nothing to choose."""
        if self._held is None or self._held.case is None:
            return ()
        options = overflow.decision_for(self._held.case).options
        return tuple(option.command_id for option in options if not option.why_not)

    @property
    def doing(self) -> str:
        """What a running answer or the guard is doing, in words; empty for nothing."""
        if self._held is None:
            return super().doing
        return "" if self._held.case is not None else "counting the tokens"

    @property
    def busy(self) -> bool:
        """Whether a question has to wait: an answer is coming in, or one is not sent yet."""
        return self._held is not None or super().busy

    @property
    def why_held(self) -> str:
        """Why neither another answer nor another branch can be had while something is held; empty if nothing is."""
        if self._held is None:
            return ""
        if self._held.case is not None:
            return "Choose first what is done about the question"
        return f"The tokens are being counted: {self._state.key('answer.stop')} ends it"

    @property
    def held_question(self) -> Held | None:
        """A question that is neither written nor asked: it is held."""
        return self._held if self._held is not None and self._held.unasked else None

    def show_choice(self, dilemma: Decision | None) -> None:
        """Ask the person; None = there is nothing to ask any more."""
        raise NotImplementedError

    def give_back(self, marked: str, attachments: tuple[Attachment, ...]) -> None:
        """Put a question that was not asked back where it can be written."""
        raise NotImplementedError

    def sent_at_last(self) -> None:
        """What was held is sent."""

    def ask(
        self,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        *,
        instead_of: Message | None = None,
        marked: str = "",
    ) -> None:
        """Ask a question, if it fits; see `Talk.ask`. `marked` is its text with its pieces, where it has any."""
        session, begin = self._session, super().ask
        if session is None:
            return

        def ask() -> None:
            self._written = text, marked or text
            begin(text, attachments, instead_of=instead_of)

        if self._held is not None:
            self.give_back(marked or text, attachments)
            return
        leaf = session.conversation.leaf
        parent = instead_of.parent if instead_of is not None else leaf.id if leaf else None
        before = session.conversation.path_to(parent) if parent is not None else ()
        question = Message("", parent, Role.USER, text, time.time(), attachments=attachments)
        self._check(
            Held(
                (*before, question),
                self._state,
                ask,
                lambda: self.give_back(marked or text, attachments),
                unasked=True,
                marked=marked or text,
                attachments=attachments,
            )
        )

    def answer(self, order: Order) -> None:
        """Ask for an answer, unless another question or answer is not sent yet."""
        if self._held is None:
            super().answer(order)
        else:
            self.tell(self.why_held, "warning")

    def _start(self, order: Order) -> None:
        session, start = self._session, super()._start
        if self._held is not None:
            return
        self._order = order
        if session is None or self._cleared:
            start(order)
            return
        blank = order.blank
        last = str(blank.id if order.resume else blank.parent)
        path = session.conversation.path_to(last) if last in session.conversation else ()
        unsent = order.durable is not None and bool(path)
        self._check(
            Held(
                path,
                order.state or self._state,
                lambda: start(self._order or order),
                (lambda: self._withdraw(path[-1])) if unsent else self._forget_running,
                resume=order.resume,
                unsent=unsent,
            )
        )

    def _withdraw(self, question: Message) -> None:
        """A question that was written down while there was no server to ask goes back to where it was written."""
        session = self._session
        self._answering = None
        if session is None or question.id not in session.conversation:
            return
        text, marked = self._written
        with self.written_at_once():
            self.give_back(marked if text == question.content else question.content, question.attachments)
            session.forget(question.id)
        self.show_branch()

    def _forget_running(self) -> None:
        """An answer that was shown as coming, while it waited for a server, is not asked for after all."""
        if self._answering is not None:
            self._answering = None
            self.show_branch()

    # -- whether it fits ----------------------------------------------------------------------------------------------

    def budget_of(self, path: Sequence[Message], state: ClientState) -> Budget | None:
        """What a prompt takes; None without a chat or a server."""
        session, connection = self._session, state.connection
        if session is None or connection is None:
            return None
        told = request_for(state, connection, session.conversation, (), resume=False).turns
        model, factor = self._factor
        return Budget(
            path,
            state.model,
            told[0].content if told else "",
            session.conversation.view,
            self._sizes,
            factor if model == state.model else 1.0,
        )

    def _check(self, held: Held) -> None:
        state = held.state
        window, budget = overflow.window_of(state), self.budget_of(held.path, state)
        if window is None or budget is None or state.connection is None or not held.path:
            self._let_go(held)
            return
        held.budget, held.window = budget, window
        limit = window - overflow.room_of(state, window)
        prompt = budget.prompt.tokens
        if prompt <= min(limit, window // 2):
            self._let_go(held)
        elif state.connection.server.capabilities.counts_tokens:
            self._held = held
            begin(self, partial(self._count, held), "count", ended=partial(self.hold_no_more, held))
            self.post_message(self.Changed())
        elif prompt <= limit:
            self._let_go(held)
        else:
            self._offer(held)

    def request_of(
        self, path: Sequence[Message], state: ClientState, *, resume: bool = False
    ) -> ChatRequest | None:
        """What would be sent for a branch."""
        session, connection = self._session, state.connection
        if session is None or connection is None:
            return None
        return request_for(state, connection, session.conversation, path, resume=resume)

    async def _count(self, held: Held) -> None:
        request, connection = (
            self.request_of(held.path, held.state, resume=held.resume),
            held.state.connection,
        )
        tokens = None
        if request is not None and connection is not None:
            tokens = await connection.server.count_tokens(request)
        self.post_message(self.Counted(held, tokens))

    def hold_no_more(self, held: Held, problem: LokalError) -> None:
        """What was to be found out of it ended with a mistake: it is not sent, and comes back."""
        if held is self._held:
            self._take_back()
        self.tell(str(problem), "error")

    def on_guarded_counted(self, event: Counted) -> None:
        """The server has counted, or could not."""
        event.stop()
        held = event.held
        if held is not self._held or held.budget is None:
            return
        if event.tokens is not None:
            files = [file for message in held.budget.seen for file in message.attachments]
            pictures = sum(map(is_picture, files))
            held.budget.counted(event.tokens + pictures * IMAGE_TOKENS, exact=not pictures)
            self._factor = held.state.model, held.budget.factor
        if held.budget.prompt.tokens <= held.window - overflow.room_of(held.state, held.window):
            self._let_go(held)
        else:
            self._offer(held)

    def _offer(self, held: Held) -> None:
        """It does not fit: what is to be done?"""
        raise NotImplementedError

    def _let_go(self, held: Held) -> None:
        """Send it."""
        waited = self._held is held
        self._close(held)
        self._cleared = True
        with self.written_at_once():
            try:
                held.go()
            finally:
                self._cleared = False
            if waited:
                self.sent_at_last()

    def _take_back(self) -> None:
        """Do not send it."""
        held = self._held
        if held is not None:
            self._close(held)
            held.back()

    def _close(self, held: Held) -> None:
        if self._held is not held:
            return
        self._held = None
        self.workers.cancel_group(self, "count")
        if held.case is not None:
            self.show_choice(None)
        self.post_message(self.Changed())

    def stop(self, problem: LokalError | None = None) -> bool:
        """End what runs, or take back what is held; False if there is neither."""
        if self._held is None:
            return super().stop(problem)
        self._take_back()
        return True

    def show_session(self, session: ChatSession) -> None:
        """Show a chat; nothing of the one before is held any longer. What was not asked is in its draft."""
        if session is self._session:
            self._take_back()
        if self._held is not None:
            self._close(self._held)
        self._sizes, self._factor = Sizes(), ("", 1.0)
        super().show_session(session)

    def leave(self, *, closed: bool) -> None:
        """lokal ends."""
        self._take_back()
        super().leave(closed=closed)
