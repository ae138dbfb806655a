"""A chat whose store cannot be written for a while: nothing of it is lost, and a crash never comes half-way."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.database import database_of
from tests.support.many_chats import NOON, chat
from tui.chat import rescue
from tui.chat.session import ChatSession, waiting
from tui.chat.write_queue import WriteQueue
from tui.core.draft import Draft
from tui.core.message import Message, Role, Status, new_id
from tui.errors import FileError, LokalError, MessageGone
from tui.store.importing import read_chats
from tui.store.store import Store

AGES_S = 60.0


@dataclass
class Place:
    """A store and what writes to it."""

    store: Store
    persistence: WriteQueue
    problems: list[LokalError]

    @contextmanager
    def full(self) -> Iterator[None]:
        """SQLite gets no more pages, as on a full disk."""
        connection = database_of(self.store).connection
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        yield
        connection.execute("PRAGMA max_page_count = 1000000")

    def attempted(self) -> None:
        self.persistence.flush(AGES_S)

    def again(self) -> None:
        self.persistence.retry()
        self.attempted()
        self.persistence.submit(lambda: None).result(AGES_S)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    store, problems = Store.open(tmp_path / "chats.db", busy_timeout_s=0.01), list[LokalError]()
    persistence = WriteQueue(problems.append, retry_s=AGES_S)
    yield Place(store, persistence, problems)
    persistence.close()
    store.close()


def streaming(session: ChatSession, question: Message) -> Message:
    answer = Message(new_id(), question.id, Role.ASSISTANT, "", NOON + 1, status=Status.STREAMING)
    session.open_answer(answer)
    return answer


BIG = "word " * 40_000


def test_a_full_disk_loses_nothing_of_the_chat(place: Place) -> None:
    session = ChatSession(place.store, place.persistence)
    first, durable = session.ask("One?", NOON)
    assert durable.result(AGES_S)
    with place.full():
        answer = streaming(session, first)
        session.checkpoint(answer.id, BIG, "")
        session.update(replace(answer, content=BIG, status=Status.COMPLETE))
        _, durable = session.ask("Two? " + BIG, NOON + 2)
        assert not durable.result(AGES_S)
        session.save_draft(Draft("unsent"))
        place.attempted()
        assert [error.detail.partition(": ")[2] for error in place.problems] == [
            "The disk is full (database or disk is full)"
        ]
        assert waiting(place.persistence, session.conversation.id) is session, (
            "opened again it is what it was"
        )
        assert session.load_draft(session.draft_key) == Draft("unsent")
    place.again()
    there = place.store.load(session.conversation.id)
    assert [message.content for message in there.path()] == ["One?", BIG, "Two? " + BIG]
    assert there.fingerprint() == session.conversation.fingerprint()
    assert place.store.draft(session.conversation.id) == Draft("unsent")
    assert waiting(place.persistence, session.conversation.id) is None
    assert len(place.problems) == 1


def test_a_lock_that_lasts_loses_nothing_of_the_chat(place: Place) -> None:
    session = ChatSession(place.store, place.persistence)
    with closing(sqlite3.connect(str(place.store.path), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        question, durable = session.ask("One?", NOON)
        assert not durable.result(AGES_S)
        answer = streaming(session, question)
        session.checkpoint(answer.id, "Half ", "")
        session.checkpoint(answer.id, "an answer", "")
        place.attempted()
        assert "locked" in place.problems[0].detail
        other.execute("ROLLBACK")
    place.again()
    there = place.store.load(session.conversation.id).path()
    assert [message.content for message in there] == ["One?", "Half an answer"]


def test_a_question_leaves_the_draft_in_the_moment_in_which_it_is_in_the_chat(place: Place) -> None:
    session = ChatSession(place.store, place.persistence)
    session.load_draft(session.draft_key)
    session.save_draft(Draft("Why?"))
    place.attempted()
    connection = database_of(place.store).connection
    seen: list[tuple[int, int]] = []

    def look(statement: str) -> None:
        if statement == "COMMIT":
            with closing(sqlite3.connect(str(place.store.path))) as other:
                seen.append(
                    (
                        other.execute("SELECT count(*) FROM messages").fetchone()[0],
                        other.execute("SELECT count(*) FROM drafts").fetchone()[0],
                    )
                )

    connection.set_trace_callback(look)
    with session.together():
        question, _ = session.ask("Why?", NOON)
        streaming(session, question)
        session.save_draft(Draft())
    place.attempted()
    connection.set_trace_callback(None)
    assert seen == [(0, 1)], "one transaction: before it the question is in the draft"
    assert place.store.draft("") == place.store.draft(session.conversation.id) == Draft()
    assert len(place.store.load(session.conversation.id)) == 2


def test_what_is_unwritten_can_be_kept_elsewhere(place: Place, tmp_path: Path) -> None:
    chat(place.store, "one", ("Old?", "Old."))
    session = ChatSession(place.store, place.persistence, place.store.load("one"))
    empty = ChatSession(place.store, place.persistence)
    with place.full():
        session.ask(BIG, NOON + 9)
        session.save_draft(Draft("not sent"))
        empty.save_draft(Draft())
        place.attempted()
        sessions = rescue.worth(place.persistence.owners())
        assert sessions == (session,)
        text = rescue.text_of(sessions)
        target = tmp_path / "elsewhere.json"
        assert rescue.write(target, text) == target
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        with pytest.raises(FileError, match="exists"):
            rescue.write(target, text)
        with pytest.raises(FileError):
            rescue.write(tmp_path / "no folder" / "file", text)
    (read,) = read_chats(target).chats
    assert read.conversation.fingerprint() == session.conversation.fingerprint()
    assert json.loads(text)[0]["unsent"] == "not sent"


def test_a_file_that_was_left_is_told_of_for_a_week_and_to_its_own_lokal_only(own_home: Path) -> None:
    path = rescue.write_somewhere(own_home, "[]")
    assert path is not None
    try:
        now = path.stat().st_mtime
        assert rescue.left(own_home, now) == path
        assert rescue.left(own_home, now + 8 * 24 * 3600) is None
        assert rescue.left(own_home / "another", now) is None
    finally:
        path.unlink()


def test_what_another_database_does_not_have_of_an_open_chat_comes_into_it(place: Place) -> None:
    """The file was damaged, and this much of the chat could not be read."""
    chat(place.store, "one", ("Why?", "Because.", "And?", "So."))
    session = ChatSession(place.store, place.persistence, place.store.load("one"))
    place.store.purge_chat("one")
    place.store.renewed += 1
    last = session.conversation.leaf
    assert last is not None
    _, durable = session.ask("Then?", NOON + 50)
    assert durable.result(AGES_S)
    assert place.problems == []
    assert place.store.load("one").path() == session.conversation.path()
    session.complete()
    place.attempted()
    assert len(place.store.load("one")) == 5


def test_a_message_that_another_lokal_deleted_stays_deleted(place: Place) -> None:
    question, answer = chat(place.store, "one", ("Why?", "Because."))
    session = ChatSession(place.store, place.persistence, place.store.load("one"))
    place.store.renewed += 1
    place.store.remove_messages("one", [answer.id])
    _, durable = session.ask("And?", NOON + 50)
    assert not durable.result(AGES_S)
    assert [type(error) for error in place.problems] == [MessageGone]
    assert [message.id for message in place.store.load("one")] == [question.id]


def test_a_store_that_opens_late_gets_all_that_was_said_before(tmp_path: Path) -> None:
    path = tmp_path / "late" / "chats.db"
    with closing(Store.open(path)) as first:
        chat(first, "one", ("Why?", "Because."))
        first.save_draft("", Draft("from before"))
    problems: list[LokalError] = []
    persistence = WriteQueue(problems.append, retry_s=AGES_S)
    store = Store.in_memory()
    session = ChatSession(store, persistence)
    path.parent.rename(tmp_path / "away")
    path.parent.write_text("in the way")
    persistence.keep(lambda: store.move_to(path, lambda renewal: None), store)
    assert session.load_draft(session.draft_key) == Draft()
    session.save_draft(Draft("written now"))
    persistence.flush(AGES_S)
    assert len(problems) == 1
    path.parent.unlink()
    (tmp_path / "away").rename(path.parent)
    persistence.retry()
    persistence.submit(lambda: None).result(AGES_S)
    assert store.draft("") == Draft("from before\n\nwritten now"), "neither takes the place of the other"
    session.ask("Late?", NOON + 10)
    persistence.close()
    assert [each.title for each in store.chats()] == ["Late?", "Why?"]
    store.close()
