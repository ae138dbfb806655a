"""The list of chats as it looks: what is listed on the first line, then one line a chat or some lines a hit, and which
keys do what on the last ones."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.style import Style
from textual.strip import Strip

from tui.core.commands import BY_ID, key_name
from tui.core.text import count_of, safe_line
from tui.ui.chat_list.line_edit import LineEdit
from tui.ui.chat_list.rows import (
    WIDE,
    chat_line,
    column_heads,
    hit_height,
    hit_lines,
    key_hints,
)
from tui.ui.chat_list.window import Hits, Listed
from tui.ui.look import palette_of
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import Part, cut, fit, parts_width, spread

if TYPE_CHECKING:
    from tui.store.store import ChatSummary
    from tui.ui.state import ScreenState

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


class Mode(StrEnum):
    """What the keys mean."""

    LIST = "list"
    SEARCH = "search"
    RENAME = "rename"
    LEAVING = "leaving"
    """The person is on the way out; what is typed is for whatever gets the keys next."""


class ChatsView(LineWidget):
    """Draws what `listed`, `hits` and `line_edit` hold."""

    def __init__(self, state: ScreenState) -> None:
        super().__init__(id="chats")
        self.state = state
        self.mode = Mode.LIST
        self.archived = False
        self.listed = Listed()
        self.hits = Hits()
        self.line_edit = LineEdit()
        self.open_id = ""
        """The chat that is open."""

    @property
    def shows_hits(self) -> bool:
        """Whether it is what a search has found, and not the list."""
        return self.mode in (Mode.SEARCH, Mode.LEAVING) and bool(
            self.hits.query and self.line_edit.text.strip()
        )

    @property
    def is_leaving(self) -> bool:
        """Whether the keys are no longer for the list."""
        return self.mode is Mode.LEAVING

    @property
    def useful(self) -> tuple[str, ...]:
        """The ids of the three commands that make sense now."""
        if self.mode is Mode.RENAME:
            return "chats.leave", "help"
        return "chats.use", "chats.leave", "help"

    @property
    def rows(self) -> int:
        """How many chats or hits are in sight; a large number as long as the list is not laid out."""
        if not self.size.height:
            return NOT_LAID_OUT
        height = self.size.height - 1 - self._foot_height
        return max(1, height // hit_height(self.columns - 2) if self.shows_hits else height)

    def fit(self) -> None:
        """Bring the cursors into sight."""
        self.listed.cursor.fit(self.rows)
        self.hits.cursor.fit(self.rows)

    @property
    def columns(self) -> int:
        """Cells in a line, without the rule at the right."""
        return self.size.width - (RULE_CELLS if self.has_class("-beside") else 0)

    @property
    def _foot_height(self) -> int:
        return len(self._foot(self.columns - 2))

    def drop(self, chat_id: str) -> None:
        """A chat is there no longer."""
        self.listed.drop(chat_id, self.rows)
        self.hits.drop(chat_id, self.rows)
        self.refresh()

    def put(self, chat: ChatSummary) -> None:
        """A chat has changed."""
        self.listed.put(chat)
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        base, whole, width = self.base(), width, self.columns
        if width <= 2:
            return Strip.blank(whole, base)
        below = y - (self.size.height - self._foot_height)
        if y == 0:
            self.fit()  # only now is it certain how high the list is
            strip = self._head(width, base)
        elif below >= 0:
            strip = fit([self.part(" "), *self._foot(width - 2)[below]], width, base)
        else:
            strip = self._row(y - 1, width, base)
        if width == whole:
            return strip
        return Strip([*strip, *fit([self.part(" "), self.part("│", "rule")], RULE_CELLS, base)], whole)

    # -- around the list --------------------------------------------------------------------------------------------

    def _head(self, width: int, base: Style) -> Strip:
        if self._searches:
            label, count = self.part(" search ", "accent"), self.part(f" {self._hit_count()} ", "muted")
            room = width - parts_width([label, count]) - 1
            return spread([label, *self._written(room)], [count], width, base, gap=0)
        name = "Archive" if self.archived else "Chats"
        left = [self.part(f" {name}", "heading"), self.part(f"  {self.listed.total:,}", "muted")]
        heads = column_heads(palette_of(self)) if width - 2 >= WIDE and self.listed.total else []
        return spread(left, [*heads, self.part(" ")], width, base)

    def _hit_count(self) -> str:
        if not self.shows_hits:
            return ""
        count = len(self.hits.hits)
        if self.hits.more:
            return f"over {count} hits"
        return count_of(count, "hit") if count else "no hits"

    def _written(self, width: int) -> list[Part]:
        """The line that is written, with its cursor."""
        before, at, after = self.line_edit.shown(width)
        return [
            self.part(before),
            (at, palette_of(self)["foreground"] + Style(reverse=True)),
            self.part(after),
        ]

    @property
    def _searches(self) -> bool:
        return self.mode is Mode.SEARCH or (self.mode is Mode.LEAVING and bool(self.line_edit.text))

    def _foot(self, width: int) -> list[list[Part]]:
        """The lines under the list; none where the list needs them itself."""
        if self.size.height < LEAST_FOR_FOOT:
            return []
        if self.mode is Mode.RENAME:
            return [[self.part("Enter saves the title · Esc leaves it", "muted")]]
        if self.mode is Mode.SEARCH and self.hits.behind and self.shows_hits:
            to_go = count_of(self.hits.behind, "message")
            return [[self.part(f"{to_go} not indexed yet: not all is found", "warning")]]
        if self._searches:
            return [[self.part(cut("words and beginnings of words · “a phrase”", width), "muted")]]
        described = [] if width >= WIDE else [[self.part(self._described(), "muted")]]
        return described + self._keys(width)[: max(1, self.size.height // ROWS_A_KEY_LINE)]

    def _described(self) -> str:
        """What a narrow line has no room for, of the chat under the cursor."""
        chat = self.listed.current
        if chat is None:
            return ""
        words = [count_of(chat.message_count, "message")]
        words += [word for word, true in (("pinned", chat.pinned), ("open", chat.id == self.open_id)) if true]
        return " · ".join(words)

    def _keys(self, width: int) -> list[list[Part]]:
        ids = [f"chats.{name}" for name in _KEYS]
        words = _WORDS_IN_ARCHIVE if self.archived else _WORDS
        hints = [
            (key_name(self.state.keys[id]), words.get(name) or BY_ID[id].short)
            for name, id in zip(_KEYS, ids, strict=True)
            if id in self.state.keys
        ]
        return key_hints(hints, self.part, width)

    # -- the list ---------------------------------------------------------------------------------------------------

    def _row(self, y: int, width: int, base: Style) -> Strip:
        palette, now = palette_of(self), time.time()
        cursor = self.hits.cursor if self.shows_hits else self.listed.cursor
        size = hit_height(width - 2) if self.shows_hits else 1
        place = cursor.top + y // size
        if not cursor.count:
            lines = self._empty()
            text, role = lines[y - 1] if 0 < y <= len(lines) else ("", "")
            return fit([self.part(" " + text, role)], width, base)
        if place >= cursor.count or y // size >= self.rows:
            return Strip.blank(width, base)
        under = place == cursor.at
        mark = self.part("›" if under and not y % size else " ", "accent")
        chat = None if self.shows_hits else self.listed.at(place)
        if under and self.mode is Mode.RENAME:
            return fit([mark, self.part(" "), *self._written(width - 3)], width, base)
        if self.shows_hits:
            parts = hit_lines(self.hits.hits[place], width - 2, now, palette)[y % size]
        elif chat is None:
            parts = [self.part("…", "muted")]
        else:
            parts = chat_line(chat, width - 2, now, palette, is_open=chat.id == self.open_id)
        return self.item_line([mark, *parts], width, marked=under)

    def _empty(self) -> list[tuple[str, str]]:
        """Why there is nothing, and what to do, as (text, role) lines."""
        if self.shows_hits:
            return [
                (f"Nothing found for “{safe_line(self.line_edit.text, 40)}”.", "foreground"),
                ("", ""),
                ("All words must be there; net finds network too.", "muted"),
                ("“bad gateway”, in quotation marks, is a phrase.", "muted"),
            ]
        if self.listed.problem:
            return [(safe_line(each, 500), role) for each, role in self.listed.problem]
        if not self.listed.known:
            return []
        if self.archived:
            key = self.state.key
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
            (f"{self.state.key('chats.archived')} shows the archive.", "muted"),
        ]
