"""What is done to whole chats and to single messages: pin, archive, delete with undo, drafts, and purging for good."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tui.chat.chat_library import is_on_disk
from tui.core.conversation import Conversation
from tui.core.draft import Draft
from tui.core.message import Attachment, Message, Role, Status, new_id
from tui.core.undo import Undo
from tui.errors import StoreError
from tui.store.recovery import UNDO_S
from tui.store.store import Store

NOON = 1_790_000_000.0
DAY = UNDO_S
NOTES = Attachment("notes.txt", "text/plain", b"rows\n")


def said(text: str, parent: str | None = None, role: Role = Role.USER) -> Message:
    return Message(new_id(), parent, role, text, NOON)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "data" / "chats.db")
    yield opened
    opened.close()


@pytest.fixture
def tree(store: Store) -> tuple[Message, ...]:
    """a - b - c, and a - d - e beside it; e is open."""
    a = said("a")
    b, d = said("b", a.id), said("d", a.id)
    c, e = said("c", b.id), said("e", d.id)
    store.create_chat("one", "Tree", NOON)
    for message in (a, b, c, d, e):
        store.add_message("one", message)
    return a, b, c, d, e


def path(store: Store) -> str:
    return "".join(message.content for message in store.load("one").path())


def test_pinned_chats_come_first_and_archived_ones_have_a_list_of_their_own(store: Store) -> None:
    for number in range(4):
        store.create_chat(f"c{number}", "", NOON + number)
    store.pin("c0", True)
    store.archive("c3", True)
    assert [chat.id for chat in store.chats()] == ["c0", "c2", "c1"]
    assert [chat.id for chat in store.chats(limit=1, offset=1)] == ["c2"]
    assert [(chat.id, chat.archived) for chat in store.chats(archived=True)] == [("c3", True)]
    assert store.find("c0").pinned
    assert store.find("last").id == "c2"  # neither the pinned nor the archived one
    store.pin("c0", False)
    store.archive("c3", False)
    assert [chat.id for chat in store.chats()] == ["c3", "c2", "c1", "c0"]


def test_a_deleted_chat_is_gone_until_it_is_restored(store: Store, tree: tuple[Message, ...]) -> None:
    before, summary = store.load("one").fingerprint(), store.find("one")
    store.delete_chat("one")
    assert store.chats() == ()
    for call in _writes(tree[-1]):
        with pytest.raises(StoreError, match=r"was deleted|no chat") as caught:
            call(store)
        assert caught.value.hint
    store.recover()  # a day has not gone by
    store.restore_chat("one")
    assert store.load("one").fingerprint() == before
    assert store.find("one") == summary


def test_a_chat_is_there_by_its_whole_id_until_it_is_deleted(store: Store, tree: tuple[Message, ...]) -> None:
    assert tree
    store.archive("one", True)
    assert store.has_chat("one")
    assert not store.has_chat("on")
    store.delete_chat("one")
    assert not store.has_chat("one")
    store.restore_chat("one")
    assert store.has_chat("one")
    store.purge_chat("one")
    assert not store.has_chat("one")


def test_nobody_can_tell_of_a_store_that_is_not_open_or_in_memory_only(
    store: Store, tree: tuple[Message, ...]
) -> None:
    assert tree
    assert [is_on_disk(store, chat) for chat in ("one", "two")] == [True, False]
    assert is_on_disk(None, "one") is None
    in_memory = Store.in_memory()
    in_memory.create_chat("one", "One", NOON)
    assert is_on_disk(in_memory, "one") is None
    in_memory.close()


def test_the_chat_that_was_deleted_last_is_found(store: Store) -> None:
    assert store.last_deleted() is None
    for number in range(3):
        store.create_chat(f"c{number}", f"Chat {number}", NOON + number)
    kept = store.find("c1")
    store.delete_chat("c2")
    store.delete_chat("c1")
    assert store.last_deleted() == kept
    store.restore_chat("c1")
    assert [chat.id for chat in [store.last_deleted()] if chat is not None] == ["c2"]
    store.recover(now=time.time() + DAY + 60)
    assert store.last_deleted() is None


def _writes(leaf: Message) -> list[Callable[[Store], object]]:
    return [
        lambda store: store.load("one"),
        lambda store: store.find("one"),
        lambda store: store.add_message("one", said("x")),
        lambda store: store.update_message("one", leaf),
        lambda store: store.checkpoint(leaf.id, "x", ""),
        lambda store: store.select("one", leaf.id),
        lambda store: store.rename("one", "x"),
        lambda store: store.pin("one", True),
        lambda store: store.archive("one", True),
        lambda store: store.delete_chat("one"),
        lambda store: store.remove_messages("one", [leaf.id]),
    ]


def test_after_a_day_a_deleted_chat_is_purged(store: Store, tree: tuple[Message, ...]) -> None:
    store.save_draft("one", Draft("unsent", (NOTES,), (("m", "edit"),)))
    store.delete_chat("one")
    store.recover(now=time.time() + DAY - 60)
    store.restore_chat("one")
    store.delete_chat("one")
    store.recover(now=time.time() + DAY + 60)
    with pytest.raises(StoreError, match="The chat is gone"):
        store.restore_chat("one")
    assert store.draft("one") == Draft()
    for call in _writes(tree[-1])[:4]:
        with pytest.raises(StoreError):
            call(store)


def test_removed_messages_come_back_to_the_very_same_tree(store: Store, tree: tuple[Message, ...]) -> None:
    a, b, c, d, e = tree
    conversation = store.load("one")
    before = conversation.fingerprint()
    removed = conversation.remove(d.id)
    assert store.remove_messages("one", [d.id]) == removed.ids == (d.id, e.id)
    assert store.load("one").fingerprint() == conversation.fingerprint()
    assert path(store) == "abc"
    assert store.find("one").message_count == 3
    for call in (
        lambda: store.update_message("one", e),
        lambda: store.checkpoint(e.id, "x", ""),
        lambda: store.add_message("one", said("x", e.id)),
        lambda: store.select("one", e.id),
        lambda: store.remove_messages("one", [e.id]),
    ):
        with pytest.raises(StoreError, match="Cannot"):
            call()
    store.restore_messages("one", removed.ids)
    assert store.load("one").fingerprint() == before
    assert store.find("one").message_count == 5
    store.restore_messages("one", removed.ids)  # twice is harmless
    assert store.find("one").message_count == 5
    assert (b.parent, c.parent) == (a.id, b.id)


def test_what_was_deleted_can_come_back_after_the_chat_was_closed(
    store: Store, tree: tuple[Message, ...]
) -> None:
    a, b, c, d, e = tree
    states = [store.load("one").fingerprint()]
    for message in (e, c, b, a):
        store.remove_messages("one", [message.id])
        states.append(store.load("one").fingerprint())
    opened = store.load("one")
    assert [removed.ids for removed in opened.deleted] == [(e.id,), (c.id,), (b.id,), (a.id, d.id)]
    undo = Undo(opened)
    for state in reversed(states[:-1]):
        removed = undo.undo_delete()
        assert removed is not None
        store.restore_messages("one", removed.ids)
        assert set(messages_of(opened)) == set(messages_of(store.load("one")))
        assert opened.fingerprint()[2] == state[2], "the same messages in the same order"
    assert undo.undo_delete() is None
    assert store.load("one").fingerprint() == states[0]


def test_what_goes_for_good_does_not_come_back(store: Store, tree: tuple[Message, ...]) -> None:
    store.remove_messages("one", [tree[4].id], for_good=True)
    assert store.load("one").deleted == []
    assert len(store.load("one")) == 4
    store.recover()
    with pytest.raises(StoreError, match="Cannot restore"):
        store.restore_messages("one", [tree[4].id])


def messages_of(conversation: Conversation) -> list[str]:
    return [message.id for message in conversation]


def test_a_message_cannot_come_back_without_its_parent(store: Store, tree: tuple[Message, ...]) -> None:
    a, _, c, *_ = tree
    store.remove_messages("one", [c.id])
    store.remove_messages("one", [a.id])
    assert len(store.load("one")) == 0
    with pytest.raises(StoreError, match="Cannot restore"):
        store.restore_messages("one", [c.id])
    assert len(store.load("one")) == 0
    store.restore_messages("one", [message.id for message in tree])
    assert len(store.load("one")) == store.find("one").message_count == 5


def test_after_a_day_removed_messages_are_purged_and_the_open_branch_stays(
    store: Store, tree: tuple[Message, ...]
) -> None:
    store.remove_messages("one", [tree[3].id])
    shown = path(store)
    store.recover(now=time.time() + DAY + 60)
    assert path(store) == shown == "abc"
    with pytest.raises(StoreError, match="Cannot restore"):
        store.restore_messages("one", [tree[3].id])
    store.add_message("one", said("f", tree[2].id))
    assert path(store) == "abcf"


def test_a_long_chat_is_purged(store: Store) -> None:
    chain: list[Message] = []
    store.create_chat("one", "", NOON)
    for number in range(1500):  # longer than SQLite follows foreign keys
        chain.append(said(str(number), chain[-1].id if chain else None))
    store.add_chat(Conversation("two", "Chain", chain), NOON)
    store.purge_chat("two")
    assert [chat.id for chat in store.chats()] == ["one"]
    with pytest.raises(StoreError, match="There is no chat"):
        store.purge_chat("two")


def test_what_is_purged_is_in_none_of_the_files(store: Store, tmp_path: Path) -> None:
    store.create_chat("one", "Secrettitle", NOON)
    store.create_chat("two", "Kept", NOON)
    for number in range(50):
        file = Attachment("x", "text/plain", b"secretfile")
        store.add_message("one", replace(said(f"secretword{number} is secret"), attachments=(file,)))
        store.add_message("two", said(f"harmless {number}"))
    store.purge_chat("one")
    while store.index_some():
        pass
    store.close()
    for file_path in (tmp_path / "data").glob("chats.db*"):
        data = file_path.read_bytes().lower()
        assert b"secret" not in data, file_path.name
    again = Store.open(tmp_path / "data" / "chats.db")
    assert len(again.search("harmless")) == 50
    again.close()


def test_what_is_purged_is_in_no_file_while_another_lokal_is_open(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "data" / "chats.db"
    other = Store.open(path)
    store.create_chat("one", "Secrettitle", NOON)
    for number in range(300):
        store.add_message("one", said(f"secretword{number} is secret"))
    assert other.search("secretword7")
    store.purge_chat("one")
    while store.index_some():
        pass
    files = list(path.parent.glob("chats.db*"))
    assert len(files) > 1
    assert [file.name for file in files if b"secret" in file.read_bytes().lower()] == []
    other.close()


def test_what_would_act_on_a_terminal_does_not_come_out_of_a_draft(store: Store) -> None:
    bad = "\x1b[31m\u202e"
    files = (Attachment(f"{bad}a", f"{bad}text/plain", b"\x1b"),)
    store.save_draft("one", Draft(f"a{bad}\x02b{bad}\x03\n", files, (("m", f"c{bad}"),)))
    assert store.draft("one") == Draft(
        "a\x02b\x03\n", (Attachment("a", "text/plain", b"\x1b"),), (("m", "c"),)
    )


def test_drafts_are_kept_until_they_are_sent(store: Store) -> None:
    store.create_chat("one", "", NOON)
    assert store.draft("one") == Draft()
    half, other = Draft("half a question\n"), Draft("a new chat's")
    store.save_draft("one", half)
    store.save_draft("", other)
    assert (store.draft("one"), store.draft("")) == (half, other)
    store.save_draft("one", Draft())
    assert (store.draft("one"), store.draft("")) == (Draft(), other)


def test_the_files_of_a_draft_are_kept_with_it(store: Store) -> None:
    picture = Attachment("żółw.png", "image/png", bytes(range(256)))
    both = Draft("look", (picture, NOTES))
    store.save_draft("one", both)
    store.save_draft("two", Draft("", (NOTES,)))
    assert (store.draft("one"), store.draft("two")) == (both, Draft("", (NOTES,)))
    store.save_draft("one", Draft("look at it", (picture, NOTES)), both)
    assert store.draft("one") == Draft("look at it", (picture, NOTES))
    store.save_draft("one", Draft("look", (NOTES, NOTES)))
    assert store.draft("one") == Draft("look", (NOTES, NOTES)), "the same file may go along twice"
    store.save_draft("one", Draft())
    assert (store.draft("one"), store.draft("two")) == (Draft(), Draft("", (NOTES,)))


def test_the_edits_that_were_begun_are_kept_with_the_draft(store: Store) -> None:
    begun = Draft("", (), (("m1", "źle"), ("m2", "two\nlines")))
    store.save_draft("one", begun)
    assert store.draft("one") == begun
    changed = Draft("half", (), (("m2", "three"),))
    store.save_draft("one", changed, begun)
    assert store.draft("one") == changed
    store.save_draft("one", Draft("half more", (), changed.edits), changed)
    assert store.draft("one") == Draft("half more", (), changed.edits)
    store.save_draft("one", Draft(), changed)
    assert store.draft("one") == Draft()


def test_two_lokals_see_what_the_other_deleted(store: Store, tree: tuple[Message, ...]) -> None:
    assert store.path is not None
    other = Store.open(store.path)
    streaming = replace(said("half", tree[0].id, Role.ASSISTANT), status=Status.STREAMING)
    store.add_message("one", streaming)
    other.delete_chat("one")
    with pytest.raises(StoreError, match="“Tree” was deleted") as caught:
        store.checkpoint(streaming.id, "more", "")
    assert "another lokal" in caught.value.detail
    other.restore_chat("one")
    store.checkpoint(streaming.id, "more", "")
    other.remove_messages("one", [streaming.id])
    with pytest.raises(StoreError, match="Cannot save"):
        store.update_message("one", streaming)
    other.purge_chat("one")
    with pytest.raises(StoreError, match="The chat is gone"):
        store.add_message("one", said("x"))
    other.close()


def test_a_branch_is_kept_as_a_chat(store: Store, tree: tuple[Message, ...]) -> None:
    branch = store.load("one").branch_to(tree[1].id, "two")
    assert store.add_chat(branch, NOON + 5) == "two"
    loaded = store.load("two")
    assert loaded.fingerprint() == branch.fingerprint()
    assert store.find("two").message_count == 2
    assert {hit.chat_id for hit in store.search("b")} == {"one", "two"}
