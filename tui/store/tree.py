"""The messages of a chat on the disk: their rows, attachments and pieces. Functions over an open transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import replace

from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Status
from tui.store.failure import no_message
from tui.store.listing import require
from tui.store.rows import COLUMNS, Cell, message_from, message_row, storable

_MARKS = ", ".join("?" * len(COLUMNS))
_INSERT = (
    f"INSERT INTO messages ({', '.join(COLUMNS)}, chat_id, owner, ordinal) VALUES ({_MARKS}, ?, ?,"
    " (SELECT coalesce(max(ordinal), -1) + 1 FROM messages WHERE chat_id = ?))"
)
_UPDATE = (
    f"UPDATE messages SET {', '.join(f'{column} = ?' for column in COLUMNS)}, owner = ?"
    " WHERE id = ? AND chat_id = ? AND parent IS ? AND deleted_at IS NULL"
)
_SELECT = f"SELECT {', '.join(COLUMNS)}, owner, deleted_at FROM messages WHERE chat_id = ? ORDER BY ordinal"
FORGOTTEN = 0.0
"""When a message is said to have been deleted that never comes back: long enough ago to go for good at the next start."""
_STATUS = COLUMNS.index("status")
_BELOW = """
    WITH RECURSIVE below (id) AS (
        SELECT id FROM messages WHERE id = ? AND chat_id = ?
        UNION SELECT messages.id FROM messages JOIN below ON messages.chat_id = ? AND messages.parent = below.id
    ) SELECT messages.id FROM messages JOIN below ON messages.id = below.id
    WHERE deleted_at IS NULL ORDER BY ordinal
