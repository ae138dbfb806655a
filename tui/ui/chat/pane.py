"""The Chat tab: transcript, rule, composer; and the flow from a question to its answer.

The pane decides nothing about servers. It takes the desk as it is when a question is asked, starts a worker that
reads the server, and takes over what the worker says has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message as UiMessage

from tui.core.message import Message, Role
from tui.errors import Interrupted, LokalError, Unreachable
from tui.ui.chat.answering import Answering
from tui.ui.chat.asking import blank_answer, prepare, unanswerable
from tui.ui.chat.composer import Composer, PromptMark
from tui.ui.chat.entries import entries_of, entry_of, heading_of, phase_words, tokens_used
from tui.ui.chat.session import ChatSession
from tui.ui.chat.welcome import welcome
from tui.ui.desk import Desk, Link
from tui.ui.divider import Divider
from tui.ui.look import palette_of
from tui.ui.terminal.link import Pace
from tui.ui.transcript.view import Transcript

HEADING_INTERVAL_S = 0.5
"""How often the rate in the heading of a running answer is brought up to date."""


class ChatPane(Vertical):
    """One open chat."""

    class Changed(UiMessage):
        """What the instrument line shows of the chat has changed."""

    class Finished(UiMessage):
        """An answer has ended, in whatever way."""

    class Asked(UiMessage):
        """A question was asked, for the prompt history."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class ServerWanted(UiMessage):
        """There is a question but no server: look again."""

    class News(UiMessage):
        """The answer has something new. Handled once for many."""

        def __init__(self, answering: Answering) -> None:
            super().__init__()
            self.answering = answering

        def can_replace(self, message: UiMessage) -> bool:
            return isinstance(message, ChatPane.News) and message.answering is self.answering

    def __init__(self, desk: Desk, pace: Callable[[], Pace]) -> None:
        super().__init__(id="chat")
        self._desk = desk
        self._pace = pace
        self._session: ChatSession | None = None
        self._answering: Answering | None = None
        self._waiting: tuple[Message, Future[bool] | None, bool] | None = None
        self._heading_at = 0.0
        self._early = ""

    def compose(self) -> ComposeResult:
        yield Transcript(id="transcript")
        yield Divider()
        with Horizontal(id="writing"):
            yield PromptMark(id="mark")
            yield Composer(self._desk.keys)

    def on_mount(self) -> None:
        """The empty state."""
        self.transcript.set_palette(palette_of(self))
        self.transcript.set_reasoning_key(self._desk.key("reasoning.toggle"))
        self._show_welcome()

    @property
    def transcript(self) -> Transcript:
        """The conversation view."""
        return self.query_one(Transcript)

    @property
    def composer(self) -> Composer:
        """Where the person writes."""
        return self.query_one(Composer)

    @property
    def divider(self) -> Divider:
        """The rule that tells things."""
        return self.query_one(Divider)

    @property
    def session(self) -> ChatSession | None:
        """The open chat; None until the store is open."""
        return self._session

    @property
    def doing(self) -> str:
        """What a running answer is doing, in words; empty for none."""
        return phase_words(self._answering.generation) if self._answering is not None else ""

    @property
    def used(self) -> int | None:
        """Tokens of the context window that the open branch took at its last answer; None = the server did not say."""
        return tokens_used(self._session.conversation) if self._session else 0

    @property
    def _last_question(self) -> Message | None:
        return self._session.conversation.last_of(Role.USER) if self._session else None

    @property
    def can_retry(self) -> bool:
        """Whether there is a question that can be asked again."""
        return self._answering is None and self._last_question is not None

    @property
    def can_continue(self) -> bool:
        """Whether the last answer can be continued."""
        leaf = self._session.conversation.leaf if self._session else None
        return self._answering is None and leaf is not None and leaf.resumable

    def set_desk(self, desk: Desk) -> None:
        """Take the new desk; a question that waited for a server is asked now."""
        before, self._desk = self._desk, desk
        if not self.is_mounted:
            return
        if desk != before:
            self._show_welcome()
        if self._waiting is not None and desk.link in (Link.CONNECTED, Link.NONE):
            answer, durable, resume = self._waiting
            self._waiting = None
            self._start(answer, durable, resume=resume)

    def open(self, session: ChatSession) -> None:
        """Show a chat, at its end."""
        self.stop()
        self._session = session
        self.transcript.show(entries_of(session.conversation, self._desk.key))
        self.post_message(self.Changed())
        if self._early:
            text, self._early = self._early, ""
            self._ask(text)

    def tell(self, text: str, tone: str = "muted") -> None:
        """Say something on the rule above the composer."""
        self.divider.tell(text, tone)

    def on_composer_submitted(self, event: Composer.Submitted) -> None:
        """Enter."""
        event.stop()
        if self._answering is not None:
            self.tell(
                f"An answer is coming in: {self._desk.key('answer.stop')} stops it. Your text stays here.",
                "warning",
            )
            return
        if self._early:
            self.tell("The chats are being opened. Your text stays here.", "warning")
            return
        self.composer.remember(event.text)
        self.composer.fill("")
        self.divider.clear_notice()
        self.post_message(self.Asked(event.text))
        if self._session is None:
            self._early = event.text
        else:
            self._ask(event.text)

    def _ask(self, text: str) -> None:
        session = self._session
        if session is None:
            return
        question, durable = session.ask(text, time.time())
        self.transcript.add(entry_of(question, session.conversation, self._desk.key))
        self._answer(blank_answer(question.id), durable)

    def _answer(self, answer: Message, durable: Future[bool] | None = None, *, resume: bool = False) -> None:
        """Show the answer as coming and ask for it, now or when there is a server."""
        self.transcript.follow()
        if self._desk.link in (Link.SEARCHING, Link.STARTING):
            self._waiting = (answer, durable, resume)
            self._answering = self._listen(answer)
            self._show_running(self._answering)
        else:
            self._start(answer, durable, resume=resume)

    def _start(self, blank: Message, durable: Future[bool] | None, *, resume: bool) -> None:
        session, desk = self._session, self._desk
        if session is None:
            return
        connection = desk.connection
        if connection is None:
            answer = unanswerable(desk, blank)
            session.open_answer(answer)
            self._answering = self._listen(answer)
            self._show_running(self._answering)
            self._answering.fail(desk.problem or Unreachable("No model server answers"))
            return
        asking = prepare(desk, connection, session.conversation, blank, resume=resume)
        session.open_answer(asking.answer)
        self._answering = self._listen(asking.answer)
        self._show_running(self._answering)
        if asking.unsupported:
            names = ", ".join(asking.unsupported)
            self.tell(f"Not sent, {connection.info.kind.label} does not take it: {names}", "warning")
        self.run_worker(
            self._answering.run(connection.server.chat(asking.request), durable),
            group="answer",
            exit_on_error=False,
            description="answer",
        )

    def _listen(self, answer: Message) -> Answering:
        def news(answering: Answering) -> None:
            self.post_message(self.News(answering))

        def checkpoint(message_id: str, content: str, reasoning: str) -> None:
            if self._session is not None:
                self._session.checkpoint(message_id, content, reasoning)

        def rewrite(message: Message) -> None:
            if self._session is not None and message.id in self._session.conversation:
                self._session.update(message)

        return Answering(answer, news, checkpoint, rewrite, lambda: self._pace().interval_s())

    def _show_running(self, answering: Answering) -> None:
        session = self._session
        if session is None:
            return
        entry = entry_of(answering.message, session.conversation, self._desk.key, answering.generation)
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

    def on_chat_pane_news(self, event: News) -> None:
        """Show what came since the last time."""
        event.stop()
        answering, session = event.answering, self._session
        if session is None:
            return
        self.transcript.follow_by_page(self._pace().slow)
        self._take(answering)
        if answering.generation.finished:
            self._finish(answering)
            return
        now = time.monotonic()
        if now - self._heading_at >= HEADING_INTERVAL_S or answering.generation.progress:
            self._heading_at = now
            heading = heading_of(answering.message, session.conversation, answering.generation)
            self.transcript.set_heading(answering.message.id, heading)
            self.post_message(self.Changed())

    def _take(self, answering: Answering) -> None:
        text, reasoning = answering.take()
        if answering.rewritten and self._session is not None:
            answering.rewritten = False
            generation = answering.generation
            self.transcript.replace(
                entry_of(answering.message, self._session.conversation, self._desk.key, generation)
            )
        elif text or reasoning:
            self.transcript.extend(answering.message.id, text, reasoning)

    def _finish(self, answering: Answering) -> None:
        session = self._session
        if session is None or answering is not self._answering:
            return
        self._answering = None
        message = answering.final()
        if message.id in session.conversation:
            session.update(message)
        self.transcript.finish(message.id, entry_of(message, session.conversation, self._desk.key))
        self.post_message(self.Changed())
        self.post_message(self.Finished())

    def stop(self, problem: LokalError | None = None) -> bool:
        """End the running answer at once and keep what came; with a `problem` it counts as interrupted, not as
        stopped by the person. False if none was running."""
        answering = self._answering
        if answering is None:
            return False
        if self._waiting is not None:
            # It waited for a server: it is written down only now.
            self._waiting = None
            if self._session is not None:
                self._session.open_answer(answering.message)
        if problem is None:
            answering.stop()
        else:
            answering.fail(problem)
        self.workers.cancel_group(self, "answer")
        self._take(answering)
        self._finish(answering)
        return True

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came of a running answer. `closed` = the terminal or the system ended it."""
        self.stop(
            Interrupted("Interrupted", "The terminal was closed or lokal was ended") if closed else None
        )

    def retry(self) -> None:
        """Ask the last question again: an answer that failed without a word is tried anew, any other gets a sibling."""
        session, question = self._session, self._last_question
        if self._answering is not None or session is None or question is None:
            return
        if self._desk.link is Link.NONE:
            self.post_message(self.ServerWanted())
            self._desk = replace(self._desk, link=Link.SEARCHING)
        leaf = session.conversation.leaf
        again = leaf is not None and leaf.role is Role.ASSISTANT and not leaf.content and not leaf.reasoning
        self._answer(leaf if again and leaf is not None else blank_answer(question.id))

    def continue_answer(self) -> None:
        """Go on where the last answer ended."""
        leaf = self._session.conversation.leaf if self._session else None
        if self._answering is not None or leaf is None or not leaf.resumable:
            return
        self._answer(leaf, resume=True)

    def on_transcript_follow_changed(self, event: Transcript.FollowChanged) -> None:
        """The reader scrolled up, or is back at the end."""
        event.stop()
        key = self._desk.key("scroll.end")
        if event.following:
            self.divider.stand("")
        elif event.new_lines:
            lines = "line" if event.new_lines == 1 else "lines"
            self.divider.stand(f"{event.new_lines} new {lines} below · {key}")
        else:
            self.divider.stand(f"reading back · {key} to the end")

    def _show_welcome(self) -> None:
        self.transcript.set_empty(welcome(self._desk))
