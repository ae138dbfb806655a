"""Why the embedded engine ended: what its exit code and its log say, with what to do about it."""

from __future__ import annotations

import re
from pathlib import Path

from tui.errors import EngineError
from tui.servers.engine import engine_log

_SIGNALS = {
    4: "The processor lacks an instruction that this build of llama.cpp uses (SIGILL)",
    6: "llama.cpp gave up (SIGABRT)",
    9: "The system killed it, most likely for lack of memory (SIGKILL)",
    11: "llama.cpp crashed (SIGSEGV)",
}

_HINTS = tuple(
    (re.compile(looks, re.IGNORECASE), text)
    for looks, text in (
        (
            r"memory|bad_alloc|alloc|out of device|value too large",
            "Set a smaller context_window or fewer gpu_layers, or take a smaller quantization of the model",
        ),
        (
            r"unknown model architecture|unknown pre-tokenizer|unknown (model|tensor) type|wrong number of tensors"
            r"|only supports up to version|unknown argument|invalid argument|unrecognized",
            "The engine is older than the model: upgrade PROGRAM",
        ),
        (
            r"file bounds|corrupted|incomplete|failed to read|unexpectedly|invalid magic|end of file|missing tensor",
            "Download the file again; this one is not complete",
        ),
        (r"sub_batch", "Set a larger batch_size"),
        (r"split", "Keep all parts of the model in one folder and name the first one, …-00001-of-…"),
        (
            r"xllamacpp package|shared librar|shared object|No module|failed to run|instruction",
            "This build does not run here: install another one, with `pip install -U --force-reinstall 'lokal[engine]'`"
            " or llama.cpp's own",
        ),
    )
)

_BIND = re.compile(r"couldn'?t bind|failed to bind|bind .*socket|address already in use", re.IGNORECASE)


def explain(title: str, code: int, log: Path | None, program: str) -> EngineError:
    """The error that an end with the exit status `code` is; above 128 it is 128 + the signal that ended the server.
    `program` is the llama-server that ran, empty for the one inside xllamacpp."""
    detail = engine_log.telling_line(log) if log else ""
    ended = _SIGNALS.get(code - 128 if code > 128 else -code, "")
    if ended and (code not in (134, -6) or not detail):  # SIGABRT: its reason is in the log
        detail = ended
    upgrade = program or "it with `pip install -U 'lokal[engine]'`"
    hint = next(
        (text.replace("PROGRAM", upgrade) for looks, text in _HINTS if looks.search(detail)),
        "Try another build of llama.cpp, or another file of the model",
    )
    return EngineError(title, detail or f"It ended with code {code}", f"{hint}. The log is {log}")


def could_not_listen(error: EngineError) -> bool:
    """Whether the server ended because it could not listen where it was told to."""
    return bool(_BIND.search(error.detail))
