"""The transcript widget: keeps the reader's place, follows the end, and repaints only the rows that changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.core.commands import BY_ID, key_name
from tui.ui.transcript.entry import EmptyLine, Entry, EntryNotice, Heading, Tone
from tui.ui.transcript.heading import EMPTY_MARGIN, empty_lines
from tui.ui.transcript.layout import TranscriptLayout
from tui.ui.transcript.line_position import LinePosition, MessageSection
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line, pad
from tui.ui.transcript.search_highlight import SearchHighlight
from tui.ui.transcript.transcript_cursor import TranscriptCursor, TranscriptInput
from tui.ui.transcript.unread import Unread

__all__ = ["EmptyLine", "Entry", "EntryNotice", "Heading", "Tone", "Transcript"]

WHEEL_LINES = 3
PAGE_OVERLAP = 2
"""Lines of the old page that stay in sight on the new one."""
ABOVE_MATCH = 3
"""One in so many lines of the screen is above a match that is shown."""
PAGE_KEPT = 4
"""Following by page, one in so many lines of the old page stays in sight."""


class Transcript(ScrollView, can_focus=True):
    """Shows entries from top to bottom in its full width, without a scrollbar.

    It scrolls by itself: the reader's place is a line of the text, not an offset, so Textual's `scroll_y` stays 0.
    """

    DEFAULT_CSS = """
    Transcript { width: 100%; height: 1fr; overflow: hidden; scrollbar-size: 0 0; }
    """
    ALLOW_SELECT = False

    @dataclass(eq=False, repr=False)
    class FollowChanged(Message):
        """The reader left the end or is back at it, or more lines came in below the reader."""

        transcript: Transcript
        following: bool
        new_lines: int

        @property
        def control(self) -> Transcript:
            """The transcript that tells it."""
            return self.transcript

    def __init__(
        self, palette: RolePalette | None = None, *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._has_palette = palette is not None
        self._document = TranscriptLayout(
            palette or RolePalette.plain(), key_name(BY_ID["reasoning.toggle"].key)
        )
        self.cursor = TranscriptCursor(self, self._document)
        """The cursor on the messages."""
        self.input_handler: TranscriptInput | None = None
        """Who decides what the keys do while the transcript has the focus."""
        self._highlight = SearchHighlight(self._document)
        self._empty: Callable[[int], Sequence[EmptyLine]] = lambda _: ()
        self._top = LinePosition()
        self._following = True
        self._paging = False
        self._unread = Unread()
        self._new_lines = 0
        self._reported = (True, 0)
        self._rows: list[Line] = []
        self._strips: list[Strip] = []
        self._laid_out = (0, 0)  # columns and rows

    # What it shows

    @property
    def palette(self) -> RolePalette:
        """The styles it draws with."""
        return self._document.palette

    def set_palette(self, palette: RolePalette) -> None:
        """Draw with another theme; the place stays."""
        self._has_palette = True
        self._document.palette = palette
        self._rows = []
        self._sync()

    def set_empty(self, lines: Callable[[int], Sequence[EmptyLine]]) -> None:
        """What to show while there are no entries, where a line has so many cells."""
        self._empty = lines
        if not len(self._document):
            self._sync()

    def set_reasoning_key(self, name: str) -> None:
        """The key, as a person reads it, that folded reasoning tells of."""
        self._document.name_reasoning_key(name)
        self._sync()

    def show(self, entries: Sequence[Entry]) -> None:
        """Show these entries and no others, from the end."""
        self._document.show(entries)
        self._paging = False
        self.follow()

    def show_changes(self, entries: Sequence[Entry]) -> None:
        """Show these entries; the reader's place stays where those before it are the same as now."""
        same = 0
        while same < len(entries) and self._document.id_at(same) == entries[same].id:
            self._document.replace(entries[same].id, entries[same])
            same += 1
        self._document.truncate_after(entries[same - 1].id if same else None)
        for entry in entries[same:]:
            self._document.add(entry)
        self._sync()

    def add(self, entry: Entry) -> None:
        """Append an entry with a new id."""
        self._document.add(entry)
        self._sync()

    def has(self, entry_id: str) -> bool:
        """Whether there is an entry with this id."""
        return entry_id in self._document

    def replace(self, entry: Entry) -> None:
        """Show another state of the entry with the same id; what is the same in its text is not rendered again."""
        self._document.replace(entry.id, entry)
        self._sync()

    def extend(self, entry_id: str, text: str = "", reasoning: str = "") -> None:
        """Let an entry's text or reasoning go on. Costs the same however long the entry is."""
        self._document.rendered(entry_id).append(text, reasoning)
        self._sync()

    def set_heading(self, entry_id: str, heading: Heading) -> None:
        """Change the line over an entry."""
        self._document.set_heading(entry_id, heading)
        self._sync()

    def truncate_after(self, entry_id: str | None) -> None:
        """Drop the entries behind this one; None drops all."""
        self._document.truncate_after(entry_id)
        self._sync()

    def toggle_reasoning(self) -> bool:
        """Fold or unfold the reasoning of all entries; returns whether it is shown now."""
        self._document.shows_reasoning = not self._document.shows_reasoning
        self.reasoning_changed()
        return self._document.shows_reasoning

    def reasoning_changed(self, entry_id: str = "") -> None:
        """The reasoning of an entry, or of all, has other lines now: who reads in it is at its start."""
        in_it = not entry_id or self._document.id_at(self._top.entry) == entry_id
        if in_it and self._top.section == MessageSection.REASONING:
            self._top = self._top._replace(piece=0, line=0)
        self._sync()

    def document_changed(self) -> None:
        """Show what has changed in the document."""
        self._sync()

    def move_sideways(self, entry_id: str, by: int, block: int | None = None) -> bool | None:
        """Move what is too wide in an entry, or its code block with that number, sideways by so many cells; False = it is
        at its end, None = all is in sight."""
        moved = self._document.move_sideways(entry_id, block, by)
        self._sync()
        return moved

    def plain_text(self, entry_id: str) -> str:
        """The text of an entry as it came, without reasoning."""
        return self._document.rendered(entry_id).text.text

    def show_match(self, entry_id: str, pattern: re.Pattern[str] | None) -> None:
        """Go to a message, and to the first line of it that has what `pattern` finds, which stands out from then on; once the
        transcript is in sight if it is not now."""
        self._highlight.show(entry_id, pattern)
        self._sync()

    def clear_highlight(self) -> bool:
        """Let nothing stand out any more; False = nothing did."""
        cleared = self._highlight.clear()
        if cleared:
            self._sync()
        return cleared

    # Where the reader is

    @property
    def following(self) -> bool:
        """Whether the end of the text is in sight and stays so when more comes."""
        return self._following

    @property
    def new_lines(self) -> int:
        """How many lines came in below the screen since the reader left the end."""
        return self._new_lines

    def set_paging(self, paging: bool) -> None:
        """Whether following turns pages, one repaint a page, instead of scrolling line by line; for a slow terminal."""
        self._paging = paging

    def follow(self) -> None:
        """Go to the end and stay there."""
        self._following = True
        self._sync()

    def page_up(self) -> None:
        """Back by a screen."""
        self._scroll(-max(1, self.size.height - PAGE_OVERLAP))

    def page_down(self) -> None:
        """On by a screen."""
        self._scroll(max(1, self.size.height - PAGE_OVERLAP))

    def line_up(self) -> None:
        """Back by a line."""
        self._scroll(-1)

    def line_down(self) -> None:
        """On by a line."""
        self._scroll(1)

    def to_start(self) -> None:
        """To the first line."""
        self._leave_end()
        self._top = LinePosition()
        self._sync()

    def bring_into_sight(self, lines: Callable[[], tuple[LinePosition, LinePosition]]) -> None:
        """Show what is between two lines, asked for when all is laid out: as much of it as fits, from its start on."""
        if not self._lay_out():
            return
        document, height = self._document, self._laid_out[1]
        start, stop = lines()
        needed = min(height, document.lines_between(start, stop, height))
        if start >= self._top:
            above = document.lines_between(self._top, start, height)
            if above + needed <= height:
                return
            start = document.moved(start, needed - height)
        self._leave_end()
        self._top = start
        self._sync()

    def _scroll(self, lines: int) -> None:
        if not self._laid_out[1] or (self._following and lines > 0):
            return
        top = self._document.last_top(self._laid_out[1]) if self._following else self._top
        self._leave_end()
        self._top = self._document.moved(top, lines)
        self._sync()

    def _leave_end(self) -> None:
        if self._following and self._laid_out[1]:
            self._following = False
            self._unread.start(self._document)

    # Keys

    async def _on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if focused is not None and focused is not self:
            # Keys that came in one piece with the one that moved the focus are for the one who has it now.
            event.stop()
            event.prevent_default()
            focused.post_message(events.Key(event.key, event.character))
        elif self.input_handler is not None and self.input_handler.handle_key(event):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Text that is pasted is meant for whoever writes."""
        if self.input_handler is not None:
            event.stop()
            self.input_handler.handle_paste(event.text)

    def on_focus(self) -> None:
        """By whatever way it came."""
        if self.input_handler is not None:
            self.input_handler.handle_focus(True)

    def on_blur(self) -> None:
        """To whomever it went."""
        if self.input_handler is not None and self.screen.focused is not self:
            self.input_handler.handle_focus(False)

    # Textual's own ways to scroll, by key or wheel, do the same

    def action_scroll_up(self) -> None:
        """Up."""
        self.line_up()

    def action_scroll_down(self) -> None:
        """Down."""
        self.line_down()

    def action_page_up(self) -> None:
        """Page up."""
        self.page_up()

    def action_page_down(self) -> None:
        """Page down."""
        self.page_down()

    def action_scroll_home(self) -> None:
        """Home."""
        self.to_start()

    def action_scroll_end(self) -> None:
        """End."""
        self.follow()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Wheel up."""
        event.stop()
        event.prevent_default()
        self._scroll(-WHEEL_LINES)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Wheel down."""
        event.stop()
        event.prevent_default()
        self._scroll(WHEEL_LINES)

    # Drawing

    def on_mount(self) -> None:
        """Take the palette of the app, if it has one and nobody gave another."""
        palette = getattr(self.app, "palette", None)
        if not self._has_palette and isinstance(palette, RolePalette):
            self.set_palette(palette)

    def on_resize(self) -> None:
        """Lay the text out anew; the line at the top stays there, and the cursor in sight."""
        self._sync()
        self.cursor.stay_in_sight()

    def on_show(self) -> None:
        """It is in sight again: what has happened meanwhile is laid out now."""
        self._sync()

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        if self._laid_out != (self.size.width, self.size.height):
            self._lay_out()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.palette.base)

    def _sync(self) -> None:
        """Work out what is in sight and repaint the rows that differ from before."""
        before = self._rows
        if not self._lay_out():
            return
        after = self._rows
        width, height = self._laid_out
        changed = [y for y in range(height) if _row(before, y) != _row(after, y)]
        if len(changed) > height // 2 or not before:
            self.refresh()
        elif changed:
            self.refresh(*[Region(0, y, width, 1) for y in changed])
        if (self._following, self._new_lines) != self._reported:
            self._reported = self._following, self._new_lines
            self.post_message(self.FollowChanged(self, self._following, self._new_lines))

    def _lay_out(self) -> bool:
        """Bring rows and place up to date; False while the widget has no size."""
        if not self._update_top():
            return False
        wanted = self._highlight.take_pending_line()
        if wanted is not None:
            self._leave_end()
            self._top = self._document.moved(wanted, -(self._laid_out[1] // ABOVE_MATCH))
            self._update_top()
        document, (width, height) = self._document, self._laid_out
        rows = document.window(self._top, height) if len(document) else self._empty_rows(width, height)
        self._show_rows(self._highlight.highlighted(rows, self._top, height, self.palette["accent"]))
        return True

    def _update_top(self) -> bool:
        width, height = self.size
        if width <= 0 or height <= 0:
            self._laid_out = (0, 0)
            return False
        document = self._document
        self._top = document.set_width(width, self._top)
        self._laid_out = (width, height)
        last_top = document.last_top(height)
        if not self._following:
            self._top = document.moved(self._top, 0)
            self._following = self._top >= last_top
        if self._following:
            self._top, self._new_lines = self._following_top(last_top), 0
        else:
            count = self._unread.count(document)
            if count:
                bottom = document.moved(self._top, height)
                count = self._unread.cap(count, document.lines_between(bottom, None, count))
            self._new_lines = count
        return True

    def _following_top(self, last_top: LinePosition) -> LinePosition:
        """The first line in sight while following: the end at the bottom, or by pages, which leaves room below for what comes."""
        document, height = self._document, self._laid_out[1]
        if not self._paging or not len(document):
            return last_top
        top = document.moved(self._top, 0)
        if document.lines_between(top, None, height + 1) <= height:
            return top
        return document.moved(last_top, height - max(1, height // PAGE_KEPT))

    def _empty_rows(self, width: int, height: int) -> list[Line]:
        lines = self._empty(max(1, width - 2 * EMPTY_MARGIN))
        return empty_lines(lines, width, self.palette)[:height]

    def _show_rows(self, rows: list[Line]) -> None:
        width, base = self._laid_out[0], self.palette.base
        old = {
            id(line): strip
            for line, strip in zip(self._rows, self._strips, strict=False)
            if strip.cell_length == width
        }
        self._strips = [old.get(id(line)) or Strip(pad(line, width, base), width) for line in rows]
        self._rows = rows


def _row(rows: list[Line], y: int) -> Line:
    return rows[y] if y < len(rows) else []
