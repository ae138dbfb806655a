"""What the built-in engine itself says that a model will take: llama.cpp tells it before it allocates anything.

With `fit_params` and enough words in its log it prints a line a device, in MiB: model, context, compute. The process that
was started for it is ended as soon as these lines are there, after 0.3 to 1 s. This file is run by its path, and then
imports nothing of lokal.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable

_TIMEOUT_S = 60.0
_MOST_LINES = 5000
_MIB = 1 << 20
# `| - Host | 922 = 282 + 512 + 128 |`; of a graphics card the three stand in brackets after its own figures.
_LINE = re.compile(r"memory_breakdown_print: .* - .*?(\d+) = +(\d+) \+ +(\d+) \+ +(\d+)")
_VERBOSE = 4
_NUMBERS = {"f16": 1, "q4_0": 2, "q8_0": 8}  # ggml_type
_FLASH_OFF = 0


def fit_line(
    path: str, context: int, cache_type: str = "f16", *, flash_attention: bool = True, ubatch: int = 512
) -> tuple[int, int, int] | None:
    """The bytes of weights, KV cache and compute buffers, over all devices, for the model at `path`; None where the engine is
    not installed or does not say it. Blocks for about a second."""
    job = {
        "path": path,
        "n_ctx": context,
        "type": _NUMBERS[cache_type],
        "flash": flash_attention,
        "n_ubatch": ubatch,
    }
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, json.dumps(job)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "GGML_NO_BACKTRACE": "1"},
        )  # fmt: skip
    except OSError:
        return None
    killer = threading.Timer(_TIMEOUT_S, process.kill)
    killer.start()
    try:
        assert process.stdout is not None
        return parse_fit_lines(line.decode("utf-8", "replace") for line in process.stdout)
    finally:
        killer.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def parse_fit_lines(lines: Iterable[str]) -> tuple[int, int, int] | None:
    """The sum of the lines that tell of a device, which stand together; None where there are none."""
    found: list[tuple[int, int, int]] = []
    for _, line in zip(range(_MOST_LINES), lines, strict=False):
        match = _LINE.search(line)
        if match is not None:
            found.append((int(match[2]), int(match[3]), int(match[4])))
        elif found:
            break
    if not found:
        return None
    weights, context, compute = (sum(column) * _MIB for column in zip(*found, strict=True))
    return weights, context, compute


def _run(job: dict[str, object]) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = job["path"]
    params.n_ctx, params.n_ubatch = job["n_ctx"], job["n_ubatch"]
    params.cache_type_k = params.cache_type_v = job["type"]
    if not job["flash"]:
        params.flash_attn_type = _FLASH_OFF
    params.n_parallel, params.port = 1, 0
    params.fit_params, params.verbosity = True, _VERBOSE
    xllamacpp.Server(params)


if __name__ == "__main__":
    _run(json.loads(sys.argv[1]))
