"""A database that is damaged, or deleted while it is open: a new one has all that can be read, the old one is put aside,
and what was kept and what not is said."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.many_chats import DAY, NOON, chat
from tui.core.draft import Draft
from tui.core.message import Attachment, Message, Role, Status, new_id
from tui.errors import StoreError
from tui.store.repair import Renewal
from tui.store.store import Store

CHATS = 50
PAGE = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database of 50 chats, some of whose messages are longer than a page, with files and drafts."""
    folder = tmp_path_factory.mktemp("sound")
    words = random.Random(0)
    with closing(Store.open(folder / "chats.db")) as store:
        for number in range(CHATS):
            texts = [
                f"Question {number}",
                "żółw ответ " * words.randrange(3, 500),
                "And?",
                f"Answer {number}",
            ]
            chat(store, f"chat{number:02}", texts, NOON - number * DAY)
        store.add_message(
            "chat00",
            Message(
                "file", "chat00-3", Role.USER, "Look", NOON, attachments=(Attachment("a", "b", b"\0" * 9000),)
            ),
        )
        store.save_draft(
            "chat01", Draft("not sent", (Attachment("c", "d", b"e" * 5000),), (("chat01-0", "edit"),))
        )
        store.pin("chat03", True)
        store.archive("chat04", True)
        store.delete_chat("chat05")
        store.remove_messages("chat06", ["chat06-2"])
        while store.index_some():
            pass
    return folder


@contextmanager
def opened(path: Path) -> Iterator[tuple[Store, list[Renewal]]]:
    told: list[Renewal] = []
    store = Store.open(path, busy_timeout_s=0.01, on_renewed=told.append)
    try:
        yield store, told
    finally:
        store.close()


def everything(store: Store) -> dict[str, object]:
    """All chats that are listed, with their messages."""
    both = (*store.chats(1000), *store.chats(1000, archived=True))
    return {
        summary.id: (summary.pinned, summary.archived, store.load(summary.id).fingerprint())
        for summary in both
    }


def aside(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if "damaged" in path.name)


def copy(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "copy")
    return tmp_path / "copy" / "chats.db"


@pytest.mark.parametrize("seed", range(20))
def test_after_any_damage_chats_are_listed_read_and_kept(sound: Path, tmp_path: Path, seed: int) -> None:
    path, by = copy(sound, tmp_path), random.Random(seed)
    data = bytearray(path.read_bytes())
    pages = len(data) // PAGE
    match seed % 5:
        case 0:  # single bytes anywhere
            for _ in range(by.choice((1, 20, 300))):
                data[by.randrange(len(data))] = by.randrange(256)
        case 1:  # whole pages
            for _ in range(by.choice((1, 4))):
                at = by.randrange(pages) * PAGE
                data[at : at + PAGE] = by.choice((bytes(PAGE), by.randbytes(PAGE)))
        case 2:  # the first page, with the schema
            data[: by.choice((100, PAGE))] = by.randbytes(100)
        case 3:  # cut off
            del data[by.randrange(len(data)) :]
        case _:  # blocks anywhere
            for _ in range(by.choice((1, 6))):
                at = by.randrange(len(data) - 600)
                data[at : at + 600] = by.randbytes(600)
    path.write_bytes(data)
    with opened(path) as (store, told):
        found = everything(store)
        for chat_id in list(found)[:8]:
            leaf = store.load(chat_id).leaf
            store.add_message(chat_id, Message(new_id(), leaf.id if leaf else None, Role.USER, "later", NOON))
        store.search("answer")
        chat(store, "new", ("Is this kept?", "It is."))
        while store.index_some():
            pass
        assert store.search("kept")
        if len(found) < CHATS - 1:
            assert told, "nothing goes without a word"
    with opened(path) as (store, again):
        assert again == [], "the new one is sound"
        assert set(everything(store)) == {*found, "new"}
    for renewal in told:
        assert renewal.aside is not None
        assert renewal.aside.exists()
        assert str(renewal.aside) in str(renewal)


