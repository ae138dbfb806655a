"""A chat that another lokal has deleted goes on as a new one: nothing is lost, and the deletion can be undone there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.many_chats import NOON, chat
from tui.chat.session import ChatSession
from tui.chat.write_queue import WriteQueue
from tui.core.draft import Draft
from tui.core.message import Message, Role, Status, new_id
from tui.errors import ChatGone, LokalError
from tui.store.store import ChatSummary, Store
from tui.ui.chat_list.deleted_chats import DeletedChats


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "chats.db")
    yield opened
    opened.close()


def said(text: str, parent: str | None, status: Status = Status.COMPLETE) -> Message:
    return Message(new_id(), parent, Role.ASSISTANT, text, NOON, status=status)


def test_everything_goes_on_in_the_new_chat(store: Store) -> None:
    problems: list[LokalError] = []
    persistence = WriteQueue(problems.append)
    question, answer = chat(store, "one", ("Why?", "Because."))
    session = ChatSession(store, persistence, store.load("one"))
    sibling = said("Or because.", question.id)
    session.open_answer(sibling)
    session.select(answer.id)
    persistence.flush(60)

    store.delete_chat("one")
    second, durable = session.ask("And?", NOON + 10)
    assert not durable.result(5)
    assert [type(problem) for problem in problems] == [ChatGone]
    running = said("", second.id, Status.STREAMING)
    session.open_answer(running)
    session.move(NOON + 11)
    session.checkpoint(running.id, "So it ", "")
    persistence.flush(60)
    new_id_ = session.conversation.id
    assert new_id_ != "one"
    there = store.load(new_id_)
    assert [message.content for message in there.path()] == ["Why?", "Because.", "And?", "So it "]
    assert there.path()[-1].status is Status.STREAMING, "a crash now leaves an interrupted answer"

    session.checkpoint(running.id, "goes.", "")
    session.update(replace(running, content="So it goes.", status=Status.COMPLETE))
    session.ask("Really?", NOON + 20)
    session.remove(second.id)
    session.undo_delete()
    session.select(sibling.id)
    session.rename("Another title")
    session.save_draft(Draft("half"))
    persistence.close()

    there = store.load(new_id_)
    assert sorted(message.content for message in there) == [
        "And?", "Because.", "Or because.", "Really?", "So it goes.", "Why?",
    ]  # fmt: skip
    assert [message.content for message in there.path()] == ["Why?", "Or because."]
    assert store.find(new_id_).title == "Another title"
    assert store.draft(new_id_) == Draft("half")
    assert len(problems) >= 1
    assert all(isinstance(problem, ChatGone) and problem.chat_id == "one" for problem in problems)
    store.restore_chat("one")
    assert [message.content for message in store.load("one").path()] == ["Why?", "Because."]


def test_a_chat_can_move_twice(store: Store) -> None:
    persistence = WriteQueue(lambda _: None)
    question, _ = chat(store, "one", ("Why?", "Because."))
    session = ChatSession(store, persistence, store.load("one"))
    for _ in range(2):
        persistence.flush(60)
        store.delete_chat(session.conversation.id)
        session.move(NOON)
    session.open_answer(said("Or because.", question.id))
    persistence.close()
    assert [message.content for message in store.load(session.conversation.id).path()] == [
        "Why?",
        "Or because.",
    ]


def test_the_last_deleted_chat_comes_back_first() -> None:
    first, second = (ChatSummary(id, id, 0.0, 0.0, 0) for id in ("a", "b"))
    trash = DeletedChats()
    assert trash.take() is None
    trash.put(first, was_open=True)
    trash.put(second, was_open=False)
    assert trash.take() == second
    assert trash.take() == first
    assert not trash.came_back("b")
    assert trash.came_back("a")
    assert trash.take() is None


def test_what_could_not_come_back_can_be_tried_again_unless_it_is_gone() -> None:
    chat_a, chat_b = (ChatSummary(id, id, 0.0, 0.0, 0) for id in ("a", "b"))
    trash = DeletedChats()
    trash.put(chat_a, was_open=False)
    assert trash.take() == chat_a
    trash.failed("a", for_good=False)
    assert trash.take() == chat_a
    trash.failed("a", for_good=True)
    assert trash.take() is None
    trash.put(chat_b, was_open=False)
    trash.failed("b", for_good=False)
    assert trash.take() is None, "it was never deleted"
