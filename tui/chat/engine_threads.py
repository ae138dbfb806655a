"""How fast the built-in engine answers, kept in the record of rates; and one thread instead of several while another's load
starves it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tui import files
from tui.chat.tasks import TaskRunner

if TYPE_CHECKING:
    from tui.chat.rate_record import RateRecord
    from tui.core.benchmark import BenchmarkSubject
    from tui.servers.engine.machine import LoadSample
    from tui.servers.engine.thread_fallback import AnswerTiming

LOOK_S = 30.0
"""How often it is looked, while one thread computes, whether the load of others has gone."""
_GROUP = "engine-threads"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EngineThreadsChanged:
    """The engine was started again with so many threads; `is_single` = with one instead of several, as others keep the
    machine busy."""

    threads: int
    is_single: bool

    @property
    def words(self) -> str:
        """In words, one line."""
        if self.is_single:
            return "Other programs keep this machine busy: the model goes on with one thread"
        return f"The model computes with {self.threads} threads again"


class ThreadedEngine(Protocol):
    """The engine as far as its threads go; see `EmbeddedServer`."""

    @property
    def usual_threads(self) -> int: ...

    async def use_threads(self, threads: int | None) -> bool | None: ...

    def load_sample(self) -> LoadSample | None: ...

    def describe(self) -> BenchmarkSubject: ...


class EngineThreads:
    """One for each engine that runs. There is no timer but while one thread computes in the place of several."""

    def __init__(
        self,
        engine: ThreadedEngine,
        record: RateRecord,
        tasks: TaskRunner,
        hear: Callable[[EngineThreadsChanged], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        from tui.servers.engine.thread_fallback import ThreadFallback

        self._engine = engine
        self._record = record
        self._tasks = tasks
        self._hear = hear
        self._clock = clock
        self._fallback = ThreadFallback(engine.usual_threads)
        self._subject: BenchmarkSubject | None = None
        self._sample: LoadSample | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._closed = False
        self._depth = 0

    def use(self, engine: ThreadedEngine) -> None:
        """The same engine is asked through another connection from now on."""
        self._engine = engine

    def answered(self, timing: AnswerTiming) -> None:
        """An answer has ended, or was stopped."""
        if not self._closed:
            self._tasks.start(partial(self._answered, timing), _GROUP)

    def close(self) -> None:
        """Watch it no longer."""
        self._closed = True
        self._disarm()

    async def look(self) -> None:
        """See whether the load of others has gone."""
        sample, before = self._engine.load_sample(), self._sample
        self._sample = sample
        others = sample.others_since(before) if sample is not None and before is not None else None
        await self._change(self._fallback.looked(others, self._clock()))

    async def _answered(self, timing: AnswerTiming) -> None:
        if self._subject is None:
            self._subject = await files.in_thread(self._engine.describe)
            await files.in_thread(self._record.load)
        self._depth = timing.depth or self._depth  # of one that was stopped nobody says it
        subject, usual = self._subject, self._record.usual_rate(self._subject, self._depth)
        # What it reaches while others are busy, or with other threads, is not what it reaches as a rule.
        undisturbed = (
            timing.depth > 0
            and not self._fallback.is_single
            and (timing.others is None or _is_calm(timing.others))
        )
        if undisturbed and self._record.note_answer(subject, timing.tokens, timing.rate, timing.depth):
            await files.in_thread(self._record.flush)
        await self._change(self._fallback.answered(timing, usual, self._clock()))

    async def _change(self, threads: int | None) -> None:
        if threads is not None and not self._closed:
            single = self._fallback.is_single
            match await self._engine.use_threads(1 if single else None):
                case True:
                    self._hear(EngineThreadsChanged(threads, single))
                case None:
                    self._fallback.stayed(self._clock())
        if self._closed or not self._fallback.is_single:
            self._disarm()
        elif self._alarm is None:
            if threads is not None:
                self._sample = self._engine.load_sample()
            self._alarm = asyncio.get_running_loop().call_later(LOOK_S, self._due)

    def _due(self) -> None:
        self._alarm = None
        self._tasks.start(self.look, _GROUP)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _is_calm(others: float) -> bool:
    from tui.servers.engine.thread_fallback import BUSY_CORES

    return others < BUSY_CORES
