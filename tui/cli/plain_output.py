"""What plain mode writes: whole words, one after the other, on standard output and standard error. Nothing that was
written is ever changed, and there is no escape sequence in it unless colour was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import stat
import sys
from collections import deque
from typing import TextIO

from tui.cli import output
from tui.core.text import safe_block, unfinished_escape

LONGEST_WORD = 40
"""Characters after which a word is written although it has not ended: scripts such as Chinese, Japanese and Thai put no
blanks between words."""
LONGEST_ESCAPE = 2000
"""Characters that an escape sequence may have before it is taken for text."""
PIECE_BYTES = 512
"""Bytes written at a time: what a signal has to wait for at the most, half a second on a line of 9600 baud."""


class WholeWords:
    """Text that comes in pieces, made safe and given on by whole words."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """What can be written now that `text` has come too."""
        self._held += text
        end = self._end()
        ready, self._held = self._held[:end], self._held[end:]
        return safe_block(ready)

    def finish(self) -> str:
        """All that was held back: no more comes."""
        ready, self._held = self._held, ""
        return safe_block(ready)

    def _end(self) -> int:
        """How much of what is held has whole words only, and no half of anything."""
        held = self._held
        most = unfinished_escape(held)
        if len(held) - most > LONGEST_ESCAPE:
            most = len(held)
        if held.endswith("\r"):  # a line feed that follows belongs to it
            most = min(most, len(held) - 1)
        blank = next((at + 1 for at in range(most - 1, -1, -1) if held[at].isspace()), 0)
        return blank if most - blank < LONGEST_WORD else most


class PlainOutput:
    """Standard output and standard error as one stream of lines, where they are the same terminal.

    What is written is queued, and a task writes it as fast as the other side takes it: a slow line holds up neither an
    answer nor a Ctrl+C. `failure` is why nothing can be written any more.
    """

    def __init__(self, *, color: bool) -> None:
        self._color = color
        self._queue: deque[tuple[TextIO, bytes, bool]] = deque()
        self._last = {sys.stdout: "\n", sys.stderr: "\n"}
        self._prompt = ""
        self._one_terminal = sys.stdout.isatty() and sys.stderr.isatty()
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.failure: BaseException | None = None

    # -- what is to be written --------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Text of an answer, where the line goes on. It has to be safe."""
        self._put(sys.stdout, text, of_answer=True)

    def drop_answer(self) -> bool:
        """Leave out what was to be written of an answer and is not yet, on a slow line: who stops it wants quiet. Whether there
        was any."""
        before = len(self._queue)
        first, *others = self._queue or [None]
        self._queue = deque(
            filter(None, [first, *(each for each in others if each is not None and not each[2])])
        )
        return len(self._queue) < before

    def line(self, text: str = "") -> None:
        """Lines of the conversation, or what a command shows. They have to be safe."""
        self.end_line()
        self._put(sys.stdout, f"{text}\n")

    def heading(self, text: str) -> None:
        """A line that says who speaks."""
        self.line(f"\x1b[1m{text}\x1b[0m" if self._color else text)

    def say(self, text: str) -> None:
        """Something that is neither question nor answer, in lines on standard error. It has to be safe."""
        if self._one_terminal:
            self.end_line()
        elif self._last[sys.stderr] != "\n":
            self._put(sys.stderr, "\n")
        dim, plain = ("\x1b[2m", "\x1b[0m") if self._color else ("", "")
        for line in text.splitlines():
            self._put(sys.stderr, f"{dim}lokal: {line}{plain}\n")

    def end_line(self) -> None:
        """Begin a new line on standard output, if this one has something in it."""
        if self._last[sys.stdout] != "\n":
            self._put(sys.stdout, "\n")

    def prompt(self, text: str) -> None:
        """Show what stands before the line that is to be typed, unless it is there already."""
        if self._prompt != text:
            self.end_line()
            self._put(sys.stdout, f"\x1b[1m{text}\x1b[0m" if self._color else text)
            self._prompt = text

    def person_ended_line(self) -> None:
        """The person has pressed Enter, which the terminal has shown."""
        self._last[sys.stdout], self._prompt = "\n", ""

    def interrupted_line(self) -> None:
        """The person has pressed Ctrl+C, which most terminals show as ^C in the line."""
        self._put(sys.stdout, "\n")

    def _put(self, stream: TextIO, text: str, *, of_answer: bool = False) -> None:
        if not text or self.failure is not None:
            return
        self._last[stream] = text[-1]
        if stream is sys.stdout:
            self._prompt = ""
        self._queue.append((stream, text.encode(stream.encoding or "utf-8", "replace"), of_answer))
        self._empty.clear()
        self._wake.set()

    # -- how it is written ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Write until it is cancelled, or nothing can be written any more."""
        sys.stdout.flush()
        sys.stderr.flush()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                stream, data, _ = self._queue[0]
                try:
                    await _write(stream.fileno(), data)
                except OSError as error:
                    if stream is sys.stdout:
                        gone = isinstance(error, BrokenPipeError)
                        self.failure = error if gone else output.not_written(error)
                        self._queue.clear()
                        self._empty.set()
                        return
                if self._queue:
                    self._queue.popleft()
            self._empty.set()

    async def drained(self, timeout_s: float | None = None) -> None:
        """Wait until all is written."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()


async def _write(handle: int, data: bytes) -> None:
    """Write all of it, never more than the other side takes at once. Raises OSError."""
    may_block = sys.platform != "win32" and not stat.S_ISREG(os.fstat(handle).st_mode)
    rest = memoryview(data)
    while rest:
        if may_block and not select.select([], [handle], [], 0)[1]:
            await _room(handle)
        try:
            rest = rest[os.write(handle, rest[:PIECE_BYTES]) :]
        except BlockingIOError:  # somebody else has made it non-blocking
            await asyncio.sleep(0)


async def _room(handle: int) -> None:
    loop = asyncio.get_running_loop()
    room = asyncio.Event()
    # A terminal may be read and written through one file; what waits for its input has a registration of its own.
    own = os.dup(handle)
    loop.add_writer(own, room.set)
    try:
        await room.wait()
    finally:
        loop.remove_writer(own)
        os.close(own)
