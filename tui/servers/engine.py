"""The embedded engine: llama.cpp's own server in a child process, for a GGUF file without any server running.

It is the `llama-server` on the PATH, or else the one inside the xllamacpp package (`pip install 'lokal[engine]'`). It
listens on a free loopback port with a random key, writes to a log instead of the terminal, and ends with lokal
(`engine_child` sees to that). To the rest of lokal it is a llama.cpp server like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress
from tui.core.message import NO_PARAMETERS, Value
from tui.core.parameters import engine_flags
from tui.core.text import safe_line
from tui.errors import EngineError
from tui.servers import engine_child, engine_file, engine_log
from tui.servers.engine_child import Job

DEFAULT_CONTEXT = 8192
"""Tokens of context window where the person sets none: enough for a long talk, small enough for 8 GB of memory."""

_POLL_S = 0.05
_REPLY_TIMEOUT_S = 2.0
_STOP_TIMEOUT_S = engine_child.GRACE_S + 2
_ATTEMPTS = 3  # a free port may be taken by somebody else before the server has it
_INSTALL = "Install it with `pip install 'lokal[engine]'`, or put llama.cpp's llama-server on the PATH"


class _PortTaken(Exception):
    """Somebody else took the port between our choosing it and the server's binding it."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """An HTTP reply; status 0 = nobody answered."""

    status: int
    body: bytes = b""


