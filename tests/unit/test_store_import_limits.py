"""What a file may not bring in: what a terminal acts on, numbers and times beyond all sense, texts that take long to read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.core.conversation import Conversation
from tui.core.message import NO_PARAMETERS, Message, Role
from tui.core.text import local_minute
from tui.store.export import chat_as_json, iso_time
from tui.store.highlight import pattern_of
from tui.store.importing import read_chats
from tui.store.query import parse
from tui.store.rows import ChatSummary, WholeChat
from tui.store.store import Store

DATA = Path(__file__).parents[1] / "data" / "chats"
NOON = 1_790_000_000.125
EVIL = "a\x1b]52;c;ZXZpbA==\x07b\u202ec\x9b31md"
NORMAL = "Съешь ещё\tэтих\n\nTiếng Việt: đặng Nguyễn Thị\n👩‍👩‍👧‍👦 🏳️‍🌈 שלום\u200f\n  indented\n"


def exported(
    change: Callable[[Any], object], content: str = "Why?", title: str = "One"
) -> tuple[Conversation, ChatSummary, WholeChat]:
    """A chat, and what is read from its export after a change to that."""
    messages = [
        Message("q", None, Role.USER, content, NOON),
        Message("a", "q", Role.ASSISTANT, content, NOON + 1, reasoning=content, model="m"),
    ]
    conversation, summary = Conversation("one", title, messages), ChatSummary("one", title, NOON, NOON, 2)
    document = json.loads(chat_as_json(conversation, summary))
    change(document)
    (chat,) = read_chats(json.dumps(document).encode()).chats
    return conversation, summary, chat


def test_normal_text_comes_back_to_the_letter() -> None:
    title = "Съешь · Nguyễn 👩‍👩‍👧‍👦"
    conversation, summary, chat = exported(lambda _: None, NORMAL, title)
    assert list(chat.conversation) == list(conversation)
    assert chat.summary == summary
    assert chat.conversation.fingerprint() == conversation.fingerprint()


def test_what_a_terminal_acts_on_stays_out_of_lokals_own_json() -> None:
    def change(chat: Any) -> None:
        names = ("content", "reasoning", "model", "server", "preset", "finish_reason")
        chat["messages"][1].update(dict.fromkeys(names, EVIL))
        chat["messages"][1].update(problem={"title": EVIL, "detail": EVIL, "hint": EVIL})
        chat["messages"][1].update(parameters={"stop": [EVIL], EVIL: EVIL})
        chat["messages"][1].update(attachments=[{"name": EVIL, "media_type": EVIL, "data": ""}])
        chat["title"] = EVIL

    _, _, chat = exported(change)
    answer = chat.conversation["a"]
    assert (answer.content, answer.reasoning, answer.model) == ("abcd", "abcd", "abcd")
    assert (chat.conversation.title, chat.summary.title) == ("abcd", "abcd")
    shown = f"{answer!r}{chat.summary!r}"
    assert "evil" not in shown
    assert "x1b" not in shown
    assert "u202e" not in shown


@pytest.mark.parametrize("name", ["open-webui.json", "chatgpt.json", "oterm.txt"])
def test_what_a_terminal_acts_on_stays_out_of_other_formats(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    evil = EVIL if name.endswith("txt") else json.dumps(EVIL)[1:-1]
    old = {"open-webui.json": "Why 502", "chatgpt.json": "It is a B-tree.", "oterm.txt": "chmod 640"}[name]
    assert old in text
    chats = read_chats(text.replace(old, evil).encode()).chats
    found = "".join(
        f"{chat.summary.title!r}{[message.content for message in chat.conversation]!r}" for chat in chats
    )
    assert "abcd" in found
    assert "x1b" not in found
    assert "u202e" not in found


def test_an_id_that_cannot_be_shown_is_not_kept() -> None:
    _, _, chat = exported(lambda chat: chat.update(id=EVIL))
    store = Store.in_memory()
    (id,) = store.import_chats([chat]).added
    assert id.isalnum()
    store.close()


def test_what_was_said_here_is_known_again_in_its_export() -> None:
    store = Store.in_memory()
    store.create_chat("one", "One", NOON)
    store.add_message("one", Message("q", None, Role.USER, EVIL, NOON))
    text = chat_as_json(store.load("one"), store.find("one"))
    assert store.import_chats(read_chats(text.encode()).chats).skipped == ("one",)
    assert store.load("one")["q"].content == EVIL
    store.close()


def test_counts_and_parameters_beyond_all_sense_are_left_out() -> None:
    def change(chat: Any) -> None:
        chat["messages"][1].update(usage={"prompt": 10**400, "completion": -1, "cached": 2**53})
        chat["messages"][1].update(timings={"total_s": float("inf"), "load_s": 10**400})
        chat["messages"][1].update(parameters={"seed": 10**400, "top_p": float("nan")})

    _, _, chat = exported(change)
    answer = chat.conversation["a"]
    assert (answer.usage.prompt, answer.usage.completion, answer.usage.cached) == (None, None, 2**53)
    assert (answer.timings.total_s, answer.timings.load_s) == (None, None)
    assert answer.parameters == NO_PARAMETERS


@pytest.mark.parametrize("wrong", [1e300, -1e300, float("inf"), float("nan"), 10**400, "soon"])
def test_times_are_ones_that_a_calendar_has(wrong: object) -> None:
    def change(chat: Any) -> None:
        chat.update(updated_s=wrong, created_s=wrong)
        chat["messages"][0].update(created_s=wrong)

    _, _, chat = exported(change)
    for moment in (chat.summary.created_at, chat.summary.updated_at, chat.conversation["q"].created_at):
        assert 0 <= moment < 253_402_300_000
        assert iso_time(moment)
        assert time.localtime(moment).tm_year <= 9999


@pytest.mark.parametrize("moment", [1e300, -1e300, float("inf"), float("-inf")])
def test_any_time_can_be_listed(moment: float) -> None:
    assert local_minute(moment)[:2] in ("99", "19")


def test_reasoning_of_open_webui_is_found_in_one_pass() -> None:
    start = '<details type="reasoning" done="true">\n<summary>Thought</summary>\n'

    def read(content: str) -> Message:
        message = {"role": "assistant", "content": content, "parentId": None}
        document = [{"title": "", "history": {"currentId": "1", "messages": {"1": message}}}]
        (chat,) = read_chats(json.dumps(document).encode()).chats
        return chat.conversation.path()[0]

    answer = read(f"\n{start}> so\n&gt; a &lt; b\n</details>\nYes")
    assert (answer.content, answer.reasoning) == ("Yes", "so\na < b")
    long = start + "</summary>" * 200_000
    assert read(long).content == long


def test_a_phrase_has_one_way_to_match() -> None:
    pattern = pattern_of(parse('"' + "x " * 25 + 'y"'))
    assert pattern.search("'x', " * 5000) is None
    numbers = pattern_of(parse('"' + "1 " * 25 + '2"'))
    assert numbers.search("①" * 5000) is None
    assert pattern.search("'x', " * 25 + "'y'") is not None
    assert pattern_of(parse('"ab cd"')).search("ab’ — ①… cd") is not None