"""


def load(
    connection: sqlite3.Connection, chat_id: str, is_alive: Callable[[str], bool] | None = None
) -> Conversation:
    """The whole chat without what was deleted, which is in `deleted` as long as it can come back. An answer is still
    coming only if `is_alive` says so of its owner; without that it is taken to be so. Raises ValueError, TypeError or
    AttributeError for rows that make no sense."""
    require(connection, chat_id)
    chat = connection.execute(
        "SELECT title, open_leaf FROM chats WHERE id = ?", (storable(chat_id),)
    ).fetchone()
    attachments = _attachments_of(connection, chat_id)
    messages, deleted = [], []
    for row in connection.execute(_SELECT, (chat_id,)).fetchall():
        pieces = ("", "")
        if row[_STATUS] == Status.STREAMING.value:
            pieces = pieces_of(connection, row[0])
        message = message_from(row[:-2], tuple(attachments.get(row[0], ())), *pieces)
        if message.status is Status.STREAMING and is_alive is not None and not is_alive(row[-2] or ""):
            message = replace(message, status=Status.INTERRUPTED)
        messages.append(message)
        if row[-1] is not None:
            deleted.append((row[-1], row[0]))
    title, open_leaf = chat
    conversation = Conversation(chat_id, title, messages, open_leaf)
    for deleted_at, message_id in sorted(deleted, key=lambda each: each[0]):
        if message_id in conversation:
            removed = conversation.remove(message_id)
            if deleted_at != FORGOTTEN:
                conversation.deleted.append(removed)
    return conversation


def add(connection: sqlite3.Connection, chat_id: str, message: Message, owner: str | None) -> None:
    """Add a message after those there are, under its parent, and open the branch down to it."""
    require(connection, chat_id)
    _require_message(connection, "Cannot save the message", chat_id, message.parent)
    insert(connection, chat_id, message, owner)
    _open_at(connection, chat_id, message)


def _open_at(connection: sqlite3.Connection, chat_id: str, message: Message) -> None:
    connection.execute(
        "UPDATE chats SET message_count = message_count + 1, open_leaf = ?, updated_at = max(updated_at, ?) WHERE id = ?",
        (storable(message.id), message.created_at, chat_id),
    )


def complete(
    connection: sqlite3.Connection,
    chat_id: str,
    title: str,
    messages: Iterable[Message],
    owner: Callable[[Message], str | None],
) -> None:
    """Put the messages of a chat that are not there into it, and the chat if that is not there; `messages` are in the
    order of their making. What is there, or was deleted, stays as it is, and what is under that is left out."""
    messages, key = tuple(messages), storable(chat_id)
    first = messages[0].created_at if messages else 0.0
    connection.execute(
        "INSERT OR IGNORE INTO chats (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
        (key, storable(title), first, first),
    )
    for message in messages:
        id, parent = storable(message.id), None if message.parent is None else storable(message.parent)
        is_there = connection.execute("SELECT 1 FROM messages WHERE id = ?", (id,)).fetchone()
        under = connection.execute(
            "SELECT 1 FROM messages WHERE id = ? AND chat_id = ? AND deleted_at IS NULL", (parent, key)
        ).fetchone()
        if is_there is None and (parent is None or under is not None):
            insert(connection, key, message, owner(message))
            _open_at(connection, key, message)


def insert(connection: sqlite3.Connection, chat_id: str, message: Message, owner: str | None) -> None:
    """The row of a message and its attachments, and nothing of its chat."""
    connection.execute(_INSERT, (*message_row(message), chat_id, owner, chat_id))
    _insert_attachments(connection, message)


def update(
    connection: sqlite3.Connection, chat_id: str, message: Message, owner: str | None, now: float
) -> None:
    """Replace a message as a whole, with its pieces; its place in the tree stays."""
    require(connection, chat_id)
    row = message_row(message)
    key: tuple[Cell, ...] = (row[0], chat_id, row[1])
    changed = connection.execute(_UPDATE, (*row, owner, *key))
    if not changed.rowcount:
        raise no_message("Cannot save the message", chat_id, message.id)
    connection.execute("DELETE FROM pieces WHERE message_id = ?", (row[0],))
    connection.execute("DELETE FROM attachments WHERE message_id = ?", (row[0],))
    _insert_attachments(connection, message)
    connection.execute("UPDATE chats SET updated_at = max(updated_at, ?) WHERE id = ?", (now, chat_id))


def is_there(connection: sqlite3.Connection, chat_id: str, message: Message) -> bool:
    """Whether the chat has a message of that id at the same place."""
    key = (
        storable(message.id),
        storable(chat_id),
        None if message.parent is None else storable(message.parent),
    )
    return (
        connection.execute(
            "SELECT 1 FROM messages WHERE id = ? AND chat_id = ? AND parent IS ? AND deleted_at IS NULL", key
        ).fetchone()
        is not None
    )


def append(connection: sqlite3.Connection, message_id: str, content: str, reasoning: str) -> None:
    """Add a piece to a streaming answer; what comes after the answer was saved as a whole is dropped."""
    row = connection.execute(
        "SELECT status, chat_id, deleted_at FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    if row is None or row[2] is not None:
        raise no_message("Cannot save the answer", "" if row is None else row[1], message_id)
    require(connection, row[1])
    if row[0] == Status.STREAMING.value:
        connection.execute(
            "INSERT INTO pieces (message_id, content, reasoning) VALUES (?, ?, ?)",
            (message_id, storable(content), storable(reasoning)),
        )


def select(connection: sqlite3.Connection, chat_id: str, leaf_id: str) -> None:
    """Remember that the branch which ends in `leaf_id` is the open one."""
    require(connection, chat_id)
    _require_message(connection, "Cannot save the open branch", chat_id, leaf_id)
    connection.execute("UPDATE chats SET open_leaf = ? WHERE id = ?", (leaf_id, chat_id))


def remove(connection: sqlite3.Connection, chat_id: str, ids: Iterable[str], now: float) -> tuple[str, ...]:
    """Mark messages as deleted with all below them; the ids of those that were there, parents first."""
    require(connection, chat_id)
    gone: dict[str, None] = {}
    for message_id in ids:
        if message_id not in gone:
            _require_message(connection, "Cannot delete the message", chat_id, message_id)
            below = connection.execute(_BELOW, (message_id, chat_id, chat_id)).fetchall()
            gone.update(dict.fromkeys(row[0] for row in below))
    _mark(connection, chat_id, tuple(gone), now)
    return tuple(gone)


def restore(connection: sqlite3.Connection, chat_id: str, ids: Iterable[str]) -> None:
    """Take the mark off messages; their parents must be there, or among them."""
    require(connection, chat_id)
    wanted = dict.fromkeys(ids)
    deleted = [
        id
        for id in wanted
        if connection.execute(
            "SELECT 1 FROM messages WHERE id = ? AND chat_id = ? AND deleted_at IS NOT NULL", (id, chat_id)
        ).fetchone()
    ]
    _mark(connection, chat_id, deleted, None)
    for id in wanted:
        row = connection.execute(
            "SELECT parent FROM messages WHERE id = ? AND chat_id = ?", (id, chat_id)
        ).fetchone()
        if row is None:
            raise no_message("Cannot restore the message", chat_id, id)
        _require_message(connection, "Cannot restore the message", chat_id, row[0])


def pieces_of(connection: sqlite3.Connection, message_id: str) -> tuple[str, str]:
    """What was checkpointed of a streaming answer: text and reasoning."""
    rows = connection.execute(
        "SELECT content, reasoning FROM pieces WHERE message_id = ? ORDER BY id", (message_id,)
    ).fetchall()
    return "".join(row[0] for row in rows), "".join(row[1] for row in rows)


def _mark(connection: sqlite3.Connection, chat_id: str, ids: Iterable[str], deleted_at: float | None) -> None:
    ids = tuple(ids)
    connection.executemany(
        "UPDATE messages SET deleted_at = ? WHERE id = ?", [(deleted_at, id) for id in ids]
    )
    change = len(ids) if deleted_at is None else -len(ids)
    connection.execute("UPDATE chats SET message_count = message_count + ? WHERE id = ?", (change, chat_id))


def _require_message(
    connection: sqlite3.Connection, title: str, chat_id: str, message_id: str | None
) -> None:
    if message_id is None:
        return
    there = connection.execute(
        "SELECT 1 FROM messages WHERE id = ? AND chat_id = ? AND deleted_at IS NULL",
        (storable(message_id), chat_id),
    ).fetchone()
    if there is None:
        raise no_message(title, chat_id, message_id)


def _attachments_of(connection: sqlite3.Connection, chat_id: str) -> dict[str, list[Attachment]]:
    rows = connection.execute(
        "SELECT message_id, name, media_type, data FROM attachments JOIN messages ON messages.id = message_id"
        " WHERE chat_id = ? ORDER BY message_id, attachments.ordinal",
        (chat_id,),
    )
    attachments: dict[str, list[Attachment]] = {}
    for message_id, name, media_type, data in rows.fetchall():
        attachments.setdefault(message_id, []).append(Attachment(name, media_type, data))
    return attachments


def _insert_attachments(connection: sqlite3.Connection, message: Message) -> None:
    connection.executemany(
        "INSERT INTO attachments (message_id, ordinal, name, media_type, data) VALUES (?, ?, ?, ?, ?)",
        [
            (storable(message.id), ordinal, storable(file.name), storable(file.media_type), file.data)
            for ordinal, file in enumerate(message.attachments)
        ],
    )
