"""Running something that takes time so that it ends at once: on Ctrl+C, on SIGTERM and SIGHUP, and when the reader of
its output goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import stat
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

from tui.cli import output

T = TypeVar("T")

PIECE = 4096
"""Bytes that a pipe takes without blocking once it says that it has room (PIPE_BUF on Linux; pipe(7), poll(2))."""


class Terminated(Exception):
    """A signal ended the work; `status` is the exit status that tells which (128 + its number)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`. It is cancelled, and what it then does in its `finally` is waited for, before this raises
    KeyboardInterrupt (Ctrl+C), Terminated, or BrokenPipeError (nobody reads the output any more).

    A second signal ends the process without waiting.
    """
    return asyncio.run(_watched(work))


async def _watched(work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    reasons: list[Exception] = []

    def end(reason: Exception) -> None:
        reasons.append(reason)
        task.cancel()

    with _signals(end), _reader(lambda: end(BrokenPipeError())):
        try:
            return await task
        except asyncio.CancelledError:
            if reasons:
                raise reasons[0] from None
            raise  # Ctrl+C, which asyncio itself turns into a KeyboardInterrupt


@contextlib.contextmanager
def _signals(end: Callable[[Exception], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = [] if sys.platform == "win32" else [signal.SIGTERM, signal.SIGHUP]

    def once(number: int) -> None:
        loop.remove_signal_handler(number)
        end(Terminated(128 + number))

    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(number, once, number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _reader(gone: Callable[[], None]) -> Iterator[None]:
    """Call `gone` when the pipe on standard output loses its reader, while nothing is being written too: a model may
    think for minutes for nobody."""
    loop = asyncio.get_running_loop()
    output = sys.stdout.fileno()
    if sys.platform == "win32" or not stat.S_ISFIFO(os.fstat(output).st_mode):
        yield
        return

    def told() -> None:
        loop.remove_reader(output)
        gone()

    loop.add_reader(output, told)  # the writing end of a pipe is "readable" once its other end is closed
    try:
        yield
    finally:
        loop.remove_reader(output)


class Writer:
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
