"""The lines around a message's text: the rule line over it, the line that folded reasoning leaves, notices, the empty state."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.core.text import count_of
from tui.ui.transcript.entry import EmptyLine, EntryNotice, Heading, Tone
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import MEASURE, Line, set_runs, steady
from tui.ui.widgets.row import cut, cut_middle

RULE = "─"
_BOLD = Style(bold=True)
_LEAST_RULE = 3
EMPTY_MARGIN = 1
"""Columns that are free at each side of the empty transcript."""


def heading_line(heading: Heading, width: int, palette: RolePalette, marked: bool = False) -> Line:
    """`── who · detail ─────── figures ─` on exactly `width` cells; where it is narrow the detail is shortened first.
    `marked` = the cursor is on it: `›─ who`, and the rule stands out."""
    rule, muted = palette.ink("accent" if marked else "rule"), palette.ink("muted")
    figures = f" {heading.figures} " if heading.figures else ""
    room = width - len("── ") - len(" ") - _LEAST_RULE - len(RULE)
    if cell_len(figures) > room - min(cell_len(heading.who), 8):
        figures = ""
    room -= cell_len(figures)
    who = cut_middle(heading.who, room)
    detail = f" · {heading.detail}" if heading.detail else ""
    detail = cut(detail, room - cell_len(who)) if room - cell_len(who) > 6 else ""
    left = f"── {who}{detail} "
    fill = width - cell_len(left) - cell_len(figures) - len(RULE)
    line = [
        Segment("›─ ", rule + _BOLD) if marked else Segment("── ", rule),
        Segment(who, palette.ink(heading.tone) + _BOLD),
        Segment(detail, muted),
        Segment(" " + RULE * max(0, fill), rule),
        Segment(figures, muted),
        Segment(RULE, rule),
    ]
    return [segment for segment in line if segment.text]


def notice_lines(notice: EntryNotice, width: int, palette: RolePalette) -> list[Line]:
    """The notice's lines: the first in its tone, the others plain, or all muted."""
    lines: list[Line] = []
    for at, text in enumerate(notice.text.split("\n")):
        style = palette.ink(notice.tone) if at == 0 or notice.tone is Tone.MUTED else palette.base
        lines += set_runs([(steady(text), style)], min(width, MEASURE))
    return lines


def folded_reasoning(
    text: str, count: int, is_live: bool, key: str, width: int, palette: RolePalette
) -> list[Line]:
    """What stands for reasoning of `count` lines that is folded; while it comes in, its newest line `text` too."""
    muted = palette.ink("muted")
    lines = count_of(count, "line")
    if not is_live:
        return [[Segment(cut(f"▸ thought for {lines} · {key} shows it", width), muted)]]
    first = [Segment(cut(f"▸ thinking … {lines} · {key} shows it", width), muted)]
    return [first, [Segment("  ", muted), Segment(text, muted)]]


def unfolded_reasoning(is_live: bool, key: str, width: int, palette: RolePalette) -> list[Line]:
    """The line over reasoning that is shown."""
    word = "thinking" if is_live else "thought"
    return [[Segment(cut(f"▾ {word} · {key} folds it", width), palette.ink("muted"))]]


def empty_lines(lines: Sequence[EmptyLine], width: int, palette: RolePalette) -> list[Line]:
    """The empty transcript: one line free above, one column at the left. What does not fit beside a label, which ends
    with two blanks, goes on under the text."""
    shown: list[Line] = [[]]
    for line in lines:
        parts = [(line, "")] if isinstance(line, str) else line
        runs = [(steady(text), palette.ink(role)) for text, role in parts]
        label = runs[:1] if runs and runs[0][0].endswith("  ") else []
        indent = sum(cell_len(text) for text, _ in label)
        margin = Segment(" " * (1 + indent), palette.base)
        set_lines = set_runs(runs[len(label) :], max(1, width - 2 * EMPTY_MARGIN - indent))
        first = [Segment(" ", palette.base), *(Segment(text, style) for text, style in label)]
        shown.append([*first, *set_lines[0]] if runs else [])
        shown += [[margin, *set_line] for set_line in set_lines[1:]]
    return shown
