"""Answers of the terminal that come too late: they are taken out of the input before they look typed.

When a question to the terminal (probe.py) was not answered in time, the answer arrives in the running app, where
Textual's parser would turn it into key presses.
"""

from __future__ import annotations

import re

# The answer to OSC 11, ended by ST or BEL, and to DA1.
_REPLY = re.compile("\x1b\\]11;[^\x07\x1b]{0,64}(?:\x07|\x1b\\\\)|\x1b\\[\\?[0-9;]{0,64}c")
# What could still become one of them at the end of what was read.
_BEGINNING = re.compile("\x1b(?:\\](?:1(?:1(?:;[^\x07\x1b]{0,64}\x1b?)?)?)?|\\[(?:\\?[0-9;]{0,64})?)?\\Z")
_DA1_END = "c"


class LateReplies:
    """Takes late answers out of text that comes in pieces of any size, until the last of them was seen."""

    def __init__(self) -> None:
        self._held = ""
        self._over = False

    def without(self, text: str) -> str:
        """`text` without answers; what may be the beginning of one is held back."""
        if self._over:
            return text
        text, self._held = self._held + text, ""
        for reply in _REPLY.findall(text):
            # DA1 was asked last, so nothing comes after its answer.
            self._over = self._over or reply.endswith(_DA1_END)
        text = _REPLY.sub("", text)
        beginning = None if self._over else _BEGINNING.search(text)
        if beginning is None:
            return text
        self._held = beginning.group()
        return text[: beginning.start()]

    @property
    def holding(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def released(self) -> str:
        """What was held back and proved to be no answer, as nothing followed it: an Escape key, for one."""
        held, self._held = self._held, ""
        return held
