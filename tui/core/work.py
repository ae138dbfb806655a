"""How much work a check of somebody else's schema may do."""

from __future__ import annotations


class Exhausted(Exception):
    """A check took more work than it may."""


class WorkBudget:
    """How much work a check may still do, in steps of about a microsecond."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises Exhausted when there is nothing left."""
        self._left -= steps
        if self._left < 0:
            raise Exhausted
