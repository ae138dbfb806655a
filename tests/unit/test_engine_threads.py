"""What comes of the rates of the built-in engine's answers, by figures that are made up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.unit.test_benchmark import SUBJECT
from tui.chat.engine_threads import EngineThreads, EngineThreadsChanged
from tui.chat.rate_record import RateRecord
from tui.chat.tasks import TaskRunner
from tui.core.benchmark import BenchmarkSubject
from tui.core.events import Done, Event, Failed, Phase, Progress, TextDelta
from tui.core.message import Timings, Usage
from tui.errors import LokalError
from tui.servers.engine.machine import LoadSample, ProcessorTime
from tui.servers.engine.thread_fallback import CALM_S, AnswerTimer, AnswerTiming

STARVED = AnswerTiming(64, 10.0, 1.5, 100)


@dataclass
class FigureEngine:
    """An engine of which only the figures are there."""

    usual_threads: int = 2
    others: float = 0.0
    does: bool | None = True
    asked: list[int | None] = field(default_factory=list)
    passed: int = 0
    busy: int = 0

    async def use_threads(self, threads: int | None) -> bool | None:
        self.asked.append(threads)
        return self.does

    def load_sample(self) -> LoadSample | None:
        self.passed += 200
        self.busy += round(100 * self.others)
        return LoadSample(ProcessorTime(self.busy, self.passed, 2), 0)

    def describe(self) -> BenchmarkSubject:
        return SUBJECT


@dataclass
class Watched:
    """An engine, and what was said of it."""

    engine: FigureEngine
    record: RateRecord
    now: float = 0.0
    said: list[EngineThreadsChanged] = field(default_factory=list)
    mistakes: list[LokalError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tasks = TaskRunner(self.mistakes.append)
        self.threads = EngineThreads(self.engine, self.record, self.tasks, self.said.append, lambda: self.now)

    async def answer(self, timing: AnswerTiming) -> None:
        """An answer, and what comes of it."""
        self.threads.answered(timing)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    record = RateRecord(tmp_path / "rates.json")
    for rate in (98.0, 100.0, 102.0):
        record.note_answer(SUBJECT, 64, rate)
    record.flush()
    one = Watched(FigureEngine(), RateRecord(tmp_path / "rates.json"))
    yield one
    one.threads.close()
    assert one.mistakes == []


async def test_a_starved_engine_goes_on_with_one_thread_and_it_is_said(watched: Watched) -> None:
    await watched.answer(AnswerTiming(64, 90.0, 1.5))
    assert watched.engine.asked == []
    await watched.answer(STARVED)
    assert watched.engine.asked == [1]
    (said,) = watched.said
    assert said.is_single
    assert "one thread" in said.words


async def test_it_comes_back_when_the_load_has_gone(watched: Watched) -> None:
    await watched.answer(STARVED)
    watched.engine.others = 1.5
    await watched.threads.look()
    watched.now += 2 * CALM_S
    await watched.threads.look()
    assert watched.engine.asked == [1]
    watched.engine.others = 0.0
    await watched.threads.look()
    watched.now += CALM_S
    await watched.threads.look()
    assert watched.engine.asked == [1, None]
    assert [change.words for change in watched.said][1] == "The model computes with 2 threads again"


async def test_only_what_is_reached_undisturbed_is_kept(watched: Watched) -> None:
    await watched.answer(AnswerTiming(64, 95.0, 0.1, 100))
    await watched.answer(AnswerTiming(64, 96.0, 0.1))  # stopped: nobody says how long the conversation is
    await watched.answer(AnswerTiming(64, 60.0, 1.0, 100))  # beside others
    await watched.answer(STARVED)
    await watched.answer(AnswerTiming(64, 40.0, 0.1, 100))  # with one thread
    watched.record.flush()
    known = watched.record.load().of(SUBJECT)
    assert known is not None
    assert known.rates == (98.0, 100.0, 102.0, 95.0)


async def test_a_long_conversation_is_not_taken_for_a_starved_one(watched: Watched) -> None:
    await watched.answer(AnswerTiming(64, 10.0, 0.9, 6000))
    await watched.answer(AnswerTiming(64, 10.0, 0.9))  # the next answer in it, which was stopped
    assert watched.engine.asked == []


async def test_what_cannot_be_done_is_not_said_and_not_tried_again(watched: Watched) -> None:
    watched.engine.does = None
    await watched.answer(STARVED)
    await watched.answer(STARVED)
    assert watched.engine.asked == [1]
    assert watched.said == []


async def test_an_engine_that_sleeps_takes_them_later_and_nothing_is_said(watched: Watched) -> None:
    watched.engine.does = False
    await watched.answer(STARVED)
    assert watched.engine.asked == [1]
    assert watched.said == []


async def test_a_number_that_the_person_has_set_is_kept(watched: Watched) -> None:
    own = Watched(FigureEngine(usual_threads=1), watched.record)
    await own.answer(STARVED)
    assert own.engine.asked == []


async def test_after_the_end_nothing_is_done(watched: Watched) -> None:
    watched.threads.close()
    await watched.answer(STARVED)
    assert watched.engine.asked == []


def timed(*events: Event, times: tuple[float, ...]) -> AnswerTiming | None:
    """The timing of these events with a clock that says these times, and others that keep one of two cores busy."""
    clock, samples = (
        iter(times),
        iter((LoadSample(ProcessorTime(0, 0, 2), 0), LoadSample(ProcessorTime(150, 200, 2), 50))),
    )
    timer = AnswerTimer(lambda: next(samples), lambda: next(clock))
    for event in events:
        timer.take(event)
    return timer.timing()


def test_the_servers_own_rate_counts_and_that_of_the_clock_for_a_stopped_answer() -> None:
    pieces: list[Event] = [Progress(Phase.PREFILL), *[TextDelta("a")] * 5]
    done = Done("stop", Usage(9, 64), Timings(tokens_per_s=33.0))
    assert timed(*pieces, done, times=(10.0, 12.0)) == AnswerTiming(64, 33.0, 1.0, 73)
    assert timed(*pieces, times=(10.0, 12.0)) == AnswerTiming(5, 2.0, 1.0)
    assert timed(TextDelta("a"), times=(10.0, 12.0)) is None
    assert timed(Failed(LokalError("x")), times=(10.0,)) is None
