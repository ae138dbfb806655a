"""Telling reasoning from answer where a server leaves `<think>...</think>` in the text.

Only blocks at the very start count: later on a tag is something the model writes about. The opening tag may be missing,
because the chat template has put it into the prompt; then the closing tag says that all that came was reasoning.
"""

from __future__ import annotations

from enum import Enum, auto

from tui.core.events import ReasoningDelta, TextDelta, TextWasReasoning

Piece = TextDelta | ReasoningDelta | TextWasReasoning

_OPEN, _CLOSE = "<think>", "</think>"
_MAX_BLANK = 1000  # blanks held back at the start while waiting for a tag


class _State(Enum):
    START = auto()  # nothing but blanks and closed blocks so far
    THINKING = auto()
    TEXT = auto()


class ThinkSplitter:
    """Splits the text of one answer. It holds back no more than could be the start of a tag."""

    def __init__(self) -> None:
        self._state = _State.START
        self._held = ""
        self._opened = False  # a block was opened: a closing tag in the text is no longer a missing one's
        self._text_came = False
        self._in_code = False  # an odd number of backticks so far: inside a code span or block

    def feed(self, text: str) -> list[Piece]:
        """What is certain after `text` has come."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and self._step(pieces):
            pass
        return pieces

    def finish(self) -> list[Piece]:
        """What was held back when the answer ended."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ReasoningDelta(held) if self._state is _State.THINKING else TextDelta(held)]

    def _step(self, pieces: list[Piece]) -> bool:
        """One step of the machine; False when it needs more text."""
        match self._state:
            case _State.START:
                return self._start()
            case _State.THINKING:
                return self._thinking(pieces)
            case _State.TEXT:
                return self._text(pieces)

    def _start(self) -> bool:
        ahead = self._held.lstrip()
        if ahead.startswith(_OPEN):
            self._held = ahead[len(_OPEN) :].lstrip()
            self._state = _State.THINKING
            self._opened = True
            return True
        if _OPEN.startswith(ahead) and len(self._held) <= _MAX_BLANK:
            return False
        if self._opened:
            self._held = ahead
        self._state = _State.TEXT
        return True

    def _thinking(self, pieces: list[Piece]) -> bool:
        before, tag, after = self._held.partition(_CLOSE)
        if tag:
            _say(pieces, ReasoningDelta(before.rstrip()))
            self._held = after
            self._state = _State.START
            return True
        certain = len(self._held) - _overlap(self._held, _CLOSE)
        _say(pieces, ReasoningDelta(self._held[:certain]))
        self._held = self._held[certain:]
        return False

    def _text(self, pieces: list[Piece]) -> bool:
        if self._opened:
            _say(pieces, TextDelta(self._held))
            self._held = ""
            return False
        at_close, at_open = self._held.find(_CLOSE), self._held.find(_OPEN)
        if at_open >= 0 and (at_close < 0 or at_open < at_close):
            self._opened = True  # the answer is about tags
            return True
        if at_close < 0:
            certain = len(self._held) - max(_overlap(self._held, _CLOSE), _overlap(self._held, _OPEN))
            self._write(pieces, self._held[:certain])
            self._held = self._held[certain:]
            return False
        before, self._held = self._held[:at_close], self._held[at_close:]
        if self._in_code != (before.count("`") % 2 == 1):
            self._opened = True
            self._write(pieces, before)
            return True
        if self._text_came:
            pieces.append(TextWasReasoning())
        _say(pieces, ReasoningDelta(before.rstrip()))
        self._held = self._held[len(_CLOSE) :]
        self._state = _State.START
        self._opened = True
        return True

    def _write(self, pieces: list[Piece], text: str) -> None:
        if text:
            pieces.append(TextDelta(text))
            self._text_came = True
            self._in_code ^= text.count("`") % 2 == 1


def _say(pieces: list[Piece], piece: TextDelta | ReasoningDelta) -> None:
    if piece.text:
        pieces.append(piece)


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the start of `tag`."""
    return next((size for size in range(min(len(text), len(tag) - 1), 0, -1) if text.endswith(tag[:size])), 0)
