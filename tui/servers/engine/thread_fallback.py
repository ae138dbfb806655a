"""When the engine goes on with one thread, since another's load starves it, and when with the usual number again.

Threads that compute one token together wait for each other: where another program takes one of their cores, all of them wait
for the one that is not running, and an answer crawls that a single thread would write at a fair pace. Measured on 2 cores
with SmolLM2-135M beside two busy programs: two threads 0.3 of their quiet rate and less, one thread 0.36 to 0.42.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from tui.core.events import Done, Event, ReasoningDelta, TextDelta
from tui.servers.engine.machine import LoadSample

STARVED = 0.4
"""Below this share of the usual rate two threads are starved."""
STARVED_EACH = 0.8
"""The same times the number of threads: more threads have more to lose by going on with one."""
BUSY_CORES = 0.5
"""So much others must use; where they use less, something else makes the model slow, such as a long conversation."""
CROWDED_CORES = 1.0
"""Where it is not known yet what is usual, and others use this much beside two threads, one thread is tried: it has little to
lose, and what is of no help is taken back."""
CALM_CORES = 0.25
"""Where others use less than this, their load has gone."""
CALM_S = 60.0
"""For how long it has to be gone before the usual threads come back; twice as long after each time that it came again."""
MOST_CALM_S = 1800.0
LEAST_TOKENS = 16
"""An answer of fewer tokens says nothing of its rate."""
NO_HELP = 1.1
"""One thread that is not faster by this factor than the starved threads were was of no help."""


@dataclass(frozen=True, slots=True)
class AnswerTiming:
    """An answer of the engine, whole or stopped: its tokens, its rate in tokens a second, and how many cores others kept busy
    meanwhile, None = not known. `depth` is how many tokens the conversation has with it, 0 = not known."""

    tokens: int
    rate: float
    others: float | None
    depth: int = 0


class AnswerTimer:
    """Times one answer while it comes in, from its first word on. Of one that is whole the server's own figures count."""

    def __init__(
        self, sample: Callable[[], LoadSample | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._take_sample = sample
        self._clock = clock
        self._pieces = 0
        self._began = 0.0
        self._sample: LoadSample | None = None
        self._done: Done | None = None

    def take(self, event: Event) -> None:
        """The next event of the answer."""
        if isinstance(event, TextDelta | ReasoningDelta):
            if not self._pieces:
                self._began, self._sample = self._clock(), self._take_sample()
            self._pieces += 1
        elif isinstance(event, Done):
            self._done = event

    def timing(self) -> AnswerTiming | None:
        """What it came to, now that it has ended; None for an answer without a rate."""
        passed, tokens = self._clock() - self._began, self._pieces
        if tokens < 2 or passed <= 0:
            return None
        rate, depth = (tokens - 1) / passed, 0
        if self._done is not None and self._done.timings.tokens_per_s:
            rate, tokens = self._done.timings.tokens_per_s, self._done.usage.completion or tokens
            depth = self._done.usage.total or 0
        after, before = self._take_sample(), self._sample
        others = after.others_since(before) if after is not None and before is not None else None
        return AnswerTiming(tokens, rate, others, depth)


class ThreadFallback:
    """The decision. It is told of each answer, and how busy others are while one thread computes, and says how many threads
    there are to be from now on; whoever asks starts the engine again with them. Times are seconds of one monotonic clock."""

    def __init__(self, threads: int) -> None:
        """`threads` is the usual number, at least 1; with 1 nothing is ever done."""
        self._usual = threads
        self._single = False
        self._starved_rate = 0.0
        self._calm_since: float | None = None
        self._times = 0
        self._futile = 0
        self._not_before = 0.0

    @property
    def is_single(self) -> bool:
        """Whether one thread computes in the place of several."""
        return self._single

    @property
    def calm_s(self) -> float:
        """For how long others have to be quiet before the usual threads come back."""
        return min(MOST_CALM_S, CALM_S * (1 << max(0, self._times - 1)))

    def is_starved(self, timing: AnswerTiming, usual_rate: float | None) -> bool:
        """Whether an answer with the usual threads came far more slowly than usual, and others are why, or may be."""
        if self._usual <= 1 or timing.tokens < LEAST_TOKENS:
            return False
        if timing.others is None or timing.others < BUSY_CORES:
            return False
        if usual_rate is None:
            return self._usual == 2 and timing.others >= CROWDED_CORES
        return timing.rate < usual_rate * min(STARVED, STARVED_EACH / self._usual)

    def answered(self, timing: AnswerTiming, usual_rate: float | None, now: float) -> int | None:
        """An answer has ended; how many threads there are to be from now on, None = as many as there are. `usual_rate` is what
        the model reaches here as a rule, None = not known yet."""
        if self._single:
            if timing.tokens < LEAST_TOKENS or timing.rate >= NO_HELP * self._starved_rate:
                return None
            self._futile += 1
            return self._come_back(now, MOST_CALM_S * (1 << (self._futile - 1)))
        if now < self._not_before or not self.is_starved(timing, usual_rate):
            return None
        self._single, self._starved_rate, self._calm_since = True, timing.rate, None
        self._times += 1
        return 1

    def looked(self, others: float | None, now: float) -> int | None:
        """Others have kept so many cores busy since this was called last, or since the last answer; the number of threads as
        for `answered`. To be called now and then while `is_single` and nothing is asked."""
        if not self._single:
            return None
        if others is None or others >= CALM_CORES:
            self._calm_since = None
            return None
        if self._calm_since is None:
            self._calm_since = now
        if now - self._calm_since < self.calm_s:
            return None
        return self._come_back(now, 0.0)

    def stayed(self, now: float) -> None:
        """What was decided last could not be done: it is as it was, and for a while nothing is tried again."""
        self._single = not self._single
        self._calm_since, self._not_before = None, now + MOST_CALM_S

    def _come_back(self, now: float, pause_s: float) -> int:
        self._single, self._calm_since = False, None
        self._not_before = now + pause_s
        return self._usual
