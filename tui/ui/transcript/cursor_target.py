"""What the cursor on the messages is on, and how it looks: a sign of its own, so that it needs no colour."""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style

from tui.ui.transcript.code import BAR
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line

FIRST_BAR, OTHER_BAR = "› ", "┃ "
_BOLD = Style(bold=True)


class CursorTarget(NamedTuple):
    """What the cursor is on: a message, or its code block with that number (0 = the message)."""

    entry_id: str
    block: int = 0


def marked_block(lines: list[Line], number: int, is_start: bool, palette: RolePalette) -> list[Line]:
    """The lines of a part of a code block with its bar, and its number in the corner, standing out."""
    rule, muted, accent = palette.ink("rule"), palette.ink("muted"), palette.ink("accent") + _BOLD
    shown: list[Line] = []
    corner = f"[{number}]"
    for line in lines:
        bars = [
            at for at, segment in enumerate(line) if segment.text == BAR and segment.style == rule
        ]  # the last one is the code's; before it may be those of quotes
        if not bars:
            shown.append(line)
            continue
        changed = list(line)
        changed[bars[-1]] = Segment(FIRST_BAR if is_start else OTHER_BAR, accent)
        last = changed[-1]
        if is_start and last.style == muted and last.text.endswith(corner):
            blank = last.text.removesuffix(corner)
            changed[-1:] = [Segment(blank, muted), Segment(corner, accent)]
        is_start = False
        shown.append(changed)
    return shown
