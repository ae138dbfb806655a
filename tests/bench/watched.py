"""A program in a pseudo-terminal whose every byte is kept with the time at which it came.

A thread of its own reads and answers what terminals are asked, so that nothing that is done with the bytes delays them;
the emulator is fed when somebody looks.
"""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tests.support.emulator import Terminal

DEADLINE_S = 60.0
_ANSWERS = (
    (re.compile(rb"\x1b\]11;\?"), b"\x1b]11;rgb:1212/1212/1212\x1b\\"),
    (re.compile(rb"\x1b\[\?2026\$p"), b"\x1b[?2026;2$y"),
    (re.compile(rb"\x1b\[\?2048\$p"), b"\x1b[?2048;0$y"),
    (re.compile(rb"\x1b\[c"), b"\x1b[?62;22c"),
    (re.compile(rb"\x1b\[5n"), b"\x1b[0n"),
)
# The start of an escape sequence whose end has not come.
_UNFINISHED = re.compile("\x1b(?:\\[[0-?]*[ -/]*|[\\]P^_][^\x07\x1b]*\x1b?)?$")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one read gave, and when, in seconds of `time.perf_counter`."""

    at: float
    data: bytes


class Watched:
    """One running program. `started_at` is just before the fork; times are those of `time.perf_counter`."""

    def __init__(
        self, command: Sequence[str], environ: Mapping[str, str], columns: int = 120, rows: int = 40
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._chunks: list[Chunk] = []
        self._news = threading.Condition()
        self._terminal = Terminal(columns, rows)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._fed = 0
        self.started_at = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            cwd=environ["HOME"],
            env=dict(environ),
        )
        os.close(slave)
        self._closed = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self) -> Watched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        self._process.kill()
        self._process.wait()
        self._thread.join()
        os.close(self._master)

    # -- what is done -----------------------------------------------------------------------------------------------

    def send(self, text: str) -> float:
        """Type; returns when."""
        at = time.perf_counter()
        os.write(self._master, text.encode())
        return at

    # -- what comes -------------------------------------------------------------------------------------------------

    @property
    def chunks(self) -> int:
        """How many reads there have been: a mark to look back to."""
        return len(self._chunks)

    def since(self, mark: int) -> list[Chunk]:
        """What came after a mark."""
        return self._chunks[mark:]

    def screen(self) -> str:
        """What the screen shows now."""
        while self._fed < len(self._chunks):
            self._feed()
        return self._text()

    def seen(self, wanted: Callable[[str], bool] | str, deadline_s: float = DEADLINE_S) -> float:
        """Wait until the screen meets a condition or matches a pattern (`.` matches line ends too); when the read came
        that brought it."""
        met = wanted if callable(wanted) else _matches(wanted)
        deadline = time.perf_counter() + deadline_s
        at = self._chunks[self._fed - 1].at if self._fed else self.started_at
        while not met(self._text()):
            with self._news:
                while self._fed == self.chunks:
                    if not self._news.wait(max(0.0, deadline - time.perf_counter())):
                        raise AssertionError(f"not within {deadline_s} s: {wanted!r}\n{self._text()}")
            at = self._feed()
        return at

    def replayed(self, mark: int) -> list[tuple[float, str]]:
        """The screen after each read behind a mark; nothing behind it may have been looked at before."""
        assert self._fed <= mark, "these reads are in the emulator already"
        while self._fed < mark:
            self._feed()
        shown = []
        while self._fed < self.chunks:
            at = self._feed()
            shown.append((at, self._text()))
        return shown

    def quiet(self, seconds: float, deadline_s: float = 600.0, after: int = 0) -> None:
        """Wait until more than `after` reads have come, and then none for `seconds`."""
        deadline = time.perf_counter() + deadline_s
        with self._news:
            while True:
                now = time.perf_counter()
                assert now < deadline, f"still writing after {deadline_s} s"
                last = self._chunks[-1].at if self.chunks > after else now
                if now - last >= seconds:
                    return
                self._news.wait(seconds - (now - last))

    def finished(self, seconds: float, after: int) -> None:
        """As `quiet`, for a program that may also think for longer than that: its processor time must stand still too."""
        while True:
            self.quiet(seconds, after=after)
            mark, cpu_s = self.chunks, self.cpu_s()
            time.sleep(0.5)
            if self.chunks == mark and self.cpu_s() - cpu_s < 0.05:
                return

    # -- the process ------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    def cpu_s(self) -> float:
        """Processor time of all its threads, those that have ended too, in seconds; the kernel counts in ticks of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def memory_mb(self) -> tuple[float, float]:
        """VmRSS and PSS, in MB of 1,000,000 bytes."""
        rss = _field(Path(f"/proc/{self.pid}/status").read_text(), "VmRSS")
        pss = _field(Path(f"/proc/{self.pid}/smaps_rollup").read_text(), "Pss")
        return rss * 1024 / 1e6, pss * 1024 / 1e6

    def wakeups(self) -> int:
        """How often its threads have given up the processor by themselves: once for each time that they slept."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(_field((task / "status").read_text(), "voluntary_ctxt_switches") for task in tasks)

    # -- the thread -------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        while not self._closed:
            if not select.select([self._master], [], [], 0.5)[0]:
                continue
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return
            chunk = Chunk(time.perf_counter(), data)
            for question, answer in _ANSWERS:
                if question.search(data):
                    os.write(self._master, answer)
            with self._news:
                self._chunks.append(chunk)
                self._news.notify_all()

    def _feed(self) -> float:
        """One read into the emulator; when it came."""
        chunk = self._chunks[self._fed]
        self._fed += 1
        text = self._held + self._decode(chunk.data)
        cut = _UNFINISHED.search(text)
        end = cut.start() if cut else len(text)
        self._held = text[end:]
        self._terminal.feed(text[:end])
        return chunk.at

    def _text(self) -> str:
        return "\n".join(self._terminal.text())


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern, re.DOTALL)
    return lambda text: compiled.search(text) is not None


def _field(text: str, name: str) -> int:
    """A number in one of the `name: number` lines that /proc has."""
    found = re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)
    assert found is not None, name
    return int(found[1])
