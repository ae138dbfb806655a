"""What a start puts right: answers that a dead lokal left unfinished, and what was deleted long enough ago to go for good.

Functions over an open transaction.
"""

from __future__ import annotations

import contextlib
import sqlite3

from tui.core.message import Status
from tui.store import drafts, index, tree
from tui.store.process_lock import ProcessLock

UNDO_S = 24 * 3600.0
"""How long what was deleted can come back, in seconds."""


def end_unfinished(connection: sqlite3.Connection, process_lock: ProcessLock) -> tuple[str, ...]:
    """Turn the answers of dead lokals into interrupted ones with all that was checkpointed; the ids of their chats."""
    chat_ids: dict[str, None] = {}
    unfinished = connection.execute(
        "SELECT messages.id, chat_id, owner, content, reasoning, chats.deleted_at IS NULL FROM messages"
        " JOIN chats ON chats.id = chat_id WHERE status = 'streaming' ORDER BY updated_at DESC, chats.id"
    ).fetchall()
    for message_id, chat_id, token, content, reasoning, is_there in unfinished:
        if process_lock.is_alive(token or ""):
            continue
        more_content, more_reasoning = tree.pieces_of(connection, message_id)
        connection.execute(
            "UPDATE messages SET content = ?, reasoning = ?, status = ?, owner = NULL WHERE id = ?",
            (content + more_content, reasoning + more_reasoning, Status.INTERRUPTED.value, message_id),
        )
        connection.execute("DELETE FROM pieces WHERE message_id = ?", (message_id,))
        if is_there:
            chat_ids[chat_id] = None
    return tuple(chat_ids)


def purge(connection: sqlite3.Connection, chat_id: str, has_index: bool) -> None:
    """Delete a chat for good: its rows, its words in the index, its draft. The freed pages are overwritten."""
    connection.execute("PRAGMA secure_delete = ON")
    # Without parents first: taking a long branch out by its foreign keys goes deeper than SQLite allows.
    connection.execute("UPDATE messages SET parent = NULL WHERE chat_id = ?", (chat_id,))
    connection.execute("DELETE FROM chats WHERE id = ?", (chat_id,))
    drafts.forget(connection, chat_id)
    index.forget(connection, chat_id, has_index)


def purge_old(connection: sqlite3.Connection, now: float, has_index: bool) -> int:
    """Delete for good what was marked UNDO_S ago or earlier; how many chats and messages that were."""
    before = now - UNDO_S
    chats = connection.execute("SELECT id FROM chats WHERE deleted_at <= ?", (before,)).fetchall()
    for (chat_id,) in chats:
        purge(connection, chat_id, has_index)
    affected = connection.execute(
        "SELECT DISTINCT chats.id FROM messages JOIN chats ON chats.id = chat_id"
        " WHERE messages.deleted_at <= ? AND chats.deleted_at IS NULL",
        (before,),
    ).fetchall()
    for (chat_id,) in affected:  # the open branch stays the one that is seen now
        with contextlib.suppress(
            ValueError, TypeError, AttributeError
        ):  # a damaged chat must not stop the others
            leaf = tree.load(connection, chat_id).leaf
            connection.execute(
                "UPDATE chats SET open_leaf = ? WHERE id = ?", (None if leaf is None else leaf.id, chat_id)
            )
    old = connection.execute("SELECT count(*) FROM messages WHERE deleted_at <= ?", (before,)).fetchone()[0]
    if old:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("UPDATE messages SET parent = NULL WHERE deleted_at <= ?", (before,))
        connection.execute("DELETE FROM messages WHERE deleted_at <= ?", (before,))
        index.tidy_later(connection)
    return len(chats) + int(old)
