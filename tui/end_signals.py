"""Requests to end that come as signals: each is one way out that saves everything and leaves the terminal as it was.

It imports next to nothing, since it is there before anything else of lokal is.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGXCPU")
"""The signals that end a process that does not handle them and that another one may send. SIGINT is one too: Ctrl+C is
a key to lokal, so this one comes from outside."""
PATIENCE_S = 10.0
"""How long lokal may take to end before a further signal ends it at once."""


class EndSignals:
    """What a signal to end does while lokal has the terminal. Made once, in the main thread.

    Before the app is there, `put_right` is called and the process ends. Once `lead_to` was called, its function is, and
    further signals change nothing, however many come; but after `PATIENCE_S` one ends the process at once. `number` is
    the first signal that came, 0 without one: the exit status is 128 more.
    """

    def __init__(self, put_right: Callable[[], None]) -> None:
        """`put_right` leaves the terminal as it was, at any moment."""
        import signal

        self.number = 0
        self._put_right = put_right
        self._leave: Callable[[], None] | None = None
        self._asked_at: float | None = None
        self._numbers = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
        for number in self._numbers:
            # What whoever started lokal has it ignore, as nohup does, stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._told)

    def lead_to(self, leave: Callable[[], None]) -> None:
        """From now on a signal calls `leave`, which comes back at once and sees to it that lokal ends."""
        self._leave = leave

    def ending(self) -> None:
        """lokal ends by itself: signals do not break in on that until `PATIENCE_S` are over."""
        import time

        self._leave = _nothing
        if self._asked_at is None:
            self._asked_at = time.monotonic()

    def _told(self, number: int, frame: object) -> None:
        import time

        self.number = self.number or number
        now = time.monotonic()
        if self._leave is None or (self._asked_at is not None and now - self._asked_at > PATIENCE_S):
            self._end_now()
        elif self._asked_at is None:
            self._asked_at = now
            self._leave()

    def _end_now(self) -> None:
        import signal

        for number in self._numbers:
            signal.signal(number, signal.SIG_IGN)
        try:
            self._put_right()
        finally:
            os._exit(128 + self.number)


def _nothing() -> None:
    """Nothing more is to be done."""
