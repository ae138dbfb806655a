"""How often a streamed answer is drawn: thirty times a second on a fast line, five on a slow one, four beside
the engine.

Only what is told to a `Pace` counts: how long writes waited, how many frames lie in the queue, how long the terminal
took to answer. It reads no clock, so a test can live through a minute at once.
"""

from __future__ import annotations

from typing import Literal

TerminalSpeed = Literal["auto", "fast", "slow"]

FAST_INTERVAL_S = 1 / 30
SLOW_INTERVAL_S = 1 / 5
ENGINE_INTERVAL_S = 1 / 4
"""While the built-in engine answers: what lokal draws more often than one reads, it takes from the model."""

# An answer that takes longer than this comes over a line, or a queue, that does not keep up with thirty frames: nine
# of them are under way at once. Back to fast well below it, or the pace would flap.
_SLOW_ROUND_TRIP_S = 0.3
_FAST_ROUND_TRIP_S = 0.15
# A write that waits has filled the writer's queue, the tty's buffer and ssh's window before.
_BLOCKED_S = 0.05
_BACKLOG = 4
# After such a sign the line counts as slow for so long, however quick it seems.
_DOUBT_S = 5.0
# Between two questions to the terminal; one costs 9 bytes down and 11 up.
_ROUND_TRIP_EVERY_S = 2.0


class Pace:
    """Decides whether the line is slow. `setting` is the person's word, `auto` leaves it to what is measured.

    `engine_here` = the model computes on the processor that lokal draws with.

    Times are in seconds of one monotonic clock. Over SSH the terminal's answers are timed too; without it the terminal is near.
    """

    def __init__(self, setting: TerminalSpeed = "auto", *, over_ssh: bool = False) -> None:
        self.setting = setting
        self.over_ssh = over_ssh
        self.engine_here = False
        self._slow_answers = False
        self._doubtful_until = 0.0
        self._asked_at: float | None = None
        self._now = 0.0
        self._took_s = 0.0

    @property
    def line_s(self) -> float:
        """How long the line needs there and back, in seconds, as far as that is known: what was measured last, and more
        than nothing where the person says that it is slow."""
        return max(self._took_s, _SLOW_ROUND_TRIP_S if self.slow else 0.0)

    @property
    def slow(self) -> bool:
        if self.setting != "auto":
            return self.setting == "slow"
        return self._slow_answers or self._now < self._doubtful_until

    def interval_s(self) -> float:
        """The time to leave between two frames of a streamed answer, in seconds."""
        if self.engine_here:
            return ENGINE_INTERVAL_S
        return SLOW_INTERVAL_S if self.slow else FAST_INTERVAL_S

    def wrote(self, blocked_s: float, queued: int, now: float) -> None:
        """A frame was written: it waited `blocked_s`, and `queued` writes had been waiting before it."""
        self._now = now
        if blocked_s >= _BLOCKED_S or queued >= _BACKLOG:
            self._doubtful_until = now + _DOUBT_S

    def wants_round_trip(self, now: float) -> bool:
        """Whether the terminal should be asked for an answer now, to time it; counts as asked if so."""
        if self.setting != "auto" or not self.over_ssh:
            return False
        if self._asked_at is not None and now - self._asked_at < _ROUND_TRIP_EVERY_S:
            return False
        self._asked_at = now
        return True

    def waiting(self, waited_s: float, now: float) -> None:
        """The terminal was asked `waited_s` ago and has not answered yet."""
        self._now = now
        self._took_s = max(self._took_s, waited_s)
        if waited_s > _SLOW_ROUND_TRIP_S:
            self._slow_answers = True

    def round_trip(self, took_s: float, now: float) -> None:
        """The terminal answered after `took_s`; what waited in the queues before the question is part of it."""
        self._now = now
        self._took_s = took_s
        if took_s > _SLOW_ROUND_TRIP_S:
            self._slow_answers = True
        elif took_s < _FAST_ROUND_TRIP_S:
            self._slow_answers = False


def named_speed(said: str) -> TerminalSpeed:
    """The setting `terminal_speed`, which was checked when it was read."""
    return "slow" if said == "slow" else "fast" if said == "fast" else "auto"
