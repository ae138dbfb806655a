"""Running something that takes time so that it ends at once: on Ctrl+C, on SIGTERM and SIGHUP, and when the reader of
its output goes away."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


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
