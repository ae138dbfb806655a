"""The list of chats as it looks: what is listed on the first line, then one line a chat or some lines a hit, and which
keys do what on the last ones."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.style import Style
from textual.strip import Strip

from tui.core.commands import BY_ID, key_name
from tui.core.text import count_of, safe_line
from tui.ui.chat_list.contents import Mode
from tui.ui.chat_list.rows import (
    WIDE,
    chat_line,
    column_heads,
    hit_height,
    hit_lines,
    key_hints,
)
from tui.ui.look import palette_of
from tui.ui.widgets.row import Part, cut, fit, parts_width, spread

if TYPE_CHECKING:
    from tui.ui.chat_list.contents import ChatListContents
    from tui.ui.state import ScreenState
    from tui.ui.widgets.line import LineWidget

RULE_CELLS = 2
"""Beside the transcript, a blank and the rule between them."""
LEAST_FOR_FOOT = 6
"""Rows below which all of them are for the list."""
ROWS_A_KEY_LINE = 6
"""Of so many rows one may be for keys."""
NOT_LAID_OUT = 100
_KEYS = ("search", "rename", "pin", "delete", "archive", "undo", "archived", "export")
_WORDS = {"archived": "archived", "export": "export"}
_WORDS_IN_ARCHIVE = {"archive": "take out", "archived": "all others", "export": "export"}


class ChatListRenderer:
    """Draws the list's contents for a widget, with its size and styles."""

    def __init__(self, widget: LineWidget, contents: ChatListContents, state: ScreenState) -> None:
        self._widget = widget
        self._contents = contents
        self._state = state

    @property
    def rows(self) -> int:
        """How many chats or hits are in sight; a large number as long as the list is not laid out."""
        if not self._widget.size.height:
            return NOT_LAID_OUT
        height = self._widget.size.height - 1 - self._foot_height
        return max(1, height // hit_height(self._columns - 2) if self._contents.shows_hits else height)

    @property
    def _columns(self) -> int:
        """Cells in a line, without the rule at the right."""
        return self._widget.size.width - (RULE_CELLS if self._widget.has_class("-beside") else 0)

    @property
    def _foot_height(self) -> int:
        return len(self._foot(self._columns - 2))

    def line_at(self, y: int, whole: int) -> Strip:
        """The line in row `y` of the widget, on its `whole` width."""
        base, width = self._widget.base(), self._columns
        if width <= 2:
            return Strip.blank(whole, base)
        below = y - (self._widget.size.height - self._foot_height)
        if y == 0:
            strip = self._head(width, base)
        elif below >= 0:
            strip = fit([self._widget.part(" "), *self._foot(width - 2)[below]], width, base)
        else:
            strip = self._row(y - 1, width, base)
        if width == whole:
            return strip
        return Strip(
            [*strip, *fit([self._widget.part(" "), self._widget.part("│", "rule")], RULE_CELLS, base)], whole
        )

    # -- around the list --------------------------------------------------------------------------------------------

    def _head(self, width: int, base: Style) -> Strip:
        if self._contents.is_searching:
            label, count = (
                self._widget.part(" search ", "accent"),
                self._widget.part(f" {self._hit_count()} ", "muted"),
            )
            room = width - parts_width([label, count]) - 1
            return spread([label, *self._written(room)], [count], width, base, gap=0)
        name = "Archive" if self._contents.archived else "Chats"
        left = [
            self._widget.part(f" {name}", "heading"),
            self._widget.part(f"  {self._contents.listed.total:,}", "muted"),
        ]
        heads = (
            column_heads(palette_of(self._widget))
            if width - 2 >= WIDE and self._contents.listed.total
            else []
        )
        return spread(left, [*heads, self._widget.part(" ")], width, base)

    def _hit_count(self) -> str:
        if not self._contents.shows_hits:
            return ""
        count = len(self._contents.hits.hits)
        if self._contents.hits.more:
            return f"over {count} hits"
        return count_of(count, "hit") if count else "no hits"

    def _written(self, width: int) -> list[Part]:
        """The line that is written, with its cursor."""
        before, at, after = self._contents.line_edit.shown(width)
        return [
            self._widget.part(before),
            (at, palette_of(self._widget)["foreground"] + Style(reverse=True)),
            self._widget.part(after),
        ]

    def _foot(self, width: int) -> list[list[Part]]:
        """The lines under the list; none where the list needs them itself."""
        if self._widget.size.height < LEAST_FOR_FOOT:
            return []
        if self._contents.mode is Mode.RENAME:
            return [[self._widget.part("Enter saves the title · Esc leaves it", "muted")]]
        if self._contents.mode is Mode.SEARCH and self._contents.hits.behind and self._contents.shows_hits:
            to_go = count_of(self._contents.hits.behind, "message")
            return [[self._widget.part(f"{to_go} not indexed yet: not all is found", "warning")]]
        if self._contents.is_searching:
            return [[self._widget.part(cut("words and beginnings of words · “a phrase”", width), "muted")]]
        described = [] if width >= WIDE else [[self._widget.part(self._described(), "muted")]]
        return described + self._keys(width)[: max(1, self._widget.size.height // ROWS_A_KEY_LINE)]

    def _described(self) -> str:
        """What a narrow line has no room for, of the chat under the cursor."""
        chat = self._contents.listed.current
        if chat is None:
            return ""
        words = [count_of(chat.message_count, "message")]
        words += [
            word
            for word, true in (("pinned", chat.pinned), ("open", chat.id == self._contents.open_id))
            if true
        ]
        return " · ".join(words)

    def _keys(self, width: int) -> list[list[Part]]:
        ids = [f"chats.{name}" for name in _KEYS]
        words = _WORDS_IN_ARCHIVE if self._contents.archived else _WORDS
        hints = [
            (key_name(self._state.keys[id]), words.get(name) or BY_ID[id].short)
            for name, id in zip(_KEYS, ids, strict=True)
            if id in self._state.keys
        ]
        return key_hints(hints, self._widget.part, width)

    # -- the list ---------------------------------------------------------------------------------------------------

    def _row(self, y: int, width: int, base: Style) -> Strip:
        palette, now = palette_of(self._widget), time.time()
        cursor = self._contents.cursor
        size = hit_height(width - 2) if self._contents.shows_hits else 1
        place = cursor.top + y // size
        if not cursor.count:
            lines = self._empty()
            text, role = lines[y - 1] if 0 < y <= len(lines) else ("", "")
            return fit([self._widget.part(" " + text, role)], width, base)
        if place >= cursor.count or y // size >= self.rows:
            return Strip.blank(width, base)
        under = place == cursor.at
        mark = self._widget.part("›" if under and not y % size else " ", "accent")
        chat = None if self._contents.shows_hits else self._contents.listed.at(place)
        if under and self._contents.mode is Mode.RENAME:
            return fit([mark, self._widget.part(" "), *self._written(width - 3)], width, base)
        if self._contents.shows_hits:
            parts = hit_lines(self._contents.hits.hits[place], width - 2, now, palette)[y % size]
        elif chat is None:
            parts = [self._widget.part("…", "muted")]
        else:
            parts = chat_line(chat, width - 2, now, palette, is_open=chat.id == self._contents.open_id)
        return self._widget.item_line([mark, *parts], width, marked=under)

    def _empty(self) -> list[tuple[str, str]]:
        """Why there is nothing, and what to do, as (text, role) lines."""
        if self._contents.shows_hits:
            return [
                (f"Nothing found for “{safe_line(self._contents.line_edit.text, 40)}”.", "foreground"),
                ("", ""),
                ("All words must be there; net finds network too.", "muted"),
                ("“bad gateway”, in quotation marks, is a phrase.", "muted"),
            ]
        if self._contents.listed.problem:
            return [(safe_line(each, 500), role) for each, role in self._contents.listed.problem]
        if not self._contents.listed.known:
            return []
        if self._contents.archived:
            key = self._state.key
            return [
                ("The archive is empty.", "foreground"),
                (
                    f"Key {key('chats.archive')} puts a chat here, key {key('chats.archived')} shows the other chats.",
                    "muted",
                ),
            ]
        return [
            ("No chats yet.", "foreground"),
            ("A chat is kept from its first question on.", "muted"),
            (f"{self._state.key('chats.archived')} shows the archive.", "muted"),
        ]