class Engine:
    """One model served by a child process. `start` and `stop` belong to one event loop, `kill` may be called anywhere.

    `values` are canonical parameters; those that are set when a model is loaded are used. `port` 0 is any free one,
    an empty `api_key` a random one; `cache_mib` is the memory for prompts of chats that one may come back to.
    """

    def __init__(
        self,
        gguf: Path,
        log_folder: Path,
        values: Mapping[str, Value] = NO_PARAMETERS,
        *,
        port: int = 0,
        api_key: str = "",
        cache_mib: int = engine_child.PROMPT_CACHE_MIB,
    ) -> None:
        self._cache_mib = cache_mib
        self.gguf = gguf
        self._log_folder = log_folder
        self._values = dict(values)
        self._port = port
        self._api_key = api_key or secrets.token_urlsafe(32)
        self._process: subprocess.Popen[bytes] | None = None
        self._program = ""
        self._log_file: Path | None = None
        self._endpoint: Endpoint | None = None
        self._context_window: int | None = None

    @property
    def running(self) -> bool:
        """Whether the child process is alive; it may still be loading."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path | None:
        """The log of the last start; None before the first."""
        return self._log_file

    @property
    def endpoint(self) -> Endpoint | None:
        """Where the server answers; None while it does not."""
        return self._endpoint if self.running else None

    @property
    def context_window(self) -> int | None:
        """The context window in tokens that the server itself tells; None before it answers."""
        return self._context_window

    async def start(self, on_progress: Callable[[Progress], None] | None = None) -> Endpoint:
        """Load the model and return the address once requests are taken; at once if that is so already.

        `on_progress` gets LOADING in bytes of the file, with total 0 where the system does not tell. Raises FileError
        for a file that is no model, EngineError for all else. When it raises or is cancelled nothing is left running.
        """
        if self.endpoint is not None:
            return self.endpoint
        self._endpoint = None
        model = await asyncio.to_thread(engine_file.inspect, self.gguf)
        self._program = _find_program()
        for _ in range(_ATTEMPTS):
            try:
                return await self._start_once(model, on_progress or (lambda _: None))
            except _PortTaken:
                if self._port:
                    break
            finally:
                if self._endpoint is None:
                    self.kill()
        raise EngineError(
            f"Port {self._port} is taken" if self._port else "No free port stays free",
            "Another program listens there",
            "Start again; the log is " + str(self._log_file),
        )

    async def stop(self) -> None:
        """End the server, gently first. Does nothing when it has ended."""
        self._endpoint = None
        if self._process is None:
            return
        _close_pipe(self._process)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, _STOP_TIMEOUT_S)
        finally:
            self.kill()

    def kill(self) -> None:
        """End the server at once, without an event loop: for signal handlers and `atexit`."""
        self._endpoint = None
        process = self._process
        if process is None:
            return
        _close_pipe(process)
        if process.poll() is None:
            if sys.platform == "win32":
                process.kill()
            else:
                # The supervisor and the worker are a process group of their own.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def failure(self) -> EngineError | None:
        """Why the server ended by itself; None while it runs, before it was started and after it was stopped."""
        if self._process is None or self._endpoint is None or self.running:
            return None
        return self._error(f"The engine stopped while serving {self.gguf.name}", self._process.returncode)

    async def _start_once(
        self, model: engine_file.GgufFile, on_progress: Callable[[Progress], None]
    ) -> Endpoint:
        port = self._port or _free_port()
        process = self._spawn(self._job(model, port))
        progress = Progress(Phase.LOADING)
        on_progress(progress)
        while (reply := await self._ask(port)).status != 200:
            if process.poll() is not None:
                raise self._not_started(process.returncode)
            if reply.status in (401, 403, 404):  # our own server knows the key and the path
                raise _PortTaken
            done = min(_bytes_read(process.pid), model.size)
            if done > progress.done:
                progress = Progress(Phase.LOADING, done, model.size, "bytes")
                on_progress(progress)
            await asyncio.sleep(_POLL_S)
        told = re.search(rb'"n_ctx"\s*:\s*(\d+)', reply.body)
        self._context_window = int(told[1]) if told else None
        self._endpoint = Endpoint(
            f"http://127.0.0.1:{port}", ServerKind.LLAMACPP, api_key=self._api_key, name=self.gguf.stem
        )
        return self._endpoint

    async def _ask(self, port: int) -> _Reply:
        """What the server says of itself once it is healthy, which it is when the model is loaded."""
        health = await asyncio.to_thread(_get, port, "/health", self._api_key)
        return (
            await asyncio.to_thread(_get, port, "/props", self._api_key) if health.status == 200 else health
        )

    def _job(self, model: engine_file.GgufFile, port: int) -> Job:
        values = dict(self._values)
        values.setdefault("context_window", min(model.context_trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT))
        return Job(
            program=self._program,
            gguf=str(self.gguf.absolute()),
            alias=safe_line(self.gguf.stem.replace(",", "_")),  # a comma would separate two names
            port=port,
            api_key=self._api_key,
            flags=tuple(engine_flags(values)),
            cache_mib=self._cache_mib,
        )

    def _spawn(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the supervisor in a session of its own, so that Ctrl+C and a closed terminal do not reach it."""
        self._log_file, log = engine_log.create(self._log_folder)
        try:
            self._process = subprocess.Popen(
                # -P: neither the folder it is started in nor that of the file is searched for modules.
                [sys.executable, "-P", engine_child.__file__],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError("Cannot start the engine", error.strerror or str(error), _INSTALL) from error
        finally:
            os.close(log)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it ended already; the log says why
                self._process.stdin.write(job.to_line())
                self._process.stdin.flush()
        return self._process

    def _not_started(self, code: int) -> EngineError | _PortTaken:
        error = self._error(f"The engine cannot load {self.gguf.name}", code)
        return _PortTaken() if _BIND.search(error.detail) else error

    def _error(self, title: str, code: int) -> EngineError:
        """What the log says, with what to do about it. `code` above 128 is 128 + the signal that ended the server."""
        log = self._log_file
        detail = engine_log.telling_line(log) if log else ""
        ended = _SIGNALS.get(code - 128 if code > 128 else -code, "")
        if ended and (code not in (134, -6) or not detail):  # SIGABRT: its reason is in the log
            detail = ended
        upgrade = self._program or "it with `pip install -U 'lokal[engine]'`"
        hint = next(
            (text.replace("PROGRAM", upgrade) for looks, text in _HINTS if looks.search(detail)),
            "Try another build of llama.cpp, or another file of the model",
        )
        return EngineError(title, detail or f"It ended with code {code}", f"{hint}. The log is {log}")


_BIND = re.compile(r"couldn'?t bind|failed to bind|bind .*socket|address already in use", re.IGNORECASE)

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


def why_missing() -> EngineError | None:
    """Why the engine cannot be started here at all; None if it is installed."""
    try:
        _find_program()
    except EngineError as error:
        return error
    return None


def _find_program() -> str:
    """The path of llama-server, empty = use the wheel. Raises EngineError when there is neither."""
    program = shutil.which("llama-server")
    if program:
        return str(Path(program).absolute())
    if importlib.util.find_spec("xllamacpp") is None:
        raise EngineError(
            "The built-in engine is not installed",
            "There is neither a llama-server on the PATH nor the xllamacpp package",
            _INSTALL,
        )
    return ""


def _free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(port: int, path: str, api_key: str) -> _Reply:
    """One blocking GET on loopback, past any proxy; whatever goes wrong is status 0."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REPLY_TIMEOUT_S)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {api_key}"})
        response = connection.getresponse()
        return _Reply(response.status, response.read())
    except (OSError, http.client.HTTPException):
        return _Reply(0)
    finally:
        connection.close()


def _bytes_read(supervisor: int) -> int:
    """How much of a file the child of `supervisor` has in memory or has read, in bytes; 0 where that is not told.

    Linux only, proc(5): of a file that is mapped, the resident shared pages in `statm`; of one that is read, `io`.
    """
    try:
        worker = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()[0]
        mapped = int(Path(f"/proc/{worker}/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")
        read = int(Path(f"/proc/{worker}/io").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return max(mapped, read)


def _close_pipe(process: subprocess.Popen[bytes]) -> None:
    """Let go of the pipe that keeps the supervisor alive."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
