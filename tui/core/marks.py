"""What telling marks from text takes, whatever the marks: whether one is quoted, and whether one ends the text."""

from __future__ import annotations

import re
from collections.abc import Sequence


class QuotedMarks:
    """Follows a text line by line, to tell a mark from one that is put between backticks."""

    def __init__(self) -> None:
        self._ticks = 0  # backticks in the line so far
        self._last = ""

    def note(self, piece: str) -> None:
        """The text goes on with `piece`."""
        if piece:
            _, line_break, line = piece.rpartition("\n")
            self._ticks = line.count("`") + (0 if line_break else self._ticks)
            self._last = piece[-1]

    def quoted(self, ahead: str, start: int, end: int, *, last: bool) -> bool | None:
        """Whether the mark from `start` to `end` of `ahead`, which comes next, is put between backticks. None = that
        depends on what comes after it; with `last` nothing does."""
        _, line_break, line = ahead[:start].rpartition("\n")
        ticks = line.count("`") + (0 if line_break else self._ticks)
        if ticks % 2 == 0 or (ahead[start - 1] if start else self._last) != "`":
            return False
        if end == len(ahead):
            return False if last else None
        return ahead[end] == "`"


class LastMarks:
    """Takes `marks` off the end of a text that comes in pieces. Anywhere else they are text, and so is one that is
    written as a word or quoted."""

    def __init__(self, marks: Sequence[str]) -> None:
        self._marks = marks
        self._held = ""
        self._last = ""

    def feed(self, piece: str) -> str:
        """What is certain after `piece` has come."""
        text, at = self._held + piece, -1
        while (at := text.find("<", at + 1)) >= 0:
            if self._left(text[at:], torn=True) is not None:
                break
        certain = len(text) if at < 0 else at
        self._held = text[certain:]
        if certain:
            self._last = text[certain - 1]
        return text[:certain]

    def finish(self) -> str:
        """What was held back and is text."""
        held, self._held = self._held, ""
        is_text = self._last == "" or self._last in " \t`\"'" or self._left(held, torn=False) is None
        return held if is_text else ""

    def _left(self, text: str, *, torn: bool) -> str | None:
        """What is left of a text of nothing but these marks, the last of them perhaps `torn`; None for other text."""
        while text:
            mark = next((mark for mark in self._marks if text.startswith(mark)), None)
            if mark is None:
                return text if torn and any(mark.startswith(text) for mark in self._marks) else None
            text = text[len(mark) :].lstrip()
        return text


def in_code(text: str) -> bool:
    """Whether what follows `text` stands in Markdown's code: in a fenced block, or in a span on its last line."""
    fence = ""
    lines = text.split("\n")
    for line in lines[:-1]:
        found = _FENCE.match(line)
        if found is None:
            continue
        if not fence:
            fence = found[1]
        elif found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip():
            fence = ""
    opened = 0
    for run in re.findall("`+", lines[-1]):
        if not opened:
            opened = len(run)
        elif opened == len(run):
            opened = 0
    return bool(fence) or opened > 0


_FENCE = re.compile(r"[ \t>*+-]*(`{3,}|~{3,})([^\n]*)")


def overlap(text: str, mark: str) -> int:
    """How many characters at the end of `text` could be the start of `mark`."""
    return next(
        (size for size in range(min(len(text), len(mark) - 1), 0, -1) if text.endswith(mark[:size])), 0
    )
