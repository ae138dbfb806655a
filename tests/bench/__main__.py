"""`python -m tests.bench`: every promise about speed, size and quiet, measured on the program itself.

lokal runs in a pseudo-terminal of 120x40 and asks a real llama-server with a small model, or a loopback server that
says the same answer again at a known rate. Every figure is the median of several runs; what is compared is run in
turns. The exit status is 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench import chats, long, models, search, startup, streaming, transcript
from tests.bench.figure import Figure, as_json, row
from tests.bench.stage import ROOT, Stage

BENCHES: Mapping[str, Callable[[Stage], list[Figure]]] = {
    "start": startup.startup,
    "memory": startup.memory,
    "idle": startup.idle,
    "fast": streaming.fast,
    "full": streaming.full,
    "slow": streaming.slow,
    "echo": streaming.echo,
    "stop": streaming.stop,
    "append": transcript.appends,
    "open": chats.opening,
    "list": chats.listing,
    "search": search.search,
    "models": models.models,
    "long": long.long_stream,
}
_RUNS = 5


def main() -> int:
    """Run what was asked for."""
    options = _parser().parse_args()
    sys.setswitchinterval(0.001)  # the reading threads are to have the processor at once
    _compile()
    names = options.only or list(BENCHES)
    figures: list[Figure] = []
    began = time.perf_counter()
    with Stage(options.runs or (2 if options.quick else _RUNS), quick=options.quick) as stage:
        for name in names:
            for figure in BENCHES[name](stage):
                figures.append(figure)
                print(row(figure), flush=True)
    missed = [figure for figure in figures if not figure.holds]
    print(f"{len(figures)} figures in {time.perf_counter() - began:.0f} s, {len(missed)} bars missed")
    if options.json:
        circumstances = {
            "python": platform.python_version(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "runs": stage.runs,
            "quick": stage.quick,
        }
        options.json.write_text(as_json(figures, circumstances), encoding="utf-8")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only", action="append", choices=list(BENCHES), metavar="NAME", help=", ".join(BENCHES)
    )
    parser.add_argument("--runs", type=int, default=0, metavar="N", help=f"runs a figure (default: {_RUNS})")
    parser.add_argument("--quick", action="store_true", help="two runs, and less of what takes long")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    return parser


def _compile() -> None:
    """No figure is to pay for compiling: what is out of date is compiled before."""
    for folder in ("tui", "tests/bench", "tests/support"):
        compileall.compile_dir(ROOT / folder, quiet=2)
    for name in ("textual", "rich", "markdown_it", "pygments", "httpx", "httpcore", "h11", "anyio"):
        module = __import__(name)
        compileall.compile_dir(Path(module.__path__[0]), quiet=2)


if __name__ == "__main__":
    raise SystemExit(main())
