"""Versions of the database: old ones are brought forward with a copy kept, newer ones are left alone."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from pathlib import Path

import pytest

from tui.core.message import Attachment, Message, Problem, Role, Status, Timings, Usage
from tui.errors import StoreError
from tui.store.schema import MIGRATIONS, backup_path, migrate
from tui.store.store import Store

VERSION_1 = """
PRAGMA application_id = 1819241324;
CREATE TABLE chats (
    id TEXT PRIMARY KEY NOT NULL, title TEXT NOT NULL, created_at REAL NOT NULL, updated_at REAL NOT NULL,
    message_count INTEGER NOT NULL DEFAULT 0, open_leaf TEXT
);
CREATE INDEX chats_by_update ON chats (updated_at DESC, id);
CREATE TABLE messages (
    id TEXT PRIMARY KEY NOT NULL, chat_id TEXT NOT NULL REFERENCES chats (id) ON DELETE CASCADE, parent TEXT,
    ordinal INTEGER NOT NULL, role TEXT NOT NULL, content TEXT NOT NULL, created_at REAL NOT NULL,
    reasoning TEXT NOT NULL, status TEXT NOT NULL, model TEXT NOT NULL, server TEXT NOT NULL, preset TEXT NOT NULL,
    parameters TEXT NOT NULL, usage TEXT NOT NULL, timings TEXT NOT NULL, finish_reason TEXT NOT NULL, problem TEXT,
    owner TEXT, UNIQUE (chat_id, ordinal), UNIQUE (chat_id, id),
    FOREIGN KEY (chat_id, parent) REFERENCES messages (chat_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_by_parent ON messages (chat_id, parent);
CREATE INDEX messages_streaming ON messages (owner) WHERE status = 'streaming';
CREATE TABLE attachments (
    message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE, ordinal INTEGER NOT NULL,
    name TEXT NOT NULL, media_type TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (message_id, ordinal)
);
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    content TEXT NOT NULL, reasoning TEXT NOT NULL
);
CREATE INDEX pieces_by_message ON pieces (message_id, id);
INSERT INTO chats VALUES ('c1', 'Old chat', 100.0, 200.5, 2, 'm2');
INSERT INTO messages VALUES ('m1', 'c1', NULL, 0, 'user', 'Hi', 100.0, '', 'complete', '', '', '', '{}',
    '{"prompt": null, "completion": null, "cached": null}',
    '{"first_token_s": null, "total_s": null, "load_s": null, "prompt_tokens_per_s": null, "tokens_per_s": null}',
    '', NULL, NULL);
INSERT INTO attachments VALUES ('m1', 0, 'a.png', 'image/png', x'0001ff');
INSERT INTO messages VALUES ('m2', 'c1', 'm1', 1, 'assistant', 'Hel', 101.0, 'hm', 'streaming', 'qwen3:8b',
    'http://127.0.0.1:11434', 'technical', '{"temperature": 0.4, "stop": ["END"]}',
    '{"prompt": 5, "completion": 1, "cached": 0}',
    '{"first_token_s": 0.5, "total_s": null, "load_s": null, "prompt_tokens_per_s": null, "tokens_per_s": 9.0}',
    'length', '{"title": "Broke", "detail": "", "hint": "Wait"}', 'gone');
INSERT INTO pieces VALUES (1, 'm2', 'lo', '…');
PRAGMA user_version = 1;
"""
"""A database as the first version wrote it. It stays as it is when the schema moves on."""

ADD_NOTES = (
    "ALTER TABLE chats ADD COLUMN note TEXT NOT NULL DEFAULT 'none'",
    "CREATE TABLE tags (name TEXT)",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing else in it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return empty


def write_version_1(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(VERSION_1)


def tables(connection: sqlite3.Connection) -> dict[str, list[str]]:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in names}


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_database_of_the_first_version_opens_with_everything_in_it(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    store = Store.open(path)
    assert store.recover() == ("c1",)
    chat = store.load("c1")
    assert list(chat) == [
        Message(
            "m1",
            None,
            Role.USER,
            "Hi",
            100.0,
            attachments=(Attachment("a.png", "image/png", b"\x00\x01\xff"),),
        ),
        Message(
            "m2",
            "m1",
            Role.ASSISTANT,
            "Hello",
            101.0,
            "hm…",
            Status.INTERRUPTED,
            "qwen3:8b",
            "http://127.0.0.1:11434",
            "technical",
            {"temperature": 0.4, "stop": ("END",)},
            Usage(5, 1, 0),
            Timings(first_token_s=0.5, tokens_per_s=9.0),
            "length",
            Problem("Broke", "", "Wait"),
        ),
    ]
    assert store.find("last").updated_at == 200.5
    store.add_message("c1", Message("m3", "m2", Role.USER, "and now?", 300.0))
    assert store.find("c1").message_count == 3
    store.close()


def test_a_new_database_has_the_tables_of_the_first_version_and_its_successors() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new, None)
        assert version(new) == len(MIGRATIONS)
        with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as old:
            old.executescript(VERSION_1)
            migrate(old, None)
            assert tables(old) == tables(new)


def test_a_migration_keeps_the_data_and_a_copy_of_the_old_database(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    later = (*MIGRATIONS[:1], ADD_NOTES)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, later)
        assert version(connection) == 2
        assert connection.execute("SELECT title, note FROM chats").fetchall() == [("Old chat", "none")]
        migrate(connection, path, later)
        assert version(connection) == 2

    copy = backup_path(path, 1)
    assert copy.name == "chats.v1.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert version(connection) == 1
        assert connection.execute("SELECT id FROM messages ORDER BY ordinal").fetchall() == [("m1",), ("m2",)]
        assert "note" not in tables(connection)["chats"]
    assert sorted(entry.name for entry in folder.iterdir()) == ["chats.db", "chats.v1.db"]


def test_a_migration_that_fails_leaves_the_old_version(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    broken = (*MIGRATIONS[:1], ADD_NOTES, ("CREATE TABLE half (x)", "INSERT INTO nowhere VALUES (1)"))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="nowhere"):
            migrate(connection, path, broken)
        assert version(connection) == 2  # each migration stands for itself
        assert "half" not in tables(connection)
        assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)


def test_without_a_copy_there_is_no_migration(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    backup_path(path, 1).mkdir()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(StoreError, match="Cannot back up"):
            migrate(connection, path, (*MIGRATIONS[:1], ADD_NOTES))
        assert version(connection) == 1
        assert "tags" not in tables(connection)


def test_a_migrated_database_is_indexed_in_steps(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO messages (id, chat_id, ordinal, role, content, created_at, reasoning, status, model, server,"
            " preset, parameters, usage, timings, finish_reason)"
            " VALUES (?, 'c1', ?, 'user', ?, ?, '', 'complete', '', '', '', '{}', '{}', '{}', '')",
            [(f"old{number}", number + 2, f"żółw {number}", 150.0 + number) for number in range(1000)],
        )
        connection.commit()
    store = Store.open(path)
    assert store.index_backlog() == 1002  # and the title; the answer that streams is not there yet
    assert store.index_some()
    found = len(store.search("zolw", limit=2000))
    assert 0 < found < 1000
    store.close()  # in the middle of it

    store = Store.open(path)
    store.add_message("c1", Message("new", None, Role.USER, "żółw at once", 300.0))
    assert [hit.message_id for hit in store.search("once")] == ["new"]
    while store.index_some():
        pass
    assert store.index_backlog() == 0
    assert len(store.search("zolw", limit=2000)) == 1001
    assert [(hit.chat_id, hit.message_id) for hit in store.search("old chat")] == [("c1", "")]
    assert not store.chats(archived=True)
    assert not store.chats()[0].pinned
    store.close()


def test_a_migration_that_is_interrupted_half_way_is_done_at_the_next_start(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    for done in range(1, len(MIGRATIONS[1])):
        half = (*MIGRATIONS[:1], (*MIGRATIONS[1][:done], "INSERT INTO nowhere VALUES (1)"))
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            with pytest.raises(sqlite3.OperationalError, match="nowhere"):
                migrate(connection, path, half)
            assert version(connection) == 1
    store = Store.open(path)
    assert store.recover() == ("c1",)
    assert [message.content for message in store.load("c1").path()] == ["Hi", "Hello"]
    assert [hit.message_id for hit in store.search("hello")] == ["m2"]
    store.close()


def test_a_new_database_needs_no_copy(folder: Path) -> None:
    Store.open(folder / "chats.db").close()
    assert sorted(entry.name for entry in folder.iterdir()) == ["chats.db", "locks"]


def test_a_database_of_a_newer_lokal_is_left_alone(folder: Path) -> None:
    path = folder / "chats.db"
    write_version_1(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer lokal") as caught:
        Store.open(path)
    assert "999" in caught.value.detail
    assert "Update lokal" in caught.value.hint
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in folder.iterdir()) == ["chats.db", "locks"]
