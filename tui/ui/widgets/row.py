"""One screen line from styled parts: what every line widget is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells, set_cell_size, split_graphemes
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

Part = tuple[str, Style]
_LEAST_MIDDLE = 8  # cells below which two ends of a name say less than its beginning


def colourless(parts: Iterable[Part]) -> list[Part]:
    """The parts without their colours, for a line that is shown in reverse, where colours would be patches."""
    return [(text, style.without_color) for text, style in parts]


def parts_width(parts: Iterable[Part]) -> int:
    """The width in cells."""
    return sum(cell_len(text) for text, _ in parts)


def cut(text: str, width: int) -> str:
    """`text` in at most `width` cells, with an ellipsis where something is left out."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """A name in at most `width` cells, with an ellipsis in its middle where something is left out: names often differ at
    their ends only."""
    if cell_len(text) <= width or width < _LEAST_MIDDLE:
        return cut(text, width)
    pieces, _ = split_graphemes(text)
    room, start, stop = (width - 1) // 2, len(text), 0
    used = 1
    for first, _, cells in reversed(pieces):
        if used + cells > room + 1:
            break
        start, used = first, used + cells
    for _, last, cells in pieces:
        if used + cells > width:
            break
        stop, used = last, used + cells
    return text[:stop].rstrip() + "…" + text[start:].lstrip()


def fit(parts: Iterable[Part], width: int, fill: Style) -> Strip:
    """The parts on exactly `width` cells over the style `fill`, padded or cut at the right."""
    segments = []
    left = width
    for text, style in parts:
        size = cell_len(text)
        if size > left:
            text, size = cut(text, left), left
            text = set_cell_size(text, left)
        if text:
            segments.append(Segment(text, fill + style))
        left -= size
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, fill))
    return Strip(segments, width)


def spread(left: Sequence[Part], right: Sequence[Part], width: int, fill: Style, gap: int = 1) -> Strip:
    """Left parts at the left end, right parts at the right end; where both do not fit the right ones are cut first."""
    used = parts_width(left)
    room = max(0, width - used - gap)
    shown: list[Part] = []
    for text, style in right:
        piece = cut(text, room)
        if piece:
            shown.append((piece, style))
        room -= cell_len(piece)
    space = max(gap if shown else 0, width - used - parts_width(shown))
    return fit([*left, (" " * space, Style.null()), *shown], width, fill)


def choose(groups: Sequence[tuple[int, Sequence[Part]]], separator: Part, width: int) -> list[Part]:
    """Those of the (rank, parts) `groups` that fit in `width`, in their order, joined by `separator`.

    Where not all fit, a group of a lower rank number is kept before one of a higher.
    """
    gap = cell_len(separator[0])
    kept: set[int] = set()
    used = -gap
    for index in sorted(range(len(groups)), key=lambda index: groups[index][0]):
        size = parts_width(groups[index][1]) + gap
        if used + size <= width:
            kept.add(index)
            used += size
    shown: list[Part] = []
    for index in sorted(kept):
        if shown:
            shown.append(separator)
        shown.extend(groups[index][1])
    return shown


def wrap_words(text: str, width: int) -> list[str]:
    """Short text for people in lines of at most `width` cells, broken between words; a longer word, such as a
    path, goes on in the next line."""
    lines: list[str] = []
    line = ""
    pieces = (piece for word in text.split() for piece in chop_cells(word, max(2, width)))
    for word in pieces:
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
    if line:
        lines.append(line)
    return lines
