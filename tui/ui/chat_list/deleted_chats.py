"""Which chats were deleted since lokal was started, so that each can come back as it was shown, the last one first. Those
deleted before are found in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tui.store.store import ChatSummary


class Deleted(NamedTuple):
    """A chat that can come back; `was_open` = it was the one that was shown."""

    chat: ChatSummary
    was_open: bool


class DeletedChats:
    """What was deleted, and what is on its way back: the disk has the last word on both."""

    def __init__(self) -> None:
        self._deleted: list[Deleted] = []
        self._coming_back: list[Deleted] = []

    def put(self, chat: ChatSummary, *, was_open: bool) -> None:
        """A chat is being deleted."""
        self._deleted.append(Deleted(chat, was_open))

    def take(self) -> ChatSummary | None:
        """The chat that was deleted last, to be brought back; None if there is none."""
        if not self._deleted:
            return None
        last = self._deleted.pop()
        self._coming_back.append(last)
        return last.chat

    def came_back(self, chat_id: str) -> bool:
        """A chat is there again; whether it was the open one."""
        was_open = any(each.was_open for each in self._coming_back if each.chat.id == chat_id)
        self._coming_back = [each for each in self._coming_back if each.chat.id != chat_id]
        return was_open

    def failed(self, chat_id: str, *, for_good: bool) -> None:
        """A chat could not be deleted, or could not come back; unless `for_good`, that can be tried again."""
        self._deleted = [each for each in self._deleted if each.chat.id != chat_id]
        if not for_good:
            self._deleted += [each for each in self._coming_back if each.chat.id == chat_id]
        self._coming_back = [each for each in self._coming_back if each.chat.id != chat_id]
