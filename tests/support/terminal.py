"""lokal itself in a pseudo-terminal: what a person types goes in, what a person would see comes out.

The terminal at the other end is pyte's, as tests/support/emulator.py has it, and it answers what terminals are asked:
DA1, whether it is well, the cursor's place, the background colour, and the state of mode 2026.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support import preloaded
from tests.support.emulator import Terminal as Emulator
from tests.support.llama import is_alive
from tests.support.preloaded import ROOT, Preloaded

WITHOUT_PACKAGED = Path(__file__).with_name("without_packaged")
"""In the path of a Python, it hides the model that comes as a package."""
DEADLINE_S = 60.0
"""Longer than anything takes on a machine that is busy with other tests."""

# The child makes the pseudo-terminal its own, so that closing it hangs the child up, and becomes lokal.
_BECOME_LOKAL = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); "  # ignored in what a shell runs in the background
    "os.execv(sys.executable, [sys.executable, '-m', 'tui', *sys.argv[1:]])"
)
# A shell with job control that runs lokal as its one job, and brings it back at Enter.
_RUN_AS_A_JOB = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if not job:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, '-m', 'tui', *sys.argv[1:]])
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpid())
    if not os.WIFSTOPPED(status):
        os._exit(os.waitstatus_to_exitcode(status))
    os.write(1, b"the job is stopped")
    os.read(0, 100)
    os.tcsetpgrp(0, job)
    os.killpg(job, signal.SIGCONT)
"""
_TOKEN = re.compile(
    r"[^\x1b]+"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]P^_][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1b[^\[\]P^_]"
)
_MODE_STATES = {"2026": "2"}  # known and off; what is not here is unknown to this terminal
_READ_BYTES = 65536


