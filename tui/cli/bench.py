"""`lokal bench`: measures the model in use, says how fast it is and was before, and keeps what it reached."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from tui import files
from tui.chat.benchmark_run import BenchmarkRun, Findings, Plan, subject_of
from tui.chat.rate_record import RateRecord
from tui.chat.wording import progress_words
from tui.cli.command_arguments import Bench
from tui.cli.help import MAX_WIDTH
from tui.cli.output import ProgressLine, say, write, write_json
from tui.cli.signals import Terminated, run
from tui.cli.stop_key import stop_on_escape
from tui.config.startup import Configuration, load_configuration
from tui.core.benchmark import (
    NOTABLE,
    Benchmark,
    BenchmarkSubject,
    Measured,
    RateSource,
    SpeedAtDepth,
    SpeedChange,
    changes,
)
from tui.core.events import Phase, Progress
from tui.core.message import Value
from tui.core.parameters import BY_NAME, parse_assignment
from tui.core.secrets import KEY_VARIABLE
from tui.core.text import human_size, local_minute, safe_block
from tui.errors import LokalError, Unreachable
from tui.paths import Folders, folders
from tui.servers.connect import Connection, choose, named_server, require_model, window_of
from tui.servers.engine import embedded, machine, packaged_model
from tui.servers.engine.embedded import EmbeddedServer
from tui.servers.engine.engine import Engine, why_missing

INTERRUPTED = 130
BUSY_CORES = 0.5
"""Where others keep so many cores busy the figures are too low, and it is said."""
_LOOK_S = 0.3

_SOURCES = {
    RateSource.SERVER: "the server's own",
    RateSource.CLOCK: "by lokal's clock",
    RateSource.ESTIMATE: "by lokal's clock, over an estimated number of tokens",
}


def bench(command: Bench) -> int:
    """Run `lokal bench`. Raises LokalError, and what `run` raises where it was ended before anything was measured."""
    places = folders()
    config = load_configuration(places, command.target.preset or "", themes=False)
    for problem in config.problems:
        say(str(problem))
    measuring = _Measuring(command, places, config)
    ending: BaseException | None = None
    try:
        run(measuring.work())
    except (LokalError, Terminated, KeyboardInterrupt) as reason:
        ending = reason
    finally:
        measuring.line.clear()
    benchmark = measuring.benchmark()
    if benchmark is None:
        if ending is not None:
            raise ending
        if measuring.findings.left_out:
            write("\n".join(_left_out(measuring.findings)) + "\n")
        return INTERRUPTED if measuring.stopped else 0
    record = RateRecord(places.rates, say)
    before = record.add(benchmark)
    found = changes(benchmark, before.benchmarks)
    stopped = measuring.stopped or isinstance(ending, KeyboardInterrupt)
    if command.json:
        write_json(_as_object(benchmark, measuring.findings, found, stopped=stopped))
    else:
        write(safe_block("\n".join(_in_words(benchmark, measuring, found, stopped=stopped))) + "\n")
    if ending is not None:
        raise ending
    return INTERRUPTED if stopped else 0


class _Measuring:
    """One measurement from the connection to the figures. What was found is there whatever ended it."""

    def __init__(self, command: Bench, places: Folders, config: Configuration) -> None:
        self._command = command
        self._places = places
        self._config = config
        self._overrides = dict(map(parse_assignment, command.target.assignments))
        self._subject: BenchmarkSubject | None = None
        self._loaded_with: Mapping[str, Value] = {}
        self._load_s: float | None = None
        self._memory: int | None = None
        self._busy = 0.0
        self._at = time.time()
        self.place = ""
        self.findings = Findings()
        self.stopped = False
        self.line = ProgressLine()

    def benchmark(self) -> Benchmark | None:
        """What was measured; None for nothing."""
        if self._subject is None or not self.findings.depths:
            return None
        settings = ", ".join(
            f"{name} {BY_NAME[name].format(value)}" for name, value in self._loaded_with.items()
        )
        load_s = self._load_s if self._load_s is not None else self.findings.load_s
        depths = tuple(self.findings.depths)
        return Benchmark(self._subject, self._at, depths, load_s, self._memory, self._busy, settings)

    async def work(self) -> None:
        """Measure. Raises LokalError."""
        measuring = asyncio.ensure_future(self._work())

        def stop() -> None:
            self.stopped = True
            measuring.cancel()

        with stop_on_escape(stop):
            try:
                await measuring
            except asyncio.CancelledError:
                if not self.stopped:
                    measuring.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await measuring
                    raise

    async def _work(self) -> None:
        command = self._command
        async with self._connected() as (connection, engine):
            server = connection.server
            model = require_model(connection, command.target.model, self._config.settings.model)
            values = self._values(connection)
            self._subject = await self._subject_of(connection, engine, model)
            self.place = connection.place
            if server.endpoint.on_this_machine or engine is not None:
                self._busy = await _busy_cores()
            plan = Plan(
                command.depths or Plan().depths, command.runs, command.tokens, asked=bool(command.depths)
            )
            running = BenchmarkRun(server, model, plan, values, self._show)
            self.findings = running.findings
            try:
                await running.work(await self._window(connection, model, values))
            finally:
                self._memory = engine.memory() if engine is not None else None
            if engine is None:
                with contextlib.suppress(LokalError):
                    self._memory = next((m.memory for m in await server.models() if m.name == model), None)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[Connection, Engine | None]]:
        """The server that is asked as `lokal ask` would, and the engine, if it is that. Raises LokalError."""
        target, settings = self._command.target, self._config.settings
        if target.gguf is not None:
            async with self._engine(target.gguf) as found:
                yield found
            return
        name = settings.server if target.server is None else target.server
        key = os.environ.get(KEY_VARIABLE, "") if target.server is not None else ""
        endpoint = named_server(name, settings.servers, key) if name else None
        self.line.show("looking for a server")
        try:
            connection = await choose(
                endpoint, settings.servers, os.environ, target.model or settings.model,
                lambda _: self._show("", Progress(Phase.LOADING)),
            )  # fmt: skip
        except Unreachable:
            packaged = (
                await packaged_model.find(self._places.state) if not name and not target.model else None
            )
            if packaged is None or why_missing() is not None:
                raise
            self.line.clear()
            say(f"No model server answers: {packaged_model.CALLED} is measured, in the built-in engine")
            await files.in_thread(packaged.check)
            async with self._engine(packaged.path) as found:
                yield found
            return
        try:
            yield connection, None
        finally:
            await connection.server.aclose()

    @contextlib.asynccontextmanager
    async def _engine(self, gguf: Path) -> AsyncIterator[tuple[Connection, Engine]]:
        keys = self._config.settings.keys_of_servers
        engine = Engine(gguf, self._places.logs, self._preset_values(), keys=keys)
        began = time.perf_counter()
        try:
            connection = await embedded.start(engine, lambda progress: self._show("", progress))
            self._load_s = time.perf_counter() - began
            try:
                yield connection, engine
            finally:
                await connection.server.aclose()
        finally:
            await engine.stop()

    def _preset_values(self) -> dict[str, Value]:
        merged = {**self._config.preset.values, **self._overrides}
        return {name: value for name, value in merged.items() if value is not None}

    def _values(self, connection: Connection) -> dict[str, Value]:
        """What is sent: the parameters that a model is loaded with, and what the command line sets."""
        kind, values = connection.server.kind, self._preset_values()
        wires = {name: BY_NAME[name].wire.get(kind) for name in values}
        loads = {
            name
            for name, wire in wires.items()
            if (connection.embedded and BY_NAME[name].engine_flag) or (wire is not None and wire.reloads)
        }
        self._loaded_with = {name: value for name, value in values.items() if name in loads}
        return {
            name: value
            for name, value in values.items()
            if wires[name] is not None and (name in loads or name in self._overrides) and name != "max_tokens"
        }

    async def _window(self, connection: Connection, model: str, values: Mapping[str, Value]) -> int | None:
        asked = values.get("context_window")
        return asked if isinstance(asked, int) else await window_of(connection.server, model)

    async def _subject_of(
        self, connection: Connection, engine: Engine | None, model: str
    ) -> BenchmarkSubject:
        server = connection.server
        if engine is not None and isinstance(server, EmbeddedServer):
            return await files.in_thread(server.describe)
        return await files.in_thread(lambda: subject_of(connection, model))

    def _show(self, words: str, progress: Progress | None) -> None:
        """What is being done, on standard error, where somebody looks at it."""
        said = "" if progress is None else progress_words(progress.phase, progress)
        self.line.show(" · ".join(filter(None, (words, said, "Esc stops" if sys.stdin.isatty() else ""))))


async def _busy_cores() -> float:
    """How many cores others keep busy just now."""
    before = machine.processor_time()
    await asyncio.sleep(_LOOK_S)
    after = machine.processor_time()
    return after.cores_busy_since(before) if before is not None and after is not None else 0.0


# -- telling a person -----------------------------------------------------------------------------------------------


def _in_words(
    benchmark: Benchmark, measuring: _Measuring, found: tuple[SpeedChange, ...], *, stopped: bool
) -> Iterator[str]:
    subject = benchmark.subject
    server = f"{subject.server} ({subject.version})" if subject.version else subject.server
    yield from _wrapped(f"{subject.model} · {server}")
    yield from _wrapped(subject.machine)
    facts = [
        f"loaded in {benchmark.load_s:.1f} s" if benchmark.load_s is not None else "",
        f"takes {human_size(benchmark.memory)} of memory" if benchmark.memory else "",
        benchmark.settings,
    ]
    if any(facts):
        yield from _wrapped(" · ".join(filter(None, facts)))
    yield ""
    yield f"{'prompt':>14}{'first word':>14}{'prompt read':>16}{'answer':>14}{'runs':>8}"
    for speed in benchmark.depths:
        yield _row(speed)
    yield from _left_out(measuring.findings)
    yield ""
    yield from _wrapped(_sources(benchmark))
    for speed in benchmark.depths:
        if speed.prompt_rate is None and speed.cached:
            yield from _wrapped(
                f"Of the prompts of {speed.depth:,} tokens up to {speed.cached:,} came from a cache: their rate is not told"
            )
    if benchmark.busy >= BUSY_CORES:
        yield from _wrapped(
            f"Other programs kept {benchmark.busy:.1f} cores busy when this began: a quiet machine is faster"
        )
    for change in found:
        yield from _wrapped(_change_words(change, benchmark))
    if stopped:
        yield "Stopped by you: this is what was measured so far"


def _row(speed: SpeedAtDepth) -> str:
    return (
        f"{speed.depth:>7,} tokens{speed.first_token_s:>12.2f} s"
        f"{_rate(speed.prompt_rate):>16}{_rate(speed.answer_rate):>14}{speed.runs:>8}"
    )


def _rate(rate: Measured | None) -> str:
    if rate is None:
        return "-"
    return f"{rate.tokens_per_s:,.0f} tok/s" if rate.tokens_per_s >= 100 else f"{rate.tokens_per_s:.1f} tok/s"


def _left_out(findings: Findings) -> Iterator[str]:
    for one in findings.left_out:
        yield from _wrapped(f"{one.depth:>7,} tokens  left out: {one.why}")


def _sources(benchmark: Benchmark) -> str:
    """Who measured the rates."""
    by = {
        what: {rate.source for speed in benchmark.depths if (rate := rate_of(speed)) is not None}
        for what, rate_of in (("prompt", _prompt_rate), ("answer", _answer_rate))
    }
    if by["prompt"] == by["answer"]:
        by = {"": by["answer"]}
    parts = [
        f"{what} rates: {_SOURCES[source]}".strip()
        for what, known in by.items()
        for source in RateSource
        if source in known
    ]
    said = ", ".join(parts)
    return f"{said[:1].upper()}{said[1:]}; first word: by lokal's clock; medians of the runs"


def _prompt_rate(speed: SpeedAtDepth) -> Measured | None:
    return speed.prompt_rate


def _answer_rate(speed: SpeedAtDepth) -> Measured | None:
    return speed.answer_rate


def _change_words(change: SpeedChange, benchmark: Benchmark) -> str:
    """`Answers are 22 % slower than on 2026-11-03 (Ollama 0.32.1); prompts are read as fast`."""
    earlier = change.earlier
    parts = []
    if change.answers is not None:
        parts.append(f"answers are {_ratio_words(change.answers)}")
    if change.prompts is not None:
        parts.append(f"prompts are read {_ratio_words(change.prompts)}")
    said = " and ".join(parts)
    day = (
        local_minute(earlier.at)[:10]
        if local_minute(earlier.at)[:10] != local_minute(benchmark.at)[:10]
        else ""
    )
    when = f"on {day}" if day else f"today at {local_minute(earlier.at)[11:]}"
    other = earlier.subject.version
    with_version = f", with version {other or 'unknown'}" if other != benchmark.subject.version else ""
    return f"{said[:1].upper()}{said[1:]}, compared with {when}{with_version}"


def _ratio_words(ratio: float) -> str:
    if abs(ratio - 1) <= NOTABLE:
        return "as fast"
    return f"{abs(1 - ratio) * 100:.0f} % {'slower' if ratio < 1 else 'faster'}"


def _as_object(
    benchmark: Benchmark, findings: Findings, found: tuple[SpeedChange, ...], *, stopped: bool
) -> dict[str, object]:
    """What `--json` prints."""
    return {
        **asdict(benchmark),
        "left_out": [asdict(one) for one in findings.left_out],
        "stopped": stopped,
        "compared_with": [
            {
                "at": change.earlier.at,
                "version": change.earlier.subject.version,
                "answers": change.answers,
                "prompts": change.prompts,
                "slower": change.slower,
            }
            for change in found
        ],
    }


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, MAX_WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
