"""What the transcript is told to show: a message's heading line, its text, and what is to be said under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """Whose a line is or how serious; the value is the palette's role for it."""

    PERSON = "accent"
    MODEL = "second"
    ERROR = "error"
    MUTED = "muted"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Heading:
    """The rule line over a message: `── who · detail ─────── figures ─`. With an empty `who` there is none."""

    who: str
    tone: Tone
    detail: str = ""
    figures: str = ""


@dataclass(frozen=True, slots=True)
class EntryNotice:
    """Lines under a message: why it is not whole and what to do. The first line takes the tone."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Entry:
    """One message. `markdown=False` shows the text as it is; `streaming` marks where it goes on."""

    id: str
    heading: Heading
    text: str = ""
    reasoning: str = ""
    notice: EntryNotice | None = None
    markdown: bool = True
    streaming: bool = False


EmptyLine = str | Sequence[tuple[str, str]]
"""A line of the empty transcript: plain text, or (text, role) parts; the empty role is plain text."""