def test_nothing_is_lost_with_a_schema_that_cannot_be_read(sound: Path, tmp_path: Path) -> None:
    path = copy(sound, tmp_path)
    data = bytearray(path.read_bytes())
    data[:PAGE] = bytes(PAGE)
    path.write_bytes(data)
    with opened(sound / "chats.db") as (store, _):
        before = everything(store)
    with opened(path) as (store, told):
        assert everything(store) == before
        assert store.draft("chat01") == Draft(
            "not sent", (Attachment("c", "d", b"e" * 5000),), (("chat01-0", "edit"),)
        )
        deleted = store.last_deleted()
        assert deleted is not None
        assert deleted.id == "chat05"
        store.restore_chat("chat05")
        store.restore_messages("chat06", ["chat06-2"])
        assert len(store.load("chat06")) == 3
        assert path.stat().st_mode & 0o777 == 0o600
    (renewal,) = told
    assert "50 chats with 201 messages recovered; nothing is known to be missing" in str(renewal)
    (old,) = aside(path.parent)
    assert old.read_bytes() == data
    assert renewal.aside == old


def test_what_is_lost_is_counted(sound: Path, tmp_path: Path) -> None:
    path = copy(sound, tmp_path)
    data = bytearray(path.read_bytes())
    at = data.index(b"userQuestion 17") // PAGE * PAGE
    data[at : at + PAGE] = b"\x0d" + bytes(PAGE - 1)
    path.write_bytes(data)
    with opened(path) as (store, told):
        store.add_message("chat17", Message(new_id(), None, Role.USER, "later", NOON))
        with pytest.raises(StoreError, match="could not be read of the old database"):
            store.add_message("chat17", Message(new_id(), "chat17-0", Role.USER, "later", NOON))
    (renewal,) = told
    assert renewal.salvaged is not None
    assert renewal.salvaged.lost_messages > 0
    assert "could not be read" in str(renewal)


def test_a_log_that_is_not_in_the_file_yet_counts(tmp_path: Path) -> None:
    path = tmp_path / "lokal" / "chats.db"
    with opened(path) as (store, _):
        chat(store, "one", ("Why?", "Because."))
        shutil.copytree(path.parent, tmp_path / "killed")  # with its log, as a kill would leave it
    killed = tmp_path / "killed" / "chats.db"
    assert (killed.parent / "chats.db-wal").stat().st_size > PAGE
    killed.write_bytes(b"\xa5" * killed.stat().st_size)
    with opened(killed) as (store, told):
        assert [message.content for message in store.load("one").path()] == ["Why?", "Because."]
    assert len(told) == 1
    assert len(aside(killed.parent)) == 2, "the old log is beside the old file"


def test_a_file_that_holds_nothing_of_lokal_is_put_aside_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "lokal" / "chats.db"
    path.parent.mkdir()
    path.write_text("these are my notes\n" * 100)
    with opened(path) as (store, told):
        chat(store, "one", ("Why?",))
    assert "no chat could be read in it" in str(told[0])
    assert [old.read_text() for old in aside(path.parent)] == ["these are my notes\n" * 100]


@pytest.mark.parametrize(
    "change", ["role = 'oracle'", "parameters = '{'", "usage = '[]'", "timings = '{\"age\": 1}'"]
)
def test_a_row_that_makes_no_sense_costs_only_itself(sound: Path, tmp_path: Path, change: str) -> None:
    path = copy(sound, tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"UPDATE messages SET {change} WHERE id = 'chat07-1'")
    with opened(path) as (store, told):
        there = store.load("chat07").path()
        assert [message.role for message in there] == [Role.USER, Role.ASSISTANT] * 2
        assert there[1].content.startswith("żółw ответ")
    assert len(told) == 1


