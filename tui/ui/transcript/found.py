"""The transcript at a place that a search has found, with the words that were looked for standing out."""

from __future__ import annotations

import re
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style

from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition, MessageSection
from tui.ui.transcript.prose import Line
from tui.ui.transcript.view import Transcript

ABOVE = 3
"""One in so many lines of the screen is above the line that was found."""
_MARKED = Style(bold=True, underline=True)


class FoundTranscript(Transcript):
    """Marks what a pattern finds in one message, until another one is looked at or `clear_found`."""

    _found: tuple[str, re.Pattern[str]] | None = None
    _to_show: tuple[str, re.Pattern[str] | None] | None = None

    def show_found(self, entry_id: str, pattern: re.Pattern[str] | None) -> None:
        """Go to a message, and to the first line of it that has what `pattern` finds; once it is in sight if it is not
        now."""
        self._found = None if pattern is None else (entry_id, pattern)
        self._to_show = entry_id, pattern
        self._sync()

    def on_show(self) -> None:
        """It is in sight again: what has happened meanwhile is laid out now."""
        self._sync()

    def _lay_out(self) -> bool:
        if not super()._lay_out():
            return False
        wanted, self._to_show = self._to_show, None
        if wanted is None or wanted[0] not in self._document:
            return True
        self._leave_end()
        self._top = self._document.moved(_spot_of(self._document, *wanted), -(self._laid_out[1] // ABOVE))
        return super()._lay_out()

    def clear_found(self) -> bool:
        """Mark nothing any more; False = nothing was marked."""
        if self._found is None:
            return False
        self._found = None
        self._sync()
        return True

    def _show_rows(self, rows: list[Line]) -> None:
        super()._show_rows(self._with_marks(rows))

    def _with_marks(self, rows: list[Line]) -> list[Line]:
        if self._found is None or self._found[0] not in self._document:
            return rows
        entry_id, pattern = self._found
        document, height = self._document, self._laid_out[1]
        start, stop = document.place(entry_id)
        text = LinePosition(start.entry, MessageSection.TEXT)
        first = document.lines_between(self._top, text, height) if text > self._top else 0
        last = document.lines_between(self._top, stop, height) if stop > self._top else 0
        style = self.palette["accent"] + _MARKED
        marked = [_marked(row, pattern, style) for row in rows[first:last]]
        return [*rows[:first], *marked, *rows[last:]]


def _spot_of(document: TranscriptLayout, entry_id: str, pattern: re.Pattern[str] | None) -> LinePosition:
    """The line of a message that has what is looked for; its heading if no line has it."""
    start, _ = document.place(entry_id)
    if pattern is None:
        return start
    rendered = document.rendered(entry_id)
    for index in range(rendered.text.pieces(rendered.entry.streaming)):
        if pattern.search(rendered.text.piece(index).block.text) is None:
            continue
        spot = LinePosition(start.entry, MessageSection.TEXT, index)
        height = document.lines_between(spot, spot._replace(piece=index + 1))
        lines = document.window(spot, height)
        found = (at for at, line in enumerate(lines) if pattern.search(_text(line)) is not None)
        return spot._replace(line=next(found, 0))
    return start


def _text(line: Line) -> str:
    return "".join([segment.text for segment in line])


def _marked(line: Line, pattern: re.Pattern[str], style: Style) -> Line:
    """A line with what the pattern finds in another style; the same line if it finds nothing."""
    spans = [match.span() for match in pattern.finditer(_text(line)) if match.end() > match.start()]
    if not spans:
        return line
    marked: Line = []
    at = 0
    for segment in line:
        end = at + len(segment.text)
        cuts = sorted({at, end, *(place for span in spans for place in span if at < place < end)})
        for left, right in pairwise(cuts):
            is_found = any(first <= left and right <= last for first, last in spans)
            shown = segment.text[left - at : right - at]
            marked.append(
                Segment(shown, (segment.style or Style.null()) + style if is_found else segment.style)
            )
        at = end
    return marked
