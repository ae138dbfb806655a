"""Whatever a person does with a chat, nothing is lost: every deletion can be taken back, in memory and on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.chat.requests import blank_answer
from tui.chat.session import ChatSession
from tui.chat.write_queue import WriteQueue
from tui.core.conversation import Conversation
from tui.core.message import Message, Role, Status
from tui.core.undo import Undo
from tui.store.store import Store

Step = tuple[str, int]
DEEDS = ("ask", "edit", "edit answer", "regenerate", "continue", "select", "branch", "delete", "undo")
STEPS = st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 99)), max_size=30)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def persistence() -> Iterator[WriteQueue]:
    problems: list[object] = []
    writer = WriteQueue(problems.append)
    yield writer
    writer.close()
    assert problems == []


def do(session: ChatSession, deed: str, wanted: int) -> None:
    """One deed of a person, on one of the messages that are on the screen."""
    chat = session.conversation
    path = chat.path()
    chosen = path[wanted % len(path)] if path else None
    if deed == "ask" or chosen is None:
        question, _ = session.ask(f"question {wanted}", float(wanted))
        answer(session, question)
    elif deed == "edit" and chosen.role is Role.USER:
        question, _ = session.ask(f"edited {wanted}", float(wanted), instead_of=chosen)
        answer(session, question)
    elif deed == "edit answer" and chosen.role is Role.ASSISTANT:
        session.add_copy(chosen, f"my answer {wanted}", float(wanted), edited=True)
    elif deed == "regenerate" and chosen.role is Role.ASSISTANT:
        answer(session, chat[str(chosen.parent)])
    elif deed == "continue" and chosen.role is Role.ASSISTANT:
        session.update(replace(chosen, content=chosen.content + " and more"))
    elif deed == "select":
        siblings = chat.siblings(chosen.id)
        session.select(siblings[wanted % len(siblings)])
    elif deed == "branch":
        before = chat.fingerprint()
        branch = session.branch(chosen.id, float(wanted)).conversation
        assert [each.content for each in branch.path()] == [each.content for each in chat.path_to(chosen.id)]
        assert not {each.id for each in branch} & {each.id for each in chat}
        assert chat.fingerprint() == before
    elif deed == "delete":
        session.remove(chosen.id)
    elif deed == "undo":
        session.undo_delete()


def answer(session: ChatSession, question: Message) -> None:
    blank = blank_answer(question.id)
    session.open_answer(blank)
    session.update(replace(blank, content=f"answer to {question.content}", status=Status.COMPLETE))


def deleted(session: ChatSession) -> list[str]:
    """Delete what is on the screen, the last message first, until nothing is left; the ids."""
    gone = []
    while path := session.conversation.path():
        gone.append(path[-1].id)
        session.remove(path[-1].id)
    return gone


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_whatever_was_done_deletions_undone_in_reverse_give_the_very_same_tree(
    store: Store, persistence: WriteQueue, steps: list[Step]
) -> None:
    session = ChatSession(store, persistence)
    for deed, wanted in steps:
        do(session, deed, wanted)
    before = session.conversation.fingerprint()
    for _ in deleted(session):
        assert session.undo_delete() is not None
    assert session.conversation.fingerprint() == before


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_nothing_that_was_ever_said_is_lost(store: Store, persistence: WriteQueue, steps: list[Step]) -> None:
    session = ChatSession(store, persistence)
    chat = session.conversation
    said: dict[str, Message] = {}
    for deed, wanted in steps:
        do(session, deed, wanted)
        said.update({each.id: each for each in chat})
    while session.undo_delete() is not None:
        pass
    assert {each.id: each for each in chat} == said
    Conversation("copy", messages=chat)  # raises for a child before its parent
    if said:
        persistence.flush(60)
        kept = store.load(chat.id)
        assert list(kept) == list(chat)
        assert [each.id for each in kept.path()] == [each.id for each in chat.path()]


def test_the_last_deletion_comes_back_first_and_opens_what_was_open() -> None:
    tree = [("a", None), ("b", "a"), ("c", "b"), ("d", "a")]
    chat = Conversation("chat", messages=[Message(id, up, Role.USER, id, 0.0) for id, up in tree])
    undo = Undo(chat)
    chat.select("c")
    undo.remove("b")
    assert [each.id for each in chat.path()] == ["a", "d"]
    undo.remove("d")
    assert len(undo) == 2
    assert [removed.ids for _ in range(2) if (removed := undo.undo_delete())] == [("d",), ("b", "c")]
    assert [each.id for each in chat.path()] == ["a", "b", "c"]
    assert undo.undo_delete() is None
    assert len(undo) == 0
    with pytest.raises(KeyError):
        undo.remove("x")
