"""The process between lokal and llama.cpp: it starts the server and never lets it outlive lokal.

    lokal -> supervisor (this file) -> worker (forked, which becomes llama-server or runs the one in xllamacpp)

The supervisor holds the reading end of a pipe whose other end is lokal's alone. However lokal ends, kill -9 included,
the pipe ends with it and the supervisor ends the worker. It is a process of its own because loading a model in
xllamacpp holds the interpreter's lock for seconds to minutes, when no thread of the worker could look at a pipe. On
Linux the kernel also sends a signal when a parent dies (prctl(2), PR_SET_PDEATHSIG), which covers a killed supervisor.

The supervisor may be started before it is known what to serve: the worker is forked at once, and loads the library of
xllamacpp while lokal reads its settings. The job comes over a socket that is standard input, with the descriptors of the log
and of the lock of the socket's folder; on Windows over a pipe.

The server listens on a Unix socket in a folder of lokal's own, which the supervisor takes away at the end, or else on a
loopback port. Whoever becomes the server says its process id on standard output; all else goes to standard error, the
log.

This file is run by its path and imports only the standard library, so that neither lokal's own modules nor the folder
that it happens to be started in can get between. The job comes on standard input, because an API key on the command
line would be shown by `ps` to every user of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType, ModuleType

WHEEL = "wheel"
"""The argument that says that the server of xllamacpp will be wanted, which takes its time to load."""

GRACE_S = 2.0
"""How long the worker may take to end by itself before it is killed, in seconds."""

SLOT_FLAG = "--slot-save-path"
"""The flag of llama-server for the folder that slots are saved into; one of before 2024 does not know it."""

PROMPT_CACHE_MIB = 2048
"""Memory for the prompts of chats that one comes back to. llama.cpp would take 8 GiB, half of a usual machine."""

SHORT_SPIN = 1000
"""How often a thread that waits for the others looks before it sleeps, where llama.cpp computes with libgomp. libgomp's own
figure is 300,000, with which two threads that have to share a core with another program wait for each other most of
the time; with this one a machine that nobody else uses is as fast as with that."""

ENVIRONMENT: Mapping[str, str] = {"GGML_NO_BACKTRACE": "1"}
"""What the engine is started with besides: a crash is to end it, not to run a debugger on it."""

_PR_SET_PDEATHSIG = 1
_LONGEST_JOB = 1 << 20
_MOST_FILES = 256
"""No descriptor of the supervisor is as high as this."""

WHEEL_SETTINGS: Mapping[str, str] = {
    "--ctx-size": "n_ctx",
    "--batch-size": "n_batch",
    "--n-gpu-layers": "n_gpu_layers",
    "--threads": "cpuparams.n_threads cpuparams_batch.n_threads",
    "--threads-batch": "cpuparams_batch.n_threads",
    "--flash-attn": "flash_attn_type",
    "--cache-type-k": "cache_type_k",
    "--cache-type-v": "cache_type_v",
}
"""What the flags of llama-server are called in xllamacpp's CommonParams, where all take a number."""

WHEEL_NUMBERS: Mapping[str, int] = {"auto": -1, "off": 0, "on": 1, "f16": 1, "q4_0": 2, "q8_0": 8}
"""The words among the values of these flags as llama.h and ggml.h number them: `llama_flash_attn_type`, `ggml_type`."""


