"""The record of rates: what models reached on this machine, from `lokal bench` and from ordinary answers.

One small JSON file in the state folder, its owner's alone, of bounded size. It is never needed: one that cannot be read is
set aside and begun anew, one that cannot be written is done without. Several processes may use it; each reads it before it
writes, and the last one wins.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tui import atomic, files
from tui.core.benchmark import Benchmark, BenchmarkSubject, Measured, RateSource, SpeedAtDepth
from tui.errors import FileError

VERSION = 1
MOST_BENCHMARKS = 100
MOST_SUBJECTS = 80
MOST_RATES = 24
"""How many measurements, models at some depth, and rates of ordinary answers of each of these are kept, the newest."""
MOST_DEPTHS = 16
LEAST_TOKENS = 24
"""An answer of fewer tokens says little of the rate."""
WRITE_EVERY_S = 60.0
_USUAL = 0.75
"""The share of rates that are below the usual one: what a model reaches while nothing else runs is what counts."""
_LEAST_RATES = 3


def depth_class(depth: int) -> int:
    """The class of conversations of so many tokens: up to 1k 0, up to 2k 1, up to 4k 2, and so on. A model answers the more
    slowly the longer a conversation is, so that only rates of one class are compared."""
    return max(0, (depth - 1) // 1024).bit_length()


@dataclass(frozen=True, slots=True)
class AnswerRates:
    """The rates of the last ordinary answers of a model in conversations of one depth class, in tokens a second, oldest first."""

    subject: BenchmarkSubject
    rates: tuple[float, ...]
    at: float
    depth_class: int = 0

    @property
    def usual(self) -> float | None:
        """What the model reaches here as a rule; None while too few answers are known."""
        if len(self.rates) < _LEAST_RATES:
            return None
        ranked = sorted(self.rates)
        return ranked[min(len(ranked) - 1, int(len(ranked) * _USUAL))]


@dataclass(frozen=True, slots=True)
class Rates:
    """All that is known."""

    benchmarks: tuple[Benchmark, ...] = ()
    answers: tuple[AnswerRates, ...] = ()

    def of(self, subject: BenchmarkSubject, depth: int = 0) -> AnswerRates | None:
        """What ordinary answers of that very model, server and version reached in conversations of about so many tokens."""
        key = subject, depth_class(depth)
        return next((each for each in self.answers if (each.subject, each.depth_class) == key), None)

    def with_benchmark(self, benchmark: Benchmark) -> Rates:
        """With one measurement more; the oldest goes where there are too many."""
        newest = sorted((*self.benchmarks, benchmark), key=lambda each: each.at)[-MOST_BENCHMARKS:]
        return replace(self, benchmarks=tuple(newest))

    def with_answer(self, subject: BenchmarkSubject, rate: float, at: float, depth: int = 0) -> Rates:
        """With the rate of one answer more, in a conversation of so many tokens."""
        before = self.of(subject, depth)
        rates = (*(before.rates if before is not None else ()), rate)[-MOST_RATES:]
        others = [each for each in self.answers if each is not before]
        known = AnswerRates(subject, rates, at, depth_class(depth))
        newest = sorted((*others, known), key=lambda each: each.at)[-MOST_SUBJECTS:]
        return replace(self, answers=tuple(newest))

    def usual_rate(self, subject: BenchmarkSubject, depth: int = 0) -> float | None:
        """Tokens a second that an answer of this model reaches here as a rule in a conversation of so many tokens: of ordinary
        answers, or else of the last measurement that was made while nothing else ran; None where neither is known."""
        known = self.of(subject, depth)
        if known is not None and known.usual is not None:
            return known.usual
        for benchmark in reversed(self.benchmarks):
            if benchmark.subject == subject and benchmark.busy < 1:
                rates = [
                    each.answer_rate.tokens_per_s
                    for each in benchmark.depths
                    if each.answer_rate is not None and depth_class(each.depth) == depth_class(depth)
                ]
                if rates:
                    return min(rates)
        return None


class RateRecord:
    """The file. `load` and `flush` block; `tell` gets a line where the file was damaged."""

    def __init__(
        self,
        path: Path,
        tell: Callable[[str], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._tell = tell
        self._now = now
        self._known: Rates | None = None
        self._new: list[tuple[BenchmarkSubject, float, float, int]] = []
        self._written_at = -math.inf

    def load(self) -> Rates:
        """What is known, read anew, with what was noted and is not written yet. A damaged file is renamed."""
        try:
            rates = _rates(json.loads(files.read_bytes(self._path)))
        except FileNotFoundError:
            rates = Rates()
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            self._set_aside()
            rates = Rates()
        for new in tuple(self._new):
            rates = rates.with_answer(*new)
        self._known = rates
        return rates

    def usual_rate(self, subject: BenchmarkSubject, depth: int = 0) -> float | None:
        """See `Rates.usual_rate`; blocks the first time only."""
        return (self._known if self._known is not None else self.load()).usual_rate(subject, depth)

    def note_answer(
        self, subject: BenchmarkSubject, tokens: int | None, rate: float | None, depth: int = 0
    ) -> bool:
        """Note the rate of an ordinary answer, in memory; whether it is time to `flush`. `depth` is how many tokens the
        conversation has with it. One that is too short counts for nothing."""
        if tokens is None or rate is None or tokens < LEAST_TOKENS or not 0 < rate < math.inf:
            return False
        at = self._now()
        self._new.append((subject, rate, at, depth))
        del self._new[:-MOST_RATES]
        if self._known is not None:
            self._known = self._known.with_answer(subject, rate, at, depth)
        return at - self._written_at >= WRITE_EVERY_S

    def flush(self) -> None:
        """Write down what was noted. Where that cannot be done it is tried again the next time."""
        if self._new:
            written = len(self._new)
            self._write(self.load(), written)

    def add(self, benchmark: Benchmark) -> Rates:
        """Write a measurement down; what was known before it."""
        written, before = len(self._new), self.load()
        self._write(before.with_benchmark(benchmark), written)
        return before

    def _write(self, rates: Rates, written: int) -> None:
        """Write all of it, with the first so many of what was noted; more may be noted meanwhile."""
        self._written_at = self._now()
        told = {"version": VERSION, **asdict(rates)}
        with contextlib.suppress(OSError, FileError, ValueError):
            atomic.write_text(self._path, json.dumps(told, allow_nan=False) + "\n")
            self._path.chmod(0o600)
            del self._new[:written]
            self._known = rates

    def _set_aside(self) -> None:
        aside = self._path.with_suffix(".damaged.json")
        with contextlib.suppress(OSError):
            self._path.replace(aside)
            self._tell(f"The record of rates cannot be understood and was set aside: {aside}")


# -- reading it -----------------------------------------------------------------------------------------------------
# Whatever does not fit raises ValueError, TypeError or KeyError.


def _rates(told: object) -> Rates:
    fields = _object(told)
    if fields["version"] != VERSION:
        raise ValueError(fields["version"])
    benchmarks = tuple(map(_benchmark, _list(fields["benchmarks"])))[-MOST_BENCHMARKS:]
    return Rates(benchmarks, tuple(map(_answers, _list(fields["answers"])))[-MOST_SUBJECTS:])


def _benchmark(told: object) -> Benchmark:
    fields = _object(told)
    load_s, memory = fields["load_s"], fields["memory"]
    return Benchmark(
        _subject(fields["subject"]),
        _number(fields["at"]),
        tuple(map(_speed, _list(fields["depths"])))[:MOST_DEPTHS],
        None if load_s is None else _number(load_s),
        None if memory is None else int(_number(memory)),
        _number(fields["busy"]),
        _text(fields["settings"]),
    )


def _speed(told: object) -> SpeedAtDepth:
    fields = _object(told)
    asked, depth, runs, cached = (int(_number(fields[name])) for name in ("asked", "depth", "runs", "cached"))
    first = _number(fields["first_token_s"])
    prompt, answer = (_measured(fields[name]) for name in ("prompt_rate", "answer_rate"))
    return SpeedAtDepth(asked, depth, runs, first, prompt, answer, cached)


def _measured(told: object) -> Measured | None:
    if told is None:
        return None
    fields = _object(told)
    return Measured(_number(fields["tokens_per_s"]), RateSource(_text(fields["source"])))


def _answers(told: object) -> AnswerRates:
    fields = _object(told)
    rates = tuple(map(_number, _list(fields["rates"])))[-MOST_RATES:]
    return AnswerRates(
        _subject(fields["subject"]), rates, _number(fields["at"]), int(_number(fields["depth_class"]))
    )


def _subject(told: object) -> BenchmarkSubject:
    fields = _object(told)
    return BenchmarkSubject(*(_text(fields[name]) for name in ("machine", "server", "version", "model")))


def _object(told: object) -> Mapping[str, object]:
    if not isinstance(told, dict):
        raise TypeError(type(told))
    return told


def _list(told: object) -> list[object]:
    if not isinstance(told, list):
        raise TypeError(type(told))
    return told


def _text(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError(type(told))
    return told


def _number(told: object) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        raise TypeError(type(told))
    return float(told)
