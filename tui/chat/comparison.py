"""The answers of a comparison while they come in: one column each, all to the same question, all written down as they come.

It touches no widget. The screen is told that there is something new and takes it from the columns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.answer_stream import AnswerStream
from tui.chat.column_fit import why_too_long
from tui.chat.requests import blank_answer, prepare, unanswerable
from tui.chat.state import ClientState
from tui.chat.tasks import TaskRunner, mistake
from tui.core.compare import ColumnRequest
from tui.core.events import Phase
from tui.core.message import Message, Status
from tui.core.parameters import BY_NAME
from tui.core.request import ChatRequest
from tui.core.text import safe_name
from tui.errors import Interrupted, LokalError

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.servers.connect import Connection

Connect = Callable[[str, str, str], Awaitable["tuple[Connection, str]"]]
"""Connects to a server by its name or address; given the model that is wanted and the usual one, empty for none, it says
which it is."""


@dataclass(slots=True, eq=False)
class ComparisonColumn:
    """One column: whom it asks, its answer, and, once that has ended, what it became. `unsent` are the parameters that
    its server does not take, or its model cannot."""

    asked: ColumnRequest
    state: ClientState
    stream: AnswerStream
    request: ChatRequest | None = None
    final: Message | None = None
    unsent: tuple[str, ...] = ()
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def message(self) -> Message:
        """The answer: what is known of it from the start, or what it became."""
        return self.final or self.stream.message

    @property
    def empty(self) -> bool:
        """Whether it has ended before anything came: that is no answer."""
        final = self.final
        return final is not None and final.status is not Status.COMPLETE and not _says_something(final)

    @property
    def server(self) -> str:
        """The address that it asks; empty until that is known."""
        return self.stream.message.server

    @property
    def knows_model(self) -> bool:
        """Whether it is known which model is asked."""
        return bool(self.asked.model or not self.asked.server or self.request)


class Comparison:
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
        self.columns: list[ComparisonColumn] = []
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
    def running(self) -> list[ComparisonColumn]:
        """The columns whose answers have not ended."""
        return [column for column in self.columns if column.final is None]

    def add(self, asked: ColumnRequest) -> None:
        """Add a column at the right; its answer is a sibling of those before it."""
        state = state_for(self._state, asked)
        blank = unanswerable(state, blank_answer(self.question.id))

        def news(stream: AnswerStream) -> None:
            self._heard(column)

        def checkpoint(message_id: str, content: str, reasoning: str) -> None:
            self._session.checkpoint(message_id, content, reasoning)

        column = ComparisonColumn(
            asked, state, AnswerStream(blank, news, checkpoint, self._session.update, self._interval_s)
        )
        self.columns.append(column)
        if asked.server or state.connection is None:
            self._session.open_answer(blank)
        else:
            self._prepare(column, state.connection)

    def start(self, tasks: TaskRunner, durable: Future[bool] | None) -> None:
        """Ask, once the question is on the disk. Were lokal to end now, no column would have been chosen."""
        self._session.select((self._open_before or self.columns[0].message).id)
        for column in self.columns:
            column.task = tasks.start(partial(self._run, column, durable), "compare")

    async def _run(self, column: ComparisonColumn, durable: Future[bool] | None) -> None:
        try:
            connection = column.state.connection
            if column.asked.server:
                usual = "" if column.asked.model else self._state.model
                connection, model = await self._connect(column.asked.server, column.asked.model, usual)
                self._extra.append(connection)
                column.state = ClientState(
                    replace(column.state.server, connection=connection),
                    replace(column.state.settings, model=model),
                )
                self._prepare(column, connection)
            if connection is not None and (column.asked.server or self._spares):
                await self._see_that_it_fits(column, connection)
        except LokalError as error:
            column.stream.fail(error)
            return
        except Exception as error:  # noqa: BLE001  # a worker's root: the person must hear of it, whatever it was
            column.stream.fail(mistake(error))
            return
        if connection is not None and column.request is not None:
            await column.stream.run(connection.server.chat(column.request), durable)

    async def _see_that_it_fits(self, column: ComparisonColumn, connection: Connection) -> None:
        """Raise the LokalError that what is to be sent does not fit into the context window. Of the columns that ask the
        open server that is known before the comparison begins, and the person was asked."""
        from tui.servers.connect import window_of

        if column.asked.server or column.state.model != self._state.model:
            window = await window_of(connection.server, column.state.model)
            column.state = column.state.with_settings(replace(column.state.settings, window=window))
        request, conversation = column.request, self._session.conversation
        alone = f"/server {connection.server.endpoint.url}" if column.asked.server else ""
        problem = await why_too_long(column.state, conversation, self.question.id, request, alone)
        if problem is not None:
            raise problem

    def _prepare(self, column: ComparisonColumn, connection: Connection) -> None:
        session = self._session
        asking = prepare(
            column.state,
            connection,
            session.conversation,
            column.stream.message,
            resume=False,
            schema=session.schema,
        )
        column.stream.message, column.request, column.unsent = asking.answer, asking.request, asking.unsent
        session.open_answer(asking.answer)

    def _heard(self, column: ComparisonColumn) -> None:
        if column.final is None and column.stream.generation.finished:
            column.final = column.stream.final()
            self._session.update(column.final)
        self.on_news()

    def waits(self, column: ComparisonColumn) -> bool:
        """Whether nothing is heard of an answer while its server answers another asked: one that answers one at a
        time lets the others wait."""
        generation = column.stream.generation
        progress = generation.progress
        silent = generation.phase in (Phase.CONNECTING, Phase.PREFILL) and not (progress and progress.total)
        return silent and any(
            other.server == column.server and other.stream.generation.phase is Phase.STREAMING
            for other in self.running
        )

    def difference(self, column: ComparisonColumn) -> str:
        """How an answer of a ladder compares with that of the first column, once all are there; empty until then, and where the
        columns differ by more than a value."""
        if not column.asked.values or self.running or column.empty or column.final is None:
            return ""
        from tui.core.ladder import difference

        first = self.columns[0].final
        is_first = first is None or column is self.columns[0]
        return difference(column.final.content, None if is_first or first is None else first.content)

    def stop(self, problem: LokalError | None = None, keep: ComparisonColumn | None = None) -> bool:
        """End the answers that are coming, but not that of `keep`; what came stays. With a `problem` they count as
        interrupted, not as stopped by the person. False if there were none."""
        stopped = [column for column in self.running if column is not keep]
        for column in stopped:
            if problem is None:
                column.stream.stop()
            else:
                column.stream.fail(problem)
            if column.task is not None:
                column.task.cancel()
        return bool(stopped)

    def leave(self, *, closed: bool) -> None:
        """lokal ends: keep what came. `closed` = the terminal or the system ended it."""
        self.stop(
            Interrupted("Interrupted", "The terminal was closed or lokal was ended") if closed else None
        )
        self.settle(None)

    def settle(self, kept: ComparisonColumn | None) -> None:
        """All have ended: open the branch that goes on, and take out what is no answer, unless it is the open one, which
        then says why there is none."""
        opened = (kept.message if kept is not None else self._unchosen()).id
        for column in self.columns:
            message_id = column.message.id
            if column.empty and message_id != opened and message_id in self._session.conversation:
                self._session.forget(message_id)
        self._session.select(opened)

    def _unchosen(self) -> Message:
        """Where the chat goes on if no column was kept: with the answer that was open before, else that of the column
        with the cursor, else of any. None of them is without a word if another has one."""
        before, answers = self._open_before, [column.message for column in self.columns]
        wanted = [answers[self.cursor], *answers]
        if before is not None:
            wanted.insert(0, before)
        return next((message for message in wanted if _says_something(message)), wanted[0])

    async def close(self) -> None:
        """Close the connections that were made for this."""
        for connection in self._extra:
            await connection.server.aclose()


def state_for(state: ClientState, asked: ColumnRequest) -> ClientState:
    """What a column is asked with. The window of another model, or of a server of its own, is not known yet."""
    preset = next((one for one in state.presets if one.name == asked.preset), state.preset)
    model = asked.model or state.model
    same = model == state.model and not asked.server
    window = state.window if same else None
    overrides = {**state.overrides, **dict(asked.values)} if asked.values else state.overrides
    settings = replace(state.settings, preset=preset, model=model, window=window, overrides=overrides)
    return state.with_settings(settings)


def values_words(asked: ColumnRequest) -> str:
    """What a column's own values are, but the seed that all have; empty for none."""
    named = [(name, value) for name, value in asked.values if name != "seed" or len(asked.values) == 1]
    return ", ".join(f"{name} {BY_NAME[name].format(value)}" for name, value in named)


def _says_something(message: Message) -> bool:
    return bool(message.content.strip() or message.reasoning.strip())


def names_of(columns: list[ComparisonColumn]) -> list[tuple[str, str]]:
    """What each column is called, and what is said beside that: first what makes it another one than the others. Which
    model a server of its own is asked for is not known before it is connected."""
    parts = [
        (
            values_words(column.asked),
            safe_name(column.message.preset, 40),
            safe_name(column.state.model, 60) if column.knows_model else "",
            safe_name(column.asked.server, 60),
        )
        for column in columns
    ]
    values, presets, models, servers = (set(each) for each in zip(*parts, strict=True))
    differs = [len(values) > 1, len(presets) > 1, len(models - {""}) > 1, len(servers) > 1]
    named = []
    for part in parts:
        first = [text for text, other in zip(part, differs, strict=True) if other and text]
        rest = [text for text, other in zip(part, differs, strict=True) if not other and text]
        if not first:
            first, rest = rest[:1], rest[1:]
        named.append((" · ".join(first), " · ".join(rest)))
    return named
