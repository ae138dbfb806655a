"""Taking messages out of a conversation and putting them back: the very same tree; and copies of a branch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Role, Status


def message(id: str, parent: str | None, content: str = "text", role: Role = Role.USER) -> Message:
    return Message(id, parent, role, content, created_at=0.0)


def branched() -> Conversation:
    """a - b - c, and a - d - e beside it; f is another start."""
    tree = [("a", None), ("b", "a"), ("c", "b"), ("d", "a"), ("e", "d"), ("f", None)]
    return Conversation("chat", "Trees", [message(id, parent) for id, parent in tree])


def ids(conversation: Conversation) -> str:
    return "".join(each.id for each in conversation)


def opened(conversation: Conversation) -> str:
    return "".join(each.id for each in conversation.path())


def test_a_message_goes_with_all_below_it_and_comes_back() -> None:
    conversation = branched()
    conversation.select("c")
    before = conversation.fingerprint()
    removed = conversation.remove("b")
    assert removed.ids == ("b", "c")
    assert ids(conversation) == "adef"
    assert opened(conversation) == "ade"
    assert conversation.siblings("d") == ("d",)
    conversation.restore(removed)
    assert conversation.fingerprint() == before
    assert opened(conversation) == "abc"
    assert conversation.siblings("d") == ("b", "d")


def test_what_was_not_open_goes_without_a_change_on_the_screen() -> None:
    conversation = branched()
    conversation.select("c")
    conversation.remove("d")
    assert opened(conversation) == "abc"
    conversation.remove("f")
    assert opened(conversation) == "abc"


def test_the_only_branch_can_go() -> None:
    conversation = Conversation("chat", messages=[message("a", None), message("b", "a")])
    before = conversation.fingerprint()
    removed = conversation.remove("a")
    assert len(conversation) == 0
    assert conversation.path() == ()
    assert conversation.leaf is None
    conversation.restore(removed)
    assert conversation.fingerprint() == before


def test_what_does_not_fit_is_refused() -> None:
    conversation = branched()
    with pytest.raises(KeyError):
        conversation.remove("x")
    inner = conversation.remove("c")
    outer = conversation.remove("a")
    with pytest.raises(ValueError, match="no parent"):
        conversation.restore(inner)
    conversation.restore(outer)
    with pytest.raises(ValueError, match="there already"):
        conversation.restore(outer)


def test_removals_that_are_undone_in_another_order_keep_parents_before_children() -> None:
    conversation = branched()
    first, second, third = conversation.remove("b"), conversation.remove("e"), conversation.remove("f")
    conversation.add(message("g", "d"))
    for removed in (first, third, second):
        conversation.restore(removed)
    assert sorted(ids(conversation)) == list("abcdefg")
    copy = Conversation("chat", "Trees", conversation, "g")  # raises for a child before its parent
    assert len(copy) == 7


def test_a_long_chat_is_restored_in_one_pass() -> None:
    count = 20_000
    chain = [message(str(number), str(number - 1) if number else None) for number in range(count)]
    conversation = Conversation("chat", messages=chain)
    before = conversation.fingerprint()
    removed = conversation.remove("1")
    assert len(removed.messages) == count - 1
    conversation.restore(removed)
    assert conversation.fingerprint() == before


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "update", "select", "remove"]), st.integers(0, 99)), max_size=40
)


@settings(deadline=None, max_examples=200)
@given(STEPS)
def test_whatever_was_done_is_undone_in_reverse(steps: list[tuple[str, int]]) -> None:
    conversation = Conversation("chat")
    undo: list[tuple[tuple[object, ...], Callable[[], object]]] = []
    for number, (step, wanted) in enumerate(steps):
        there = list(conversation)
        chosen = there[wanted % len(there)] if there else None
        before = conversation.fingerprint()
        if step == "add" or chosen is None:
            parent = None if chosen is None or wanted % 5 == 0 else chosen.id
            open_before = conversation.leaf
            conversation.add(message(str(number), parent))

            def take_out(id: str = str(number), leaf: Message | None = open_before) -> None:
                conversation.remove(id)
                if leaf is not None:
                    conversation.select(leaf.id)

            # What was open beside the new message is not kept, so that only the rest of the tree is compared.
            undo.append(((), take_out))
            continue
        if step == "update":
            conversation.update(message(chosen.id, chosen.parent, f"text {number}"))
            undo.append((before, lambda old=chosen: conversation.update(old)))  # type: ignore[misc]
        elif step == "select":
            leaf = conversation.leaf
            assert leaf is not None
            conversation.select(chosen.id)
            undo.append(((), lambda leaf=leaf: conversation.select(leaf.id)))  # type: ignore[misc]
        else:
            removed = conversation.remove(chosen.id)
            assert all(id not in conversation for id in removed.ids)
            undo.append((before, lambda removed=removed: conversation.restore(removed)))  # type: ignore[misc]
        Conversation("chat", messages=conversation)  # parents come before children
    shapes = [shape for shape, _ in undo]
    for shape, back in zip(reversed(shapes), reversed([back for _, back in undo]), strict=True):
        back()
        if shape:
            assert conversation.fingerprint()[2:4] == shape[2:4]
    assert len(conversation) == 0


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=30),
    st.lists(st.integers(0, 99), max_size=20),
    st.integers(0, 99),
)
def test_removals_undone_in_reverse_leave_no_trace(
    parents: list[int], removals: list[int], opened_at: int
) -> None:
    conversation = Conversation("chat")
    for number, wanted in enumerate(parents):
        parent = None if wanted % (number + 1) == number else str(wanted % (number + 1))
        conversation.add(message(str(number), parent))
    conversation.select(str(opened_at % len(parents)))
    trail = []
    for wanted in removals:
        there = list(conversation)
        if not there:
            break
        trail.append((conversation.fingerprint(), conversation.remove(there[wanted % len(there)].id)))
    for before, removed in reversed(trail):
        conversation.restore(removed)
        assert conversation.fingerprint() == before


def test_a_branch_becomes_a_chat_of_its_own() -> None:
    conversation = branched()
    file = Attachment("a.txt", "text/plain", b"hi")
    conversation.update(Message("a", None, Role.USER, "why?", 5.0, attachments=(file,)))
    conversation.update(Message("d", "a", Role.ASSISTANT, "half", 6.0, status=Status.STREAMING, model="m"))
    branch = conversation.branch_to("d", "other")
    assert (branch.id, branch.title) == ("other", "Trees (2)")
    first, second = branch.path()
    assert (first.content, first.created_at, first.attachments) == ("why?", 5.0, (file,))
    assert (second.content, second.model, second.status) == ("half", "m", Status.INTERRUPTED)
    assert second.parent == first.id
    assert not {first.id, second.id} & set("abcdef")
    assert opened(conversation) == "f"
