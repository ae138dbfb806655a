"""An answer of the built-in engine on lokal's screen: how fast it comes, and what lokal takes of the processor for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.figure import Figure, median, ratio
from tests.bench.stage import ROOT
from tests.bench.watched import Watched

_QUIET_S = 1.5


def figures(
    gguf: Path, folder: Path, bare_rate: Callable[[int], float], question: str, tokens: int, runs: int
) -> Iterator[Figure]:
    """Each run in a lokal of its own, in turn with `bare_rate`, which measures the bare server over so many tokens."""
    rates, bare_rates, shares = [], [], []
    for run in range(runs + 1):
        bare = bare_rate(tokens)
        rate, share = _answered(gguf, folder, question, tokens)
        if run:  # the first is to warm up
            bare_rates.append(bare)
            rates.append(rate)
            shares.append(share)
    yield ratio("engine", "tokens/s on the screen / bare server", rates, bare_rates, least=0.90)
    percent = [share * 100 for share in shares]
    yield median("engine", "lokal's own share of a core meanwhile", percent, "%", 2)


def _answered(gguf: Path, folder: Path, question: str, tokens: int) -> tuple[float, float]:
    """Tokens a second of one answer, by the engine's own count, and lokal's processor time over the time that it took. Nothing
    is looked at meanwhile: an emulator would take a core for it."""
    exact = [
        "temperature=0",
        "top_k=default",
        "top_p=default",
        "repeat_penalty=default",
        f"max_tokens={tokens}",
    ]
    command = [sys.executable, "-m", "tui", "--gguf", str(gguf), *(f"--set={value}" for value in exact)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    environ |= {"TERM": "xterm-256color", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    with Watched(command, environ, 80, 24) as lokal:
        lokal.seen(r"ctx 0 of \d")
        lokal.send(question + "\r")
        lokal.seen("tok/s")
        mark, cpu_s, began = lokal.chunks, lokal.cpu_s(), lokal.since(0)[-1].at
        lokal.quiet(_QUIET_S, after=mark)
        share = (lokal.cpu_s() - cpu_s) / (lokal.since(mark)[-1].at - began)
        export = [sys.executable, "-m", "tui", "chats", "export", "last", "--format", "json"]
        kept = json.loads(subprocess.run(export, env=environ, capture_output=True, check=True).stdout)
    (answer,) = [message for message in kept["messages"] if message["role"] == "assistant"]
    return answer["timings"]["tokens_per_s"], share