@pytest.mark.parametrize(
    "header",
    [
        "user_version = -5",
        "user_version = 0",
        "user_version = 1",
        "user_version = 1073741827",
        "application_id = 7",
    ],
)
def test_a_header_that_lokal_did_not_write(sound: Path, tmp_path: Path, header: str) -> None:
    path = copy(sound, tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA {header}")
    with opened(path) as (store, told):
        assert len(store.chats(99)) == CHATS - 2
    assert "nothing is known to be missing" in str(told[0])


def test_a_lost_row_is_not_told_as_deleted(sound: Path, tmp_path: Path) -> None:
    """SQLite finds a message by an index; where that is damaged, the message is not there, and nothing says why."""
    path = copy(sound, tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        roots = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE type = 'index' AND tbl_name = 'messages' AND sql IS NULL"
        ).fetchall()
    data = bytearray(path.read_bytes())
    for (root,) in roots:  # indexes that say that there is nothing
        data[(root - 1) * PAGE : root * PAGE] = b"\x0a" + bytes(4) + b"\x10\x00" + bytes(PAGE - 7)
    path.write_bytes(data)
    with opened(path) as (store, told):
        store.add_message("chat09", Message("later", "chat09-3", Role.USER, "later", NOON))
        assert [message.id for message in store.load("chat09").path()][-2:] == ["chat09-3", "later"]
    assert len(told) == 1


def test_an_error_that_has_nothing_to_do_with_the_file_changes_nothing(sound: Path, tmp_path: Path) -> None:
    path = copy(sound, tmp_path)
    with opened(path) as (store, told):
        for _ in range(2):
            with pytest.raises(StoreError, match="no message"):
                store.update_message("chat01", Message("nobody", None, Role.USER, "", NOON))
        with pytest.raises(StoreError):
            store.create_chat("chat01", "", NOON)
    assert (told, aside(path.parent)) == ([], [])


def test_a_streaming_answer_is_recovered_with_what_came(tmp_path: Path) -> None:
    path = tmp_path / "lokal" / "chats.db"
    with opened(path) as (store, _):
        (question,) = chat(store, "one", ("Why?",))
        store.add_message("one", Message("a", question.id, Role.ASSISTANT, "", NOON, status=Status.STREAMING))
        store.checkpoint("a", "Because ", "hm")
        store.checkpoint("a", "so.", "")
    data = bytearray(path.read_bytes())
    data[:PAGE] = bytes(PAGE)
    path.write_bytes(data)
    with opened(path) as (store, _):
        answer = store.load("one")["a"]
        assert (answer.content, answer.reasoning, answer.status) == ("Because so.", "hm", Status.INTERRUPTED)


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for each in list(path.parent.glob("chats.db*")):
        each.unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def delete_log(path: Path) -> None:
    path.with_name("chats.db-wal").unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.db"))


@pytest.mark.parametrize("what", [delete, delete_all, delete_folder, delete_log, move])
def test_a_database_that_goes_while_it_is_open(tmp_path: Path, what: object) -> None:
    path = tmp_path / "lokal" / "chats.db"
    assert callable(what)
    with opened(path) as (store, told):
        chat(store, "one", ("Why?", "Because."))
        what(path)
        chat(store, "two", ("And?", "So."))
        store.add_message("one", Message("later", "one-1", Role.USER, "later", NOON))
        while store.index_some():
            pass
        assert len(store.search("because")) == 1
    with opened(path) as (store, again):
        assert [message.content for message in store.load("one").path()] == ["Why?", "Because.", "later"]
        assert len(store.load("two")) == 2
        assert again == []
    if what is not delete_log:  # nothing was lost and nothing is elsewhere now
        assert ["was deleted or moved while lokal had it open" in str(renewal) for renewal in told] == [True]


def test_what_was_written_last_is_there_when_the_file_goes_after_it(tmp_path: Path) -> None:
    path = tmp_path / "lokal" / "chats.db"
    with opened(path) as (store, told):
        chat(store, "one", ("Why?", "Because."))
        delete_all(path)
    assert len(told) == 1
    with opened(path) as (store, _):
        assert len(store.load("one")) == 2


def test_two_lokals_on_a_damaged_database_come_to_the_same_new_one(sound: Path, tmp_path: Path) -> None:
    path = copy(sound, tmp_path)
    with opened(path) as (first, told), opened(path) as (second, second_told):
        first.chats()
        second.chats()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("UPDATE messages SET role = 'oracle' WHERE id = 'chat07-1'")
        first.load("chat07")
        first.add_message("chat08", Message("mine", "chat08-3", Role.USER, "mine", NOON))
        second.add_message("chat08", Message("yours", "chat08-3", Role.USER, "yours", NOON))
        assert {"mine", "yours"} <= {message.id for message in first.load("chat08")}
        assert second.renewed == 1
    # The file that was put aside has its log beside it.
    assert (len(told), len(second_told), len(aside(path.parent))) == (1, 0, 2)


def test_a_repair_that_fails_leaves_the_old_one_where_it_is(sound: Path, tmp_path: Path) -> None:
    path = copy(sound, tmp_path)
    data = bytearray(path.read_bytes())
    data[:PAGE] = bytes(PAGE)
    path.write_bytes(data)
    (path.parent / ".chats.db.recovered").mkdir()
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert caught.value.hint
    assert path.read_bytes() == data
    assert aside(path.parent) == []
    (path.parent / ".chats.db.recovered").rmdir()
    with opened(path) as (store, told):
        assert len(store.chats(99)) == CHATS - 2
    assert len(told) == 1
