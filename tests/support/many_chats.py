"""Stores with many chats in them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tui.core.message import Message, Role
from tui.paths import folders
from tui.store.store import Store

NOON = 1_710_504_000.0
"""15 March 2024, 12:00 UTC: the same day in every time zone but two."""
DAY = 86_400.0
TITLES = (
    "Why does nginx answer 502 after a deploy?",
    "A shopping list for the journey to Kraków with two children and a dog that eats only fish",
    "Write a haiku about rain",
    "Zażółć gęślą jaźń",
    "Tiếng Việt có dấu",
    "Что такое B-дерево?",
    "日本語の短い詩",
)


@contextmanager
def store_of_home() -> Iterator[Store]:
    """The store of this test's home folder."""
    store = Store.open(folders(os.environ).database)
    try:
        yield store
    finally:
        store.close()


def chat(
    store: Store, chat_id: str, texts: Sequence[str], at: float = NOON, title: str = ""
) -> tuple[Message, ...]:
    """Write down a chat of a question, its answer, the next question and so on; its messages have the ids `chat_id-0`,
    `chat_id-1` …"""
    store.create_chat(chat_id, title or texts[0], at)
    messages: list[Message] = []
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        parent = messages[-1].id if messages else None
        message = Message(
            f"{chat_id}-{number}", parent, role, text, at + number, model="llama3.2:3b" if number % 2 else ""
        )
        store.add_message(chat_id, replace(message, preset="technical") if number % 2 else message)
        messages.append(message)
    return tuple(messages)


def fill(count: int) -> None:
    """Let this test's home have so many chats, a day between them: `chat-0000` is the newest. The third is pinned."""
    with store_of_home() as store:
        for number in range(count):
            title = TITLES[number % len(TITLES)] + (f" {number}" if number >= len(TITLES) else "")
            answer = f"Here is answer **{number}**.\n\nIt speaks of thing{number} and of a bad gateway."
            chat(store, f"chat-{number:04}", (title, answer), NOON - number * DAY)
        if count > 2:
            store.pin("chat-0002", True)
        while store.index_some():
            pass
