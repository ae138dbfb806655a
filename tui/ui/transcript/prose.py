"""Setting styled text in lines of a width: breaks between words, inside those that are too long, and by terminal cells.

A line is a list of Rich segments and never wider than asked for. Text comes as runs, (text, style) pairs; a newline in
a run is a line break. Tabs and markup must be gone before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size, split_graphemes
from rich.segment import Segment
from rich.style import Style

Line = list[Segment]
Run = tuple[str, Style]

MEASURE = 100
"""The most columns that prose is set to: longer lines are hard to read."""

# Han, kana and full-width forms, between which a line may end anywhere, but not before closing or after opening marks.
_WIDE = (
    "\u2e80-\u2fff\u3003-\u3007\u3012-\u3013\u301c-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff02-\uff07\uff0a-\uff0b\uff0d\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3a\U00020000-\U0003fffd"
)
_OPENING = "\u3008\u300a\u300c\u300e\u3010\u3014\uff08\uff3b\uff5b"
_CLOSING = (
    "\u3001\u3002\u3009\u300b\u300d\u300f\u3011\u3015\uff01\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3d\uff5d"
)
_PIECES = re.compile(f" +|[{_OPENING}]*[{_WIDE}][{_CLOSING}]*|(?:(?![{_OPENING}]*[{_WIDE}])[^ ])+|[^ ]")


# Joiners, the emoji sign, and skin tones: terminals disagree about how many cells the result takes, and a line of which
# we do not know the width would push everything behind it out of place.
_UNSTEADY = re.compile("[\ufe0f\u200d]+|(?<=[\u2600-\u27bf\U0001f000-\U0001faff])[\U0001f3fb-\U0001f3ff]+")
# What acts on a terminal or turns text around on it: a chat may have been written by another program than lokal.
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_TAB = 4


def steady(text: str) -> str:
    """`text` with nothing left in it that takes another number of cells on another terminal, or does more than to be shown."""
    if text.isprintable() and text.isascii():
        return text
    text = _ACTING.sub("", text)
    if text.isascii():
        return text.expandtabs(_TAB) if "\t" in text else text
    return _UNSTEADY.sub("", _UNSTEADY.sub("", text)).expandtabs(_TAB)


def wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Start and end of each line of `text` (indices) when it is set to `width` cells.

    Blanks at a break belong to no line; those at the start of the text and after a newline stay.
    """
    spans: list[tuple[int, int]] = []
    width = max(1, width)
    start = 0
    while True:
        stop = text.find("\n", start)
        if stop < 0:
            stop = len(text)
        if stop - start <= width and cell_len(text[start:stop]) <= width:
            spans.append((start, start + len(text[start:stop].rstrip(" "))))
        else:
            _wrap_line(text, start, stop, width, spans)
        if stop == len(text):
            return spans
        start = stop + 1


def _wrap_line(text: str, start: int, stop: int, width: int, spans: list[tuple[int, int]]) -> None:
    used = 0
    end = start  # behind the last piece on this line that is not blank
    for piece in _PIECES.finditer(text, start, stop):
        word = piece[0]
        if word[0] == " ":
            used += len(word)
            continue
        size = cell_len(word)
        if used + size > width:
            if end > start:
                spans.append((start, end))
            start, used = piece.start(), 0
        if size <= width:
            used += size
        else:
            for first, _, cells in split_graphemes(word)[0]:
                at = piece.start() + first
                if used + cells > width and at > start:
                    spans.append((start, at))
                    start, used = at, 0
                used += cells
        end = piece.end()
    spans.append((start, end))


def set_runs(runs: Sequence[Run], width: int) -> list[Line]:
    """The runs as lines of at most `width` cells."""
    text = "".join([part for part, _ in runs])
    lines: list[Line] = []
    index, offset = 0, 0  # the run being read, and where it starts in the text
    for start, end in wrap(text, width):
        line: Line = []
        while index < len(runs):
            part, style = runs[index]
            piece = part[max(0, start - offset) : end - offset] if end > offset else ""
            if piece:
                line.append(Segment(piece, style))
            if offset + len(part) > end:
                break
            offset += len(part)
            index += 1
        lines.append(line)
    return lines


def width_of(line: Iterable[Segment]) -> int:
    """The width in cells."""
    return sum([cell_len(segment.text) for segment in line])


def cut(line: Line, width: int, sign: str, style: Style) -> Line:
    """`line` in at most `width` cells; where something is left out, `sign` (one cell, in `style`) stands at the right end."""
    if width_of(line) <= width:
        return line
    shown: Line = []
    left = width - 1
    for text, segment_style, _ in line:
        size = cell_len(text)
        if size >= left:
            # Pads with a blank where the cut goes through a wide character.
            text = set_cell_size(text, left)
            if text:
                shown.append(Segment(text, segment_style))
            break
        shown.append(Segment(text, segment_style))
        left -= size
    shown.append(Segment(sign, style))
    return shown


def shifted(line: Line, cells: int, sign: str, style: Style) -> Line:
    """`line` without its first `cells` cells, and `sign` (one cell, in `style`) in the first that is left; an empty line
    stays empty."""
    if not cells or not line:
        return line
    shown: Line = [Segment(sign, style)]
    left = cells + 1
    for segment in line:
        size = cell_len(segment.text) if left else 0
        if size < left:
            left -= size
        elif left:
            # Pads with a blank where the cut goes through a wide character.
            behind = segment.split_cells(left)[1]
            shown += [behind] if behind.text else []
            left = 0
        else:
            shown.append(segment)
    return shown


def pad(line: Line, width: int, style: Style) -> Line:
    """`line` on exactly `width` cells: filled up with blanks, or cut by force."""
    size = width_of(line)
    if size < width:
        return [*line, Segment(" " * (width - size), style)]
    return line if size == width else Segment.adjust_line_length(line, width, style)
