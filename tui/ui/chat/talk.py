"""The flow from a question to its answer, in the open chat.

It decides nothing about servers. It takes the state as it is when a question is asked, starts a worker that reads the
server, and takes over what the worker says has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from textual.containers import Vertical
from textual.message import Message as UiMessage

from tui.chat import structured_output
from tui.chat.answer_stream import AnswerStream, HeadingPace
from tui.chat.requests import blank_answer, prepare, unanswerable
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ConnectionStatus
from tui.core.events import Phase, Progress
from tui.core.message import Attachment, Message, Role
from tui.core.model import GUIDE
from tui.errors import Interrupted, LokalError, Unreachable
from tui.ui.chat.entries import entries_of, entry_of, heading_of, phase_words, tokens_used
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.transcript.view import Transcript
from tui.ui.work import begin


@dataclass(frozen=True, slots=True)
class Order:
    """An answer that is to be asked for: `blank` is filled, or gone on with (`resume`); the question before it is on
    the disk when `durable` is done. `state` is what it is asked with, None = what holds when it is asked."""

    blank: Message
    durable: Future[bool] | None = None
    resume: bool = False
    state: ClientState | None = None


LEFT_CHAT, LEFT_LOKAL = "stopped when you left this chat", "stopped when you left lokal"
"""Why an answer was stopped that nobody stopped by itself."""


class Talk(Vertical):
    """One open chat and its running answer; `ChatPane` puts the screen around it."""

    class Changed(UiMessage):
        """What the instrument line shows of the chat has changed."""

    class Finished(UiMessage):
        """An answer has ended, in whatever way; `message` is what it has become."""

        def __init__(self, message: Message) -> None:
            super().__init__()
            self.message = message

    class ServerWanted(UiMessage):
        """There is a question but no server: look again."""

    class GuideWanted(UiMessage):
        """There is a question but no server, and the guide may answer."""

    class News(UiMessage):
        """The answer has something new. Handled once for many."""

        def __init__(self, answering: AnswerStream) -> None:
            super().__init__()
            self.answering = answering

        def can_replace(self, message: UiMessage) -> bool:
            return isinstance(message, Talk.News) and message.answering is self.answering

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(id="chat")
        self._state = state
        self._pace = pace
        self._session: ChatSession | None = None
        self._answering: AnswerStream | None = None
        self._waiting: Order | None = None
        self._heading = HeadingPace()

    def tell(self, text: str, tone: str = "muted") -> None:
        """Say something to the person."""
        raise NotImplementedError

    @property
    def transcript(self) -> Transcript:
        """The conversation view."""
        return self.query_one(Transcript)

    @property
    def state(self) -> ScreenState:
        """What the next question is asked with."""
        return self._state

    @property
    def session(self) -> ChatSession | None:
        """The open chat; None until the store is open."""
        return self._session

    def written_at_once(self) -> AbstractContextManager[None]:
        """What is changed in the open chat and in its draft inside is on the disk all at once: after a crash no question
        is both in the chat and in the composer."""
        return self._session.together() if self._session is not None else nullcontext()

    @property
    def doing(self) -> str:
        """What a running answer is doing, in words; empty for none."""
        return phase_words(self._answering.generation) if self._answering is not None else ""

    @property
    def busy(self) -> bool:
        """Whether a question has to wait: an answer is coming in."""
        return self._answering is not None

    def is_coming_in(self, message: Message) -> bool:
        """Whether this is the running answer."""
        return self._answering is not None and self._answering.message.id == message.id

    def whole(self, message: Message) -> Message:
        """The message with all that has come of it by now."""
        answering = self._answering
        return answering.final() if answering is not None and self.is_coming_in(message) else message

    @property
    def used(self) -> int | None:
        """Tokens of the context window that the open branch took at its last answer; None = the server did not say."""
        return tokens_used(self._session.conversation) if self._session else 0

    @property
    def schema(self) -> str:
        """What the next answers are held to, in a word or two; empty for nothing."""
        return structured_output.word_for(self._session.schema) if self._session else ""

    @property
    def _last_question(self) -> Message | None:
        return self._session.conversation.last_of(Role.USER) if self._session else None

    @property
    def can_retry(self) -> bool:
        """Whether there is a question that can be asked again."""
        return not self.busy and self._last_question is not None

    @property
    def can_continue(self) -> bool:
        """Whether the last answer can be continued."""
        leaf = self._session.conversation.leaf if self._session else None
        return not self.busy and leaf is not None and leaf.resumable

    def take_state(self, state: ScreenState) -> None:
        """Take the new state; a question that waited for a server is asked now."""
        self._state = state
        if self._waiting is not None:
            self._say_loading()
        if self._waiting is not None and state.status in (ConnectionStatus.CONNECTED, ConnectionStatus.NONE):
            order, self._waiting = self._waiting, None
            self._start(order)

    def show_session(self, session: ChatSession) -> None:
        """Show a chat, at its end."""
        self._stop(why=LEFT_CHAT)
        self._session = session
        self.transcript.show(entries_of(session.conversation, self._state.key))
        self.post_message(self.Changed())

    def show_branch(self) -> None:
        """The open branch is another one, or has other messages: show what it is now, where it differs."""
        if self._session is None:
            return
        self.transcript.show_changes(entries_of(self._session.conversation, self._state.key))
        self.post_message(self.Changed())

    def ask(
        self, text: str, attachments: tuple[Attachment, ...] = (), *, instead_of: Message | None = None
    ) -> None:
        """Ask a question at the end of the open branch, or beside an earlier one: `instead_of` stays, as a sibling."""
        session = self._session
        if session is None:
            return
        question, durable = session.ask(text, time.time(), attachments, instead_of=instead_of)
        if instead_of is None:
            self.transcript.add(entry_of(question, session.conversation, self._state.key))
        else:
            self.show_branch()
        self.answer(Order(blank_answer(question.id), durable))

    def answer(self, order: Order) -> None:
        """Show the answer as coming and ask for it, now or when there is a server."""
        self.transcript.follow()
        if (
            self._state.status is ConnectionStatus.NONE
            and self._state.server.may_guide
            and self._only_guide_spoke
        ):
            self.post_message(self.GuideWanted())
            self._state = self._state.with_server(
                replace(self._state.server, status=ConnectionStatus.STARTING)
            )
        elif self._state.status is ConnectionStatus.NONE:  # it may have come up since it was looked for
            self._look_for_server()
        if self._state.status in (ConnectionStatus.SEARCHING, ConnectionStatus.STARTING):
            self._waiting = order
            self._answering = self._listen(order.blank)
            self._say_loading()
            self._show_running(self._answering)
        else:
            self._start(order)

    def _start(self, order: Order) -> None:
        session, state = self._session, order.state or self._state
        if session is None:
            return
        connection = state.connection
        if connection is None:
            answer = unanswerable(state, order.blank)
            session.open_answer(answer)
            self._answering = self._listen(answer)
            self._show_running(self._answering)
            self._answering.fail(state.server.problem or Unreachable("No model server answers"))
            return
        asking = prepare(
            state, connection, session.conversation, order.blank, resume=order.resume, schema=session.schema
        )
        session.open_answer(asking.answer)
        self._answering = self._listen(asking.answer)
        self._show_running(self._answering)
        if unsent := asking.unsent_words(connection.info.kind.label):
            self.tell(unsent, "warning")
        begin(
            self,
            partial(self._answering.run, connection.server.chat(asking.request), order.durable),
            "answer",
        )

    def _listen(self, answer: Message) -> AnswerStream:
        def news(answering: AnswerStream) -> None:
            self.post_message(self.News(answering))

        def checkpoint(message_id: str, content: str, reasoning: str) -> None:
            if self._session is not None:
                self._session.checkpoint(message_id, content, reasoning)

        def rewrite(message: Message) -> None:
            if self._session is not None and message.id in self._session.conversation:
                self._session.update(message)

        return AnswerStream(answer, news, checkpoint, rewrite, lambda: self._pace().interval_s())

    def _show_running(self, answering: AnswerStream) -> None:
        session = self._session
        if session is None:
            return
        entry = entry_of(answering.message, session.conversation, self._state.key, answering.generation)
        path = session.conversation.path()
        shown = self.transcript.has(entry.id)
        if shown:
            self.transcript.replace(entry)
        else:
            parent = answering.message.parent
            if parent is not None and any(message.id == parent for message in path):
                self.transcript.truncate_after(parent)
            self.transcript.add(entry)
        self.post_message(self.Changed())

    def on_talk_news(self, event: News) -> None:
        """Show what came since the last time."""
        event.stop()
        answering, session = event.answering, self._session
        if session is None:
            return
        if answering is self._answering:
            self.transcript.follow_by_page(self._pace().slow)
        self._take(answering)
        self._tell_not_sent(answering)
        if answering.generation.finished:
            self._finish(answering)
            return
        if self._heading.due(answering.generation, time.monotonic()):
            heading = heading_of(answering.message, session.conversation, answering.generation)
            self.transcript.set_heading(answering.message.id, heading)
            self.post_message(self.Changed())

    def _tell_not_sent(self, answering: AnswerStream) -> None:
        """Say once what of the parameters this server could not take."""
        what, connection = answering.not_told(), self._state.connection
        if what and connection is not None:
            self.tell(f"Not sent to {connection.info.kind.label}: {'; '.join(what)}", "warning")

    def _take(self, answering: AnswerStream) -> None:
        text, reasoning = answering.take()
        if answering.rewritten and self._session is not None:
            answering.rewritten = False
            generation = answering.generation
            self.transcript.replace(
                entry_of(answering.message, self._session.conversation, self._state.key, generation)
            )
        elif text or reasoning:
            self.transcript.extend(answering.message.id, text, reasoning)

    def _finish(self, answering: AnswerStream) -> None:
        session = self._session
        if session is None or answering is not self._answering:
            return
        self._answering = None
        # Nothing more comes, for which room would be left below.
        self.transcript.follow_by_page(False)
        message = answering.final()
        if message.id in session.conversation:
            session.update(message)
        self.transcript.finish(message.id, entry_of(message, session.conversation, self._state.key))
        self.post_message(self.Changed())
        self.post_message(self.Finished(message))

    def stop(self, problem: LokalError | None = None) -> bool:
        """End the running answer at once and keep what came; with a `problem` it counts as interrupted, not as
        stopped by the person. False if none was running."""
        return self._stop(problem)

    def _stop(self, problem: LokalError | None = None, why: str = "") -> bool:
        answering = self._answering
        if answering is None:
            return False
        if self._waiting is not None:
            # It waited for a server: it is written down only now.
            self._waiting = None
            if self._session is not None:
                self._session.open_answer(answering.message)
        if problem is None:
            answering.stop(why)
        else:
            answering.fail(problem)
        self.workers.cancel_group(self, "answer")
        self._take(answering)
        self._finish(answering)
        return True

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came of a running answer. `closed` = the terminal or the system ended it."""
        if closed:
            self.stop(Interrupted("Interrupted", "The terminal was closed or lokal was ended"))
        else:
            self._stop(why=LEFT_LOKAL)

    def retry(self) -> None:
        """Ask the last question again: an answer that failed without a word is tried anew, any other gets a sibling."""
        session, question = self._session, self._last_question
        if self.busy or session is None or question is None:
            return
        leaf = session.conversation.leaf
        again = leaf is not None and leaf.role is Role.ASSISTANT and not leaf.content and not leaf.reasoning
        self.answer_again(leaf if again and leaf is not None else blank_answer(question.id))

    def answer_again(self, blank: Message, state: ClientState | None = None) -> None:
        """Ask for another answer; where there is no server, one is looked for first."""
        if self._state.status is ConnectionStatus.NONE:
            self._look_for_server()
        self.answer(Order(blank, state=state))

    def _say_loading(self) -> None:
        """The question waits for a server that loads its model."""
        if self._state.server.loads and self._answering is not None:
            self._answering.take_in(Progress(Phase.LOADING))

    def _look_for_server(self) -> None:
        self.post_message(self.ServerWanted())
        self._state = self._state.with_server(replace(self._state.server, status=ConnectionStatus.SEARCHING))

    @property
    def _only_guide_spoke(self) -> bool:
        """Whether no model but the guide has answered in this chat: it never goes on with another's talk unasked."""
        path = self._session.conversation.path() if self._session else ()
        return all(message.model in ("", GUIDE) for message in path if message.content)

    def continue_answer(self, message: Message | None = None) -> None:
        """Go on where an answer ended: the last one, or `message`."""
        leaf = message or (self._session.conversation.leaf if self._session else None)
        if self.busy or leaf is None or not leaf.resumable:
            return
        self.answer(Order(leaf, resume=True))
