"""What a search has found in the transcript: which line is shown, and the words that stand out in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style

from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition, MessageSection
from tui.ui.transcript.prose import Line

_WIDEST = 1 << 30
"""More cells than any line has."""
_MATCH_STYLE = Style(bold=True, underline=True)


class SearchHighlight:
    """Highlights what a pattern finds in one message, until another one is looked at or it is cleared."""

    def __init__(self, document: TranscriptLayout) -> None:
        self._document = document
        self._matched: tuple[str, re.Pattern[str]] | None = None
        self._pending: tuple[str, re.Pattern[str] | None] | None = None

    def show(self, entry_id: str, pattern: re.Pattern[str] | None) -> None:
        """Highlight what `pattern` finds in that message; the first line of it that has any is to be shown."""
        self._matched = None if pattern is None else (entry_id, pattern)
        self._pending = entry_id, pattern

    def clear(self) -> bool:
        """Highlight nothing any more; False = nothing was highlighted."""
        had, self._matched = self._matched, None
        return had is not None

    def take_pending_line(self) -> LinePosition | None:
        """The line that is to be shown, once; None = there is none."""
        wanted, self._pending = self._pending, None
        if wanted is None or wanted[0] not in self._document:
            return None
        return _line_of(self._document, *wanted)

    def highlighted(self, rows: list[Line], top: LinePosition, height: int, style: Style) -> list[Line]:
        """The rows of a screen of that height whose first line is `top`, with what matches in `style`."""
        if self._matched is None or self._matched[0] not in self._document:
            return rows
        entry_id, pattern = self._matched
        document = self._document
        start, stop = document.place(entry_id)
        text = LinePosition(start.entry, MessageSection.TEXT)
        first = document.lines_between(top, text, height) if text > top else 0
        last = document.lines_between(top, stop, height) if stop > top else 0
        highlighted = [_highlighted(row, pattern, style + _MATCH_STYLE) for row in rows[first:last]]
        return [*rows[:first], *highlighted, *rows[last:]]


def _line_of(document: TranscriptLayout, entry_id: str, pattern: re.Pattern[str] | None) -> LinePosition:
    """The line of a message that has what is looked for; its heading if no line has it."""
    start, _ = document.place(entry_id)
    if pattern is None:
        return start
    rendered = document.rendered(entry_id)
    for index in range(rendered.text.pieces(rendered.entry.streaming)):
        if pattern.search(rendered.text.piece(index).block.text) is None:
            continue
        line_at = LinePosition(start.entry, MessageSection.TEXT, index)
        height = document.lines_between(line_at, line_at._replace(piece=index + 1))
        number = rendered.text.piece(index).block.number
        for _ in _sideways(document, entry_id, number):
            lines = document.window(line_at, height)
            found = (at for at, line in enumerate(lines) if pattern.search(_text(line)) is not None)
            if (line := next(found, None)) is not None:
                return line_at._replace(line=line)
        return line_at
    return start


def _sideways(document: TranscriptLayout, entry_id: str, number: int) -> Iterator[None]:
    """Once with a code block as it is, and then from its left edge on by half a screen, as what is looked for may be beyond an
    edge; once with what is no code block."""
    yield
    if number and document.is_too_wide(entry_id, number):
        document.move_sideways(entry_id, number, -_WIDEST)
        yield
        while document.move_sideways(entry_id, number, document.width // 2):
            yield


def _text(line: Line) -> str:
    return "".join([segment.text for segment in line])


def _highlighted(line: Line, pattern: re.Pattern[str], style: Style) -> Line:
    """A line with what the pattern finds in another style; the same line if it finds nothing."""
    spans = [match.span() for match in pattern.finditer(_text(line)) if match.end() > match.start()]
    if not spans:
        return line
    highlighted: Line = []
    at = 0
    for segment in line:
        end = at + len(segment.text)
        cuts = sorted({at, end, *(place for span in spans for place in span if at < place < end)})
        for left, right in pairwise(cuts):
            is_match = any(first <= left and right <= last for first, last in spans)
            shown = segment.text[left - at : right - at]
            highlighted.append(
                Segment(shown, (segment.style or Style.null()) + style if is_match else segment.style)
            )
        at = end
    return highlighted