class TerminalSession:
    """One lokal in one terminal. Use `lokal` to make it; what it shows is looked at with `wait_for` and `screen`."""

    def __init__(
        self, process: subprocess.Popen[bytes] | Preloaded, master: int, columns: int, rows: int
    ) -> None:
        self._process = process
        self._master = master
        self._emulator = Emulator(columns, rows)
        self._loop = asyncio.get_running_loop()
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._to_show = ""
        self._to_write: deque[bytes] = deque()
        self._arrived = asyncio.Event()
        self._open = True
        self.raw = bytearray()
        """Every byte that lokal has written."""
        self._loop.add_reader(master, self._read)

    @property
    def pid(self) -> int:
        """lokal's process id."""
        return self._process.pid

    @property
    def columns(self) -> int:
        """The width in cells."""
        return len(self._emulator.cells()[0])

    # -- what a person does -----------------------------------------------------------------------------------------

    def send(self, text: str | bytes) -> None:
        """Type or paste; what does not fit in the terminal's queue follows when there is room."""
        data = text.encode() if isinstance(text, str) else text
        self._to_write.append(data)
        self._write()

    def paste(self, text: str) -> None:
        """Paste as a terminal with bracketed paste does."""
        self.send(f"\x1b[200~{text}\x1b[201~")

    def scribble(self, sequence: str) -> None:
        """Let another program write on the terminal."""
        self._show()
        self._emulator.feed(sequence)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._show()
        self._emulator.resize(columns, rows)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to lokal, if it is still there."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def close_terminal(self) -> None:
        """Close the window: the kernel hangs lokal up."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)

    # -- what a person sees -----------------------------------------------------------------------------------------

    def screen(self) -> list[str]:
        """The rows as text, without the blanks at their ends."""
        self._show()
        return self._emulator.text()

    def text(self) -> str:
        """The screen in one string."""
        return "\n".join(self.screen())

    async def wait_for(self, pattern: str, deadline_s: float = DEADLINE_S) -> re.Match[str]:
        """Wait until the screen matches `pattern` (searched for, `.` stops at a line's end)."""
        found = re.compile(pattern)
        last: re.Match[str] | None = None

        def seen() -> bool:
            nonlocal last
            last = found.search(self.text())
            return last is not None

        await self.until(seen, f"the screen shows {pattern!r}", deadline_s)
        assert last is not None
        return last

    async def wait_until_gone(self, pattern: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait until nothing on the screen matches `pattern`."""
        found = re.compile(pattern)
        await self.until(
            lambda: found.search(self.text()) is None, f"the screen shows {pattern!r} no more", deadline_s
        )

    async def until(self, condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
        """Wait until `condition` holds; AssertionError with the screen if it does not in time."""
        deadline = time.monotonic() + deadline_s
        while not condition():
            if self._process.poll() is not None:
                deadline = min(deadline, time.monotonic() + 1)  # what it wrote last may still be on its way
            if time.monotonic() > deadline:
                alive = "running" if is_alive(self.pid) else f"ended with {self._process.poll()}"
                rule = "-" * 80
                raise AssertionError(
                    f"not within {deadline_s} s: {what}; lokal is {alive}\n{rule}\n{self.text()}\n{rule}"
                )
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), 0.05)

    async def ended(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait until lokal has ended; its exit status, negative for a signal."""
        await self.until(lambda: self._process.poll() is not None, "lokal has ended", deadline_s)
        while self._read():
            pass  # what it wrote last
        status = self._process.returncode
        assert isinstance(status, int)
        return status

    @property
    def is_left(self) -> bool:
        """Whether whoever has the terminal after lokal has it as it was: on its own screen, with a cursor, echoing."""
        on, off = self.raw.rfind(b"\x1b[?1049h"), self.raw.rfind(b"\x1b[?1049l")
        echoes = termios.tcgetattr(self._master)[3] & termios.ECHO
        return bool(off > on and self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l") and echoes)

    async def quit(self) -> None:
        """Leave as a person does, and be sure that it went well."""
        self.send("\x11")
        assert await self.ended() == 0, self.text()

    # -- the terminal's own work ------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """Take what lokal has written; False = there is nothing."""
        if not self._open:
            return False
        try:
            data = os.read(self._master, _READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:  # EIO: nobody has the other side open any more
            data = b""
        if not data:
            self._loop.remove_reader(self._master)
            return False
        self.raw += data
        self._to_show += self._decode(data)
        for question in re.finditer(
            r"\x1b\[c|\x1b\[[56]n|\x1b\]11;\?|\x1b\[\?(\d+)\$p", data.decode("latin-1")
        ):
            self._answer(question)
        self._arrived.set()
        return True

    def _answer(self, question: re.Match[str]) -> None:
        if mode := question[1]:
            self.send(f"\x1b[?{mode};{_MODE_STATES.get(mode, '0')}$y")
        elif question[0] == "\x1b[c":
            self.send("\x1b[?62;22c")
        elif question[0] == "\x1b[5n":
            self.send("\x1b[0n")
        elif question[0] == "\x1b[6n":
            self._show()
            column, row = self._emulator.cursor
            self.send(f"\x1b[{row + 1};{column + 1}R")
        else:
            self.send("\x1b]11;rgb:1c1c/1c1c/1c1c\x1b\\")

    def _show(self) -> None:
        """Feed the emulator what is complete; the start of a sequence waits for its rest."""
        end = 0
        while (token := _TOKEN.match(self._to_show, end)) is not None:
            end = token.end()
        ready, self._to_show = self._to_show[:end], self._to_show[end:]
        if ready:
            self._emulator.feed(ready)

    def _write(self) -> None:
        while self._to_write and self._open:
            try:
                written = os.write(self._master, self._to_write[0])
            except BlockingIOError:
                self._loop.add_writer(self._master, self._write)
                return
            except OSError:
                self._to_write.clear()
                break
            rest = self._to_write.popleft()[written:]
            if rest:
                self._to_write.appendleft(rest)
        if self._open:
            self._loop.remove_writer(self._master)


def _start(
    arguments: tuple[str, ...], slave: int, variables: Mapping[str, str], code: str
) -> subprocess.Popen[bytes]:
    """lokal with the pseudo-terminal `slave` as its own; `code` makes it so."""
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        cwd=variables["HOME"],
        env=variables,
    )


def context_used(terminal: TerminalSession) -> int:
    """The tokens in the window as the status bar says them; 0 where it says no exact count."""
    found = re.search(r"ctx (\d+) of", terminal.text())
    return int(found.group(1)) if found else 0


@asynccontextmanager
async def lokal(
    *arguments: str,
    columns: int = 80,
    rows: int = 24,
    environ: Mapping[str, str] | None = None,
    under_a_shell: bool = False,
    packaged: bool = False,
    preload: bool = True,
) -> AsyncIterator[TerminalSession]:
    """lokal with these arguments in a terminal of that size; dead when the block ends, in whatever way.

    `under_a_shell`: as the job of a shell, which is then what the session's process is. Without `packaged` the model that
    comes as a Python package is not there. `preload`: forked from a process that has loaded it, where that may be; else
    `python -m tui`.
    """
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.set_blocking(master, False)
    variables = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "TMUX", "STY", "COLUMNS", "LINES")
    }
    variables |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
    path = str(ROOT) if packaged else f"{WITHOUT_PACKAGED}:{ROOT}"
    variables |= {"PYTHONPATH": path, **(environ or {})}
    process: subprocess.Popen[bytes] | Preloaded
    try:
        if preload and not under_a_shell and preloaded.can_be(environ or {}):
            process = preloaded.start(arguments, (slave, slave, slave), variables, terminal=True)
        else:
            process = _start(arguments, slave, variables, _RUN_AS_A_JOB if under_a_shell else _BECOME_LOKAL)
    finally:
        os.close(slave)
    session = TerminalSession(process, master, columns, rows)
    try:
        yield session
    finally:
        process.kill()
        session.close_terminal()
        process.wait()
