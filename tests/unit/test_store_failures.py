"""What can be wrong with the database or its disk: always a StoreError that says what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui.core.message import Message, Role, new_id
from tui.errors import StoreError
from tui.store.failure import explained
from tui.store.process_lock import ProcessLock, opening
from tui.store.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing else in it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return empty


def filled(path: Path) -> None:
    """A database with one chat of 50 long messages."""
    store = Store.open(path)
    store.create_chat("one", "Long", 1.0)
    for _ in range(50):
        store.add_message("one", Message(new_id(), None, Role.USER, "word " * 500, 2.0))
    store.close()


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere: be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def refused(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(path, busy_timeout_s=0.01)
    assert caught.value.title
    assert caught.value.detail
    assert caught.value.hint
    return caught.value


def test_a_file_in_place_of_the_folder(folder: Path) -> None:
    (folder / "lokal").write_text("a file")
    error = refused(folder / "lokal" / "chats.db")
    assert "rights" in error.hint
    assert (folder / "lokal").read_text() == "a file"


def test_a_folder_in_place_of_the_file(folder: Path) -> None:
    (folder / "chats.db").mkdir()
    refused(folder / "chats.db")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such rights here")
@pytest.mark.parametrize("there_before", [False, True])
def test_a_read_only_folder(there_before: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if there_before:
            filled(folder / "chats.db")
            (folder / "chats.db").chmod(0o644)
            (folder / "locks").chmod(0o755)
        folder.chmod(0o555)
        with without_privileges():
            error = refused(folder / "chats.db")
        folder.chmod(0o700)
    assert "rights" in error.hint


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such rights here")
def test_a_read_only_file() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder / "chats.db")
        (folder / "chats.db").chmod(0o444)
        (folder / "locks" / "opening").chmod(0o666)
        for path in (folder, folder / "locks"):
            path.chmod(0o777)
        with without_privileges():
            error = refused(folder / "chats.db")
    assert "not written" in error.detail


def test_another_programs_database(folder: Path) -> None:
    path = folder / "chats.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    assert "another program" in refused(path).detail
    assert path.read_bytes() == before


def test_a_database_that_another_program_holds(folder: Path) -> None:
    path = folder / "chats.db"
    store = Store.open(path, busy_timeout_s=0.01)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked") as caught:
            store.create_chat("one", "", 1.0)
        assert caught.value.hint
        assert store.chats() == ()
        other.execute("ROLLBACK")
    store.create_chat("one", "", 1.0)
    assert store.find("one").id == "one"
    store.close()


def test_a_full_disk() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count = 2")
    with (
        pytest.raises(StoreError, match="disk is full") as caught,
        explained("Cannot save", Path("chats.db")),
    ):
        connection.execute("INSERT INTO t VALUES (zeroblob(9000))")
    connection.close()
    assert caught.value.title == "Cannot save"
    assert "room" in caught.value.hint


def test_the_file_is_named_without_control_characters() -> None:
    with pytest.raises(StoreError) as caught, explained("Cannot save", Path("a\x1b[31mb.db")):
        raise sqlite3.OperationalError("no\x07good")
    assert "\x1b" not in caught.value.detail
    assert "\x07" not in caught.value.detail


def test_a_lokal_that_never_gets_done_opening(folder: Path) -> None:
    with (
        opening(folder),
        pytest.raises(StoreError, match="Another lokal") as caught,
        opening(folder, patience_s=0.0),
    ):
        pytest.fail("two at once")
    assert caught.value.hint
    with opening(folder, patience_s=0.0):
        assert (folder / "opening").exists()


def test_a_lock_lives_until_it_is_released(folder: Path) -> None:
    mine, other = ProcessLock.claim(folder), ProcessLock.claim(folder)
    assert mine.token != other.token
    assert mine.is_alive(mine.token)
    assert mine.is_alive(other.token)
    mine.remove_stale()
    assert mine.is_alive(other.token)
    other.release()
    other.release()
    assert not mine.is_alive(other.token)
    assert not mine.is_alive("../chats")
    (folder / "0123456789ab.lock").touch()
    assert not mine.is_alive("0123456789ab")
    mine.remove_stale()
    assert [path.stem for path in folder.iterdir()] == [mine.token]
    mine.release()
