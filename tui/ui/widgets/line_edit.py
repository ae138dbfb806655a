"""One line of text that is being written, without a widget: a list keeps the keys for itself, so that those
which come in one piece, as they do on a slow line, count in the order in which they came."""

from __future__ import annotations

from rich.cells import cell_len

from tui.core.text import safe_line

LONGEST = 300
"""Characters that a line takes."""


class LineEdit:
    """The text and the cursor, which stands before the character `at`."""

    def __init__(self, text: str = "") -> None:
        self.text = safe_line(text, LONGEST)
        self.at = len(self.text)

    def insert(self, text: str) -> None:
        """Write at the cursor; what is pasted becomes one line. What would be too long is left out."""
        if text.isspace():
            text = " "
        elif len(text) > 1 or not text.isprintable():
            text = safe_line(text, LONGEST)
        text = text[: LONGEST - len(self.text)]
        self.text = self.text[: self.at] + text + self.text[self.at :]
        self.at += len(text)

    def key(self, key: str, character: str | None) -> bool:
        """Do what a key means in a line; False if it means nothing."""
        if character is not None and len(character) == 1 and character.isprintable():
            self.insert(character)
            return True
        match key:
            case "left":
                self.at = self._before(self.at)
            case "right":
                self.at = self._after(self.at)
            case "ctrl+left":
                self.at = self._word_before()
            case "ctrl+right":
                self.at = self._word_after()
            case "home" | "ctrl+a":
                self.at = 0
            case "end" | "ctrl+e":
                self.at = len(self.text)
            case "backspace":
                self._delete(self._before(self.at), self.at)
            case "delete":
                self._delete(self.at, self._after(self.at))
            case "ctrl+w":
                self._delete(self._word_before(), self.at)
            case "alt+delete":
                self._delete(self.at, self._word_after())
            case "ctrl+u":
                self._delete(0, self.at)
            case "ctrl+k":
                self._delete(self.at, len(self.text))
            case _:
                return False
        return True

    def shown(self, width: int) -> tuple[str, str, str]:
        """What is before the cursor, under it and behind it, as much of it as fits in `width` cells."""
        end = self._after(self.at)
        before, under, after = self.text[: self.at], self.text[self.at : end] or " ", self.text[end:]
        room = max(0, width - cell_len(under))
        while cell_len(before) > room:
            before = before[1:]
        while cell_len(before) + cell_len(after) > room:
            after = after[:-1]
        return before, under, after

    def _delete(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.at = start

    def _before(self, at: int) -> int:
        at = max(0, at - 1)
        while at and not cell_len(self.text[at]):  # an accent that stands on the letter before it
            at -= 1
        return at

    def _after(self, at: int) -> int:
        at = min(len(self.text), at + 1)
        while at < len(self.text) and not cell_len(self.text[at]):
            at += 1
        return at

    def _word_before(self) -> int:
        left = self.text[: self.at].rstrip()
        return left.rfind(" ") + 1

    def _word_after(self) -> int:
        rest = self.text[self.at :]
        blanks = len(rest) - len(rest.lstrip())
        end = rest.find(" ", blanks)
        return len(self.text) if end < 0 else self.at + end
