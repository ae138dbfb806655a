"""A chat that another lokal has deleted goes on as a new one.

On the disk the deleted messages keep their ids, so that the deletion can be undone there; the copies have others. Here the
messages stay what they are, and only the store is told the other names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.core.conversation import Conversation
from tui.core.draft import Draft
from tui.core.message import Message, new_id

if TYPE_CHECKING:
    from tui.store.store import Store


class MovedChatStore:
    """What a `ChatSession` needs of the store, with the ids that messages have on the disk."""

    def __init__(self, store: Store | MovedChatStore, ids: Mapping[str, str]) -> None:
        self._store = store
        self._ids = ids

    def _id(self, id: str) -> str:
        return self._ids.get(id, id)

    def _kept(self, message: Message) -> Message:
        parent = None if message.parent is None else self._id(message.parent)
        return replace(message, id=self._id(message.id), parent=parent)

    def _draft_kept(self, draft: Draft) -> Draft:
        return replace(draft, edits=tuple((self._id(id), text) for id, text in draft.edits))

    @property
    def renewed(self) -> int:
        """As in the store."""
        return self._store.renewed

    @property
    def is_kept(self) -> bool:
        """As in the store."""
        return self._store.is_kept

    def write_together(self, failure: str, writes: Sequence[Callable[[], object]]) -> None:
        """As in the store."""
        self._store.write_together(failure, writes)

    def complete(self, chat_id: str, title: str, messages: Iterable[Message]) -> None:
        """As in the store."""
        self._store.complete(chat_id, title, [self._kept(message) for message in messages])

    def create_chat(self, chat_id: str, title: str, created_at: float) -> None:
        """As in the store."""
        self._store.create_chat(chat_id, title, created_at)

    def add_chat(self, conversation: Conversation, created_at: float) -> str:
        """As in the store."""
        return self._store.add_chat(conversation, created_at)

    def rename(self, chat_id: str, title: str) -> None:
        """As in the store."""
        self._store.rename(chat_id, title)

    def draft(self, chat_id: str) -> Draft:
        """As in the store."""
        here = {there: id for id, there in self._ids.items()}
        draft = self._store.draft(chat_id)
        return replace(draft, edits=tuple((here.get(id, id), text) for id, text in draft.edits))

    def save_draft(self, chat_id: str, draft: Draft, before: Draft | None = None) -> None:
        """As in the store."""
        known = None if before is None else self._draft_kept(before)
        self._store.save_draft(chat_id, self._draft_kept(draft), known)

    def add_message(self, chat_id: str, message: Message) -> None:
        """As in the store."""
        self._store.add_message(chat_id, self._kept(message))

    def update_message(self, chat_id: str, message: Message) -> None:
        """As in the store."""
        self._store.update_message(chat_id, self._kept(message))

    def checkpoint(self, message_id: str, content: str, reasoning: str) -> None:
        """As in the store."""
        self._store.checkpoint(self._id(message_id), content, reasoning)

    def select(self, chat_id: str, leaf_id: str) -> None:
        """As in the store."""
        self._store.select(chat_id, self._id(leaf_id))

    def remove_messages(self, chat_id: str, ids: Iterable[str], *, for_good: bool = False) -> tuple[str, ...]:
        """As in the store."""
        return self._store.remove_messages(chat_id, [self._id(id) for id in ids], for_good=for_good)

    def restore_messages(self, chat_id: str, ids: Iterable[str]) -> None:
        """As in the store."""
        self._store.restore_messages(chat_id, [self._id(id) for id in ids])


def moved(chat: Conversation, store: Store | MovedChatStore) -> tuple[Conversation, MovedChatStore]:
    """A copy of the chat with other ids everywhere, and the store for the one who goes on with the ids of before."""
    ids = {message.id: new_id() for message in chat}
    copies = [
        replace(message, id=ids[message.id], parent=None if message.parent is None else ids[message.parent])
        for message in chat
    ]
    leaf = chat.leaf
    copy = Conversation(new_id(), chat.title, copies, ids[leaf.id] if leaf is not None else None)
    return copy, MovedChatStore(store, ids)
