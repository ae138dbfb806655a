"""What the library of the chats posts to the app."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from textual.message import Message

from tui.errors import StoreError

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.store.store import ChatSummary, Hit, ListWindow


class ChatListMessage(Message):
    """What the list of chats asks for, and what the library answers: the controller of the list hears all of it."""


@dataclass(eq=False, repr=False)
class ChatsListed(ChatListMessage):
    """A part of the list, or of the archive, in answer to the wish of that number."""

    window: ListWindow
    wish: int


@dataclass(eq=False, repr=False)
class ChatsUnlisted(ChatListMessage):
    """It could not be read; without an `error` not yet, as the chats are still being opened."""

    error: StoreError | None
    wish: int


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
class SearchHits:
    """One page of what was found, the `first` of them all; `more` = others follow. `behind` messages are not in the index
    yet."""

    query: str
    first: int
    hits: tuple[Hit, ...]
    more: bool
    behind: int


@dataclass(eq=False, repr=False)
class HitsFound(ChatListMessage):
    """A search has an answer."""

    found: SearchHits


@dataclass(eq=False, repr=False)
class ChatOpened(ChatListMessage):
    """A chat was read, to be shown at `message_id`, empty = at its end, with what `pattern` finds marked. `session` is
    None for the chat that is open already. `beneath` = the list stays open over it."""

    chat_id: str
    session: ChatSession | None
    message_id: str = ""
    pattern: re.Pattern[str] | None = None
    _: KW_ONLY
    beneath: bool = False


class ChatChange(StrEnum):
    """What was done to a chat as a whole."""

    RENAMED = "renamed"
    PINNED = "pinned"
    UNPINNED = "unpinned"
    ARCHIVED = "archived"
    UNARCHIVED = "unarchived"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(eq=False, repr=False)
class ChatChanged(ChatListMessage):
    """It is done, and on the disk; `chat` as it is now."""

    change: ChatChange
    chat: ChatSummary


@dataclass(eq=False, repr=False)
class ChatUnchanged(ChatListMessage):
    """It could not be done to the chat, or the chat could not be read."""

    chat_id: str
    error: StoreError


# -- what the list asks for -------------------------------------------------------------------------------------------


@dataclass(eq=False, repr=False)
class ListWanted(ChatListMessage):
    """A part of the list is to be read."""

    wish: ListWish


@dataclass(eq=False, repr=False)
class SearchWanted(ChatListMessage):
    """The chats are to be searched; `first` hits are there already."""

    query: str
    first: int = 0


@dataclass(eq=False, repr=False)
class ChatChosen(ChatListMessage):
    """A chat is to be opened, at a message if one is named, with what `query` finds in it marked."""

    chat_id: str
    title: str
    message_id: str = ""
    query: str = ""


@dataclass(eq=False, repr=False)
class ChatCommandGiven(ChatListMessage):
    """A command was given for the chat under the cursor; for renaming, with its new title."""

    command_id: str
    chat: ChatSummary | None
    title: str = ""


@dataclass(eq=False, repr=False)
class ChatListLeft(ChatListMessage):
    """The person goes back to the open chat."""


@dataclass(eq=False, repr=False)
class ChatListModeChanged(ChatListMessage):
    """Other keys make sense now."""
