"""What the keeper of the chats posts to the app."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.message import Message

from tui.errors import StoreError

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.store.store import ChatSummary, Hit, ListWindow


class ChatsListed(Message):
    """A part of the list, or of the archive, in answer to the wish of that number."""

    def __init__(self, window: ListWindow, wish: int) -> None:
        super().__init__()
        self.window = window
        self.wish = wish


class ChatsUnlisted(Message):
    """It could not be read; without an `error` not yet, as the chats are still being opened."""

    def __init__(self, error: StoreError | None, wish: int) -> None:
        super().__init__()
        self.error = error
        self.wish = wish


@dataclass(frozen=True, slots=True)
class ListWish:
    """`limit` chats around the place `middle`, or around a chat if it is in the list. Wishes are numbered, so that an
    answer that came too late is known."""

    number: int
    middle: int
    limit: int
    archived: bool
    chat_id: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found, the `first` of them all; `more` = others follow. `behind` messages are not in the index
    yet."""

    query: str
    first: int
    hits: tuple[Hit, ...]
    more: bool
    behind: int


class HitsFound(Message):
    """A search has an answer."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found


class ChatOpened(Message):
    """A chat was read, to be shown at `message_id`, empty = at its end, with what `pattern` finds marked. `session` is
    None for the chat that is open already. `beneath` = the list stays open over it."""

    def __init__(
        self,
        chat_id: str,
        session: ChatSession | None,
        message_id: str = "",
        pattern: re.Pattern[str] | None = None,
        *,
        beneath: bool = False,
    ) -> None:
        super().__init__()
        self.chat_id = chat_id
        self.session = session
        self.message_id = message_id
        self.pattern = pattern
        self.beneath = beneath


class Deed(StrEnum):
    """What was done to a chat as a whole."""

    RENAMED = "renamed"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    DELETED = "deleted"
    RESTORED = "restored"


class ChatChanged(Message):
    """It is done, and on the disk; `chat` as it is now."""

    def __init__(self, deed: Deed, chat: ChatSummary) -> None:
        super().__init__()
        self.deed = deed
        self.chat = chat


class ChatUnchanged(Message):
    """It could not be done to the chat, or the chat could not be read."""

    def __init__(self, chat_id: str, error: StoreError) -> None:
        super().__init__()
        self.chat_id = chat_id
        self.error = error
