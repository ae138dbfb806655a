"""The lines of standard input, as they come. A terminal edits each line itself until Enter."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import deque

from tui.core.text import plain_text

READ_BYTES = 1 << 16
MOST_BYTES = 16 << 20
"""Bytes of one line: more than any context window has room for."""


class LineReader:
    """Reads in a thread of its own, which may wait for ever: neither regular files nor terminals can be waited for
    alike by the loop. It reads on only when a line is asked for."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.unfinished = ""
        """What stands in the line in which a person has left: it was not sent."""
        self._lines: deque[str] = deque()
        self._rest = b""
        self._ended = False
        self._arrived = asyncio.Event()
        self._end_wanted = asyncio.Event()
        self._wanted = threading.Semaphore(0)
        self._asked = False
        threading.Thread(target=self._run, name="lines", daemon=True).start()

    async def line(self) -> str | None:
        """The next line, without its end, fit to be read by a model; None at the end of the input."""
        while not self._lines and not self._ended:
            if not self._asked:
                self._asked = True
                self._wanted.release()
            self._arrived.clear()
            await self._arrived.wait()
        return self._lines.popleft() if self._lines else None

    async def ended(self) -> None:
        """Wait until `end` was called."""
        await self._end_wanted.wait()

    def end(self) -> None:
        """Nothing more is read: whoever waits for a line is told that there is none."""
        self._ended = True
        self._end_wanted.set()
        self._lines.clear()
        self._arrived.set()

    def _run(self) -> None:
        handle = sys.stdin.fileno()
        while True:
            self._wanted.acquire()
            try:
                data = os.read(handle, READ_BYTES)
            except OSError:  # the terminal is gone
                data = b""
            try:
                self._loop.call_soon_threadsafe(self._take, data)
            except RuntimeError:  # lokal has ended
                return

    def _take(self, data: bytes) -> None:
        self._asked = False
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data or len(self._rest) > MOST_BYTES:
            if sys.stdin.isatty() and not data:
                self.unfinished = _text(self._rest)
            elif self._rest:
                lines.append(self._rest)
            self._rest = b""
            self._ended = self._ended or not data
        if not self._ended or not data:
            self._lines += [_text(line) for line in lines]
        self._arrived.set()


def _text(line: bytes) -> str:
    return plain_text(line.decode("utf-8", "replace")).strip("\n").rstrip(" ")
