"""The answers of a comparison while they come in: one lane each, all to the same question, all written down as they come.

It touches no widget. The screen is told that there is something new and takes it from the lanes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.answer_stream import AnswerStream
from tui.chat.requests import blank_answer, prepare, unanswerable
from tui.chat.state import ClientState
from tui.core.compare import Column
from tui.core.events import Phase
from tui.core.message import Message, Status
from tui.core.request import ChatRequest
from tui.core.text import safe_name
from tui.errors import Interrupted, LokalError
from tui.ui.compare.fit import why_too_long
from tui.ui.work import Work

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui.chat.session import ChatSession
    from tui.servers.connect import Connection

Connect = Callable[[str, str, str], Awaitable["tuple[Connection, str]"]]
"""Connects to a server by its name or address; given the model that is wanted and the usual one, empty for none, it says
which it is."""
Run = Callable[[Work], "Worker[None]"]


@dataclass(slots=True, eq=False)
class Lane:
    """One column: whom it asks, its answer, and, once that has ended, what it became. `unsent` are the parameters that
    its server does not take, or its model cannot."""

    column: Column
    state: ClientState
    answering: AnswerStream
    request: ChatRequest | None = None
    final: Message | None = None
    unsent: tuple[str, ...] = ()
    worker: Worker[None] | None = field(default=None, repr=False)

    @property
    def message(self) -> Message:
        """The answer: what is known of it from the start, or what it became."""
        return self.final or self.answering.message

    @property
    def empty(self) -> bool:
        """Whether it has ended before anything came: that is no answer."""
        final = self.final
        return final is not None and final.status is not Status.COMPLETE and not _says_something(final)

    @property
    def server(self) -> str:
        """The address that it asks; empty until that is known."""
        return self.answering.message.server

    @property
    def knows_model(self) -> bool:
        """Whether it is known which model is asked."""
        return bool(self.column.model or not self.column.server or self.request)


class Race:
    """Asks all columns at once."""

    def __init__(
        self,
        session: ChatSession,
        question: Message,
        state: ClientState,
        connect: Connect,
        interval_s: Callable[[], float],
        *,
        spares: bool = False,
    ) -> None:
        """`spares` = whom the prompt does not fit is not asked, and says so."""
        leaf = session.conversation.leaf
        self.question = question
        self.lanes: list[Lane] = []
        self.on_news: Callable[[], None] = lambda: None
        self.cursor = 0
        """The column that the person looks at."""
        self._session = session
        self._state = state
        self._connect = connect
        self._interval_s = interval_s
        self._spares = spares
        self._open_before = leaf if leaf is not None and leaf.id != question.id else None
        self._extra: list[Connection] = []

    @property
    def running(self) -> list[Lane]:
        """The lanes whose answers have not ended."""
        return [lane for lane in self.lanes if lane.final is None]

    def add(self, column: Column) -> None:
        """Add a column at the right; its answer is a sibling of those before it."""
        state = state_for(self._state, column)
        blank = unanswerable(state, blank_answer(self.question.id))

        def news(answering: AnswerStream) -> None:
            self._heard(lane)

        def checkpoint(message_id: str, content: str, reasoning: str) -> None:
            self._session.checkpoint(message_id, content, reasoning)

        lane = Lane(
            column, state, AnswerStream(blank, news, checkpoint, self._session.update, self._interval_s)
        )
        self.lanes.append(lane)
        if column.server or state.connection is None:
            self._session.open_answer(blank)
        else:
            self._prepare(lane, state.connection)

    def start(self, run: Run, durable: Future[bool] | None) -> None:
        """Ask, once the question is on the disk. Were lokal to end now, no column would have been chosen."""
        self._session.select((self._open_before or self.lanes[0].message).id)
        for lane in self.lanes:
            lane.worker = run(partial(self._run, lane, durable))

    async def _run(self, lane: Lane, durable: Future[bool] | None) -> None:
        try:
            connection = lane.state.connection
            if lane.column.server:
                usual = "" if lane.column.model else self._state.model
                connection, model = await self._connect(lane.column.server, lane.column.model, usual)
                self._extra.append(connection)
                lane.state = ClientState(
                    replace(lane.state.server, connection=connection),
                    replace(lane.state.settings, model=model),
                )
                self._prepare(lane, connection)
            if connection is not None and (lane.column.server or self._spares):
                await self._see_that_it_fits(lane, connection)
        except LokalError as error:
            lane.answering.fail(error)
            return
        except Exception as error:  # noqa: BLE001  # a worker's root: the person must hear of it, whatever it was
            what = f"{type(error).__name__}: {error}"
            lane.answering.fail(LokalError("lokal made a mistake", what, "Please report this"))
            return
        if connection is not None and lane.request is not None:
            await lane.answering.run(connection.server.chat(lane.request), durable)

    async def _see_that_it_fits(self, lane: Lane, connection: Connection) -> None:
        """Raise the LokalError that what is to be sent does not fit into the context window. Of the columns that ask the
        open server that is known before the comparison begins, and the person was asked."""
        from tui.servers.connect import window_of

        if lane.column.server or lane.state.model != self._state.model:
            window = await window_of(connection.server, lane.state.model)
            lane.state = lane.state.with_settings(replace(lane.state.settings, window=window))
        request, conversation = lane.request, self._session.conversation
        alone = f"/server {connection.server.endpoint.url}" if lane.column.server else ""
        problem = await why_too_long(lane.state, connection, conversation, self.question.id, request, alone)
        if problem is not None:
            raise problem

    def _prepare(self, lane: Lane, connection: Connection) -> None:
        session = self._session
        asking = prepare(
            lane.state,
            connection,
            session.conversation,
            lane.answering.message,
            resume=False,
            schema=session.schema,
        )
        lane.answering.message, lane.request, lane.unsent = asking.answer, asking.request, asking.unsent
        session.open_answer(asking.answer)

    def _heard(self, lane: Lane) -> None:
        if lane.final is None and lane.answering.generation.finished:
            lane.final = lane.answering.final()
            self._session.update(lane.final)
        self.on_news()

    def waits(self, lane: Lane) -> bool:
        """Whether nothing is heard of an answer while its server answers another column: one that answers one at a
        time lets the others wait."""
        generation = lane.answering.generation
        progress = generation.progress
        silent = generation.phase in (Phase.CONNECTING, Phase.PREFILL) and not (progress and progress.total)
        return silent and any(
            other.server == lane.server and other.answering.generation.phase is Phase.STREAMING
            for other in self.running
        )

    def stop(self, problem: LokalError | None = None, keep: Lane | None = None) -> bool:
        """End the answers that are coming, but not that of `keep`; what came stays. With a `problem` they count as
        interrupted, not as stopped by the person. False if there were none."""
        stopped = [lane for lane in self.running if lane is not keep]
        for lane in stopped:
            if problem is None:
                lane.answering.stop()
            else:
                lane.answering.fail(problem)
            if lane.worker is not None:
                lane.worker.cancel()
        return bool(stopped)

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came. `closed` = the terminal or the system ended it."""
        self.stop(
            Interrupted("Interrupted", "The terminal was closed or lokal was ended") if closed else None
        )
        self.settle(None)

    def settle(self, kept: Lane | None) -> None:
        """All have ended: open the branch that goes on, and take out what is no answer, unless it is the open one, which
        then says why there is none."""
        opened = (kept.message if kept is not None else self._unchosen()).id
        for lane in self.lanes:
            message_id = lane.message.id
            if lane.empty and message_id != opened and message_id in self._session.conversation:
                self._session.forget(message_id)
        self._session.select(opened)

    def _unchosen(self) -> Message:
        """Where the chat goes on if no column was kept: with the answer that was open before, else that of the column
        with the cursor, else of any. None of them is without a word if another has one."""
        before, answers = self._open_before, [lane.message for lane in self.lanes]
        wanted = [answers[self.cursor], *answers]
        if before is not None:
            wanted.insert(0, before)
        return next((message for message in wanted if _says_something(message)), wanted[0])

    async def close(self) -> None:
        """Close the connections that were made for this."""
        for connection in self._extra:
            await connection.server.aclose()


