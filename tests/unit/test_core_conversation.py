"""The tree of a conversation, the turns made from it, and titles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.conversation import MAX_TITLE, Conversation, numbered_title, title_from
from tui.core.message import Attachment, Message, Problem, Role, Status, Usage, new_id
from tui.core.request import Turn, turns_of


def message(id: str, parent: str | None, content: str = "text", role: Role = Role.USER) -> Message:
    return Message(id, parent, role, content, created_at=0.0)


def branched() -> Conversation:
    """a - b - c, and a - d - e beside it; f is another start."""
    return Conversation(
        "chat",
        messages=[
            message("a", None), message("b", "a"), message("c", "b"), message("d", "a"), message("e", "d"),
            message("f", None),
        ],
    )  # fmt: skip


def ids(messages: tuple[Message, ...]) -> str:
    return "".join(each.id for each in messages)


def test_the_newest_branch_is_open() -> None:
    assert ids(branched().path()) == "f"
    empty = Conversation("chat")
    assert empty.path() == ()
    assert empty.leaf is None


def test_selecting_opens_a_branch_as_it_was_last() -> None:
    conversation = branched()
    conversation.select("a")
    assert ids(conversation.path()) == "ade"
    conversation.select("b")
    assert ids(conversation.path()) == "abc"
    conversation.select("f")
    conversation.select("a")
    assert ids(conversation.path()) == "abc"
    assert conversation.leaf is conversation["c"]


def test_an_open_leaf_is_restored_and_a_lost_one_ignored() -> None:
    messages = list(branched())
    assert ids(Conversation("chat", messages=messages, open_leaf="c").path()) == "abc"
    assert ids(Conversation("chat", messages=messages, open_leaf="gone").path()) == "f"


def test_siblings_and_the_way_to_a_message() -> None:
    conversation = branched()
    assert conversation.siblings("d") == ("b", "d")
    assert conversation.siblings("a") == ("a", "f")
    assert ids(conversation.path_to("c")) == "abc"
    assert len(conversation) == 6
    assert "c" in conversation
    assert "x" not in conversation


@pytest.mark.parametrize(
    ("title", "numbered"),
    [
        ("Trees", "Trees (2)"),
        ("Trees (2)", "Trees (3)"),
        ("Trees (9)", "Trees (10)"),
        ("Trees (2) (2)", "Trees (2) (3)"),
        ("Report (2024)", "Report (2024) (2)"),
        ("f(2)", "f(2) (2)"),
        ("(2)", "(2) (2)"),
        ("Trees (0)", "Trees (0) (2)"),
        ("Trees (２)", "Trees (２) (2)"),
        ("", ""),
    ],
)
def test_the_title_of_a_branch_counts_from_its_own_number(title: str, numbered: str) -> None:
    assert numbered_title(title) == numbered
    chat = Conversation("chat", title, [message("a", None)])
    assert chat.branch_to("a", "other").title == numbered


def test_an_answer_that_grows_keeps_its_place() -> None:
    conversation = branched()
    conversation.select("b")
    conversation.update(message("b", "a", "longer"))
    assert conversation["b"].content == "longer"
    assert ids(conversation.path()) == "abc"
    with pytest.raises(ValueError, match="does not move"):
        conversation.update(message("b", "d"))
    with pytest.raises(ValueError, match="no parent"):
        conversation.add(message("x", "gone"))
    with pytest.raises(ValueError, match="already"):
        conversation.add(message("b", "a"))


@settings(deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_whatever_is_added_is_open_and_every_path_ends_at_a_leaf(parents: list[int]) -> None:
    conversation = Conversation("chat")
    for number, wanted in enumerate(parents):
        parent = None if wanted % (number + 1) == number else str(wanted % (number + 1))
        conversation.add(message(str(number), parent))
        assert conversation.leaf is not None
        assert conversation.leaf.id == str(number)
    for each in conversation:
        conversation.select(each.id)
        path = conversation.path()
        assert path[: len(conversation.path_to(each.id))] == conversation.path_to(each.id)
        assert each.id in conversation.siblings(each.id)
    assert len(conversation) == len(parents)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Why 502?", "Why 502?"),
        ("\n\n  ## Why   502?\nmore", "Why 502?"),
        ("", ""),
        ("---", "---"),
        ("Перевод на узбекский", "Перевод на узбекский"),
        ("word " * 30, "word word word word word word word word word word word…"),
        ("x" * 100, "x" * (MAX_TITLE - 1) + "…"),
    ],
)
def test_titles(text: str, title: str) -> None:
    assert title_from(text) == title


@settings(deadline=None)
@given(st.text(max_size=300))
def test_a_title_is_one_short_line(text: str) -> None:
    title = title_from(text)
    assert len(title) <= MAX_TITLE
    assert len(title.splitlines()) <= 1


def test_turns_take_turns() -> None:
    image = Attachment("a.png", "image/png", b"x")
    path = [
        message("a", None, "first"),
        message("b", "a", "  ", Role.ASSISTANT),
        Message("c", "b", Role.USER, "second", 0.0, attachments=(image,)),
        message("d", "c", "answer", Role.ASSISTANT),
        message("e", "d", "third"),
    ]
    assert turns_of(path, "Be brief.") == (
        Turn(Role.SYSTEM, "Be brief."),
        Turn(Role.USER, "first\n\nsecond", (image,)),
        Turn(Role.ASSISTANT, "answer"),
        Turn(Role.USER, "third"),
    )
    assert turns_of([], " \n") == ()


def test_neither_reasoning_nor_an_error_is_sent() -> None:
    failed = Message(
        "b",
        "a",
        Role.ASSISTANT,
        "half",
        0.0,
        reasoning="secret",
        status=Status.FAILED,
        problem=Problem("oops"),
    )
    sent = turns_of([message("a", None, "q"), failed])
    assert sent == (Turn(Role.USER, "q"), Turn(Role.ASSISTANT, "half"))
    assert "secret" not in repr(sent)
    assert "oops" not in repr(sent)


@pytest.mark.parametrize(
    ("status", "finish", "content", "resumable"),
    [
        (Status.COMPLETE, "stop", "text", False),
        (Status.COMPLETE, "length", "text", True),
        (Status.STOPPED, "", "text", True),
        (Status.INTERRUPTED, "", "text", True),
        (Status.FAILED, "", "text", True),
        (Status.STOPPED, "", "", False),
        (Status.STREAMING, "", "text", False),
    ],
)
def test_what_can_be_continued(status: Status, finish: str, content: str, resumable: bool) -> None:
    answer = Message("b", "a", Role.ASSISTANT, content, 0.0, status=status, finish_reason=finish)
    assert answer.resumable is resumable
    assert not message("a", None).resumable


def test_small_parts_of_a_message() -> None:
    assert len(new_id()) == 12
    assert new_id() != new_id()
    assert Usage().total is None
    assert Usage(prompt=10, completion=5).total == 15
    assert Usage(prompt=10).total == 10
    assert message("a", None).parameters == {}
    assert "bytes" not in repr(Attachment("a", "text/plain", b"bytes"))
