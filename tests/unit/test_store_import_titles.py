"""Chats that come from a file without a title get one by the rule by which lokal's own do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tui.store.importing import read_chats

DATA = Path(__file__).parents[1] / "data" / "chats"


def first_of(name: str) -> tuple[list[Any], Any]:
    """The document of a file, and its first chat."""
    document = json.loads((DATA / name).read_bytes())
    return document, document[0]


@pytest.mark.parametrize("title", [None, "", "  \n"])
@pytest.mark.parametrize("name", ["chatgpt.json", "open-webui.json"])
def test_a_chat_without_a_title_is_called_by_its_first_question(name: str, title: str | None) -> None:
    document, chat = first_of(name)
    for holder in (chat, chat.get("chat", {})):
        if "title" in holder:
            holder["title"] = title
    read = read_chats(json.dumps(document).encode()).chats[0]
    question = read.conversation.path()[0].content
    assert read.conversation.title
    assert question.startswith(read.conversation.title.rstrip("…"))
    assert read.summary.title == read.conversation.title


def test_a_title_that_is_there_stays() -> None:
    document, chat = first_of("chatgpt.json")
    chat["title"] = "Mine"
    assert read_chats(json.dumps(document).encode()).chats[0].conversation.title == "Mine"


def test_without_a_title_or_a_question_the_answer_names_it() -> None:
    message = {"role": "assistant", "content": "# Welcome\nto all of this", "parentId": None}
    document = [{"title": "", "history": {"currentId": "1", "messages": {"1": message}}}]
    assert read_chats(json.dumps(document).encode()).chats[0].conversation.title == "Welcome"
