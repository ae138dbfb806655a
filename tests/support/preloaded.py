"""lokal without the second that Python needs to load it: forked from a process that has done so once.

It is the same program from its first line on, in a process, a session and a terminal of its own. What is about that second
itself, or about what Python reads before (its own variables, OpenSSL's, the locale's), starts `python -m tui` instead.
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READ_BY_PYTHON = ("PYTHON", "LANG", "LC_", "OPENSSL_", "SSL_", "TEXTUAL_", "ESCDELAY")
"""How the variables begin that are read while lokal is loaded."""


def can_be(environ: Mapping[str, str]) -> bool:
    """Whether a lokal with these variables beside the tests' own may be a preloaded one."""
    return os.name == "posix" and not any(name.startswith(READ_BY_PYTHON) for name in environ)


class Preloaded:
    """A lokal that was started; in what tests need of it like `subprocess.Popen`."""

    def __init__(self, told: int) -> None:
        self._told = open(told, "rb", buffering=0)  # noqa: SIM115 - closed when it has ended
        self.returncode: int | None = None
        self.pid = int(self._line())

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self) -> int:
        """Wait for the exit status."""
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(int(self._line()))
            self._told.close()
        return self.returncode

    def kill(self) -> None:
        """End it as kill -9 does, if it runs."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            piece = self._told.read(1)
            assert piece, "the process that starts lokal has ended"
            line += piece
        return line


def start(
    arguments: Sequence[str], streams: tuple[int, int, int], environ: Mapping[str, str], *, terminal: bool
) -> Preloaded:
    """lokal with these standard streams; with `terminal` in a session of its own, whose terminal its input is."""
    read, write = os.pipe()
    said = {
        "arguments": arguments,
        "environ": dict(environ),
        "folder": environ["HOME"],
        "terminal": terminal,
    }
    try:
        socket.send_fds(_server(), [json.dumps(said).encode()], [*streams, write])
    finally:
        os.close(write)
    return Preloaded(read)


@functools.cache
def _server() -> socket.socket:
    """The socket of the process that starts them, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    variables = {name: value for name, value in os.environ.items() if can_be({name: value})}
    subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("preloaded_server.py")), str(theirs.fileno())],
        stdin=subprocess.DEVNULL,
        env={**variables, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)},
        pass_fds=(theirs.fileno(),),
        cwd=ROOT,
    )
    theirs.close()
    return ours
