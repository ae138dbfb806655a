"""The frame writer and the terminal's late answers on a real tty."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.emulator import Terminal
from tui.early_frame import WHEEL_BACK, WHEEL_OFF

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no ttys on Windows")

COLUMNS, LINES = 40, 10
DEADLINE_S = 60.0

PROGRAM = """
from textual.widgets import Input, Static
from tui.ui.terminal.driver import driver_with
from tui.ui.terminal.hook import DeltaApp

class Small(DeltaApp[None]):
    CSS = "Static { color: red; background: blue; }"
    BINDINGS = [("ctrl+q", "quit", "Quit")]
    def compose(self):
        yield Static("чай 漢字 ✅ ready")
        yield Input(id="box")
        yield Static("", id="echo")
    def on_ready(self):
        self._driver.listen()
    def on_input_changed(self, event):
        self.query_one("#echo", Static).update(f"typed {event.value!r}")

Small(driver_class=driver_with(None)).run()
"""


class Session:
    """A program on a tty, and what its terminal shows."""

    def __init__(self, process: subprocess.Popen[bytes], tty: int) -> None:
        self.process = process
        self.tty = tty
        self.terminal = Terminal(COLUMNS, LINES)
        self.received = b""
        self._decoder = getincrementaldecoder("utf-8")()

    def read_until(self, seen: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not seen():
            left = deadline - time.monotonic()
            assert left > 0, f"{what}: not seen. {self.terminal.text()}"
            if not select.select([self.tty], [], [], min(left, 0.2))[0]:
                continue
            try:
                data = os.read(self.tty, 65536)
            except OSError:
                data = b""
            assert data, f"{what}: the program ended. {self.terminal.text()}"
            self.received += data
            if b"\x1b[5n" in data:
                self.type(b"\x1b[0n")
            self.terminal.feed(self._decoder.decode(data))

    def read_until_shown(self, text: str) -> None:
        self.read_until(lambda: any(text in row for row in self.terminal.text()), text)

    def type(self, keys: bytes) -> None:
        os.write(self.tty, keys)


@contextmanager
def session(home: Path) -> Iterator[Session]:
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environ = {"TERM": "xterm-256color", "HOME": str(home), "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
    environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=inner,
        stdout=inner,
        stderr=inner,
        env=environ,
        start_new_session=True,
    )
    os.close(inner)
    try:
        yield Session(process, outer)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        os.close(outer)


def test_frames_answers_suspending_and_the_end(tmp_path: Path) -> None:
    with session(tmp_path) as running:
        running.read_until_shown("ready")
        assert running.terminal.text()[0] == "чай 漢字 ✅ ready"

        # Answers to a question from before the app started are not typed; what is typed is.
        running.type(b"\x1b]11;rgb:1e1e/2e2e/3e3e\x1b\\\x1b[?62;22c" + "hełło".encode())
        running.read_until_shown("typed 'hełło'")

        # Ctrl+Z and fg: the screen was somebody else's meanwhile, and all of it comes back.
        running.process.send_signal(signal.SIGTSTP)
        running.read_until(lambda: b"\x1b[?1049l" in running.received, "leaving the alternate screen")
        assert running.terminal.pen_is_plain
        assert wheel(running) == ["off", "back"]
        running.terminal.feed("\x1b[2J\x1b[H$ ls")
        os.waitpid(running.process.pid, os.WUNTRACED)
        running.process.send_signal(signal.SIGCONT)
        running.read_until_shown("ready")
        running.read_until_shown("typed 'hełło'")
        assert not any("$ ls" in row for row in running.terminal.text())

        running.type(b"\x11")
        running.read_until(lambda: running.received.count(b"\x1b[?1049l") == 2, "the end")
        assert running.terminal.pen_is_plain
        assert running.terminal.margins is None
        assert wheel(running) == ["off", "back"] * 2
        assert running.process.wait(DEADLINE_S) == 0


def wheel(running: Session) -> list[str]:
    """What the terminal was told, in order, of the arrows that the mouse wheel sends."""
    said = {WHEEL_OFF.encode(): "off", WHEEL_BACK.encode(): "back"}
    return [said[found] for found in re.findall(b"|".join(map(re.escape, said)), running.received)]
