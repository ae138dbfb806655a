"""What the list of chats shows, and what its keys mean just now."""

from __future__ import annotations

from enum import StrEnum

from tui.ui.chat_list.window import Hits, Listed
from tui.ui.widgets.line_edit import LineEdit
from tui.ui.widgets.list_cursor import ListCursor


class Mode(StrEnum):
    """What the keys mean."""

    LIST = "list"
    SEARCH = "search"
    RENAME = "rename"
    LEAVING = "leaving"
    """The person is on the way out; what is typed is for whatever gets the keys next."""


class ChatListContents:
    """The chats that are listed, or what a search has found, and the line that is written: a search or a title."""

    def __init__(self) -> None:
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
    def is_searching(self) -> bool:
        """Whether a search is written, or was until the person left."""
        return self.mode is Mode.SEARCH or (self.mode is Mode.LEAVING and bool(self.line_edit.text))

    @property
    def cursor(self) -> ListCursor:
        """Where the cursor is in what is shown."""
        return self.hits.cursor if self.shows_hits else self.listed.cursor
