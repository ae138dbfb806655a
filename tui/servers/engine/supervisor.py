"""Starting the engine's supervisor (`child_process`) and giving it its job.

The two are apart so that the process can begin, and load the engine's library, before lokal knows what to serve: it is started
at once where the command line says that it will be wanted (`begin_early`), and gets its job when lokal has read its settings.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence

from tui.servers.engine import child_process
from tui.servers.engine.child_process import Job

_GGUF = "--gguf"
_KEPT = frozenset({"HOME", "PATH", "USER", "LOGNAME", "TMPDIR", "LANG", "LANGUAGE", "TZ", "VIRTUAL_ENV"})
_KEPT_PREFIXES = (
    "LC_", "LD_", "DYLD_", "PYTHON", "OMP_", "GOMP_", "KMP_", "GGML_", "CUDA_", "NVIDIA_", "HIP_", "HSA_", "ROCR_",
    "VK_", "SYCL_", "ONEAPI_", "ZE_", "XDG_",
)  # fmt: skip
"""What the engine may want of the environment, before it is known which of the rest is an API key."""

_early: list[subprocess.Popen[bytes]] = []
"""The one that waits for its job, if any."""


def begin_early(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Start a supervisor with the wheel's engine if the command line names a model file for it. One that nobody takes ends with
    lokal. What cannot be started is tried again, and said, when it is wanted."""
    names_file = any(word == _GGUF or word.startswith(f"{_GGUF}=") for word in arguments)
    if sys.platform == "win32" or not names_file or _has_llama_server(environ):
        return
    kept = {n: value for n, value in environ.items() if n in _KEPT or n.startswith(_KEPT_PREFIXES)}
    with contextlib.suppress(OSError):
        _early.append(start(kept, uses_wheel=True))


def take_early() -> subprocess.Popen[bytes] | None:
    """The supervisor that `begin_early` has started and that waits for its job; None where there is none."""
    process = _early.pop() if _early else None
    return process if process is not None and process.poll() is None else None


def start(environ: Mapping[str, str], *, uses_wheel: bool, log: int | None = None) -> subprocess.Popen[bytes]:
    """Start one in a session of its own, so that Ctrl+C and a closed terminal do not reach it; it ends when its standard input
    is closed. What it says before it has its job goes to `log`. Raises OSError."""
    # -P: neither the folder it is started in nor that of the file is searched for modules.
    command = [sys.executable, "-P", child_process.__file__, *([child_process.WHEEL] if uses_wheel else [])]
    says = subprocess.DEVNULL if log is None else log

    def begin(stdin: int) -> subprocess.Popen[bytes]:
        env = child_process.environment(environ)
        return subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, stderr=says, env=env, start_new_session=True
        )

    if sys.platform == "win32":
        return begin(subprocess.PIPE)
    ours, its = socket.socketpair()
    with its:
        try:
            process = begin(its.fileno())
        except OSError:
            ours.close()
            raise
    process.stdin = os.fdopen(ours.detach(), "wb", buffering=0)
    return process


def give(process: subprocess.Popen[bytes], job: Job, log: int, kept_open: Sequence[int]) -> None:
    """Tell a supervisor what to serve. From now on it writes to `log`, and holds `kept_open` as long as it lives. One that has
    ended already is told nothing; its log says why it has."""
    if process.stdin is None:
        return
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.stdin.write(job.to_line())
            process.stdin.flush()
        else:
            with socket.socket(fileno=os.dup(process.stdin.fileno())) as control:
                socket.send_fds(control, [job.to_line()], [log, *kept_open])


def _has_llama_server(environ: Mapping[str, str]) -> bool:
    """Whether a llama-server on the PATH will be run in the place of the wheel's."""
    places = environ.get("PATH", "").split(os.pathsep)
    return any(os.access(os.path.join(place, "llama-server"), os.X_OK) for place in places if place)  # noqa: PTH118 - nothing more is loaded here
