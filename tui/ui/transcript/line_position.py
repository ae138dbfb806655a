"""Places in a conversation that is laid out as lines."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class MessageSection(IntEnum):
    """The parts of a message from top to bottom."""

    HEAD = 0
    REASONING = 1
    TEXT = 2
    NOTICE = 3


class LinePosition(NamedTuple):
    """A line: of a piece, of a section, of an entry. Later lines compare greater."""

    entry: int = 0
    section: int = 0
    piece: int = 0
    line: int = 0
