"""The tables, their version, and the way there from every version before.

The version is SQLite's `user_version`. A migration is never changed once it was released: a new one is added.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from tui.core.text import safe_line
from tui.errors import StoreDamaged, StoreError
from tui.private_files import make_private_file

_MOST_VERSIONS = 10_000
"""No lokal will ever have as many: a number beyond it is no version."""

Migration = tuple[str, ...]
"""The statements that lead from one version to the next; they run in one transaction."""

APPLICATION_ID = 0x6C6F6B6C
"""“lokl” in the file's header: tells a chat database from another program's SQLite file."""

# Without STRICT, UPSERT and RETURNING: Enterprise Linux 9 has Python 3.11 with SQLite 3.34.
MIGRATIONS: tuple[Migration, ...] = (
    (
        f"PRAGMA application_id = {APPLICATION_ID}",
        """
        CREATE TABLE chats (
            id TEXT PRIMARY KEY NOT NULL,
            title TEXT NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            message_count INTEGER NOT NULL DEFAULT 0,
            open_leaf TEXT
        )
        """,
        "CREATE INDEX chats_by_update ON chats (updated_at DESC, id)",
        """
        CREATE TABLE messages (
            id TEXT PRIMARY KEY NOT NULL,
            chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            parent TEXT,
            ordinal INTEGER NOT NULL,
            role TEXT NOT NULL,
            content TEXT NOT NULL,
            created_at REAL NOT NULL,
            reasoning TEXT NOT NULL,
            status TEXT NOT NULL,
            model TEXT NOT NULL,
            server TEXT NOT NULL,
            preset TEXT NOT NULL,
            parameters TEXT NOT NULL,
            usage TEXT NOT NULL,
            timings TEXT NOT NULL,
            finish_reason TEXT NOT NULL,
            problem TEXT,
            owner TEXT,
            UNIQUE (chat_id, ordinal),
            UNIQUE (chat_id, id),
            FOREIGN KEY (chat_id, parent) REFERENCES messages (chat_id, id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX messages_by_parent ON messages (chat_id, parent)",
        "CREATE INDEX messages_streaming ON messages (owner) WHERE status = 'streaming'",
        """
        CREATE TABLE attachments (
            message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            ordinal INTEGER NOT NULL,
            name TEXT NOT NULL,
            media_type TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (message_id, ordinal)
        )
        """,
        """
        CREATE TABLE pieces (
            id INTEGER PRIMARY KEY,
            message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
            content TEXT NOT NULL,
            reasoning TEXT NOT NULL
        )
        """,
        "CREATE INDEX pieces_by_message ON pieces (message_id, id)",
    ),
    (
        "ALTER TABLE chats ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE chats ADD COLUMN archived INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE chats ADD COLUMN deleted_at REAL",
        "ALTER TABLE messages ADD COLUMN deleted_at REAL",
        "ALTER TABLE messages ADD COLUMN edited INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX chats_by_update",
        "CREATE INDEX chats_listed ON chats (archived, pinned DESC, updated_at DESC, id) WHERE deleted_at IS NULL",
        "CREATE INDEX chats_deleted ON chats (deleted_at) WHERE deleted_at IS NOT NULL",
        "CREATE INDEX messages_deleted ON messages (deleted_at) WHERE deleted_at IS NOT NULL",
        "CREATE TABLE drafts (chat_id TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL, updated_at REAL NOT NULL)",
        # What the full-text index is made of, see tui.store.index. The title of a chat has the message_id ''. A number is
        # never used again, since the index may still know the words of the document that had it.
        """
        CREATE TABLE documents (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            created_at REAL NOT NULL,
            folded TEXT NOT NULL,
            UNIQUE (chat_id, message_id)
        )
        """,
        # What the index does not know yet. Triggers fill it, so that nobody who writes can forget it.
        """
        CREATE TABLE unindexed (
            id INTEGER PRIMARY KEY,
            chat_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            UNIQUE (chat_id, message_id)
        )
        """,
        "CREATE TABLE index_tasks (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL)",
        "INSERT INTO unindexed (chat_id, message_id) SELECT chat_id, id FROM messages WHERE status <> 'streaming'"
        " ORDER BY created_at",
        "INSERT INTO unindexed (chat_id, message_id) SELECT id, '' FROM chats ORDER BY updated_at",
        *(
            f"CREATE TRIGGER {name} AFTER {event} BEGIN"
            f" INSERT OR IGNORE INTO unindexed (chat_id, message_id) VALUES ({key}); END"
            for name, event, key in (
                ("message_added", "INSERT ON messages WHEN new.status <> 'streaming'", "new.chat_id, new.id"),
                ("message_changed", "UPDATE OF content, status ON messages", "new.chat_id, new.id"),
                ("message_gone", "DELETE ON messages", "old.chat_id, old.id"),
                ("chat_added", "INSERT ON chats", "new.id, ''"),
                ("chat_renamed", "UPDATE OF title ON chats", "new.id, ''"),
                ("chat_gone", "DELETE ON chats", "old.id, ''"),
            )
        ),
    ),
    (
        # What belongs to the draft of a chat beside its text: files, and edits of its messages that were begun.
        """
        CREATE TABLE draft_attachments (
            chat_id TEXT NOT NULL,
            ordinal INTEGER NOT NULL,
            name TEXT NOT NULL,
            media_type TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (chat_id, ordinal)
        )
        """,
        """
        CREATE TABLE draft_edits (
            chat_id TEXT NOT NULL,
            message_id TEXT NOT NULL,
            text TEXT NOT NULL,
            PRIMARY KEY (chat_id, message_id)
        )
        """,
    ),
)


