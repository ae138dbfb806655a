"""The list of the chats, and what is done to a chat as a whole. Functions over an open transaction."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from tui.core.text import safe_line, safe_name
from tui.errors import StoreError
from tui.store.failure import deleted_chat, gone_chat, no_chat
from tui.store.rows import ChatSummary, storable

_CELLS = "id, title, created_at, updated_at, message_count, pinned, archived"
_SUMMARY = f"SELECT {_CELLS} FROM chats WHERE deleted_at IS NULL"
LIST_CHATS = f"{_SUMMARY} AND archived = ? ORDER BY pinned DESC, updated_at DESC, id LIMIT ? OFFSET ?"
"""Pinned chats first, then the newest, straight from the index."""
_SHOWN_MATCHES = 5
_AHEAD_S = 86_400.0
_COUNT = "SELECT count(*) FROM chats WHERE deleted_at IS NULL AND archived = ?"
# One term for each column of the order, so that the index answers them all.
_BEFORE = (
    f"SELECT ({_COUNT} AND pinned > ?) + ({_COUNT} AND pinned = ? AND updated_at > ?)"
    f" + ({_COUNT} AND pinned = ? AND updated_at = ? AND id < ?)"
)


@dataclass(frozen=True, slots=True)
class ListWindow:
    """Some chats of the list that follow each other: `first` is the place of the first of them among all `total`,
    `place` that of the chat that was asked for, None = it is not in this list."""

    first: int
    chats: tuple[ChatSummary, ...]
    total: int
    place: int | None = None


def page(connection: sqlite3.Connection, limit: int, offset: int, archived: bool) -> tuple[ChatSummary, ...]:
    """One page of the list."""
    return tuple(map(_summary, connection.execute(LIST_CHATS, (int(archived), limit, offset)).fetchall()))


def has(connection: sqlite3.Connection, chat_id: str) -> bool:
    """Whether there is a chat with that id, archived or not, which is not marked as deleted."""
    query = "SELECT 1 FROM chats WHERE id = ? AND deleted_at IS NULL"
    return connection.execute(query, (storable(chat_id),)).fetchone() is not None


def window(
    connection: sqlite3.Connection, middle: int, limit: int, archived: bool, chat_id: str = ""
) -> ListWindow:
    """The chats around the place `middle`, or around the chat with that id where it is in the list."""
    total = int(connection.execute(_COUNT, (int(archived),)).fetchone()[0])
    found = _place(connection, chat_id, archived)
    middle = middle if found is None else found
    first = max(0, min(middle - limit // 2, total - limit))
    return ListWindow(first, page(connection, limit, first, archived), total, found)


def _place(connection: sqlite3.Connection, chat_id: str, archived: bool) -> int | None:
    row = connection.execute(
        "SELECT pinned, updated_at, id FROM chats WHERE id = ? AND archived = ? AND deleted_at IS NULL",
        (storable(chat_id), int(archived)),
    ).fetchone()
    if row is None:
        return None
    pinned, updated_at, id = row
    which = int(archived)
    cells = (which, pinned, which, pinned, updated_at, which, pinned, updated_at, id)
    return int(connection.execute(_BEFORE, cells).fetchone()[0])


def date_back(connection: sqlite3.Connection, now: float) -> None:
    """Put chats that are dated more than a day after `now` right behind the newest of the others: one that was written
    while the clock was wrong would stay first for ever. Where most chats are dated so it is the clock of now that is
    wrong, and nothing is changed."""
    ahead, others = connection.execute(
        "SELECT count(*) FILTER (WHERE updated_at > :limit), count(*) FILTER (WHERE updated_at <= :limit) FROM chats",
        {"limit": now + _AHEAD_S},
    ).fetchone()
    if 0 < ahead <= others:
        connection.execute(
            "UPDATE chats SET updated_at = (SELECT max(updated_at) FROM chats WHERE updated_at <= :limit) - 0.001"
            " WHERE updated_at > :limit",
            {"limit": now + _AHEAD_S},
        )


def find(connection: sqlite3.Connection, text: str) -> ChatSummary:
    """The chat with that id, the only one whose id starts so, or with `last` the one that was used last."""
    wanted = storable(text.strip().lower())
    if not wanted:
        raise StoreError("Which chat?", "No id was given", "“lokal chats list” shows them all")
    if wanted == "last":
        newest = connection.execute(f"{_SUMMARY} ORDER BY archived, updated_at DESC, id LIMIT 1").fetchone()
        if newest is None:
            raise StoreError("There is no chat yet", "", "Start lokal and ask something")
        return _summary(newest)
    exact = connection.execute(f"{_SUMMARY} AND id = ?", (storable(text.strip()),)).fetchone()
    if exact is not None:
        return _summary(exact)
    rows = connection.execute(
        f"{_SUMMARY} AND id >= ? AND id < ? ORDER BY id LIMIT ?",
        (wanted, wanted + "\U0010ffff", _SHOWN_MATCHES + 1),
    ).fetchall()
    if not rows:
        raise no_chat(text)
    matches = [_summary(row) for row in rows]
    if len(matches) > 1:
        shown = ", ".join(
            f"{chat.id} ({safe_name(chat.title, 30) or 'no title'})" for chat in matches[:_SHOWN_MATCHES]
        )
        more = ", …" if len(matches) > _SHOWN_MATCHES else ""
        raise StoreError(
            f"More than one chat starts with “{safe_line(text, 40)}”", shown + more, "Type more of the id"
        )
    return matches[0]


def last_deleted(connection: sqlite3.Connection) -> ChatSummary | None:
    """The chat that was marked as deleted last and is not purged yet."""
    row = connection.execute(
        f"SELECT {_CELLS} FROM chats WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, id LIMIT 1"
    ).fetchone()
    return None if row is None else _summary(row)


def require(connection: sqlite3.Connection, chat_id: str) -> None:
    """Raise StoreError for a chat that is not there, or deleted."""
    row = connection.execute(
        "SELECT title, deleted_at FROM chats WHERE id = ?", (storable(chat_id),)
    ).fetchone()
    if row is None:
        raise gone_chat(chat_id)
    if row[1] is not None:
        raise deleted_chat(chat_id, str(row[0]))


def change(connection: sqlite3.Connection, chat_id: str, column: str, value: str | int) -> None:
    """Set the title, `pinned` or `archived` of a chat that is there."""
    require(connection, chat_id)
    connection.execute(f"UPDATE chats SET {column} = ? WHERE id = ?", (value, storable(chat_id)))


def mark(connection: sqlite3.Connection, chat_id: str, deleted_at: float | None) -> None:
    """Mark a chat as deleted, or as there again with None."""
    changed = connection.execute(
        "UPDATE chats SET deleted_at = ? WHERE id = ?", (deleted_at, storable(chat_id))
    )
    if not changed.rowcount:
        raise gone_chat(chat_id)


def _summary(row: tuple[str, str, float, float, int, int, int]) -> ChatSummary:
    return ChatSummary(*row[:5], bool(row[5]), bool(row[6]))
