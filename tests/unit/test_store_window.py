"""A part of the list of chats, around a place or a chat."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tui.store.store import Store


@pytest.fixture
def store() -> Iterator[Store]:
    opened = Store.in_memory()
    yield opened
    opened.close()


def test_a_part_of_the_list_is_what_the_whole_list_has_there(store: Store) -> None:
    dice = random.Random(7)
    for number in range(300):
        store.create_chat(f"c{number:03}", f"Chat {number}", float(dice.randrange(40)))
    for _ in range(20):
        store.pin(f"c{dice.randrange(300):03}", True)
        store.archive(f"c{dice.randrange(300):03}", True)
    store.delete_chat("c007")
    for archived in (False, True):
        whole = store.chats(1_000, archived=archived)
        for middle in (0, 1, 5, 150, 299, 5_000):
            window = store.chats_around(middle, 30, archived)
            assert window.total == len(whole)
            assert window.chats == whole[window.first : window.first + 30]
            assert window.place is None
            if middle < len(whole):
                assert window.first <= middle < window.first + len(window.chats)
        for place, chat in enumerate(whole):
            window = store.chats_around(0, 30, archived, chat.id)
            assert window.place == place
            assert chat in window.chats
            other = store.chats_around(3, 30, not archived, chat.id)
            assert other.place is None
    assert store.chats_around(0, 30, False, "c007").place is None
    assert store.chats_around(0, 30, False, "no such\ud800").place is None


def test_a_part_of_an_empty_list(store: Store) -> None:
    window = store.chats_around(10, 30)
    assert (window.first, window.chats, window.total, window.place) == (0, (), 0, None)
