"""Counting the lines that come in below a reader who has scrolled up."""

from __future__ import annotations

from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition


class Unread:
    """The lines that were added since `start`. Each count looks only at what was added since the one before."""

    def __init__(self) -> None:
        self._from = LinePosition()
        self._added = (
            0  # lines before `_from` that are unread; below zero for those behind it that were there already
        )

    def start(self, document: TranscriptLayout) -> None:
        """From here on lines are new."""
        self._from = document.growing_spot()
        self._added = -document.lines_between(self._from, None)

    def count(self, document: TranscriptLayout) -> int:
        """How many lines are new."""
        growing = document.growing_spot()
        if growing > self._from:
            self._added += document.lines_between(self._from, growing)
            self._from = growing
        return max(0, self._added + document.lines_between(self._from, None))

    def cap(self, count: int, below: int) -> int:
        """`count`, or the number of lines `below` the screen if fewer: the reader has seen the others."""
        if below < count:
            self._added -= count - below
        return min(count, below)
