"""Adding whole chats to the database. Functions over an open transaction: all of them come in, or none."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tui.core.conversation import Conversation
from tui.core.message import Message, Status, new_id
from tui.store import tree
from tui.store.cleaning import cleaned, is_plain
from tui.store.rows import WholeChat, storable


@dataclass(frozen=True, slots=True)
class Imported:
    """The ids of the chats that came in, and of those that were there already with every message and were skipped."""

    added: tuple[str, ...]
    skipped: tuple[str, ...]


def import_chats(
    connection: sqlite3.Connection, chats: Iterable[WholeChat], now: float | None = None
) -> Imported:
    """Add chats with all their branches. What is taken gets a new id. One that is dated after `now` (None = by the clock)
    was used now: it would stay first in the list until then."""
    now = time.time() if now is None else now
    added, skipped = [], []
    for chat in chats:
        chat_id = storable(chat.conversation.id)
        there = connection.execute("SELECT deleted_at FROM chats WHERE id = ?", (chat_id,)).fetchone()
        if (
            there is not None
            and there[0] is None
            and _has_all(tree.load(connection, chat_id), chat.conversation)
        ):
            skipped.append(chat_id)
            continue
        chat_id = chat_id if there is None and is_plain(chat_id) else new_id()
        _insert(connection, chat_id, chat, now)
        added.append(chat_id)
    return Imported(tuple(added), tuple(skipped))


def _insert(connection: sqlite3.Connection, chat_id: str, chat: WholeChat, now: float) -> None:
    summary, conversation = chat.summary, chat.conversation
    leaf = conversation.leaf
    ids: dict[str | None, str | None] = {None: None}
    connection.execute(
        "INSERT INTO chats (id, title, created_at, updated_at, message_count, pinned, archived)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            chat_id,
            storable(conversation.title),
            summary.created_at,
            min(summary.updated_at, now),
            len(conversation),
            summary.pinned,
            summary.archived,
        ),
    )
    for message in conversation:
        wanted = storable(message.id)
        taken = connection.execute("SELECT 1 FROM messages WHERE id = ?", (wanted,)).fetchone()
        ids[message.id] = id = new_id() if taken or not is_plain(wanted) else wanted
        tree.insert(connection, chat_id, replace(_ended(message), id=id, parent=ids[message.parent]), None)
    if leaf is not None:
        connection.execute("UPDATE chats SET open_leaf = ? WHERE id = ?", (ids[leaf.id], chat_id))


def _has_all(there: Conversation, wanted: Conversation) -> bool:
    """Compared as an export of the chat would be read: what is said here may hold what a file may not bring."""
    return all(
        message.id in there and cleaned(there[message.id]) == cleaned(_ended(message)) for message in wanted
    )


def _ended(message: Message) -> Message:
    """Nobody goes on writing an answer that came from a file."""
    return replace(message, status=Status.INTERRUPTED) if message.status is Status.STREAMING else message
