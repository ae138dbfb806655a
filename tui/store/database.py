"""One SQLite connection that many threads share: a lock, short transactions, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from tui.errors import StoreUnavailable
from tui.store.failure import explained, is_damage, is_puzzling
from tui.store.index import prepare as prepare_index
from tui.store.rows import COLUMNS
from tui.store.schema import MIGRATIONS, migrate

_PROBES = (
    f"SELECT {', '.join(COLUMNS)}, chat_id, ordinal, owner, deleted_at FROM messages LIMIT 0",
    "SELECT id, title, created_at, updated_at, message_count, open_leaf, pinned, archived, deleted_at FROM chats LIMIT 0",
    "SELECT message_id, ordinal, name, media_type, data FROM attachments LIMIT 0",
    "SELECT id, message_id, content, reasoning FROM pieces LIMIT 0",
    "SELECT chat_id, text, updated_at FROM drafts LIMIT 0",
    "SELECT chat_id, ordinal, name, media_type, data FROM draft_attachments LIMIT 0",
    "SELECT chat_id, message_id, text FROM draft_edits LIMIT 0",
    "SELECT id, chat_id, message_id, created_at, folded FROM documents LIMIT 0",
    "SELECT id, chat_id, message_id FROM unindexed LIMIT 0",
    "SELECT name, value FROM index_tasks LIMIT 0",
)


class FileGone(StoreUnavailable):
    """The file was deleted or moved while it was open."""


class Database:
    """A migrated database that can be written."""

    has_index: bool
    """Whether there is a full-text index; not where SQLite has no FTS5."""

    def __init__(
        self,
        path: Path | None,
        busy_timeout_s: float,
        shown_path: Path | None = None,
        full_text: bool = True,
    ) -> None:
        """Connect and migrate; `path` None = in memory. `shown_path` names the file in errors. Without `full_text`
        there is no index, whatever SQLite can do.

        A write waits `busy_timeout_s` seconds for another process's. Raises sqlite3.Error and StoreError.
        """
        self._shown_path = shown_path or path
        self._busy_timeout_s = busy_timeout_s
        self._full_text = full_text
        self.lock = threading.RLock()
        """Held for as long as anything is done with the connection."""
        self._writes = False
        self._connect(path)

    def _connect(self, path: Path | None) -> None:
        connection = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=self._busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(connection, path)
            has_index = self._full_text and prepare_index(connection)
        except BaseException:
            connection.close()
            raise
        self._path = path
        self._connection, self.has_index = connection, has_index
        self._files = _files_of(path)
        self._is_open = True

    def reconnect(self, path: Path) -> None:
        """Go on with the file that is at `path` now; what was open before is left. Raises sqlite3.Error and StoreError,
        and then stays with that."""
        with self.lock:
            before = self._connection
            if self._path is not None and _files_of(path)[:1] == self._files[:1]:
                before.close()  # the same file, whose log is gone: what is in the log comes into it
            self._connect(path)
            with contextlib.suppress(sqlite3.Error):
                before.close()

    @property
    def is_open(self) -> bool:
        """Whether it was not closed."""
        return self._is_open

    @property
    def connection(self) -> sqlite3.Connection:
        """For who holds the lock."""
        return self._connection

    @property
    def is_writing(self) -> bool:
        """Whether this thread, which holds the lock, is in the middle of a transaction."""
        return self._writes or self._connection.in_transaction

    @property
    def is_in_place(self) -> bool:
        """Whether the file and its log are where they were when they were opened: what is written to files that were
        deleted is nowhere once they are closed."""
        return self._path is None or _files_of(self._path) == self._files

    def is_sound(self) -> bool:
        """Whether all tables are there and all is what it was when it was written; reads the whole file."""
        with self.lock:
            try:
                for query in _PROBES:
                    self._connection.execute(query)
                return bool(self._connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
            except sqlite3.OperationalError as error:
                return not (is_damage(error) or is_puzzling(error))
            except sqlite3.DatabaseError as error:
                return not is_damage(error)

    def close(self) -> None:
        """Close the connection. Doing it twice is harmless."""
        with self.lock, explained("Cannot close the chats", self._shown_path):
            self._is_open = False
            self._connection.close()

    @contextlib.contextmanager
    def reading(self, failure: str) -> Iterator[sqlite3.Connection]:
        """Several queries that see the same moment. A StoreError raised for what fails has the title `failure`."""
        connection = self._connection
        with self.lock, explained(failure, self._shown_path):
            if connection.in_transaction:  # a signal handler has interrupted a call in this thread
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("COMMIT")

    @contextlib.contextmanager
    def writing(self, failure: str) -> Iterator[sqlite3.Connection]:
        """One transaction, on the disk when the block ends, undone when it raises.

        In a signal handler that interrupted another write in this thread it is part of that one.
        """
        connection = self._connection
        with self.lock, explained(failure, self._shown_path):
            if self._writes:
                yield connection
                return
            if not self.is_in_place:
                raise FileGone(failure, f"{self._shown_path} was deleted or moved", "Start lokal again")
            self._writes = True
            try:
                if connection.in_transaction:  # of an interrupted read, which can do without it
                    connection.execute("COMMIT")
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                self._writes = False

    def clear_log(self) -> None:
        """Bring what was deleted out of the write-ahead log too, where no other lokal is reading just now."""
        with self.lock, contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _files_of(path: Path | None) -> tuple[tuple[int, int] | None, ...]:
    """What the kernel knows the database and its log by; None for what is not there."""
    if path is None:
        return ()
    found: list[tuple[int, int] | None] = []
    for each in (path, path.with_name(f"{path.name}-wal")):
        try:
            status = each.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return tuple(found)


def prepare(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty database that is to take the place of another."""
    _prepare(connection, None)


def _prepare(connection: sqlite3.Connection, path: Path | None) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    migrate(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Finds out now, and not when an answer is to be saved, whether the database can be written. Beginning alone does
    # not fail for a file that can only be read.
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    connection.execute("ROLLBACK")