class Job:
    """What to serve and where. `program` is the llama-server to run, empty = the one inside xllamacpp; `port` 0 = `host`
    is the path of a Unix socket; `flags` are llama-server's, a name and a value each; `cache_mib` is memory for
    the prompts of earlier chats; `slot_folder` is where slots are saved, empty = they are not.

    No dataclass: the supervisor would load a tenth of the standard library for it before the model."""

    def __init__(
        self,
        program: str,
        gguf: str,
        alias: str,
        host: str,
        port: int,
        api_key: str,
        flags: Sequence[str],
        cache_mib: int = PROMPT_CACHE_MIB,
        slot_folder: str = "",
    ) -> None:
        self.program = program
        self.gguf = gguf
        self.alias = alias
        self.host = host
        self.port = port
        self.api_key = api_key
        self.flags = tuple(flags)
        self.cache_mib = cache_mib
        self.slot_folder = slot_folder

    def to_line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(vars(self)).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> Job:
        """The job that `to_line` wrote. Raises ValueError or TypeError."""
        return Job(**json.loads(line))

    def command(self) -> list[str]:
        """The command line of llama-server, without the key."""
        return [
            self.program, "--model", self.gguf, "--alias", self.alias, "--host", self.host,
            *(("--port", str(self.port)) if self.port else ()), "--parallel", "1", "--jinja",
            *((SLOT_FLAG, self.slot_folder) if self.slot_folder else ()), *self.flags,
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """The environment of llama-server: the key, and nothing of the user's that would move the server elsewhere."""
        moved = {"LLAMA_ARG_API_PREFIX", "LLAMA_ARG_SSL_KEY_FILE", "LLAMA_ARG_SSL_CERT_FILE"}
        kept = {name: value for name, value in os.environ.items() if name not in moved}
        return {"LLAMA_ARG_CACHE_RAM": str(self.cache_mib), **kept, "LLAMA_API_KEY": self.api_key}


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of the engine, made of the person's own, whose word on OpenMP counts. It has to be there when the
    process begins: libgomp reads it as it is loaded."""
    made = {**environ, **ENVIRONMENT}
    if "OMP_WAIT_POLICY" not in made:
        made.setdefault("GOMP_SPINCOUNT", str(SHORT_SPIN))
    return made


def supervise() -> int:
    """Run the worker until it ends or lokal does; its exit code, 128 + n if signal n ended it. The worker itself leaves by
    SystemExit, a full shutdown, which lets llama.cpp write the rest of its log."""
    parent = os.getppid()
    worker: _ForkedWorker | _StartedWorker | None = _ForkedWorker() if sys.platform != "win32" else None
    has_job = False

    def end(*_: object) -> None:
        if worker is None or not has_job:
            if worker is not None:
                worker.kill()
            os._exit(1)
        worker.send(signal.SIGTERM)
        killer = threading.Timer(GRACE_S, worker.kill)
        killer.daemon = True
        killer.start()

    def parent_signal(_: int, frame: FrameType | None) -> None:
        # The kernel sends it also when only the parent's thread ends that started this process.
        if os.getppid() != parent:
            end()

    def wait_for_parent() -> None:
        while os.read(0, 4096):
            pass
        end()

    signal.signal(signal.SIGTERM, end)
    if sys.platform == "linux":
        signal.signal(signal.SIGUSR1, parent_signal)
        _signal_when_parent_dies(signal.SIGUSR1)
    line, descriptors = _read_job()
    if not line:
        if worker is not None:
            worker.kill()
        return 0
    job = Job.from_line(line)
    os.umask(0o077)  # what the server writes holds conversations
    if worker is None:
        worker = _StartedWorker(job, line)
    else:
        worker.give(line, descriptors[:1])
    has_job = True
    if descriptors:
        os.dup2(descriptors[0], 2)
    _log_standard_output()
    threading.Thread(target=wait_for_parent, daemon=True).start()
    code = worker.wait()
    if not job.port:
        _remove_socket(job.host)
    return code if code >= 0 else 128 - code


def _read_job() -> tuple[bytes, list[int]]:
    """The line that the job comes as, empty where lokal ended before; and the descriptors that came along: of the log, and of
    what is to be held as long as this process lives."""
    if sys.platform == "win32":
        return sys.stdin.buffer.readline(), []
    with socket.socket(fileno=os.dup(0)) as control:
        line, descriptors, _, _ = socket.recv_fds(control, _LONGEST_JOB, 2)
        while line and not line.endswith(b"\n"):
            more = control.recv(_LONGEST_JOB)
            line = line + more if more else b""
    return line, descriptors


class _ForkedWorker:
    """The process that serves: this one once more, forked before there is a job, so that it has loaded what it needs when it
    gets one."""

    def __init__(self) -> None:
        here, there = socket.socketpair()
        supervisor = os.getpid()
        self._id = os.fork()
        if not self._id:
            here.close()
            sys.exit(_work_forked(there, supervisor))
        there.close()
        self._control = here

    def give(self, line: bytes, log: Sequence[int]) -> None:
        """Tell it what to serve and where to log."""
        with self._control as control, contextlib.suppress(OSError):  # it has ended: `wait` tells how
            socket.send_fds(control, [line], log)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._id, number)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, -n if signal n ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self._id, 0)[1])


class _StartedWorker:
    """The same on Windows, which has no fork(2) and whose exec would leave a process that nobody waits for."""

    def __init__(self, job: Job, line: bytes) -> None:
        if job.program:
            self._process = subprocess.Popen(
                job.command(), env=job.environment(), stdin=subprocess.DEVNULL, stdout=sys.stderr
            )
            _say_who(self._process.pid)
            return
        self._process = subprocess.Popen([sys.executable, "-P", __file__, "worker"], stdin=subprocess.PIPE)
        if self._process.stdin is not None:
            self._process.stdin.write(line)
            self._process.stdin.close()

    def give(self, line: bytes, log: Sequence[int]) -> None:
        """It has its job since it was started."""

    def send(self, _: signal.Signals) -> None:
        """End it, as any signal does there."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.terminate()

    def wait(self) -> int:
        """Its exit code."""
        return self._process.wait()


def _work_forked(control: socket.socket, supervisor: int) -> int:
    """What a worker does that is a copy of its supervisor, of which it keeps nothing."""
    if sys.platform == "linux":
        _signal_when_parent_dies(signal.SIGKILL)
    if os.getppid() != supervisor:
        return 1
    for number in (signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.closerange(3, control.fileno())
    os.closerange(control.fileno() + 1, _MOST_FILES)
    if sys.argv[1:2] == [WHEEL]:
        with contextlib.suppress(Exception):  # said when it is wanted
            import xllamacpp  # noqa: F401
    line, log, _, _ = socket.recv_fds(control, _LONGEST_JOB, 1)
    while line and not line.endswith(b"\n"):
        line += control.recv(_LONGEST_JOB)
    if not line:
        return 0
    if log:
        os.dup2(log[0], 2)
        os.close(log[0])
    control.close()
    os.umask(0o077)
    return work(Job.from_line(line))


def work(job: Job) -> int:
    """Become llama-server, or run the one of xllamacpp until killed."""
    _say_who(os.getpid())
    if job.program:
        try:
            os.execve(job.program, job.command(), job.environment())
        except OSError as error:
            return _complain(f"failed to run {job.program}: {error.strerror}")
    return _serve_from_wheel(job)


def _serve_from_wheel(job: Job) -> int:
    """Run the server inside the xllamacpp wheel; it says why it cannot on standard error."""
    try:
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = job.gguf
        params.model_alias = {job.alias}
        params.hostnames = [job.host]
        if job.port:
            params.port = job.port
        params.api_keys = [job.api_key]
        params.n_parallel = 1
        params.use_jinja = True
        params.ui = False
        params.cache_ram_mib = job.cache_mib
        if job.slot_folder:
            params.slot_save_path = os.path.join(job.slot_folder, "")  # noqa: PTH118 - it has to end in a slash
        for name, value in _settings_of_build(xllamacpp).items():
            _set(params, name, value)
        for flag, value in zip(job.flags[::2], job.flags[1::2], strict=True):
            for name in WHEEL_SETTINGS[flag].split():
                _set(params, name, _number(value))
        server = xllamacpp.Server(params)
    except (ImportError, AttributeError, KeyError, TypeError) as error:
        return _complain(f"failed to use the xllamacpp package: {error}")
    except (RuntimeError, OverflowError) as error:
        return _complain(f"failed to start the server: {error}")
    threading.Event().wait()
    del server
    return 0


def _settings_of_build(xllamacpp: ModuleType) -> dict[str, object]:
    """What depends on how the wheel was built: nothing needs to be fitted into the memory of a graphics card where there is
    none, and `poll` is for builds that compute without OpenMP, where GOMP_SPINCOUNT does nothing."""
    settings: dict[str, object] = {}
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    if all(device["type"] == cpu for device in xllamacpp.get_device_info()):
        settings["fit_params"] = False
    if "OPENMP = 1" not in xllamacpp.get_system_info():
        settings |= {"cpuparams.poll": 0, "cpuparams_batch.poll": 0}
    return settings


def _number(value: str) -> int:
    """The value of a flag as the wheel takes it."""
    return WHEEL_NUMBERS[value] if value in WHEEL_NUMBERS else int(value)


def _set(params: object, name: str, value: object) -> None:
    """Set `name` of the wheel's parameters, which may lie deeper: `cpuparams.n_threads`."""
    *outer, last = name.split(".")
    for part in outer:
        params = getattr(params, part)
    setattr(params, last, value)


def _say_who(process: int) -> None:
    """Tell lokal which process is the server."""
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(1, b"%d\n" % process)
    _log_standard_output()


def _log_standard_output() -> None:
    """From now on standard output goes where standard error goes, and lokal's end of the pipe may close."""
    os.dup2(2, 1)


def _remove_socket(path: str) -> None:
    """Take away the socket and the folder that was made for it."""
    for remove, what in ((os.unlink, path), (os.rmdir, os.path.dirname(path))):  # noqa: PTH120 - nothing more is loaded here
        with contextlib.suppress(OSError):
            remove(what)


def _complain(text: str) -> int:
    sys.stderr.write(f"error: {text}\n")  # standard error is the log
    return 1


def _signal_when_parent_dies(number: signal.Signals) -> None:
    """Ask Linux to send this process a signal when its parent dies; nothing where that is not possible."""
    import ctypes  # not needed to know what a Job is

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        sys.exit(work(Job.from_line(sys.stdin.buffer.readline())))
    os._exit(supervise())  # no shutdown: a thread sits in a read that may never return
