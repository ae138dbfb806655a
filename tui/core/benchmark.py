"""What a model reached in a measurement, and how that stands to what it reached before. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

NOTABLE = 0.10
"""A change by less than this share says nothing: two runs on a machine that does nothing else differ by as much."""
ALIKE = 0.25
"""Prompts whose numbers of tokens differ by at most this share are as good as equally long."""


BUILT_IN = "built-in llama.cpp"
"""The kind of server that the built-in engine is."""


class RateSource(StrEnum):
    """Who measured a rate: the server itself, lokal's clock, or lokal's clock over a number of tokens that is estimated."""

    SERVER = "server"
    CLOCK = "clock"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True)
class Measured:
    """A rate in tokens a second, and where it comes from."""

    tokens_per_s: float
    source: RateSource


@dataclass(frozen=True, slots=True)
class Run:
    """One answer that was measured. `prompt` and `cached` are tokens, None = the server does not tell; the rate of the prompt
    is None where too much of it had not to be read."""

    prompt: int | None
    cached: int | None
    completion: int
    first_token_s: float
    total_s: float
    prompt_rate: Measured | None
    answer_rate: Measured | None


@dataclass(frozen=True, slots=True)
class SpeedAtDepth:
    """Medians of the runs with a prompt of some length. `asked` is the depth in tokens that was wanted, `depth` what the server
    counted (an estimate where it counts nothing)."""

    asked: int
    depth: int
    runs: int
    first_token_s: float
    prompt_rate: Measured | None
    answer_rate: Measured | None
    cached: int = 0


@dataclass(frozen=True, slots=True)
class BenchmarkSubject:
    """What was measured: a machine in words, a kind of server and its version, a model."""

    machine: str
    server: str
    version: str
    model: str

    def is_comparable(self, other: BenchmarkSubject) -> bool:
        """Whether it is the same but for the version of the server."""
        return (self.machine, self.server, self.model) == (other.machine, other.server, other.model)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One measurement. `at` is seconds since the epoch; `load_s` is how long loading the model took and `memory` the bytes that
    it takes, None = not known; `busy` is how many cores others used when it began, 0 where that is not known;
    `settings` are the parameters that the model was loaded with, in words."""

    subject: BenchmarkSubject
    at: float
    depths: tuple[SpeedAtDepth, ...]
    load_s: float | None = None
    memory: int | None = None
    busy: float = 0.0
    settings: str = ""


def speed_of(asked: int, runs: Sequence[Run]) -> SpeedAtDepth:
    """The medians of `runs`, of which there is at least one."""
    import statistics  # only where something is measured

    return SpeedAtDepth(
        asked,
        round(statistics.median(run.prompt if run.prompt is not None else asked for run in runs)),
        len(runs),
        statistics.median(run.first_token_s for run in runs),
        _median(run.prompt_rate for run in runs),
        _median(run.answer_rate for run in runs),
        max(run.cached or 0 for run in runs),
    )


def _median(rates: Iterable[Measured | None]) -> Measured | None:
    import statistics

    known = [rate for rate in rates if rate is not None]
    if not known:
        return None
    return Measured(statistics.median(rate.tokens_per_s for rate in known), known[-1].source)


@dataclass(frozen=True, slots=True)
class SpeedChange:
    """How a measurement stands to an `earlier` one: the mean ratios of the rates at the depths that both have; 0.8 = a fifth
    slower. None where they have nothing to compare."""

    earlier: Benchmark
    answers: float | None
    prompts: float | None

    @property
    def slower(self) -> bool:
        """Whether either rate is notably lower than it was."""
        return any(ratio is not None and ratio < 1 - NOTABLE for ratio in (self.answers, self.prompts))

    @property
    def faster(self) -> bool:
        """Whether neither is lower, and one notably higher."""
        known = [ratio for ratio in (self.answers, self.prompts) if ratio is not None]
        return not self.slower and any(ratio > 1 + NOTABLE for ratio in known)


def changes(new: Benchmark, earlier: Sequence[Benchmark]) -> tuple[SpeedChange, ...]:
    """How `new` stands to the last measurement of the same model on the same machine, and to the fastest one, if that was
    another and is notably faster than `new`. Empty where nothing like it was measured before."""
    found = [
        change
        for one in sorted(earlier, key=lambda one: one.at)
        if one.at < new.at
        and one.subject.is_comparable(new.subject)
        and one.settings == new.settings
        and (change := _change(new, one)) is not None
    ]
    if not found:
        return ()
    last = found[-1]
    fastest = min(
        (one for one in found if one.answers is not None), key=lambda one: one.answers or 0, default=last
    )
    others = (fastest,) if fastest is not last and fastest.slower and not last.slower else ()
    return (last, *others)


def _change(new: Benchmark, old: Benchmark) -> SpeedChange | None:
    pairs = [
        (mine, its)
        for mine in new.depths
        for its in old.depths
        if mine.asked == its.asked and abs(mine.depth - its.depth) <= ALIKE * max(mine.depth, its.depth, 1)
    ]
    answers = _mean_ratio(pairs, lambda speed: speed.answer_rate)
    prompts = _mean_ratio(pairs, lambda speed: speed.prompt_rate)
    return None if answers is None and prompts is None else SpeedChange(old, answers, prompts)


def _mean_ratio(
    pairs: Sequence[tuple[SpeedAtDepth, SpeedAtDepth]], rate: Callable[[SpeedAtDepth], Measured | None]
) -> float | None:
    """The geometric mean of new over old, of those that were measured in the same way."""
    import statistics

    ratios = [
        new.tokens_per_s / old.tokens_per_s
        for mine, its in pairs
        if (new := rate(mine)) is not None and (old := rate(its)) is not None
        and new.source is old.source and new.tokens_per_s > 0 and old.tokens_per_s > 0
    ]  # fmt: skip
    return statistics.geometric_mean(ratios) if ratios else None
