"""The embedded engine: llama.cpp's own server in a child process, for a GGUF file without any server running.

It is the `llama-server` on the PATH, or else the one inside the xllamacpp package (`pip install 'lokal[engine]'`). It
listens on a Unix socket that only this user can reach (`socket_folder`), or, where that cannot be, on a free loopback
port that is looked at before anything is sent there (`port_listener`). It has a random key, writes to a log instead of
the terminal, and ends with lokal (`child_process` sees to that). `EmbeddedServer` is what the rest of lokal talks to.
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
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

from tui import files
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress
from tui.core.message import NO_PARAMETERS, Value
from tui.core.parameters import engine_flags, unloadable
from tui.core.secrets import without_keys
from tui.core.text import safe_line
from tui.errors import EngineError
from tui.private_files import make_private_folder
from tui.servers.engine import (
    child_process,
    engine_log,
    exit_cause,
    gguf_file,
    health_check,
    machine,
    port_listener,
    socket_folder,
    supervisor,
)
from tui.servers.engine.child_process import Job
from tui.servers.engine.slot_files import EngineState
from tui.servers.engine.socket_folder import SocketFolder

DEFAULT_CONTEXT = 8192
"""Tokens of context window where the person sets none: enough for a long talk, small enough for 8 GB of memory."""

_POLL_S = 0.01
ELSEWHERE_POLLS = 250
"""How often a server that says that it listens is not found to listen before it is given up."""

_STOP_TIMEOUT_S = child_process.GRACE_S + 2
_LISTENING = re.compile(rb"listening", re.IGNORECASE)
_ATTEMPTS = 3  # a free port may be taken by somebody else before the server has it
_CACHE_SETTINGS = (
    ("LLAMA_ARG_FLASH_ATTN", "flash_attention"),
    ("LLAMA_ARG_CACHE_TYPE_K", "cache_type"),
    ("LLAMA_ARG_CACHE_TYPE_V", "cache_type"),
)
"""What decides how a slot is written: llama-server's own variables, and the parameters that win over them."""
_INSTALL = "Install it with `pip install 'lokal[engine]'`, or put llama.cpp's llama-server on the PATH"


class _CannotListen(Exception):
    """The server cannot listen where it was told to: the port is taken, or it knows no Unix sockets."""


class _FlagRefused(Exception):
    """The server does not know a flag that it can do without."""


