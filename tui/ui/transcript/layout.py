"""The conversation as lines, of which only those that are looked at exist.

Nobody needs to know how long the whole is: the reader is always at some line of some block, and moves from there by
real lines. So opening ten thousand messages renders one screen, no height is ever guessed and corrected, and what the
reader looks at cannot move when something changes above or below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rich.segment import Segment

from tui.core.commands import BY_ID, key_name
from tui.ui.transcript import folding, sideways
from tui.ui.transcript.cache import LineCache
from tui.ui.transcript.cursor_target import CursorTarget, marked_block
from tui.ui.transcript.entry import Entry, Heading
from tui.ui.transcript.heading import folded_reasoning, heading_line, notice_lines, unfolded_reasoning
from tui.ui.transcript.line_position import LinePosition, MessageSection
from tui.ui.transcript.markdown import CURSOR
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import MEASURE, Line
from tui.ui.transcript.rendered_message import RenderedMessage


class TranscriptLayout:
    """The entries and how they look at a width (cells), with a palette, with reasoning shown or folded."""

    def __init__(self, palette: RolePalette, reasoning_key: str) -> None:
        self._rendered_messages: list[RenderedMessage] = []
        self._index: dict[str, int] = {}
        self._palette = palette
        self._width = 80
        self._reasoning_key = reasoning_key
        self.fold_key = key_name(BY_ID["message.fold"].key)
        """The key that folded blocks tell of."""
        self.cursor_target: CursorTarget | None = None
        """Where the cursor on the messages is; None = nowhere."""
        self._shows_reasoning = False
        self._reading: tuple[LinePosition, int] | None = (
            None  # a place, and how many characters of its piece come before it
        )
        self._cache = LineCache(palette, self._width)

    # What it holds

    def __len__(self) -> int:
        return len(self._rendered_messages)

    def __contains__(self, entry_id: object) -> bool:
        return entry_id in self._index

    def rendered(self, entry_id: str) -> RenderedMessage:
        """The entry with this id; a KeyError if there is none."""
        return self._rendered_messages[self._index[entry_id]]

    def id_at(self, place: int) -> str | None:
        """The id of the entry at that place; None behind the last."""
        return self._rendered_messages[place].entry.id if place < len(self._rendered_messages) else None

    def show(self, entries: Iterable[Entry]) -> None:
        """Hold these entries and no others."""
        self._rendered_messages = [RenderedMessage(entry) for entry in entries]
        self._index = {rendered.entry.id: at for at, rendered in enumerate(self._rendered_messages)}
        self._forget()

    def add(self, entry: Entry) -> None:
        """Append an entry; its id must be new."""
        if entry.id in self._index:
            raise ValueError(f"the transcript has an entry {entry.id!r} already")
        self._index[entry.id] = len(self._rendered_messages)
        self._rendered_messages.append(RenderedMessage(entry))

    def replace(self, entry_id: str, entry: Entry) -> None:
        """Let the entry be another state of itself; the new one's id may differ."""
        at = self._index.pop(entry_id)
        self._index[entry.id] = at
        self._rendered_messages[at].replace(entry)

    def set_heading(self, entry_id: str, heading: Heading) -> None:
        """Change an entry's heading line."""
        rendered = self.rendered(entry_id)
        rendered.entry = replace(rendered.entry, heading=heading)

    def truncate_after(self, entry_id: str | None) -> None:
        """Drop the entries behind this one; None drops all."""
        keep = 0 if entry_id is None else self._index[entry_id] + 1
        for rendered in self._rendered_messages[keep:]:
            del self._index[rendered.entry.id]
        del self._rendered_messages[keep:]

    # How it looks

    @property
    def palette(self) -> RolePalette:
        """What everything is drawn with."""
        return self._palette

    @palette.setter
    def palette(self, palette: RolePalette) -> None:
        self._palette = palette
        self._forget()

    @property
    def shows_reasoning(self) -> bool:
        """Whether reasoning is unfolded, where a message has no word of its own on it."""
        return self._shows_reasoning

    @shows_reasoning.setter
    def shows_reasoning(self, shows: bool) -> None:
        self._shows_reasoning = shows
        for rendered in self._rendered_messages:
            rendered.shows_reasoning = None

    def reasons(self, rendered: RenderedMessage) -> bool:
        """Whether the reasoning of this message is unfolded."""
        return self._shows_reasoning if rendered.shows_reasoning is None else rendered.shows_reasoning

    def name_reasoning_key(self, name: str) -> None:
        """The key that folded reasoning tells of."""
        self._reasoning_key = name

    @property
    def width(self) -> int:
        """Cells of a line."""
        return self._width

    def set_width(self, width: int, position: LinePosition) -> LinePosition:
        """Lay out for another width. Returns where the text that stood at `position` stands now."""
        if width == self._width:
            return position
        if self._reading is not None and self._reading[0] == position:
            ink = self._reading[1]  # so that the place does not drift when the width changes again and again
        else:
            ink = (
                sum([_ink(line) for line in self._lines(position)[: position.line]])
                if self._holds(position)
                else 0
            )
        self._width = width
        self._forget()
        for rendered in self._rendered_messages:
            rendered.shifts.clear()
        if not self._holds(position):
            return position
        lines = self._lines(position)
        if not ink:
            return position._replace(line=max(0, min(position.line, len(lines) - 1)))
        left = ink
        for at, line in enumerate(lines):
            left -= _ink(line)
            if left < 0:
                self._reading = position._replace(line=at), ink
                return self._reading[0]
        return position._replace(line=0)

    def _forget(self) -> None:
        self._cache.forget(self._palette, self._width)

    @property
    def cached_lines(self) -> int:
        """How many rendered lines are kept."""
        return self._cache.count

    # Walking through it

    def window(self, top: LinePosition, height: int) -> list[Line]:
        """At most `height` lines from `top` on."""
        shown: list[Line] = []
        skip = top.line
        for position in self._positions(top):
            shown += self._lines(position)[skip:]
            skip = 0
            if len(shown) >= height:
                return shown[:height]
        return shown

    def moved(self, position: LinePosition, lines: int) -> LinePosition:
        """The place `lines` further down, or up if negative; no further than the first and the last line."""
        if lines < 0:
            return self._back(position, -lines)
        left = position.line + lines
        last = position._replace(line=0)
        for at in self._positions(position):
            height = self._height(at)
            if left < height:
                return at._replace(line=left)
            if height:
                last = at._replace(line=height - 1)
                left -= height
        return last

    def last_top(self, height: int) -> LinePosition:
        """The first line in sight when the end of the text is at the bottom of `height` lines; the first line if all fits."""
        return self._back(LinePosition(len(self._rendered_messages)), height)

    def lines_between(self, start: LinePosition, stop: LinePosition | None, limit: int | None = None) -> int:
        """How many lines lie from `start` on and before `stop` (None: the end), counted up to `limit`."""
        count = -start.line
        for position in self._positions(start):
            if stop is not None and position[:3] >= stop[:3]:
                return count + (stop.line if position[:3] == stop[:3] else 0)
            count += self._height(position)
            if limit is not None and count >= limit:
                return limit
        return count

    def growing_spot(self) -> LinePosition:
        """Where the last entry is not settled: all that is added later comes behind it."""
        at = len(self._rendered_messages) - 1
        if at < 0:
            return LinePosition()
        rendered = self._rendered_messages[at]
        if rendered.text or not rendered.reasoning:
            return LinePosition(at, MessageSection.TEXT, rendered.text.settled)
        return LinePosition(
            at, MessageSection.REASONING, 1 + rendered.reasoning.settled if self.reasons(rendered) else 0
        )

    def _back(self, position: LinePosition, lines: int) -> LinePosition:
        left = lines - position.line
        if left <= 0:
            return position._replace(line=-left)
        first = position._replace(line=0)
        for at in self._positions_before(position):
            height = self._height(at)
            if left <= height:
                return at._replace(line=height - left)
            left -= height
            first = at
        return first

    def _positions(self, start: LinePosition) -> Iterator[LinePosition]:
        """Each piece from that of `start` on, at its first line."""
        entry, section, piece, _ = start
        for at in range(entry, len(self._rendered_messages)):
            for part in range(section, len(MessageSection)):
                for index in range(piece, self._count(at, part)):
                    yield LinePosition(at, part, index)
                piece = 0
            section = 0

    def _positions_before(self, stop: LinePosition) -> Iterator[LinePosition]:
        """Each piece before that of `stop`, the nearest first."""
        entry, section, piece, _ = stop
        if entry < len(self._rendered_messages):
            for index in range(min(piece, self._count(entry, section)) - 1, -1, -1):
                yield LinePosition(entry, section, index)
        else:
            section = 0
        for at in range(min(entry, len(self._rendered_messages) - 1), -1, -1):
            if at < entry:
                section = len(MessageSection)
            for part in range(section - 1, -1, -1):
                for index in range(self._count(at, part) - 1, -1, -1):
                    yield LinePosition(at, part, index)

    # The lines of one piece

    def _count(self, entry: int, section: int) -> int:
        rendered = self._rendered_messages[entry]
        streaming = rendered.entry.streaming
        match section:
            case MessageSection.HEAD:
                return 1 if rendered.entry.heading.who else 0
            case MessageSection.REASONING if rendered.reasoning:
                return 1 + rendered.reasoning.pieces(streaming) if self.reasons(rendered) else 1
            case MessageSection.TEXT:
                if streaming and not rendered.text:
                    return 0 if rendered.reasoning else 1
                return rendered.text.pieces(streaming)
            case MessageSection.NOTICE if rendered.entry.notice is not None:
                return 1
        return 0

    def _holds(self, position: LinePosition) -> bool:
        return position.entry < len(self._rendered_messages) and position.piece < self._count(
            position.entry, position.section
        )

    def _height(self, position: LinePosition) -> int:
        rendered = self._rendered_messages[position.entry]
        if position.section == MessageSection.TEXT and position.piece and rendered.text:
            piece = rendered.text.piece(position.piece)
            if piece.stamp == self._cache.stamp and not folding.is_folded(rendered, piece.block):
                return piece.height
        return len(self._lines(position))

    def _lines(self, position: LinePosition) -> list[Line]:
        rendered = self._rendered_messages[position.entry]
        entry = rendered.entry
        match position.section:
            case MessageSection.HEAD:
                marked = self.cursor_target == (entry.id, 0)
                line = heading_line(entry.heading, self._width, self._palette, marked)
                return [[], line] if position.entry else [line]
            case MessageSection.REASONING:
                return self._reasoning_lines(rendered, position.piece)
            case MessageSection.TEXT:
                if not rendered.text:
                    return [[Segment(CURSOR, self._palette.ink("second"))]]
                lines = self._text_lines(rendered, position.piece)
                return (
                    [[], *lines]
                    if position.piece == 0 and self.reasons(rendered) and rendered.reasoning
                    else lines
                )
            case _:
                notice = (
                    [] if entry.notice is None else notice_lines(entry.notice, self._width, self._palette)
                )
                return [[], *notice] if rendered.text or rendered.reasoning else notice

    def _reasoning_lines(self, rendered: RenderedMessage, index: int) -> list[Line]:
        live, key = rendered.is_thinking, self._reasoning_key
        if not self.reasons(rendered):
            count, newest = rendered.reasoning_summary(max(1, min(self._width, MEASURE) - 2))
            return folded_reasoning(newest, count, live, key, self._width, self._palette)
        if index == 0:
            return unfolded_reasoning(live, key, self._width, self._palette)
        return self._cache.lines(rendered.reasoning.piece(index - 1), cursor=live)

    def _text_lines(self, rendered: RenderedMessage, index: int) -> list[Line]:
        """The lines of one piece of a message's text: folded, and with the cursor, where they are."""
        piece = rendered.text.piece(index)
        if folding.is_folded(rendered, piece.block):
            lines = self._folded_lines(rendered, index)
        else:
            shift = sideways.shift_of(rendered, index, piece.block)
            lines = self._cache.lines(piece, rendered.entry.streaming, shift)
        number = piece.block.number
        if number and self.cursor_target == (rendered.entry.id, number):
            return marked_block(lines, number, not piece.block.part, self._palette)
        return lines

    def _folded_lines(self, rendered: RenderedMessage, index: int) -> list[Line]:
        folded = folding.folded(rendered, index)
        if folded is None:
            return []
        shown, left = folded
        more = folding.more_line(shown, left, self.fold_key, self._width, self._palette)
        return [*self._cache.rendered(shown, shift=sideways.shift_of(rendered, index, shown)), more]

    # Sideways

    def move_sideways(self, entry_id: str, block: int | None, by: int) -> bool | None:
        """As `sideways.move`, in a message or its code block with that number."""
        return sideways.move(self.rendered(entry_id), block, by, self._width, self._palette)

    def is_too_wide(self, entry_id: str, block: int | None) -> bool:
        """Whether something in a message, or its code block with that number, goes beyond the right edge."""
        return bool(sideways.widest(self.rendered(entry_id), block, self._width, self._palette))

    # Places by name

    def place(self, entry_id: str, block: int = 0) -> tuple[LinePosition, LinePosition]:
        """Where a message begins, or its code block with that number, and where what follows it does."""
        at = self._index[entry_id]
        for place in folding.places(self._rendered_messages[at]) if block else ():
            if place.number == block:
                return LinePosition(at, MessageSection.TEXT, place.first), LinePosition(
                    at, MessageSection.TEXT, place.stop
                )
        return LinePosition(at, MessageSection.HEAD, 0, 1 if at else 0), LinePosition(at + 1)


def _ink(line: Line) -> int:
    """How many characters of a line are no blanks: the same text has as many at any width."""
    return sum([len(segment.text) - segment.text.count(" ") for segment in line])
