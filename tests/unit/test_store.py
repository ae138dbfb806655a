"""The store: the tree, its order and its open branch, the list of chats, and many users at once."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tui.core.message import Message, Role, Status, new_id
from tui.errors import StoreError
from tui.store.rows import ChatSummary
from tui.store.store import LIST_CHATS, Store

NOON = 1_790_000_000.0


def question(text: str, parent: str | None = None, at: float = NOON) -> Message:
    return Message(new_id(), parent, Role.USER, text, at)


def answer(text: str, parent: str, status: Status = Status.COMPLETE) -> Message:
    return Message(new_id(), parent, Role.ASSISTANT, text, NOON + 1, status=status, model="qwen3:8b")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing else in it."""
    empty = tmp_path / "empty"
    empty.mkdir()
    return empty


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    opened = Store.open(folder / "data" / "lokal" / "chats.db")
    yield opened
    opened.close()


def test_the_tree_and_its_open_branch_survive(store: Store, folder: Path) -> None:
    chat = new_id()
    store.create_chat(chat, "Trees", NOON)
    first = question("first")
    left, right = answer("left", first.id), answer("right", first.id)
    below = question("below left", left.id)
    for message in (first, left, right, below):
        store.add_message(chat, message)
    assert [message.content for message in store.load(chat).path()] == ["first", "left", "below left"]

    store.select(chat, right.id)
    store.close()
    again = Store.open(folder / "data" / "lokal" / "chats.db")
    loaded = again.load(chat)
    assert [message.content for message in loaded] == ["first", "left", "right", "below left"]
    assert [message.content for message in loaded.path()] == ["first", "right"]
    assert loaded.siblings(right.id) == (left.id, right.id)
    assert loaded.title == "Trees"
    assert again.chats()[0].message_count == 4
    again.close()


def test_chats_are_listed_newest_first_in_pages(store: Store) -> None:
    for number in range(5):
        store.create_chat(f"c{number}", f"Chat {number}", NOON + number)
    store.add_message("c1", question("later", at=NOON + 100))
    assert [chat.id for chat in store.chats(limit=3)] == ["c1", "c4", "c3"]
    assert [chat.id for chat in store.chats(limit=3, offset=3)] == ["c2", "c0"]
    assert store.chats(limit=1) == (ChatSummary("c1", "Chat 1", NOON + 1, NOON + 100, 1),)

    store.rename("c0", "Ўзбекча")
    assert store.find("c0").title == "Ўзбекча"
    assert store.chats()[0].id == "c1"


def test_an_answer_that_is_saved_brings_its_chat_to_the_top(store: Store) -> None:
    for chat in ("old", "new"):
        store.create_chat(chat, chat, NOON if chat == "new" else NOON - 10)
    message = question("?", at=NOON - 10)
    store.add_message("old", message)
    assert store.find("last").id == "new"
    store.update_message("old", replace(message, content="!"))
    assert store.find("last").id == "old"


def test_the_list_of_ten_thousand_chats_needs_no_sorting(store: Store) -> None:
    assert store.path is not None
    with sqlite3.connect(store.path) as connection:
        connection.executemany(
            "INSERT INTO chats (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
            [(f"{number:012x}", f"Chat {number}", NOON, NOON + number) for number in range(10_000)],
        )
    plan = " ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {LIST_CHATS}", (0, 50, 0)))
    connection.close()
    assert "USING INDEX chats_listed" in plan
    assert "TEMP B-TREE" not in plan
    assert [chat.title for chat in store.chats(limit=2)] == ["Chat 9999", "Chat 9998"]
    assert len(store.chats(limit=20_000)) == 10_000


def test_a_chat_is_found_by_id_prefix_or_last(store: Store) -> None:
    for number, chat in enumerate(("abc1", "abc12", "abd3")):
        store.create_chat(chat, chat.upper(), NOON + number)
    assert store.find("abd").id == "abd3"
    assert store.find(" ABD ").id == "abd3"
    assert store.find("abc1").id == "abc1"  # the whole id, though another one starts with it
    assert store.find("last").id == "abd3"


@pytest.mark.parametrize("wanted", ["", "zzz", "a%", "_bc1", "\udcff", "a" * 500])
def test_what_names_no_chat_is_refused_with_a_hint(store: Store, wanted: str) -> None:
    store.create_chat("abc1", "", NOON)
    with pytest.raises(StoreError) as caught:
        store.find(wanted)
    assert "lokal chats list" in caught.value.hint


def test_a_prefix_of_several_chats_names_them(store: Store) -> None:
    for chat in ("abc1", "abc2"):
        store.create_chat(chat, f"About {chat}", NOON)
    with pytest.raises(StoreError, match="More than one") as caught:
        store.find("abc")
    assert "abc1 (About abc1), abc2 (About abc2)" in caught.value.detail
    assert caught.value.hint


def test_last_of_no_chats_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="no chat yet"):
        store.find("last")