class Engine:
    """One model served by a child process. `start` and `stop` belong to one event loop, `kill` may be called anywhere.

    `values` are canonical parameters; those that are set when a model is loaded are used. `name` is what the model is
    called where something is said of it, empty = its file's name. With a `port` it listens there
    and on no Unix socket, 0 = any free one. An empty `api_key` is a random one; `cache_mib` is the memory for prompts of
    chats that one may come back to.
    """

    def __init__(
        self,
        gguf: Path,
        log_folder: Path,
        values: Mapping[str, Value] = NO_PARAMETERS,
        *,
        name: str = "",
        port: int | None = None,
        api_key: str = "",
        cache_mib: int = child_process.PROMPT_CACHE_MIB,
        keys: Collection[str] = (),
        slot_folder: Path | None = None,
        on_warning: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_warning` is told, before a model is loaded, that there is hardly the memory for it. `keys` are of other servers: no variable that holds one of them goes into the engine's environment. Into the
        `slot_folder` chats can be saved (`slots`), None = they cannot."""
        self._keys = keys
        self._on_warning = on_warning
        self.slot_folder = slot_folder
        self._starts = 0
        self._worker = 0
        self._state: EngineState | None = None
        self._cache_mib = cache_mib
        self.gguf = gguf
        self._called = name
        self._log_folder = log_folder
        self._values = dict(values)
        self._port = port
        self._api_key = api_key or secrets.token_urlsafe(32)
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: SocketFolder | None = None
        self._starting = asyncio.Lock()
        self._stopped = False
        self._asleep = False
        self._threads: int | None = None
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
        """Where the server answers; None while it does not, also where its socket was taken away."""
        endpoint = self._endpoint if self.running else None
        return endpoint if endpoint is not None and health_check.is_there(endpoint) else None

    @property
    def stopped(self) -> bool:
        """Whether it was ended by `stop` or `kill`, and not by itself."""
        return self._stopped

    @property
    def asleep(self) -> bool:
        """Whether it was ended by `sleep`: it has no process, and is started again when it is asked something."""
        return self._asleep

    @property
    def context_window(self) -> int | None:
        """The context window in tokens that the server itself tells; None before it answers."""
        return self._context_window

    @property
    def starts(self) -> int:
        """How often it was started: what its slot held before the last start is gone."""
        return self._starts

    @property
    def state(self) -> EngineState | None:
        """What a saved slot has to fit; None where slots are not saved, and before the server answers."""
        return self._state if self._endpoint is not None else None

    @property
    def usual_threads(self) -> int:
        """How many threads write an answer as a rule; 1 also where the person has set a number, which is then not changed, and
        where nothing is told of the machine."""
        cores = None if self._values.get("threads") else machine.usable_cores()
        return cores.threads if cores is not None else 1

    def use_threads(self, threads: int | None) -> None:
        """Compute with so many threads from the next start on, None = as many as usual."""
        self._threads = threads

    def load_sample(self) -> machine.LoadSample | None:
        """What this machine has computed so far, and how much of it was the engine and lokal; None where that is not told."""
        return machine.load_sample((self._worker, os.getpid()))

    def memory(self) -> int | None:
        """Bytes of memory that the server takes, the model's file as far as it is in memory too; None where it does not run
        or that is not told."""
        return _resident(self._worker) if self.endpoint is not None else None

    def version(self) -> str:
        """What serves the model, with its version, such as `xllamacpp 2026.10`; blocks for some 0.05 s. Empty before the
        first start, and for a program on the PATH, which says its build itself."""
        if self._program or not self._starts:
            return ""
        import importlib.metadata

        try:
            return f"xllamacpp {importlib.metadata.version('xllamacpp')}"
        except importlib.metadata.PackageNotFoundError:
            return "xllamacpp"

    async def start(self, on_progress: Callable[[Progress], None] | None = None) -> Endpoint:
        """Load the model and return the address once requests are taken; at once if that is so already.

        `on_progress` gets LOADING in bytes of the file, with total 0 where the system does not tell. Raises FileError
        for a file that is no model, EngineError for all else. When it raises or is cancelled nothing is left running.
        """
        async with self._starting:
            self._stopped = self._asleep = False
            if (endpoint := self.endpoint) is not None:
                return endpoint
            self._end()
            require_loadable(self._values, self._name)
            model = await files.in_thread(lambda: gguf_file.inspect(self.gguf))
            self._program = _find_program()
            await self._check_memory(model)
            self._starts += 1
            self._state = None
            if self.slot_folder is not None:
                await files.in_thread(self._make_slot_folder)
            return await self._start(model, on_progress or (lambda _: None))

    async def _check_memory(self, model: gguf_file.GgufFile) -> None:
        from tui.servers.engine.memory_check import check_memory

        context = self._context(model)
        if warning := await files.in_thread(lambda: check_memory(self.gguf, self._values, context)):
            self._on_warning(warning)

    async def _start(self, model: gguf_file.GgufFile, on_progress: Callable[[Progress], None]) -> Endpoint:
        if self._port is None:
            self._folder = await asyncio.to_thread(socket_folder.create, os.environ)
        for _ in range(_ATTEMPTS):
            try:
                return await self._start_once(model, on_progress)
            except _CannotListen:
                if self._port:
                    break
            except _FlagRefused:
                self.slot_folder = None
            finally:
                if self._endpoint is None:
                    self._end()
        raise EngineError(
            f"Port {self._port} is taken" if self._port else "No free port stays free",
            "Another program listens there",
            "Start again; the log is " + str(self._log_file),
        )

    async def stop(self) -> None:
        """End the server, gently first. Does nothing when it has ended."""
        self._stopped = True
        await self._end_gently()

    async def sleep(self) -> None:
        """End the server to give its memory back, until it is started again. Does nothing where it does not run, or was
        stopped."""
        async with self._starting:
            if self.endpoint is not None and not self._stopped:
                self._asleep = True
                await self._end_gently()

    async def _end_gently(self) -> None:
        self._endpoint = None
        if self._process is None:
            return
        _close(self._process.stdin)
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self._process.wait, _STOP_TIMEOUT_S)
        finally:
            self._end()

    def kill(self) -> None:
        """End the server at once, without an event loop: for signal handlers and `atexit`."""
        self._stopped = True
        self._end()

    def _end(self) -> None:
        self._endpoint = None
        process, folder = self._process, self._folder
        if process is not None:
            _close(process.stdin)
            if process.poll() is None:
                if sys.platform == "win32":
                    process.kill()
                else:
                    # The supervisor and the worker are a process group of their own.
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            _close(process.stdout)  # only now: it may still be read
        if folder is not None:
            self._folder = None
            folder.release()

    def failure(self) -> EngineError | None:
        """Why the server ended by itself; None while it runs, before it was started and after it was stopped."""
        if self._process is None or self._endpoint is None or self.running:
            return None
        return self._error(
            f"The built-in engine stopped while serving {self._name}", self._process.returncode
        )

    @property
    def _name(self) -> str:
        """What the model is called."""
        return self._called or safe_line(self.gguf.name, 80)

    async def _start_once(
        self, model: gguf_file.GgufFile, on_progress: Callable[[Progress], None]
    ) -> Endpoint:
        endpoint = self._place()
        process = self._spawn(self._job(model, endpoint))
        progress = Progress(Phase.LOADING)
        on_progress(progress)
        worker = self._worker = await asyncio.to_thread(_worker_of, process)
        if not endpoint.socket:
            endpoint = replace(endpoint, process=worker)
        elsewhere = 0
        while (reply := await asyncio.to_thread(health_check.ask, endpoint)).status != 200:
            if process.poll() is not None:
                raise self._not_started(process.returncode)
            if reply.status in (401, 403, 404):  # lokal's own server knows the key and the path
                self._refuse(f"It answers its own key with status {reply.status}")
            if reply.status == 0 and self._says_it_listens() and not health_check.is_there(endpoint):
                if (
                    endpoint.socket
                ):  # an old one takes the path for a host's name, a confined one sees another /tmp
                    raise _CannotListen
                elsewhere += 1
                if elsewhere > ELSEWHERE_POLLS:
                    self._refuse("It listens where lokal cannot prove that it is the one that does")
            done = min(_bytes_read(worker), model.size)
            if done > progress.done:
                progress = Progress(Phase.LOADING, done, model.size, "bytes")
                on_progress(progress)
            await asyncio.sleep(_POLL_S)
        told = re.search(rb'"n_ctx"\s*:\s*(\d+)', reply.body)
        self._context_window = int(told[1]) if told else None
        if self.slot_folder is not None:
            self._state = await files.in_thread(lambda: self._slot_state(reply.body))
        self._endpoint = endpoint
        return endpoint

    def _make_slot_folder(self) -> None:
        """Make the folder, which has to be there when the server starts; where that cannot be done no slots are saved."""
        if self.slot_folder is not None:
            try:
                make_private_folder(self.slot_folder)
            except OSError:
                self.slot_folder = None

    def _slot_state(self, props: bytes) -> EngineState | None:
        """What a slot that is saved now is for; None where that cannot be told."""
        built = re.search(rb'"build_info"\s*:\s*"([^"]*)"', props)
        try:
            program = Path(self._program or _wheel_library()).stat()
            model = gguf_file.fingerprint(self.gguf)
        except OSError:
            return None
        build = (
            f"{built[1].decode('utf-8', 'replace') if built else ''} {program.st_size} {program.st_mtime_ns}"
        )
        return EngineState(model, build, self._context_window or 0, self._cache_types())

    def _cache_types(self) -> str:
        """How the server keeps what it has read: what was set, or, for a program of the person's, is set in its environment."""
        told = []
        for variable, name in _CACHE_SETTINGS:
            value = self._values.get(name) or (os.environ.get(variable) if self._program else None)
            told.append(f"{variable.removeprefix('LLAMA_ARG_').lower()} {value or 'default'}")
        return ", ".join(told)

    def _place(self) -> Endpoint:
        """Where the server is to listen. Raises EngineError where nothing would tell that it is the one that does."""
        if self._folder is not None:
            url = "http://localhost"  # of which a server on a Unix socket sees only the Host header
        elif port_listener.can_tell():
            url = f"http://{port_listener.LOOPBACK}:{self._port or port_listener.free_port()}"
        else:
            raise EngineError(
                "The built-in engine cannot be used safely here",
                "It cannot listen on a Unix socket, and this system does not tell who listens on a port,"
                " which another user may take",
                f"Upgrade {self._program or 'xllamacpp'}, or start a server and connect to it with --server",
            )
        socket = self._folder.socket if self._folder is not None else ""
        return Endpoint(url, ServerKind.LLAMACPP, self._api_key, safe_line(self.gguf.stem, 80), socket)

    def _says_it_listens(self) -> bool:
        return self._log_file is not None and engine_log.says(self._log_file, _LISTENING)

    def _context(self, model: gguf_file.GgufFile) -> int:
        """The context window that it is started with, in tokens."""
        wanted = self._values.get("context_window")
        return (
            wanted
            if isinstance(wanted, int)
            else min(model.context_trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
        )

    def _job(self, model: gguf_file.GgufFile, endpoint: Endpoint) -> Job:
        values = dict(self._values)
        values["context_window"] = self._context(model)
        return Job(
            program=self._program,
            gguf=str(self.gguf.absolute()),
            alias=safe_line(self.gguf.stem.replace(",", "_")),  # a comma would separate two names
            host=endpoint.socket or port_listener.LOOPBACK,
            port=urlsplit(endpoint.url).port or 0,
            api_key=self._api_key,
            flags=(*engine_flags(values), *_thread_flags(values, self._threads)),
            cache_mib=self._cache_mib,
            slot_folder=str(self.slot_folder.absolute()) if self.slot_folder is not None else "",
        )

    def _spawn(self, job: Job) -> subprocess.Popen[bytes]:
        """Start the supervisor, unless one has waited since lokal's start, and give it the job."""
        self._log_file, log = engine_log.create(self._log_folder)
        try:
            self._process = supervisor.take_early() if not job.program else None
            if self._process is None:
                environ = without_keys(os.environ, self._keys)
                self._process = supervisor.start(environ, uses_wheel=not job.program, log=log)
            # As long as the supervisor lives its socket's folder is locked.
            kept_open = (self._folder.descriptor,) if self._folder is not None else ()
            supervisor.give(self._process, job, log, kept_open)
        except OSError as error:
            raise EngineError("Cannot start the engine", error.strerror or str(error), _INSTALL) from error
        finally:
            os.close(log)
        return self._process

    def _not_started(self, code: int) -> EngineError | _CannotListen | _FlagRefused:
        error = self._error(f"The engine cannot load {self._name}", code)
        if self.slot_folder is not None and child_process.SLOT_FLAG in error.detail:
            return _FlagRefused()
        cannot = exit_cause.could_not_listen(error) or socket_folder.SOCKET in error.detail
        return _CannotListen() if cannot else error

    def _refuse(self, detail: str) -> NoReturn:
        upgrade = self._program or "it with `pip install -U 'lokal[engine]'`"
        raise EngineError(
            f"The engine cannot load {self._name}", detail, f"Upgrade {upgrade}. The log is {self._log_file}"
        )

    def _error(self, title: str, code: int) -> EngineError:
        return exit_cause.explain(title, code, self._log_file, self._program)


def _thread_flags(values: Mapping[str, Value], threads: int | None = None) -> list[str]:
    """The threads that suit this machine, or just so many, unless the person has set a number."""
    if threads is not None and not values.get("threads"):
        return ["--threads", str(threads), "--threads-batch", str(threads)]
    cores = None if values.get("threads") else machine.usable_cores()
    if cores is None:
        return []
    return ["--threads", str(cores.threads), "--threads-batch", str(cores.batch_threads)]


def require_loadable(values: Mapping[str, Value], name: str) -> None:
    """Raise EngineError where llama.cpp would load no model with these parameters; `name` is the model's."""
    if why := unloadable(values):
        raise EngineError(
            f"The engine cannot load {name}",
            why[:1].upper() + why[1:],
            "/set flash_attention=auto, or cache_type=f16",
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


def _wheel_library() -> str:
    """The path of the library inside xllamacpp, or of the package where there is none of that name; nothing is loaded."""
    spec = importlib.util.find_spec("xllamacpp")
    origin = Path(spec.origin or "") if spec is not None else Path()
    return str(next(iter(sorted(origin.parent.glob("xllamacpp*.so"))), origin))


def _worker_of(process: subprocess.Popen[bytes]) -> int:
    """The process id of the server, which it says itself; 0 if it ended before. Blocks until then."""
    # Python itself may print more than that: a sitecustomize of the user's.
    return next((int(line) for line in process.stdout or () if line.strip().isdigit()), 0)


def _bytes_read(worker: int) -> int:
    """How much of a file the process has in memory or has read, in bytes; 0 where that is not told.

    Linux only, proc(5): of a file that is mapped, the resident shared pages in `statm`; of one that is read, `io`.
    """
    try:
        mapped = int(Path(f"/proc/{worker}/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")
        read = int(Path(f"/proc/{worker}/io").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return max(mapped, read)


def _resident(worker: int) -> int | None:
    """Bytes of a process that are in memory; Linux only, proc(5)."""
    try:
        return int(Path(f"/proc/{worker}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def _close(pipe: IO[bytes] | None) -> None:
    """Let go of a pipe; that on standard input keeps the supervisor alive."""
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.close()
