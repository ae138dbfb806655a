"""Standard output for what comes bit by bit, such as an answer."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import stat
import sys

from tui.cli import output

PIECE = 4096
"""Bytes that a pipe takes without blocking once it says that it has room (PIPE_BUF on Linux; pipe(7), poll(2))."""


class OutputWriter:
    """Standard output, written to only when it has room: a reader that pauses holds up neither a signal nor the
    closing of a connection."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._output = sys.stdout.fileno()
        self._encoding = sys.stdout.encoding
        self._last = ""
        self._may_block = sys.platform != "win32" and not stat.S_ISREG(os.fstat(self._output).st_mode)

    @property
    def began(self) -> bool:
        """Whether anything was written."""
        return bool(self._last)

    async def write(self, text: str) -> None:
        """Write all of it. Raises BrokenPipeError when the reader has gone, LokalError for a full disk."""
        self._last = text[-1:] or self._last
        data = memoryview(text.encode(self._encoding, "replace"))
        while data:
            if self._may_block:
                await self._room()
            try:
                data = data[os.write(self._output, data[:PIECE]) :]
            except BrokenPipeError:
                raise
            except BlockingIOError:  # somebody else has made the pipe non-blocking
                continue
            except OSError as error:
                raise output.not_written(error) from error

    async def end_line(self) -> None:
        """Begin a new line, if this one has something in it."""
        if self._last not in ("", "\n"):
            await self.write("\n")

    def end_line_if_room(self) -> None:
        """The same, without waiting and without errors: the last thing that is done, in whatever way it ends."""
        if self._last not in ("", "\n") and (not self._may_block or self._has_room()):
            self._last = "\n"
            with contextlib.suppress(OSError):
                os.write(self._output, b"\n")

    def _has_room(self) -> bool:
        return bool(select.select([], [self._output], [], 0)[1])

    async def _room(self) -> None:
        """Wait until a piece can be written without blocking."""
        if self._has_room():
            return
        loop = asyncio.get_running_loop()
        room = asyncio.Event()
        loop.add_writer(self._output, room.set)
        try:
            await room.wait()
        finally:
            loop.remove_writer(self._output)
