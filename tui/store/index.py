"""The full-text index over the messages and the titles of the chats.

A document is a folded text (tui.store.words) in the table `documents`; FTS5 keeps the index `search` over them. What
was written but is not indexed yet stands in the table `unindexed`, which triggers fill: whatever program writes, and
however it ends, nothing is forgotten. Every write of lokal's own settles the few entries that it made itself; what an
import or an update of the database leaves is worked off in small steps, `work`.

An answer is indexed when it is saved as a whole, not piece by piece. Messages and chats that are only marked as deleted
stay in the index, so that undoing a deletion costs nothing, and are left out of what is found.

Some builds of SQLite have no FTS5. There nothing is indexed, the queue waits for a lokal that can, and searching reads
all messages instead.
"""

from __future__ import annotations

import sqlite3

from tui.store.words import folded_words

_SETTLED = 8
"""Entries that a write settles at once."""
_SETTLED_CHARACTERS = 200_000
_STEP = 400
_STEP_CHARACTERS = 100_000
_MERGED_PAGES = 200

_REBUILD, _TIDY = "rebuild", "tidy"


def prepare(connection: sqlite3.Connection) -> bool:
    """Create the index if it is not there. False when this SQLite has no FTS5."""
    modules = {str(row[0]) for row in connection.execute("PRAGMA module_list")}
    if "fts5" not in modules:
        return False
    # The words come folded and with blanks between them. “ascii” takes all that is not ASCII for letters, so that the
    # same is indexed whatever Unicode this SQLite knows. Without prefix indexes one letter would take a quarter of a
    # second in 100,000 messages.
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS search USING fts5"
        " (folded, content='documents', content_rowid='id', tokenize='ascii', prefix='1 2')"
    )
    return True


def is_behind(connection: sqlite3.Connection) -> bool:
    """Whether `work` has anything to do."""
    query = "SELECT EXISTS (SELECT 1 FROM unindexed) OR EXISTS (SELECT 1 FROM index_tasks)"
    return bool(connection.execute(query).fetchone()[0])


def backlog(connection: sqlite3.Connection) -> int:
    """How many messages and titles are not indexed yet."""
    return int(connection.execute("SELECT count(*) FROM unindexed").fetchone()[0])


def settle(connection: sqlite3.Connection) -> None:
    """Index what the current transaction has just written; at most a few entries, the rest stays for `work`."""
    _index(connection, "DESC", _SETTLED, _SETTLED_CHARACTERS)


def settle_many(connection: sqlite3.Connection, characters: int) -> None:
    """The same for an import, up to a number of characters."""
    _index(connection, "DESC", 1_000_000, characters)


def work(connection: sqlite3.Connection) -> bool:
    """One small step of what is left to do, some hundredths of a second. Whether more is left."""
    if _task(connection, _REBUILD):
        connection.execute("INSERT INTO search (search) VALUES ('rebuild')")
        _set_task(connection, _REBUILD, 0)
        return is_behind(connection)
    if _index(connection, "ASC", _STEP, _STEP_CHARACTERS):
        return True
    if tidying := _task(connection, _TIDY):
        connection.execute("PRAGMA secure_delete = ON")
        # Negative = begin to merge everything; positive = go on (https://www.sqlite.org/fts5.html, 6.7).
        before = connection.total_changes
        connection.execute(
            "INSERT INTO search (search, rank) VALUES ('merge', ?)",
            (-_MERGED_PAGES if tidying == 1 else _MERGED_PAGES,),
        )
        merged = connection.total_changes - before >= 2
        _set_task(connection, _TIDY, 2 if merged else 0)
        return merged
    return False


def forget(connection: sqlite3.Connection, chat_id: str, has_index: bool) -> None:
    """Take a chat out of the index at once. Its words are gone from the file when `work` has nothing left to do."""
    if has_index:
        for row in connection.execute(
            "SELECT id, folded FROM documents WHERE chat_id = ?", (chat_id,)
        ).fetchall():
            _remove(connection, *row)
        connection.execute("DELETE FROM unindexed WHERE chat_id = ?", (chat_id,))
        _set_task(connection, _TIDY, 1)
    else:
        connection.execute("DELETE FROM documents WHERE chat_id = ?", (chat_id,))
        _set_task(connection, _REBUILD, 1)


def tidy_later(connection: sqlite3.Connection) -> None:
    """Have `work` rewrite the index, so that words of what was deleted are in the file no longer."""
    _set_task(connection, _TIDY, 1)


def _index(connection: sqlite3.Connection, order: str, count: int, characters: int) -> bool:
    """Settle entries until so many, or texts of so many characters, are done. Whether there were any."""
    entries = connection.execute(
        f"SELECT id, chat_id, message_id FROM unindexed ORDER BY id {order} LIMIT ?", (count,)
    ).fetchall()
    for id, chat_id, message_id in entries:
        characters -= 100 + _settle_one(connection, chat_id, message_id)
        connection.execute("DELETE FROM unindexed WHERE id = ?", (id,))
        if characters <= 0:
            break
    return bool(entries)


def _settle_one(connection: sqlite3.Connection, chat_id: str, message_id: str) -> int:
    """Make the index say of one message or title what is stored of it now; how long the text is."""
    if message_id:
        stored = connection.execute(
            "SELECT content, created_at FROM messages WHERE id = ? AND chat_id = ? AND status <> 'streaming'",
            (message_id, chat_id),
        ).fetchone()
    else:
        stored = connection.execute("SELECT title, updated_at FROM chats WHERE id = ?", (chat_id,)).fetchone()
    text, created_at = ("", 0.0) if stored is None else (str(stored[0]), stored[1])
    folded = folded_words(text)
    document = connection.execute(
        "SELECT id, folded FROM documents WHERE chat_id = ? AND message_id = ?", (chat_id, message_id)
    ).fetchone()
    if document is not None:
        if document[1] == folded:
            return len(text)
        _remove(connection, *document)
    if folded:
        made = connection.execute(
            "INSERT INTO documents (chat_id, message_id, created_at, folded) VALUES (?, ?, ?, ?)",
            (chat_id, message_id, created_at, folded),
        )
        connection.execute("INSERT INTO search (rowid, folded) VALUES (?, ?)", (made.lastrowid, folded))
    return len(text)


def _remove(connection: sqlite3.Connection, id: int, folded: str) -> None:
    connection.execute("INSERT INTO search (search, rowid, folded) VALUES ('delete', ?, ?)", (id, folded))
    connection.execute("DELETE FROM documents WHERE id = ?", (id,))


def _task(connection: sqlite3.Connection, name: str) -> int:
    row = connection.execute("SELECT value FROM index_tasks WHERE name = ?", (name,)).fetchone()
    return 0 if row is None else int(row[0])


def _set_task(connection: sqlite3.Connection, name: str, value: int) -> None:
    if value:
        connection.execute("INSERT OR REPLACE INTO index_tasks (name, value) VALUES (?, ?)", (name, value))
    else:
        connection.execute("DELETE FROM index_tasks WHERE name = ?", (name,))
