"""Taking off the beginning of a continued answer, where a server sends what was there already once more."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.events import Event, Failed, NotSent, Progress, TextDelta


class RepeatedStart:
    """Takes the events of an answer that continues `start`. The start is taken off wherever it comes, in pieces of any
    size, also without the blanks at its ends, which some servers strip; an answer that begins otherwise stays whole."""

    def __init__(self, start: str) -> None:
        self._start = start.strip()
        self._blanks = start[len(start.rstrip()) :]
        self._held = ""
        self._open = bool(self._start)
        self._after = False

    def take(self, event: Event) -> Sequence[Event]:
        """What is to be handed on: what was held back goes before any other event, but for an answer that broke off while
        its start was being repeated."""
        match event:
            case TextDelta(piece):
                return self._told(self._text(piece))
            case Progress() | NotSent() | Failed():
                return [event]
            case _:
                return [*self._told(self._release()), event]

    def _text(self, piece: str) -> str:
        if not self._open and not self._after:
            return piece
        self._held += piece
        if self._open:
            came = self._held.lstrip()
            if len(came) < len(self._start) and self._start.startswith(came):
                return ""
            self._open = False
            if not came.startswith(self._start):
                return self._release()
            self._held, self._after = came[len(self._start) :], True
        return self._without_blanks()

    def _without_blanks(self) -> str:
        """What follows the start, without the blanks at its end, which are there already."""
        blanks = self._blanks
        while blanks and self._held and self._held[0] == blanks[0]:
            self._held, blanks = self._held[1:], blanks[1:]
        self._blanks = blanks if not self._held else ""
        self._after = bool(self._blanks)
        held, self._held = self._held, ""
        return held

    def _release(self) -> str:
        held, self._held = self._held, ""
        self._open = self._after = False
        return held

    @staticmethod
    def _told(text: str) -> list[Event]:
        return [TextDelta(text)] if text else []
