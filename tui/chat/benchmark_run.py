"""Measuring a model: how fast it reads prompts and writes answers at several depths, through the same seam as a chat.

The figures are the server's own where it sends them, else lokal's clock's. Each prompt begins with words that no prompt had
before, so that nothing but the template's beginning can come from a cache, and the count of cached tokens is looked at.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.benchmark import BenchmarkSubject, Measured, RateSource, Run, SpeedAtDepth, speed_of
from tui.core.events import Done, Failed, Progress, ReasoningDelta, TextDelta
from tui.core.message import NO_PARAMETERS, Role, Timings, Usage, Value
from tui.core.request import ChatRequest, Turn
from tui.core.text import safe_line, safe_name
from tui.core.tokens import estimate
from tui.errors import ContextOverflow, LokalError, ModelMissing
from tui.servers.base import Server

if TYPE_CHECKING:
    from tui.servers.connect import Connection

DEPTHS = (128, 1024, 4096)
RUNS = 3
TOKENS = 64
LONG_RUN_S = 20.0
"""A depth whose first run took longer is not measured again: what took so long does not hang on a moment."""
TOO_LONG_S = 120.0
"""A depth that was not asked for is left out where a run is expected to take longer."""

_WARM_UP_TOKENS = 8
_MOST_CACHED, _TEMPLATE_TOKENS = 0.1, 64
"""Where a larger share of a prompt than this came from a cache, and more tokens than the beginning of a chat template has, its
rate is not counted."""
_LEAST_ANSWER = 8
"""An answer of fewer tokens has no rate."""
_LOADED_S = 0.3
"""A model that a server says it has loaded in less was in memory before."""
_FRAME_TOKENS = 56
"""An allowance for the chat template, and for the question at the end."""
_TASK = "Now write a very long story about this keeper, with many chapters."


def subject_of(connection: Connection, model: str) -> BenchmarkSubject:
    """What the rates of a model on that server are kept under; the built-in engine itself knows (`EmbeddedServer.describe`).
    Reads a file of the system."""
    from tui.servers.engine import machine

    endpoint, profile = connection.server.endpoint, connection.server.profile
    place = machine.description() if endpoint.on_this_machine else endpoint.place
    version = safe_line(connection.info.version, 60)
    return BenchmarkSubject(safe_line(place, 120), profile.label, version, safe_name(model, 200))


@dataclass(frozen=True, slots=True)
class DepthLeftOut:
    """A depth that was not measured, and why."""

    depth: int
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured: prompts of these depths in tokens, how often each, and the tokens of an answer. `asked` = the person
    named the depths, and none is left out for the time that it takes."""

    depths: tuple[int, ...] = DEPTHS
    runs: int = RUNS
    tokens: int = TOKENS
    asked: bool = False


@dataclass(slots=True)
class Findings:
    """What was measured so far; it is there whatever ended the measuring."""

    depths: list[SpeedAtDepth] = field(default_factory=list)
    left_out: list[DepthLeftOut] = field(default_factory=list)
    load_s: float | None = None


