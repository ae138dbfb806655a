"""What is done about a question that does not fit: the person chooses between leaving the oldest out, a summary of it,
a larger window, and not asking."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from textual.message import Message as UiMessage

from tui.chat import overflow
from tui.chat.answer_stream import AnswerStream, HeadingPace
from tui.chat.decision import Decision, DecisionOption
from tui.chat.summary_run import SummaryRun
from tui.core.message import Message
from tui.core.summary import TASK_TOKENS, portions, summary_tokens
from tui.core.text import safe_block, safe_line
from tui.core.view import View
from tui.errors import ContextOverflow, LokalError
from tui.ui.chat.entries import phase_words
from tui.ui.chat.guard import Held
from tui.ui.chat.several import Joint, Several
from tui.ui.chat.talk import Order
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace
from tui.ui.transcript.view import Entry, Heading, Tone
from tui.ui.work import begin

SUMMARY_ENTRY = "summary"
"""The transcript's entry of a summary while it comes in."""
_WHILE_SUMMARISING = (DecisionOption("answer.stop", "stop, and choose again"),)


class Deciding(Several):
    """A talk that asks the person what to do."""

    class WindowWanted(UiMessage):
        """The person wants a context window of that many tokens; `go_on` sends what waits for it."""

        def __init__(self, tokens: int) -> None:
            super().__init__()
            self.tokens = tokens

    class LargestKnown(UiMessage):
        """The largest window that the model of what is held can have, in tokens; 0 = the server does not say."""

        def __init__(self, held: Held, tokens: int) -> None:
            super().__init__()
            self.held = held
            self.tokens = tokens

    class SummaryNews(UiMessage):
        """The summary has something new. Handled once for many."""

        def __init__(self, summarising: SummaryRun) -> None:
            super().__init__()
            self.summarising = summarising

        def can_replace(self, message: UiMessage) -> bool:
            return isinstance(message, Deciding.SummaryNews) and message.summarising is self.summarising

    def __init__(self, state: ScreenState, pace: Callable[[], Pace]) -> None:
        super().__init__(state, pace)
        self._summarising: SummaryRun | None = None
        self._summary_part = 0
        self._summary_heading_pace = HeadingPace()

    @property
    def doing(self) -> str:
        """What a running answer, the guard or a summary is doing, in words; empty for nothing."""
        if self._summarising is not None:
            return f"summary: {phase_words(self._summarising.generation)}"
        return super().doing

    def actions(self) -> Mapping[str, Callable[[str], object]]:
        """What is done here for a command's id, with the argument that was typed after a slash command."""
        ways = (overflow.DROP, overflow.SUMMARY, overflow.WINDOW, overflow.ANYWAY, overflow.CANCEL)
        return {id: partial(self.decide, id) for id in ways}

    # -- the choice ---------------------------------------------------------------------------------------------------

    def _offer(self, held: Held, trained: int | None = None) -> None:
        if held.budget is None:
            return
        self._held = held
        held.case = overflow.describe(
            held.state,
            held.budget,
            held.window,
            trained,
            unasked=held.unasked or held.unsent,
            tried=held.tried,
        )
        if isinstance(held, Joint):
            held.case = replace(held.case, whose=held.whose)
        self.show_choice(overflow.decision_for(held.case))
        self.post_message(self.Changed())
        if trained is None and overflow.trained_window(held.state) is None:
            begin(self, partial(self._ask_largest, held), "count", name="largest")

    async def _ask_largest(self, held: Held) -> None:
        connection = held.state.connection
        if connection is not None:
            with contextlib.suppress(LokalError):
                tokens = await connection.server.largest_window(held.state.model)
                self.post_message(self.LargestKnown(held, tokens or 0))

    def on_deciding_largest_known(self, event: LargestKnown) -> None:
        """The server says how large the window can be: that is one way more."""
        event.stop()
        if event.held is self._held and event.tokens and self._summarising is None:
            self._offer(event.held, event.tokens)

    def decide(self, command_id: str, _: str = "") -> None:
        """The person has said what is to be done."""
        held = self._held
        if held is None or held.case is None or (self._summarising and command_id != overflow.CANCEL):
            return
        case = held.case
        match command_id:
            case overflow.DROP if case.cut is not None:
                self._leave_out(held, case.cut.dropped)
            case overflow.SUMMARY if case.cut_for_summary is not None:
                self._summarise(held)
            case overflow.WINDOW if case.larger is not None:
                self.post_message(self.WindowWanted(case.larger))
            case overflow.ANYWAY if overflow.ANYWAY in self.choosing:
                if isinstance(held, Joint):
                    held.spares = bool(held.whose)
                self._let_go(held)
            case overflow.CANCEL:
                self.stop_or_choose()

    def go_on(self) -> None:
        """Send what is held: the window is large enough now, or is about to be."""
        held = self._held
        if held is None:
            return
        if self._order is not None and self._order.state is not None and not held.unasked:
            settings = replace(self._order.state.settings, overrides=self._state.overrides)
            self._order = replace(self._order, state=self._order.state.with_settings(settings))
        self._let_go(held)

    def _leave_out(self, held: Held, dropped: Sequence[Message], summary: str | None = None) -> None:
        session = self._session
        if session is None or not dropped:
            return
        conversation = session.conversation
        kept = conversation.view.summary if conversation.view.cut(held.path) else ""
        conversation.view = View(dropped[-1].id, kept if summary is None else summary)
        self.show_branch()
        self._let_go(held)

    def _finish(self, answering: AnswerStream) -> None:
        mine, error = answering is self._answering, answering.generation.error
        super()._finish(answering)
        if mine and isinstance(error, ContextOverflow) and self._held is None:
            self._refused(answering.message.id, error)

    def _refused(self, message_id: str, error: ContextOverflow) -> None:
        """The server says itself that it does not fit: the same choice, for the answer that failed."""
        session = self._session
        if session is None or message_id not in session.conversation:
            return
        message = session.conversation[message_id]
        state = (
            self._order.state if self._order is not None and self._order.state is not None else self._state
        )
        resume = message.resumable
        path = session.conversation.path_to(message_id if resume else str(message.parent))
        budget = self.budget_of(path, state)
        if budget is None:
            return
        window = error.window_tokens or overflow.window_of(state) or budget.prompt.tokens
        limit = window - overflow.room_of(state, window)
        if error.at_least and error.prompt_tokens > budget.prompt.tokens:
            budget.counted(error.prompt_tokens, exact=False)
        elif error.prompt_tokens and not error.at_least:
            budget.counted(error.prompt_tokens)
            self._factor = state.model, budget.factor
        if budget.prompt.tokens <= limit:
            budget.counted(limit + 1, exact=False)
        order = Order(message, resume=resume, state=self._order.state if self._order else None)
        self._offer(
            Held(
                path,
                state,
                lambda: self.answer(order),
                partial(self._give_up, message),
                resume=resume,
                unsent=self._comes_back(message),
                tried=True,
                budget=budget,
                window=window,
            )
        )

    def _give_up(self, refused: Message) -> None:
        """The person does not ask after all."""
        if self._comes_back(refused) and self._session is not None:
            self._withdraw(self._session.conversation[str(refused.parent)])

    def _comes_back(self, refused: Message) -> bool:
        """Whether the question of an answer that was refused goes back into the composer: not where something else hangs
        on it, or where it was asked in the place of another one."""
        session = self._session
        if session is None or refused.content or refused.reasoning or refused.parent is None:
            return False
        chat, question = session.conversation, refused.parent
        return (
            refused.id in chat
            and chat.siblings(refused.id) == (refused.id,)
            and chat.siblings(question) == (question,)
            and all(removed.messages[0].parent != question for removed in chat.deleted)
        )

    def stop_or_choose(self) -> bool:
        """The person ends what runs: a summary goes back to the choice, all else is as for `stop`."""
        if self._held is not None and self._summarising is not None:
            self._end_summary(self._held)
            return True
        return self.stop()

    def _close(self, held: Held) -> None:
        if self._summarising is not None:
            self._forget_summary()
        super()._close(held)

    # -- the summary --------------------------------------------------------------------------------------------------

    def _summarise(self, held: Held) -> None:
        session, connection, case = self._session, held.state.connection, held.case
        if session is None or connection is None or case is None or case.cut_for_summary is None:
            return
        if held.budget is None:
            return
        view, factor = session.conversation.view, held.budget.factor
        most = summary_tokens(held.window)
        room = held.window - 2 * most - int(TASK_TOKENS * factor)
        parts = portions(case.cut_for_summary.dropped, max(room, held.window // 4), factor)
        earlier = view.summary if view.cut(held.path) else ""
        summarising = SummaryRun(
            connection.server,
            held.state,
            parts,
            earlier,
            most,
            self._tell_summary,
            lambda: self._pace().interval_s(),
        )
        self._summarising = summarising
        self._summary_part, self._summary_heading_pace = 0, HeadingPace()
        self.transcript.follow()
        self.transcript.add(self._summary_entry(summarising))
        self.show_choice(
            Decision(
                "Writing a summary",
                "It takes the place of what the model no longer sees.",
                _WHILE_SUMMARISING,
            )
        )
        begin(self, summarising.run, "summary", ended=summarising.fail)
        self.post_message(self.Changed())

    def _tell_summary(self, summarising: SummaryRun) -> None:
        self.post_message(self.SummaryNews(summarising))

    def on_deciding_summary_news(self, event: SummaryNews) -> None:
        """Show what came of the summary since the last time."""
        event.stop()
        held, summarising = self._held, event.summarising
        if held is None or self._summarising is not summarising:
            return
        text, reasoning = summarising.take()
        if summarising.part != self._summary_part:
            self._summary_part = summarising.part
            self.transcript.replace(self._summary_entry(summarising))
        elif text or reasoning:
            self.transcript.extend(SUMMARY_ENTRY, text, reasoning)
        if summarising.done:
            self._summary_done(held, summarising)
            return
        if self._summary_heading_pace.due(summarising.generation, time.monotonic()):
            self.transcript.set_heading(SUMMARY_ENTRY, self._summary_heading(summarising))
            self.post_message(self.Changed())

    def _summary_done(self, held: Held, summarising: SummaryRun) -> None:
        if summarising.error is not None:
            self._end_summary(held)
            self.tell(f"No summary: {safe_line(str(summarising.error), 300)}", "error")
        elif held.case is not None and held.case.cut_for_summary is not None:
            self._leave_out(held, held.case.cut_for_summary.dropped, safe_block(summarising.text))

    def _end_summary(self, held: Held) -> None:
        """Without a summary: what is to be done instead?"""
        self._forget_summary()
        if held.case is not None:
            self.show_choice(overflow.decision_for(held.case))
        self.post_message(self.Changed())

    def _forget_summary(self) -> None:
        self._summarising = None
        self.workers.cancel_group(self, "summary")
        self.show_branch()

    def _summary_entry(self, summarising: SummaryRun) -> Entry:
        generation = summarising.generation
        return Entry(
            SUMMARY_ENTRY,
            self._summary_heading(summarising),
            generation.content,
            generation.reasoning,
            streaming=True,
        )

    def _summary_heading(self, summarising: SummaryRun) -> Heading:
        part = f"part {summarising.part} of {summarising.parts}" if summarising.parts > 1 else ""
        return Heading("summary", Tone.MUTED, part, phase_words(summarising.generation))
