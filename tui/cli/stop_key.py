"""Esc as the way to stop a command that runs in a terminal, without a screen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Iterator

ESCAPE = b"\x1b"
_REST_S = 0.05
"""So soon after its first byte the rest of an arrow key's comes, which begins like Esc."""


@contextlib.contextmanager
def stop_on_escape(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` on the event loop when Esc is pressed while the block runs, where standard input is a terminal of which
    this process is in the foreground. The keys are read one by one and not shown; Ctrl+C does what it always does. The
    terminal is as it was afterwards."""
    try:
        descriptor = sys.stdin.fileno()
        foreground = sys.stdin.isatty() and os.tcgetpgrp(descriptor) == os.getpgrp()
    except (OSError, ValueError, AttributeError):  # none, closed, or a system that has no process groups
        foreground = False
    if not foreground:
        yield
        return
    import termios
    import tty

    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(descriptor)
    due: list[asyncio.TimerHandle] = []

    def pressed() -> None:
        while due:
            due.pop().cancel()
        try:
            keys = os.read(descriptor, 1024)
        except OSError:
            keys = b""
        if not keys:
            loop.remove_reader(descriptor)
        elif keys.endswith(ESCAPE):
            due.append(loop.call_later(_REST_S, stop))

    tty.setcbreak(descriptor, termios.TCSANOW)
    loop.add_reader(descriptor, pressed)
    try:
        yield
    finally:
        loop.remove_reader(descriptor)
        while due:
            due.pop().cancel()
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