class BenchmarkRun:
    """One measurement. `show` is told in words what is being done, each time that this changes."""

    def __init__(
        self,
        server: Server,
        model: str,
        plan: Plan,
        values: Mapping[str, Value] = NO_PARAMETERS,
        show: Callable[[str, Progress | None], None] = lambda words, progress: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`values` are the parameters that the model is loaded with, and others that the person wants."""
        self._server = server
        self._model = model
        self._plan = plan
        self._values = {"temperature": 0.0, **values}
        self._show = show
        self._clock = clock
        self._tokens_per_sentence = 14.0
        self.findings = Findings()

    async def work(self, window: int | None = None) -> Findings:
        """Measure all depths, the shallow ones first; `window` is the context window in tokens, None = not known. Raises
        LokalError; cancelling it ends it at once."""
        await self._warm_up()
        measured: Run | None = None
        for depth in sorted(set(self._plan.depths)):
            why = self._why_not(depth, window, measured)
            if why:
                self.findings.left_out.append(DepthLeftOut(depth, why))
                continue
            try:
                measured = await self._measure(depth) or measured
            except ContextOverflow as error:
                self.findings.left_out.append(DepthLeftOut(depth, f"it does not fit: {error.title}"))
        return self.findings

    async def _warm_up(self) -> None:
        """A short answer, which loads the model where it is not loaded, and tells how many tokens a sentence has."""
        sentences = 24
        began = self._clock()
        run, done = await self._ask(sentences, _WARM_UP_TOKENS, "warming up")
        if (load_s := done.timings.load_s) is not None and load_s >= _LOADED_S:
            self.findings.load_s = min(load_s, self._clock() - began)
        if run.prompt is not None and run.prompt > _FRAME_TOKENS + sentences:
            self._tokens_per_sentence = (run.prompt - _FRAME_TOKENS) / sentences

    def _why_not(self, depth: int, window: int | None, before: Run | None) -> str:
        """Why a depth is left out; empty if it is not."""
        if window is not None and depth + self._plan.tokens > window:
            return f"the context window has {window:,} tokens"
        if self._plan.asked or before is None or before.prompt_rate is None:
            return ""
        expected = depth / before.prompt_rate.tokens_per_s
        if before.answer_rate is not None:
            expected += self._plan.tokens / before.answer_rate.tokens_per_s
        if expected <= TOO_LONG_S:
            return ""
        return f"one run would take about {math.ceil(expected / 60)} min; --depths {depth} measures it anyway"

    async def _measure(self, depth: int) -> Run | None:
        """Measure one depth as often as is planned; what was measured is kept also if it is cancelled before its end."""
        sentences = max(1, round((depth - _FRAME_TOKENS) / self._tokens_per_sentence))
        runs: list[Run] = []
        try:
            for number in range(self._plan.runs):
                words = f"depth {depth:,}, run {number + 1} of {self._plan.runs}"
                run, _ = await self._ask(sentences, self._plan.tokens, words)
                runs.append(run)
                if run.total_s > LONG_RUN_S:
                    break
        finally:
            if runs:
                self.findings.depths.append(speed_of(depth, runs))
        return runs[-1] if runs else None

    async def _ask(self, sentences: int, tokens: int, words: str) -> tuple[Run, Done]:
        """One answer to a prompt that was never sent before. Raises LokalError."""
        request = ChatRequest(
            self._model, (Turn(Role.USER, _prompt(sentences)),), {**self._values, "max_tokens": tokens}
        )
        self._show(words, None)
        pieces: list[str] = []
        began = self._clock()
        first = last = None
        done: Done | None = None
        async with aclosing(self._server.chat(request)) as events:
            async for event in events:
                match event:
                    case TextDelta(text) | ReasoningDelta(text):
                        last = self._clock()
                        if first is None:
                            first = last
                            self._show(f"{words}, answering", None)
                        pieces.append(text)
                    case Progress():
                        self._show(words, event)
                    case Failed(error):
                        raise error
                    case Done():
                        done = event
                    case _:
                        pass
        if done is None or first is None or last is None:
            raise _nothing(self._model)
        return run_of(done.usage, done.timings, pieces, first - began, last - began), done


def run_of(
    usage: Usage, timings: Timings, pieces: Sequence[str], first_token_s: float, total_s: float
) -> Run:
    """What one answer tells: `pieces` are its text as it came, the first after `first_token_s` seconds, the last after `total_s`."""
    counted = usage.completion is not None
    completion = usage.completion if usage.completion is not None else estimate("".join(pieces))
    too_much_cached = (usage.cached or 0) > max(_TEMPLATE_TOKENS, _MOST_CACHED * (usage.prompt or 0))
    prompt_rate = None
    if not too_much_cached:
        if timings.prompt_tokens_per_s:
            prompt_rate = Measured(timings.prompt_tokens_per_s, RateSource.SERVER)
        elif usage.prompt is not None:
            read_s = first_token_s - (timings.load_s or 0.0)
            if read_s > 0:
                prompt_rate = Measured((usage.prompt - (usage.cached or 0)) / read_s, RateSource.CLOCK)
    answer_rate = None
    if completion >= _LEAST_ANSWER:
        if timings.tokens_per_s:
            answer_rate = Measured(timings.tokens_per_s, RateSource.SERVER)
        elif total_s > first_token_s:
            rate = (completion - 1) / (total_s - first_token_s)
            answer_rate = Measured(rate, RateSource.CLOCK if counted else RateSource.ESTIMATE)
    return Run(usage.prompt, usage.cached, completion, first_token_s, total_s, prompt_rate, answer_rate)


def _prompt(sentences: int) -> str:
    """A text of so many sentences that begins like no other."""
    told = (f"The keeper of lighthouse number {number} wrote a letter home." for number in range(sentences))
    return f"{secrets.token_hex(6)}. {' '.join(told)}\n\n{_TASK}"


def _nothing(model: str) -> LokalError:
    return ModelMissing(
        "The model answered nothing",
        f"{model} ended its answer before the first word",
        "Measure another model",
    )
