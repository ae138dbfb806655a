"""Where a prompt waits until it is sure to fit into the context window, or the person has said what is to be done.

Nothing is sent that a server would cut off. A short prompt passes at once; one that may not fit is counted by the server; of
one that does not fit the person decides: leave the oldest out, let the model sum it up, take a larger window, ask all the
same, or not ask.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TypeVar

from tui.chat import overflow
from tui.chat.activity import (
    AwaitingDecision,
    CheckingContext,
    Idle,
    ReloadingModel,
    Summarising,
    WaitingForServer,
)
from tui.chat.context_check import Estimate, Measure, request_of
from tui.chat.decision import Decision, DecisionOption
from tui.chat.events import (
    BranchChanged,
    DecisionNeeded,
    Notice,
    StateChanged,
    SummaryAdvanced,
    SummaryStarted,
    WindowWanted,
)
from tui.chat.open_chat import OpenChat
from tui.chat.outbox import FrontEnd, Outbox
from tui.chat.pending import PendingComparison, PendingPrompt
from tui.chat.state import ClientState
from tui.chat.summary_run import SummaryRun
from tui.chat.tasks import TaskRunner
from tui.core.context_trim import ContextTrim
from tui.core.message import Message
from tui.core.summary import TASK_TOKENS, portions, summary_tokens
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import LokalError

T = TypeVar("T")

_WHILE_SUMMARISING = Decision(
    "Writing a summary",
    "It takes the place of what the model no longer sees.",
    (DecisionOption(overflow.STOP, "stop, and choose again"),),
)


class ContextGate:
    """One for each open chat window; a part of the `ChatController`."""

    def __init__(
        self,
        chat: OpenChat,
        front: FrontEnd,
        tasks: TaskRunner,
        outbox: Outbox,
        interval_s: Callable[[], float],
    ) -> None:
        self._chat = chat
        self._front = front
        self._tasks = tasks
        self._outbox = outbox
        self._interval_s = interval_s

    def _changed(self) -> None:
        self._front.hear(StateChanged())

    def _tell(self, text: str, tone: str = "muted") -> None:
        self._front.hear(Notice(text, tone))

    def _together(self) -> AbstractContextManager[None]:
        return self._chat.session.together() if self._chat.session is not None else nullcontext()

    def hold(self, pending: PendingComparison) -> None:
        """Send a prompt that is asked of several, once it is sure that it fits them all. A short one is not held up; one that
        is held is kept with the draft, so that it is not lost."""
        with self._together():
            if all(map(partial(self._surely_fits, pending), pending.states)):
                self.send(pending)
            else:
                self._resolve_later(pending)
            self._outbox.changed()

    def _surely_fits(self, pending: PendingPrompt, state: ClientState) -> bool:
        measure = self._chat.measure(pending.path, state)
        if measure is None:
            return not self._may_know_window(state)
        return measure.budget.prompt.tokens <= min(measure.limit, measure.window // 2)

    def _may_know_window(self, state: ClientState) -> bool:
        """Whether the server was not yet asked for the window of that model."""
        return state.connection is not None and state.window is None and state.model != self._chat.state.model

    def check(self, pending: PendingPrompt) -> None:
        """Send it if it fits, else see what is to be done."""
        measure = pending.measure = self._chat.measure(pending.path, pending.state)
        estimate = measure.estimate() if measure is not None else Estimate.FITS
        if measure is None or estimate is Estimate.FITS:
            self.send(pending)
        elif estimate is Estimate.TO_COUNT:
            self._resolve_later(pending)
        else:
            self.offer(pending, measure)

    def _resolve_later(self, pending: PendingPrompt) -> None:
        self._chat.activity = CheckingContext(pending)
        self._tasks.start(
            partial(self._count, pending),
            "prompt",
            on_mistake=lambda problem: self._front.post(partial(self._resolve_failed, pending, problem)),
        )
        self._changed()

    def _resolve_failed(self, pending: PendingPrompt, problem: LokalError) -> None:
        """What was to be found out of it ended with a mistake: it is not sent, and comes back."""
        if pending is self._chat.pending:
            self.take_back()
        self._tell(str(problem), "error")

    async def _count(self, pending: PendingPrompt) -> None:
        """Let the server count, where it can, for all of whom it is asked; then send it, or ask the person."""
        too_long: list[Measure] = []
        for state in pending.asked_of:
            measure = await self._counted(pending, state)
            if measure is not None and measure.over > 0:
                too_long.append(measure)
        await self._in_turn(partial(self._counted_all, pending, too_long))

    async def _counted(self, pending: PendingPrompt, state: ClientState) -> Measure | None:
        from tui.servers.connect import window_of

        conversation = self._chat.session.conversation if self._chat.session is not None else None
        if state.connection is not None and self._may_know_window(state):
            window = await window_of(state.connection.server, state.model)
            state = state.with_settings(replace(state.settings, window=window))
        measure = self._chat.measure(pending.path, state)
        if measure is not None and measure.estimate() is Estimate.TO_COUNT:
            request = request_of(conversation, pending.path, state, resume=pending.resume)
            await self._chat.context_check.count(measure, request)
        return measure

    def _counted_all(self, pending: PendingPrompt, too_long: Sequence[Measure]) -> None:
        if pending is not self._chat.pending:
            return
        if not too_long:
            self.send(pending)
            return
        worst = max(too_long, key=lambda measure: measure.over)
        pending.state, pending.measure = worst.state, worst
        if isinstance(pending, PendingComparison) and (pending.others or len(too_long) < len(pending.states)):
            pending.whose = _names([measure.state for measure in too_long], self._chat.state.model)
        self.offer(pending, worst)

    async def _in_turn(self, step: Callable[[], T]) -> T:
        """The result of `step`, which is done where the front end handles what a person does; what it raises is raised here."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        def call() -> None:
            if done.done():  # the task that waited for it was cancelled
                return
            try:
                result = step()
            except Exception as error:  # noqa: BLE001  # it belongs to the task that waits for it, which tells it
                if not done.done():
                    done.set_exception(error)
                return
            if not done.done():
                done.set_result(result)

        self._front.post(call)
        return await done

    def offer(self, pending: PendingPrompt, measure: Measure, trained: int | None = None) -> None:
        """It does not fit: ask the person what is to be done, and do it."""
        decision: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._show_offer(pending, measure, decision, trained)
        self._tasks.start(
            partial(self._resolve, pending, decision),
            "prompt",
            on_mistake=lambda problem: self._front.post(partial(self._resolve_failed, pending, problem)),
        )
        if trained is None and overflow.trained_window(pending.state) is None:
            self._tasks.start(partial(self._ask_largest, pending), "largest")

    def _show_offer(
        self, pending: PendingPrompt, measure: Measure, decision: asyncio.Future[str], trained: int | None
    ) -> None:
        found = overflow.describe(
            pending.state,
            measure.budget,
            measure.window,
            trained,
            unasked=pending.unasked or pending.unsent,
            tried=pending.tried,
        )
        if isinstance(pending, PendingComparison):
            found = replace(found, whose=pending.whose)
        pending.measure = measure
        self._chat.activity = AwaitingDecision(pending, found, decision)
        self._front.hear(DecisionNeeded(overflow.decision_for(found)))
        self._changed()

    async def _ask_largest(self, pending: PendingPrompt) -> None:
        """The server may say how large the window can be: that is one way more."""
        connection = pending.state.connection
        if connection is not None:
            with contextlib.suppress(LokalError):
                if tokens := await connection.server.largest_window(pending.state.model):
                    self._front.post(partial(self._largest_known, pending, tokens))

    def _largest_known(self, pending: PendingPrompt, tokens: int) -> None:
        activity = self._chat.activity
        if (
            isinstance(activity, AwaitingDecision)
            and activity.pending is pending
            and pending.measure is not None
        ):
            self._show_offer(pending, pending.measure, activity.decision, tokens)

    def decide(self, option_id: str) -> None:
        """The person has chosen one of the ways on."""
        activity = self._chat.activity
        if option_id == overflow.CANCEL:
            if self._chat.overflow is not None and not self.end_summary():
                self.take_back()
        elif (
            isinstance(activity, AwaitingDecision)
            and option_id in self._chat.choosing
            and not activity.decision.done()
        ):
            activity.decision.set_result(option_id)

    async def _resolve(self, pending: PendingPrompt, decision: asyncio.Future[str]) -> None:
        """Do what the person decides, until the prompt is sent or taken back."""
        way = await decision
        while way == overflow.SUMMARY:
            ended = await self._in_turn(partial(self._summarise, pending))
            await ended
            decision = await self._in_turn(partial(self._summary_ended, pending))
            way = await decision
        await self._in_turn(partial(self._do, pending, way))

    def _do(self, pending: PendingPrompt, way: str) -> None:
        found = self._chat.overflow
        if pending is not self._chat.pending or found is None:
            return
        if way == overflow.DROP and found.cut is not None:
            self._leave_out(pending, found.cut.dropped)
        elif way == overflow.WINDOW and found.larger is not None:
            self._wait_for_window(pending, found.larger)
        elif way == overflow.ANYWAY:
            if isinstance(pending, PendingComparison):
                pending.spares = bool(pending.whose)
            self.send(pending)

    def _wait_for_window(self, pending: PendingPrompt, tokens: int) -> None:
        self._chat.activity = ReloadingModel(pending, tokens)
        self._front.hear(DecisionNeeded(None))
        self._front.hear(WindowWanted(tokens))
        self._changed()

    def _leave_out(
        self, pending: PendingPrompt, dropped: Sequence[Message], summary: str | None = None
    ) -> None:
        session = self._chat.session
        if session is None or not dropped:
            return
        conversation = session.conversation
        kept = conversation.view.summary if conversation.view.cut(pending.path) else ""
        conversation.view = ContextTrim(dropped[-1].id, kept if summary is None else summary)
        self._front.hear(BranchChanged())
        self.send(pending)

    def send(self, pending: PendingPrompt) -> None:
        """Send it."""
        held = pending is self._chat.pending
        self.close(pending)
        with self._together():
            pending.send()
            if held:
                self._outbox.sent()
                self._outbox.changed()

    def take_back(self) -> None:
        """Do not send what is held."""
        pending = self._chat.pending
        if pending is not None:
            self.close(pending)
            pending.take_back()

    def close(self, pending: PendingPrompt) -> None:
        """It is held no longer."""
        if pending is not self._chat.pending:
            # An answer that waited for a server is asked for now, or not at all.
            if isinstance(self._chat.activity, WaitingForServer):
                self._chat.activity = Idle()
            return
        asked = isinstance(self._chat.activity, AwaitingDecision | Summarising)
        summarised = isinstance(self._chat.activity, Summarising)
        self._chat.activity = Idle()
        for group in ("prompt", "largest", "summary"):
            self._tasks.cancel(group)
        if summarised:
            self._front.hear(BranchChanged())
        if asked:
            self._front.hear(DecisionNeeded(None))
        self._changed()

    def _summarise(self, pending: PendingPrompt) -> asyncio.Future[None]:
        """Let the model sum up what does not fit; the future is done when it has ended, or was ended."""
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        session, connection, found, measure = (
            self._chat.session,
            pending.state.connection,
            self._chat.overflow,
            pending.measure,
        )
        if (
            session is None
            or connection is None
            or found is None
            or measure is None
            or found.cut_for_summary is None
        ):
            ended.set_result(None)
            return ended
        view, factor = session.conversation.view, measure.budget.factor
        most = summary_tokens(measure.window)
        room = measure.window - 2 * most - int(TASK_TOKENS * factor)
        parts = portions(found.cut_for_summary.dropped, max(room, measure.window // 4), factor)
        earlier = view.summary if view.cut(pending.path) else ""
        run = SummaryRun(
            connection.server, pending.state, parts, earlier, most, self._summary_news, self._interval_s
        )
        self._chat.activity = Summarising(pending, found, run, ended)
        self._front.hear(SummaryStarted(run))
        self._front.hear(DecisionNeeded(_WHILE_SUMMARISING))
        self._tasks.start(run.run, "summary", on_mistake=run.fail)
        self._changed()
        return ended

    def _summary_news(self, run: SummaryRun) -> None:
        self._front.post(partial(self._summary_advanced, run), run)

    def _summary_advanced(self, run: SummaryRun) -> None:
        activity = self._chat.activity
        if not isinstance(activity, Summarising) or activity.run is not run:
            return
        self._front.hear(SummaryAdvanced(run))
        if run.done and not activity.ended.done():
            activity.ended.set_result(None)

    def _summary_ended(self, pending: PendingPrompt) -> asyncio.Future[str]:
        """Go on from the summary; where there is none, ask the person what is to be done instead."""
        decision: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        activity = self._chat.activity
        if not isinstance(activity, Summarising) or activity.pending is not pending:
            decision.cancel()
            return decision
        run, found = activity.run, activity.overflow
        self._tasks.cancel("summary")
        if run.done and run.error is None and found.cut_for_summary is not None:
            self._leave_out(pending, found.cut_for_summary.dropped, safe_block(run.text))
            return decision
        self._chat.activity = AwaitingDecision(pending, found, decision)
        self._front.hear(BranchChanged())
        self._front.hear(DecisionNeeded(overflow.decision_for(found)))
        self._changed()
        if run.done and run.error is not None:
            self._tell(f"No summary: {safe_line(str(run.error), 300)}", "error")
        return decision

    def end_summary(self) -> bool:
        """The person ends a summary: it goes back to the choice. False if none is being written."""
        activity = self._chat.activity
        if not isinstance(activity, Summarising):
            return False
        if not activity.ended.done():
            activity.ended.set_result(None)
        return True


def _names(states: Sequence[ClientState], usual: str) -> str:
    """`creative and technical@qwen2.5:7b`."""
    names = [
        safe_name(state.preset.name, 40) + (f"@{safe_name(state.model, 60)}" if state.model != usual else "")
        for state in states
    ]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
