"""What the list of chats holds: a part of the list, what a search has found, and the cursor in both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tui.ui.chat_list.messages import SearchHits
from tui.ui.widgets.list_cursor import ListCursor

if TYPE_CHECKING:
    from tui.errors import StoreError
    from tui.store.store import ChatSummary, Hit, ListWindow

AHEAD = 40
"""Items before the end of what was read at which more is asked for; fewer than `LISTED` reaches beyond the screen."""
LISTED = 100
"""Chats that are held above and below the cursor, beyond two screens of them."""


class Listed:
    """The list, of which only a part is in memory. `wanted` is the place around which another part is needed."""

    def __init__(self) -> None:
        self.cursor = ListCursor()
        self.known = False
        """Whether there was an answer of the store."""
        self.problem: tuple[tuple[str, str], ...] = ()
        """Why there is no list, as lines with their roles."""
        self._window: ListWindow | None = None

    @property
    def total(self) -> int:
        """How many chats there are."""
        return self._window.total if self._window is not None else 0

    @property
    def current(self) -> ChatSummary | None:
        """The chat under the cursor."""
        return self.at(self.cursor.at)

    def at(self, place: int) -> ChatSummary | None:
        """The chat at a place; None where it is not read."""
        window = self._window
        if window is None or not window.first <= place < window.first + len(window.chats):
            return None
        return window.chats[place - window.first]

    def show(self, window: ListWindow, rows: int) -> None:
        """Another part of the list; the cursor goes to the chat that was asked for, if one was."""
        self.known, self.problem = True, ()
        self._window = window
        self.cursor.count = window.total
        self.cursor.go(self.cursor.at if window.place is None else window.place, rows)

    @staticmethod
    def size(rows: int) -> int:
        """How many chats are to be read at a time, with so many in sight."""
        return 2 * (LISTED + 2 * rows)

    def forget(self) -> None:
        """Another list is to come."""
        self.known, self.problem, self._window, self.cursor = False, (), None, ListCursor()

    def fail(self, error: StoreError | None) -> None:
        """The store could not be read, or not yet (None); what was read before stays."""
        if self._window is not None:
            return
        self.known = error is not None
        if error is None:
            self.problem = (("The chats are being opened …", "muted"),)
        else:
            words = ((error.title, "error"), (error.detail, "muted"), (error.hint, "muted"))
            self.problem = tuple(line for line in words if line[0])

    def wanted(self, rows: int) -> int | None:
        """The place around which a part of the list has to be read for what is in sight; None = all is there."""
        window = self._window
        if window is None:
            return None
        top, bottom = self.cursor.top, min(window.total, self.cursor.top + rows)
        first, last = window.first, window.first + len(window.chats)
        missing = top < first or bottom > last
        soon = (top < first + AHEAD and first > 0) or (bottom > last - AHEAD and last < window.total)
        return self.cursor.at if missing or soon else None

    def drop(self, chat_id: str, rows: int) -> None:
        """A chat leaves the list."""
        window = self._window
        if window is None:
            return
        chats = tuple(chat for chat in window.chats if chat.id != chat_id)
        gone = len(window.chats) - len(chats)
        self._window = replace(window, chats=chats, total=window.total - gone)
        self.cursor.resize(self._window.total, rows)

    def put(self, chat: ChatSummary) -> None:
        """A chat has changed, and stays where it is for now."""
        window = self._window
        if window is not None:
            chats = tuple(chat if other.id == chat.id else other for other in window.chats)
            self._window = replace(window, chats=chats)


class Hits:
    """What the last search that was answered has found, as far as it was read."""

    def __init__(self) -> None:
        self.cursor = ListCursor()
        self.query = ""
        self.hits: tuple[Hit, ...] = ()
        self.more = False
        self.behind = 0
        """Messages that the index does not know yet."""
        self.read = 0
        """How many were read; titles that say no more than a message are left out of `hits`."""
        self._asked = 0

    @property
    def current(self) -> Hit | None:
        """The hit under the cursor."""
        return self.hits[self.cursor.at] if self.cursor.at < len(self.hits) else None

    def show(self, found: SearchHits, rows: int) -> None:
        """A search has an answer, or its next page has come."""
        if not found.first:
            self.hits, self.query, self.cursor, self.read, self._asked = (), found.query, ListCursor(), 0, 0
        elif found.query != self.query or found.first != self.read:
            return
        self.read += len(found.hits)
        self.hits += _without_titles(found.hits, self.hits)
        self.more, self.behind = found.more, found.behind
        self.cursor.resize(len(self.hits), rows)

    def take_wish(self) -> bool:
        """Whether the next page is to be read; True once for each."""
        if not self.more or self._asked == self.read or self.cursor.at < len(self.hits) - AHEAD:
            return False
        self._asked = self.read
        return True

    def drop(self, chat_id: str, rows: int) -> None:
        """A chat is there no longer."""
        self.hits = tuple(hit for hit in self.hits if hit.chat_id != chat_id)
        self.cursor.resize(len(self.hits), rows)


def _without_titles(new: tuple[Hit, ...], before: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The hits but for titles of chats that a message was found in: a title is made of the first question."""
    chats = {hit.chat_id for hit in (*before, *new) if hit.message_id}
    return tuple(hit for hit in new if hit.message_id or hit.chat_id not in chats)
