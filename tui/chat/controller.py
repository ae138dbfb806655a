"""The flow from a prompt to its answer, in the open chat.

It decides nothing about servers. It takes the state as it is when a prompt is asked, lets a task read the server, and tells
its front end what has come. What it is doing is one value, `OpenChat.activity`, which only this class and its `ContextGate`
replace.

The way of a prompt: `submit` -> `ask` -> `ContextGate.check` -> (`ContextGate._resolve`, where it may not fit) ->
`ContextGate.send` -> `_answer` -> `_start` -> `_stream_answer` -> `AnswerStream.run` -> `_advance` -> `_finish`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat import overflow
from tui.chat.activity import (
    Idle,
    ReloadingModel,
    Streaming,
    WaitingForServer,
)
from tui.chat.advice_on_demand import AdviceOnDemand
from tui.chat.answer_stream import AnswerStream
from tui.chat.context_check import ContextCheck, Measure
from tui.chat.context_gate import ContextGate
from tui.chat.events import (
    AnswerAdvanced,
    AnswerFinished,
    AnswerRequested,
    AnswerStarted,
    BranchChanged,
    GuideWanted,
    Notice,
    PromptRecorded,
    PromptReturned,
    QuestionAsked,
    ServerWanted,
    SessionLeft,
    SessionOpened,
    StateChanged,
)
from tui.chat.open_chat import OpenChat
from tui.chat.outbox import FrontEnd, Outbox
from tui.chat.pending import AnswerJob, PendingPrompt
from tui.chat.prompt_queue import QueuedPrompt
from tui.chat.requests import blank_answer, first_request, prepare, unanswerable
from tui.chat.session import ChatSession
from tui.chat.small_model import advice_on
from tui.chat.state import ClientState, ConnectionStatus
from tui.chat.tasks import TaskRunner
from tui.chat.warm_chats import WarmChats
from tui.core.events import Phase, Progress
from tui.core.message import Attachment, Message, Role, Status
from tui.core.model import GUIDE
from tui.core.paste_folds import plain
from tui.core.slash import as_written
from tui.errors import ContextOverflow, Interrupted, LokalError, Unreachable

if TYPE_CHECKING:
    from tui.servers.connect import Connection

LEFT_CHAT, LEFT_LOKAL = "stopped when you left this chat", "stopped when you left lokal"
"""Why an answer was stopped that nobody stopped by itself."""


class ChatController:
    """One open chat: what is asked in it, what waits, what runs, and what does not fit."""

    def __init__(
        self,
        state: ClientState,
        front: FrontEnd,
        tasks: TaskRunner,
        interval_s: Callable[[], float],
        warm_chats: WarmChats | None = None,
        *,
        keeps_drafts: bool = True,
    ) -> None:
        """`interval_s` is how often the front end wants to hear of an answer that comes in, in seconds; `warm_chats` is told
        which chat is open; for `keeps_drafts` see `Outbox`."""
        self._front = front
        self._tasks = tasks
        self._interval_s = interval_s
        self._job: AnswerJob | None = None  # what was asked for last
        self._warm_chats: WarmChats | None = None
        if warm_chats is not None:
            self.keep_warm(warm_chats)
        self.on_answer: Callable[[Connection, Message], None] = lambda _connection, _answer: None
        """Told of each answer that has ended, and of the connection that it came through."""
        self._asked = ("", "")  # the prompt that was asked last, and the same in marked form
        self.chat = OpenChat(state)
        self.outbox = Outbox(
            front, tasks, lambda: self.chat.state, lambda: self.chat.pending, keeps_drafts=keeps_drafts
        )
        self.gate = ContextGate(self.chat, front, tasks, self.outbox, interval_s)
        self.advice = AdviceOnDemand(self.chat, front, self._ask_beside)
        """What `/advise` does."""

    def keep_warm(self, warm_chats: WarmChats) -> None:
        """Tell `warm_chats` which chat is open from now on."""
        self._warm_chats = warm_chats
        warm_chats.first_request = lambda: first_request(self.chat.state, self.session)

    @property
    def session(self) -> ChatSession | None:
        """The open chat; None until the store is open."""
        return self.chat.session

    @property
    def why_held(self) -> str:
        """Why neither another answer nor another branch can be had while a prompt is held; empty if none is."""
        return self.chat.why_held.format(stop=self.stop_hint)

    @property
    def stop_hint(self) -> str:
        """What stops an answer in this front end: a key, or a command."""
        return self._front.command_hint("answer.stop")

    @property
    def unanswered(self) -> bool:
        """Whether the open branch ends in a question, and nothing runs or waits that would answer it."""
        return self.chat.unanswered and not len(self.outbox.queue)

    def open(self, session: ChatSession) -> None:
        """Open a chat. What was not sent in the one before is in its draft."""
        before = self.chat.session
        if before is not None and before is not session:
            self.outbox.leave()
            self.outbox.empty()
            self._front.hear(SessionLeft())
        if session is before:
            self.gate.take_back()
        if (pending := self.chat.pending) is not None:
            self.gate.close(pending)
        self.chat.context_check = ContextCheck()
        self.advice.close()
        self._stop(why=LEFT_CHAT)
        self.chat.session = session
        self._front.hear(SessionOpened(session))
        self._changed()
        if before is not session:
            self.outbox.open(session)
        if self._warm_chats is not None:
            self._warm_chats.open(session.conversation.id)
        self._ask_next()

    def use(self, state: ClientState) -> None:
        """Another server, model or preset, or another state of it; what waited for a server is asked now."""
        self.chat.state = state
        if self._warm_chats is not None:
            self._warm_chats.read_ahead()
        activity = self.chat.activity
        match activity:
            case WaitingForServer(job):
                self._say_loading()
                if state.status in (ConnectionStatus.CONNECTED, ConnectionStatus.NONE):
                    self._start(job)
            case ReloadingModel(pending, tokens) if state.connection is not None and state.has_window(tokens):
                self._send_with_window(pending)
            case ReloadingModel() if state.status in (ConnectionStatus.CONNECTED, ConnectionStatus.NONE):
                self.gate.take_back()
            case _:
                pass

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came of a running answer, and what is written. `closed` = the terminal or the system ended
        it."""
        self.gate.take_back()
        if closed:
            self._stop(Interrupted("Interrupted", "The terminal was closed or lokal was ended"))
        else:
            self._stop(why=LEFT_LOKAL)
        self.outbox.leave()

    def touched(self) -> None:
        """What is written has changed."""
        self.outbox.touched()
        if self._warm_chats is not None:
            self._warm_chats.touched()

    def moved(self) -> None:
        """The open chat was deleted in another lokal and has a new id: what is unsent goes with it."""
        self.outbox.moved()
        if self._warm_chats is not None and self.session is not None:
            self._warm_chats.moved(self.session.conversation.id)

    def together(self) -> AbstractContextManager[None]:
        """What is changed in the open chat and in its draft inside is on the disk all at once: after a crash no prompt is
        both in the chat and in the draft."""
        return self.chat.session.together() if self.chat.session is not None else nullcontext()

    def _changed(self) -> None:
        self._front.hear(StateChanged())

    def _tell(self, text: str, tone: str = "muted") -> None:
        self._front.hear(Notice(text, tone))

    def submit(self, marked: str, recorded: str) -> None:
        """Ask, or put in the queue behind the answer that comes in. `marked` is the text with its pieces
        (`tui.core.paste_folds`), `recorded` what goes into the prompt history, and back where it was written if it cannot be
        sent."""
        outbox = self.outbox
        if not marked.strip():
            self._submit_nothing()
            return
        self.advice.close()
        problem = outbox.why_not(outbox.attached)
        if problem is not None:
            self._front.hear(PromptReturned(recorded))
            self._tell(str(problem), "warning")
            return
        prompt = QueuedPrompt(marked, outbox.take_attached())
        self._front.hear(PromptRecorded(recorded))
        if self.chat.busy or self.chat.session is None or (len(outbox.queue) and not outbox.queue.held):
            outbox.queue.add(prompt)
            outbox.changed()
        else:
            self._ask_queued(prompt)

    def _submit_nothing(self) -> None:
        if len(self.outbox.queue) and not self.chat.busy:
            self.outbox.queue.release()
            self._ask_next()
        elif self.outbox.attached:
            self._tell("Write a question to go with what is attached", "warning")

    def _ask_queued(self, prompt: QueuedPrompt) -> None:
        self.outbox.sent()
        self.ask(plain(prompt.marked), prompt.attachments, marked=prompt.marked)

    def _ask_next(self) -> None:
        """The next prompt in the queue, if it is its turn."""
        outbox, queue = self.outbox, self.outbox.queue
        if self.chat.busy or self.chat.session is None or queue.held or not len(queue):
            outbox.changed()
            return
        problem = outbox.why_not(queue.prompts[0].attachments)
        if problem is not None:
            queue.hold()
            self._tell(str(problem), "warning")
            outbox.changed()
            return
        prompt = queue.take_next()
        if prompt is not None:
            self._ask_queued(prompt)

    def take_back_queued(self) -> None:
        """The prompt that was queued last comes back to be written on, before what is written there."""
        prompt = self.outbox.queue.take_back()
        if prompt is None:
            self._tell("No question waits")
            return
        self._front.hear(PromptReturned(as_written(prompt.marked)))
        self.outbox.attached = prompt.attachments + self.outbox.attached
        self.outbox.changed()

    def return_prompt(self, marked: str, attachments: tuple[Attachment, ...]) -> None:
        """A prompt that was not asked after all goes back where it was written; those behind it wait."""
        self._front.hear(PromptReturned(as_written(marked)))
        self.outbox.attached = attachments + self.outbox.attached
        self.outbox.queue.hold()
        self.outbox.changed()

    def ask(
        self,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        *,
        instead_of: Message | None = None,
        marked: str = "",
        state: ClientState | None = None,
    ) -> None:
        """Ask at the end of the open branch, or beside an earlier question (`instead_of`, which stays), if it fits. `marked`
        is the text with its pieces, where it has any; `state` is what it is asked with this once, None = what is in use."""
        session = self.chat.session
        if session is None:
            return
        if self.chat.pending is not None:
            self.return_prompt(marked or text, attachments)
            return

        def send() -> None:
            self._asked = text, marked or text
            question, durable = session.ask(text, time.time(), attachments, instead_of=instead_of)
            self._front.hear(QuestionAsked(question) if instead_of is None else BranchChanged())
            self._answer(AnswerJob(blank_answer(question.id), durable, state=state), checked=True)
            if state is None and (advice := advice_on(text, self.chat.state, self._front.command_hint)):
                self._tell(advice, "second")

        leaf = session.conversation.leaf
        parent = instead_of.parent if instead_of is not None else leaf.id if leaf else None
        before = session.conversation.path_to(parent) if parent is not None else ()
        question = Message("", parent, Role.USER, text, time.time(), attachments=attachments)
        with self.together():
            self.gate.check(
                PendingPrompt(
                    (*before, question),
                    state or self.chat.state,
                    send,
                    lambda: self.return_prompt(marked or text, attachments),
                    unasked=True,
                    marked=marked or text,
                    attachments=attachments,
                )
            )
            self.outbox.changed()

    def retry(self) -> None:
        """Ask the last question again: an answer that failed without a word is tried anew, any other gets a sibling."""
        session, question = self.chat.session, self.chat.last_question
        if self.chat.busy or session is None or question is None:
            return
        leaf = session.conversation.leaf
        again = leaf is not None and leaf.role is Role.ASSISTANT and not leaf.content and not leaf.reasoning
        self.answer_again(leaf if again and leaf is not None else blank_answer(question.id))

    def _ask_beside(self, state: ClientState) -> None:
        """Ask the last question for another answer, with that state."""
        if (question := self.chat.last_question) is not None:
            self.answer_again(blank_answer(question.id), state)

    def answer_again(self, blank: Message, state: ClientState | None = None) -> None:
        """Ask for another answer, with another state than the next prompt's if one is given; where there is no server, one is
        looked for first."""
        if self.chat.state.status is ConnectionStatus.NONE:
            self._look_for_server()
        self._answer(AnswerJob(blank, state=state))

    def continue_answer(self, message: Message | None = None) -> None:
        """Go on where an answer ended: the last one, or `message`."""
        leaf = message or (self.chat.session.conversation.leaf if self.chat.session else None)
        if not self.chat.busy and leaf is not None and leaf.resumable:
            self._answer(AnswerJob(leaf, resume=True))

    def _answer(self, job: AnswerJob, *, checked: bool = False) -> None:
        """Ask for an answer, now or when there is a server; `checked` = it is known that the prompt fits, or that it is to be
        sent all the same."""
        if self.chat.pending is not None:
            self._tell(self.why_held, "warning")
            return
        self._front.hear(AnswerRequested())
        server = self.chat.state.server
        if server.status is ConnectionStatus.NONE and server.may_guide and self._only_guide_spoke:
            self._front.hear(GuideWanted())
            self._expect(ConnectionStatus.STARTING)
        elif server.status is ConnectionStatus.NONE:  # it may have come up since it was looked for
            self._look_for_server()
        if self.chat.state.status in (ConnectionStatus.SEARCHING, ConnectionStatus.STARTING):
            self.chat.activity = WaitingForServer(job, self._listen(job.blank))
            self._say_loading()
            self._show_running()
        else:
            self._start(job, checked=checked)

    @property
    def _only_guide_spoke(self) -> bool:
        """Whether no model but the guide has answered in this chat: it never goes on with another's talk unasked."""
        path = self.chat.session.conversation.path() if self.chat.session else ()
        return all(message.model in ("", GUIDE) for message in path if message.content)

    def _look_for_server(self) -> None:
        self._front.hear(ServerWanted())
        self._expect(ConnectionStatus.SEARCHING)

    def _expect(self, status: ConnectionStatus) -> None:
        """The front end was told what is wanted of a server: until it says what came of it (`use`), that is on its way."""
        self.chat.state = self.chat.state.with_server(replace(self.chat.state.server, status=status))

    def _say_loading(self) -> None:
        """The prompt waits for a server that loads its model."""
        if self.chat.state.server.loads and self.chat.stream is not None:
            self.chat.stream.take_in(Progress(Phase.LOADING))

    def _start(self, job: AnswerJob, *, checked: bool = False) -> None:
        """Ask for an answer, once it is known that what is asked fits."""
        session = self.chat.session
        self._job = job
        if session is None or checked:
            self._stream_answer(job)
            return
        blank = job.blank
        last = str(blank.id if job.resume else blank.parent)
        path = session.conversation.path_to(last) if last in session.conversation else ()
        unsent = job.durable is not None and bool(path)
        self.gate.check(
            PendingPrompt(
                path,
                job.state or self.chat.state,
                lambda: self._stream_answer(self._job or job),
                (lambda: self._withdraw(path[-1])) if unsent else self._forget_running,
                resume=job.resume,
                unsent=unsent,
            )
        )

    def _withdraw(self, question: Message) -> None:
        """A question that was written down while there was no server to ask goes back to where it was written."""
        session = self.chat.session
        if session is None or question.id not in session.conversation:
            return
        text, marked = self._asked
        with self.together():
            self.return_prompt(marked if text == question.content else question.content, question.attachments)
            session.forget(question.id)
        self._front.hear(BranchChanged())

    def _forget_running(self) -> None:
        """An answer that was shown as coming, while it waited for a server, is not asked for after all."""
        self._front.hear(BranchChanged())

    def _stream_answer(self, job: AnswerJob) -> None:
        session, state = self.chat.session, job.state or self.chat.state
        if session is None:
            return
        connection = state.connection
        if connection is None:
            answer = unanswerable(state, job.blank)
            session.open_answer(answer)
            self.chat.activity = Streaming(job, self._listen(answer))
            self._show_running()
            self.chat.activity.stream.fail(state.server.problem or Unreachable("No model server answers"))
            return
        prepared = prepare(
            state, connection, session.conversation, job.blank, resume=job.resume, schema=session.schema
        )
        session.open_answer(prepared.answer)
        stream = self._listen(prepared.answer)
        self.chat.activity = Streaming(job, stream)
        self._show_running()
        if unsent := prepared.unsent_words(connection.info.kind.label):
            self._tell(unsent, "warning")
        self._tasks.start(
            partial(stream.run, connection.server.chat(prepared.request), job.durable), "answer"
        )

    def _listen(self, answer: Message) -> AnswerStream:
        def checkpoint(message_id: str, content: str, reasoning: str) -> None:
            if self.chat.session is not None:
                self.chat.session.checkpoint(message_id, content, reasoning)

        def rewrite(message: Message) -> None:
            if self.chat.session is not None and message.id in self.chat.session.conversation:
                self.chat.session.update(message)

        def news(stream: AnswerStream) -> None:
            self._front.post(partial(self._advance, stream), stream)

        return AnswerStream(answer, news, checkpoint, rewrite, self._interval_s)

    def _show_running(self) -> None:
        if self.chat.stream is not None and self.chat.session is not None:
            self._front.hear(AnswerStarted(self.chat.stream))
            self._changed()

    def _advance(self, stream: AnswerStream) -> None:
        """There is something new of an answer, or it has ended."""
        if self.chat.session is None or stream is not self.chat.stream:
            return
        self._front.hear(AnswerAdvanced(stream))
        connection = self.chat.state.connection
        if (not_sent := stream.not_told()) and connection is not None:
            self._tell(f"Not sent to {connection.info.kind.label}: {'; '.join(not_sent)}", "warning")
        if stream.generation.finished:
            self._finish(stream)

    def _finish(self, stream: AnswerStream) -> None:
        session = self.chat.session
        if session is None or stream is not self.chat.stream:
            return
        self.chat.activity = Idle()
        message = stream.final()
        if message.id in session.conversation:
            session.update(message)
        self._front.hear(AnswerFinished(stream, message))
        self.advice.answered(message)
        if self.chat.state.connection is not None:
            self.on_answer(self.chat.state.connection, message)
        self._changed()
        error = stream.generation.error
        if isinstance(error, ContextOverflow):
            self._refused(message.id, error)
        # After a whole answer the next prompt is asked; after any other it waits for the person's word.
        if message.status is Status.COMPLETE:
            self._ask_next()
        else:
            self.outbox.queue.hold()
            self.outbox.changed()

    def stop(self, problem: LokalError | None = None) -> bool:
        """End at once what runs and keep what came, or take back what is held; with a `problem` an answer counts as
        interrupted, not as stopped by the person. False if there is neither."""
        if self.chat.pending is None:
            return self._stop(problem) or self.advice.close()
        self.gate.take_back()
        return True

    def stop_or_choose(self) -> bool:
        """The person ends what runs: a summary goes back to the choice, all else is as for `stop`."""
        return self.gate.end_summary() or self.stop()

    def _stop(self, problem: LokalError | None = None, why: str = "") -> bool:
        activity, stream = self.chat.activity, self.chat.stream
        if stream is None:
            return False
        if isinstance(activity, WaitingForServer) and self.chat.session is not None:
            self.chat.session.open_answer(stream.message)  # it is written down only now
        if problem is None:
            stream.stop(why)
        else:
            stream.fail(problem)
        self._tasks.cancel("answer")
        self._front.hear(AnswerAdvanced(stream))
        self._finish(stream)
        return True

    def _send_with_window(self, pending: PendingPrompt) -> None:
        """Send what was held: the window is large enough now, also for an answer that has a state of its own."""
        state = self.chat.state
        if self._job is not None and self._job.state is not None and not pending.unasked:
            own = replace(self._job.state.settings, overrides=state.overrides, window=state.window)
            self._job = replace(self._job, state=state.with_settings(own))
        self.gate.send(pending)

    def _refused(self, message_id: str, error: ContextOverflow) -> None:
        """The server says itself that it does not fit: the same choice, for the answer that failed."""
        session = self.chat.session
        if session is None or message_id not in session.conversation:
            return
        message = session.conversation[message_id]
        state = self._job.state if self._job is not None and self._job.state is not None else self.chat.state
        resume = message.resumable
        path = session.conversation.path_to(message_id if resume else str(message.parent))
        budget = self.chat.context_check.budget(session.conversation, path, state)
        if budget is None:
            return
        measure = Measure(
            state, budget, error.window_tokens or overflow.window_of(state) or budget.prompt.tokens
        )
        if error.at_least and error.prompt_tokens > budget.prompt.tokens:
            budget.counted(error.prompt_tokens, exact=False)
        elif error.prompt_tokens and not error.at_least:
            budget.counted(error.prompt_tokens)
            self.chat.context_check.learn(measure)
        if measure.over <= 0:
            budget.counted(measure.limit + 1, exact=False)

        def send() -> None:  # meanwhile its state may have got a larger window
            own = self._job.state if self._job else None
            self._answer(AnswerJob(message, resume=resume, state=own), checked=True)

        pending = PendingPrompt(
            path,
            state,
            send,
            partial(self._give_up, message),
            resume=resume,
            unsent=self._comes_back(message),
            tried=True,
        )
        self.gate.offer(pending, measure)

    def _give_up(self, refused: Message) -> None:
        """The person does not ask after all."""
        if self._comes_back(refused) and self.chat.session is not None:
            self._withdraw(self.chat.session.conversation[str(refused.parent)])

    def _comes_back(self, refused: Message) -> bool:
        """Whether the question of an answer that was refused goes back into the composer: not where something else hangs
        on it, or where it was asked in the place of another one."""
        session = self.chat.session
        if session is None or refused.content or refused.reasoning or refused.parent is None:
            return False
        chat, question = session.conversation, refused.parent
        return (
            refused.id in chat
            and chat.siblings(refused.id) == (refused.id,)
            and chat.siblings(question) == (question,)
            and all(removed.messages[0].parent != question for removed in chat.deleted)
        )
