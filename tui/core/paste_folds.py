"""Long pastes inside a text that a person writes: each is one piece, shown as a chip `⟦pasted 4,200 lines · 1⟧`.

A text exists in three forms. *Shown*: with the chips, as it is in the composer. *Marked*: with the pieces themselves
between two control characters, as drafts and the prompt history keep it. *Plain*: what a model is sent.
"""

from __future__ import annotations

import re

from tui.core.text import safe_block

START, END = "\x02", "\x03"
"""The marks around a piece. Nothing that is typed, pasted or read from a file has them: they are control characters."""
LONG_LINES = 20
LONG_CHARACTERS = 2000
"""A paste of more lines or characters than these is a piece of its own."""

_CHIP = re.compile(r"⟦pasted [\d,]+ (?:lines|characters) · (\d+)⟧")
_PIECE = re.compile(f"{START}([^{START}{END}]*){END}")
_EACH_MARK = re.compile(f"([{START}{END}])")
_MARKS = str.maketrans("", "", START + END)


def is_long(text: str) -> bool:
    """Whether a paste becomes a piece of its own."""
    return len(text) > LONG_CHARACTERS or _lines(text) > LONG_LINES


def plain(marked: str) -> str:
    """The text as it is sent."""
    return marked.translate(_MARKS) if START in marked or END in marked else marked


def safe_marked(marked: str) -> str:
    """A marked text with nothing else in it that would act on a terminal, whoever has written its file."""
    return "".join(part if part in (START, END) else safe_block(part) for part in _EACH_MARK.split(marked))


class PasteFolds:
    """The pieces of one text, by their numbers. A piece stays known when its chip is deleted, for that can be undone."""

    def __init__(self) -> None:
        self._pieces: dict[int, str] = {}

    def add(self, text: str) -> str:
        """Keep a piece; the chip that stands for it."""
        number = max(self._pieces, default=0) + 1
        self._pieces[number] = plain(text)
        return self._chip(number)

    def chips(self, shown: str) -> list[tuple[int, int, int]]:
        """Where chips are in a shown text: (start, end, number). What only looks like one is text."""
        if "⟦" not in shown:
            return []
        return [
            (found.start(), found.end(), int(found[1]))
            for found in _CHIP.finditer(shown)
            if self._stands_for(found[0], int(found[1]))
        ]

    def piece(self, number: int) -> str:
        """The text of a piece."""
        return self._pieces[number]

    def marked(self, shown: str) -> str:
        """The marked form of a shown text."""
        parts, at = [], 0
        for start, end, number in self.chips(shown):
            parts += [shown[at:start], START, self._pieces[number], END]
            at = end
        return "".join([*parts, shown[at:]]) if parts else shown

    def load(self, marked: str) -> str:
        """Start anew with the pieces of a marked text; its shown form."""
        self._pieces = {}
        return (
            plain(_PIECE.sub(lambda found: self.add(found[1]), marked)) if START in marked else plain(marked)
        )

    def refold(self, text: str) -> str:
        """The shown form of a plain text in which pieces may be found again, as after the text was in an editor."""
        parts, at = [], 0
        for number in sorted(self._pieces):
            piece = self._pieces[number]
            found = text.find(piece, at) if is_long(piece) else -1
            if found >= 0:
                parts += [plain(text[at:found]), self._chip(number)]
                at = found + len(piece)
        return "".join([*parts, plain(text[at:])])

    def _stands_for(self, chip: str, number: int) -> bool:
        return number in self._pieces and chip == self._chip(number)

    def _chip(self, number: int) -> str:
        piece = self._pieces[number]
        lines = _lines(piece)
        size = f"{lines:,} lines" if lines > 1 else f"{len(piece):,} characters"
        return f"⟦pasted {size} · {number}⟧"


def _lines(text: str) -> int:
    return text.count("\n") + (not text.endswith("\n"))
