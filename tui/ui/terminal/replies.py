"""Answers of the terminal that come too late: they are taken out of the input before they look typed.

When a question to the terminal (probe.py) was not answered in time, the answer arrives in the running app, where
Textual's parser would turn it into key presses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from time import monotonic

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

# The answer to OSC 11, ended by ST or BEL, and to DA1.
_REPLY = re.compile("\x1b\\]11;[^\x07\x1b]{0,64}(?:\x07|\x1b\\\\)|\x1b\\[\\?[0-9;]{0,64}c")
# What could still become one of them at the end of what was read.
_BEGINNING = re.compile("\x1b(?:\\](?:1(?:1(?:;[^\x07\x1b]{0,64}\x1b?)?)?)?|\\[(?:\\?[0-9;]{0,64})?)?\\Z")
_DA1_END = "c"
# An answer's bytes are held back no longer than this, so that the Escape key still works while one is due.
_HOLD_S = 0.1
# After this no answer is waited for any more.
_DUE_S = 30.0


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

    def released(self) -> str:
        """What was held back and proved to be no answer, as nothing followed it: an Escape key, for one."""
        held, self._held = self._held, ""
        return held


class _PatientParser(XTermParser):
    """Textual's input parser behind a `LateReplies`."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._late = LateReplies()
        self._fed_at = monotonic()
        self._due_until = self._fed_at + _DUE_S

    def feed(self, data: str) -> Iterable[Message]:
        self._fed_at = monotonic()
        text = self._late.without(data) if self._fed_at < self._due_until else self._late.released() + data
        # Textual 8.2: an empty text means the end of the input.
        return super().feed(text) if text or not data else ()

    def tick(self) -> Iterable[Message]:
        if monotonic() - self._fed_at > _HOLD_S and (text := self._late.released()):
            yield from super().feed(text)
        yield from super().tick()


def expect_late_replies() -> None:
    """Makes the next app drop the answers to `probe.BackgroundQuery` from its input. Call before it starts.

    Textual 8.2's LinuxDriver makes its parser, in a local variable, by the name that is replaced here.
    """
    linux_driver.__dict__["XTermParser"] = _PatientParser