def test_what_does_not_fit_is_refused_and_changes_nothing(store: Store) -> None:
    store.create_chat("one", "", NOON)
    store.create_chat("two", "", NOON)
    message = question("?")
    store.add_message("one", message)
    before = store.chats()
    refused: list[Callable[[], object]] = [
        lambda: store.create_chat("one", "", NOON),
        lambda: store.add_message("none", question("?")),
        lambda: store.add_message("one", message),
        lambda: store.add_message("one", question("?", parent="nobody")),
        lambda: store.add_message("two", question("?", parent=message.id)),
        lambda: store.update_message("two", message),
        lambda: store.update_message("one", replace(message, parent=message.id)),
        lambda: store.checkpoint("nobody", "x", ""),
        lambda: store.select("two", message.id),
        lambda: store.rename("none", ""),
        lambda: store.load("none"),
    ]
    for call in refused:
        with pytest.raises(StoreError) as caught:
            call()
        assert caught.value.hint
    assert store.chats() == before
    assert list(store.load("one")) == [message]


def test_folders_and_files_are_private_whatever_the_umask(folder: Path) -> None:
    before = os.umask(0)
    try:
        store = Store.open(folder / "a" / "b" / "chats.db")
        store.create_chat("one", "", NOON)
    finally:
        os.umask(before)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {path.name for path in modes} >= {"a", "b", "locks", "chats.db", "chats.db-wal"}
    store.close()


def test_an_answer_of_a_store_that_lives_is_left_alone(store: Store) -> None:
    assert store.path is not None
    first = question("?")
    streaming = answer("", first.id, Status.STREAMING)
    store.create_chat("one", "", NOON)
    store.add_message("one", first)
    store.add_message("one", streaming)
    store.checkpoint(streaming.id, "half", "")
    other = Store.open(store.path)
    assert other.recover() == ()
    assert store.recover() == ()
    assert other.load("one")[streaming.id] == replace(streaming, content="half")

    store.close()
    assert other.recover() == ("one",)
    assert other.load("one")[streaming.id] == replace(streaming, content="half", status=Status.INTERRUPTED)
    assert other.recover() == ()
    other.close()
    assert [path.name for path in (store.path.parent / "locks").iterdir()] == ["opening"]


def test_many_threads_share_a_store(store: Store) -> None:
    store.create_chat("one", "", NOON)

    def write(number: int) -> None:
        for _ in range(5):
            store.add_message("one", question(f"from {number}"))
            store.chats()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(store.load("one")) == store.find("one").message_count == 40


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals to a thread here")
def test_a_signal_handler_may_write_while_the_same_thread_writes(store: Store) -> None:
    first = question("?")
    streaming = answer("", first.id, Status.STREAMING)
    store.create_chat("one", "", NOON)
    store.add_message("one", first)
    store.add_message("one", streaming)
    handled = 0

    def handle(*_: object) -> None:
        nonlocal handled
        handled += 1
        store.checkpoint(streaming.id, "x", "")
        done.set()

    writing, done = threading.Event(), threading.Event()
    writing.set()

    def disturb() -> None:
        while writing.is_set():
            done.clear()
            signal.pthread_kill(main, signal.SIGUSR1)
            done.wait(10)  # one at a time, or the signals would drown the writer

    main = threading.get_ident()
    before = signal.signal(signal.SIGUSR1, handle)
    thread = threading.Thread(target=disturb)
    try:
        thread.start()
        for _ in range(40):
            store.add_message("one", question("more"))
            store.load("one")
    finally:
        writing.clear()
        done.set()
        thread.join()
        signal.signal(signal.SIGUSR1, before)
    assert handled > 0
    assert store.load("one")[streaming.id].content == "x" * handled
    assert store.find("one").message_count == 42


def test_a_store_in_memory_works_and_has_no_path() -> None:
    store = Store.in_memory()
    message = question("?")
    store.create_chat("one", "Gone soon", NOON)
    store.add_message("one", message)
    assert store.path is None
    assert store.recover() == ()
    assert list(store.load("one")) == [message]
    store.close()
    store.close()
    with pytest.raises(StoreError):
        store.chats()


@pytest.mark.parametrize(
    ("dates", "order"),
    [
        ({"a": -100.0, "b": 9e9, "c": -50.0}, ["c", "b", "a"]),
        ({"a": -100.0, "b": 9e9}, ["a", "b"]),
        ({"a": 3600.0, "b": -1.0}, ["a", "b"]),  # the clocks of two machines
        ({"a": 8e9, "b": 9e9, "c": -50.0}, ["b", "a", "c"]),  # it is rather the clock of now that is wrong
    ],
)
def test_a_chat_that_was_written_with_a_wrong_clock_does_not_stay_first(
    tmp_path: Path, dates: dict[str, float], order: list[str]
) -> None:
    now = time.time()
    store = Store.open(tmp_path / "chats.db")
    for id, offset in dates.items():
        store.create_chat(id, id, now + offset if offset < 1e9 else offset)
    store.close()
    again = Store.open(tmp_path / "chats.db")
    assert [chat.id for chat in again.chats()] == order
    again.close()
