"""One SQLite connection that many threads share: a lock, short transactions, and errors that say what to do."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

from tui.store.failure import explained
from tui.store.index import prepare as prepare_index
from tui.store.schema import MIGRATIONS, migrate


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
        self._lock = threading.RLock()
        self._writes = False
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=busy_timeout_s,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _prepare(self._connection, path)
            self.has_index = full_text and prepare_index(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the connection. Doing it twice is harmless."""
        with self._lock, explained("Cannot close the chats", self._shown_path):
            self._connection.close()

    @contextlib.contextmanager
    def reading(self, failure: str) -> Iterator[sqlite3.Connection]:
        """Several queries that see the same moment. A StoreError raised for what fails has the title `failure`."""
        connection = self._connection
        with self._lock, explained(failure, self._shown_path):
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
        with self._lock, explained(failure, self._shown_path):
            if self._writes:
                yield connection
                return
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
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


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