def state_for(state: ClientState, column: Column) -> ClientState:
    """What a column is asked with. The window of another model, or of a server of its own, is not known yet."""
    preset = next((one for one in state.presets if one.name == column.preset), state.preset)
    model = column.model or state.model
    same = model == state.model and not column.server
    window = state.window if same else None
    return state.with_settings(replace(state.settings, preset=preset, model=model, window=window))


def _says_something(message: Message) -> bool:
    return bool(message.content.strip() or message.reasoning.strip())


def names_of(lanes: list[Lane]) -> list[tuple[str, str]]:
    """What each column is called, and what is said beside that: first what makes it another one than the others. Which
    model a server of its own is asked for is not known before it is connected."""
    parts = [
        (
            safe_name(lane.message.preset, 40),
            safe_name(lane.state.model, 60) if lane.knows_model else "",
            safe_name(lane.column.server, 60),
        )
        for lane in lanes
    ]
    presets, models, servers = (set(each) for each in zip(*parts, strict=True))
    differs = [len(presets) > 1, len(models - {""}) > 1, len(servers) > 1]
    named = []
    for part in parts:
        first = [text for text, other in zip(part, differs, strict=True) if other and text]
        rest = [text for text, other in zip(part, differs, strict=True) if not other and text]
        if not first:
            first, rest = rest[:1], rest[1:]
        named.append((" · ".join(first), " · ".join(rest)))
    return named