def migrate(
    connection: sqlite3.Connection, path: Path | None, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Bring the database to the newest version. One that is not new is copied first, see `backup_path`.

    `connection` is in autocommit mode and does not enforce foreign keys, since a table may have to be rebuilt.
    Raises StoreError for another program's database and for one that a newer lokal made; both are left alone.
    A migration that fails is rolled back and its sqlite3.Error raised.
    """
    version = _checked_version(connection, len(migrations))
    backed_up = version == 0 or path is None
    while version < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _checked_version(connection, len(migrations))
            if version < len(migrations):
                if not backed_up and path is not None:
                    _back_up(path, version)
                    backed_up = True
                for statement in migrations[version]:
                    connection.execute(statement)
                version += 1
                connection.execute(f"PRAGMA user_version = {version}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def backup_path(path: Path, version: int) -> Path:
    """Where the copy of a database of that version is kept when it is migrated: `chats.v1.db` for `chats.db`."""
    return path.with_name(f"{path.stem}.v{version}{path.suffix}")


def _checked_version(connection: sqlite3.Connection, newest: int) -> int:
    version = _number(connection, "PRAGMA user_version")
    application = _number(connection, "PRAGMA application_id")
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    ours = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('chats', 'messages')"
    if application != APPLICATION_ID and (application or version or tables):
        if _number(connection, f"{ours} AND (sql LIKE '%open_leaf%' OR sql LIKE '%reasoning%')") == 2:
            raise _wrong_header()
        raise StoreError(
            "Cannot open the chats",
            "The file is another program's database",
            "Move it away, or set another data folder",
        )
    if not 0 <= version <= _MOST_VERSIONS or (version > 0) != (_number(connection, ours) > 0):
        raise _wrong_header()
    if version > newest:
        raise StoreError(
            "The chats were written by a newer lokal",
            f"The database has version {version}, this lokal knows up to {newest}; it was left as it is",
            "Update lokal to open them",
        )
    return version


def _wrong_header() -> StoreDamaged:
    return StoreDamaged(
        "Cannot open the chats",
        "The file is damaged: it has lokal's tables, and a header that lokal did not write",
    )


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def _back_up(path: Path, version: int) -> None:
    """Copy the database through a second connection: the first one is about to write and may not be copied from."""
    target = backup_path(path, version)
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        make_private_file(unfinished)
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(unfinished)) as copy,
        ):
            source.backup(copy)
        unfinished.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            "Cannot back up the chats before updating them",
            safe_line(f"{target}: {error}"),
            "Make room on the disk; the chats were left as they are",
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)
