"""Exports: JSON that other programs can read, Markdown that holds together whatever is in the answers."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Problem, Role, Status, Timings, Usage
from tui.store.export import branch_as_json, chat_as_json, chat_as_markdown
from tui.store.nested_markdown import code, nested
from tui.store.rows import ChatSummary

NOON = 1_795_348_800.25  # 2026-11-22T12:00:00.250Z
SUMMARY = ChatSummary("c0ffee", "A *chat* about <b>", NOON, NOON + 60, 3)
QUESTION = Message(
    "q", None, Role.USER, "Why?", NOON, attachments=(Attachment("a.png", "image/png", b"\x00\xff"),)
)
ANSWER = Message(
    "a", "q", Role.ASSISTANT, "Because.", NOON + 1, "hm", Status.STOPPED, "qwen3:8b", "http://127.0.0.1:11434",
    "technical", {"temperature": 0.4, "stop": ("END", "\n")}, Usage(10, 20, 5), Timings(0.5, 2.0, None, None, 31.26),
    "stop", Problem("Broke", "the line", "Wait"),
)  # fmt: skip


def conversation(*messages: Message, leaf: str | None = None) -> Conversation:
    return Conversation("c0ffee", "A *chat* about <b>", messages, leaf)


def tokens_of(text: str) -> list[tuple[str, int, str]]:
    """Every block of a document that has text: its tag, its depth and the text."""
    tokens = MarkdownIt("commonmark").parse(text)
    return [
        (before.tag, before.level, token.content)
        for before, token in pairwise(tokens)
        if token.type == "inline"
    ]


def test_the_open_branch_as_json() -> None:
    chat = conversation(QUESTION, ANSWER, replace(ANSWER, id="b", content="No."), leaf="a")
    told = json.loads(branch_as_json(chat, SUMMARY))
    assert list(told) == ["id", "title", "created_at", "updated_at", "message_count", "messages"]
    assert told["id"] == "c0ffee"
    assert told["created_at"] == "2026-11-22T12:00:00.250Z"
    assert told["message_count"] == 3
    assert [message["id"] for message in told["messages"]] == ["q", "a"]
    assert told["messages"][1] == {
        "id": "a",
        "parent": "q",
        "role": "assistant",
        "content": "Because.",
        "reasoning": "hm",
        "status": "stopped",
        "model": "qwen3:8b",
        "server": "http://127.0.0.1:11434",
        "preset": "technical",
        "parameters": {"temperature": 0.4, "stop": ["END", "\n"]},
        "timings": {
            "first_token_s": 0.5,
            "total_s": 2.0,
            "load_s": None,
            "prompt_tokens_per_s": None,
            "tokens_per_s": 31.26,
        },
        "usage": {"prompt": 10, "completion": 20, "cached": 5},
        "finish_reason": "stop",
        "created_at": "2026-11-22T12:00:01.250Z",
        "problem": {"title": "Broke", "detail": "the line", "hint": "Wait"},
        "attachments": [],
        "edited": False,
    }
    assert told["messages"][0]["attachments"] == [{"name": "a.png", "media_type": "image/png", "size": 2}]


def test_the_whole_tree_as_json() -> None:
    chat = conversation(QUESTION, ANSWER, replace(ANSWER, id="b", content="No."), leaf="a")
    told = json.loads(chat_as_json(chat, SUMMARY))
    assert told["open_leaf"] == "a"
    assert [(message["id"], message["parent"]) for message in told["messages"]] == [
        ("q", None),
        ("a", "q"),
        ("b", "q"),
    ]
    assert base64.b64decode(told["messages"][0]["attachments"][0]["data"]) == b"\x00\xff"
    assert json.loads(chat_as_json(conversation(), SUMMARY))["open_leaf"] is None


@pytest.mark.parametrize("status", list(Status))
def test_json_says_every_status(status: Status) -> None:
    told = json.loads(branch_as_json(conversation(QUESTION, replace(ANSWER, status=status)), SUMMARY))
    assert told["messages"][1]["status"] == status.value


@given(st.text(st.characters(), max_size=60), st.floats())
def test_json_is_strict_and_nothing_in_it_reaches_the_terminal(text: str, number: float) -> None:
    message = replace(ANSWER, content=text, parameters={"x": number}, created_at=1e300)
    exported = branch_as_json(conversation(QUESTION, message), SUMMARY)

    def no_constant(name: str) -> object:
        raise AssertionError(name)

    told = json.loads(exported, parse_constant=no_constant)
    assert told["messages"][1]["content"] == text.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "surrogatepass"
    )
    exported.encode()
    assert all(char == "\n" or char.isprintable() or ord(char) >= 0xA0 for char in exported)
    assert "\x9b" not in exported
    assert "\u202e" not in exported


def test_json_keeps_letters_readable() -> None:
    exported = branch_as_json(
        conversation(QUESTION, replace(ANSWER, content="Żółć, Ўзбекча, tiếng Việt, 漢字, 😀")), SUMMARY
    )
    assert "Żółć, Ўзбекча, tiếng Việt, 漢字, 😀" in exported


def test_a_chat_as_markdown() -> None:
    chat = conversation(QUESTION, ANSWER, replace(ANSWER, id="b"), leaf="a")
    assert chat_as_markdown(chat, SUMMARY) == (
        "# A \\*chat\\* about \\<b\\>\n\n"
        "Chat `c0ffee` · started 2026-11-22 12:00 UTC · 2 messages · 1 more in other branches\n\n"
        "## You\n\n"
        "*2026-11-22 12:00 UTC*\n\n"
        "Attached: `a.png` (image/png, 2 B)\n\n"
        "Why?\n\n"
        "## Assistant\n\n"
        "*2026-11-22 12:00 UTC · `qwen3:8b` · on http://127.0.0.1:11434 · preset technical · 20 tokens ·"
        " 31.3 tokens/s*\n\n"
        "> **Reasoning**\n>\n> hm\n\n"
        "Because.\n\n"
        "**Stopped by you: the answer is not complete. Broke. the line.**\n"
    )


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (replace(ANSWER, status=Status.STOPPED), "Stopped by you"),
        (replace(ANSWER, status=Status.INTERRUPTED), "Interrupted"),
        (replace(ANSWER, status=Status.FAILED), "Failed: the answer is not complete. Broke. the line."),
        (replace(ANSWER, status=Status.STREAMING), "Still being written"),
        (replace(ANSWER, status=Status.COMPLETE, finish_reason="length"), "Cut off at the token limit"),
        (
            replace(ANSWER, status=Status.COMPLETE, finish_reason="length", parameters={"max_tokens": 512}),
            "Cut off at the end of the context window",
        ),
        (replace(ANSWER, content=""), "No text came"),
    ],
)
def test_markdown_says_in_words_what_an_answer_lacks(message: Message, words: str) -> None:
    assert words in chat_as_markdown(conversation(QUESTION, message), SUMMARY)


def test_markdown_says_nothing_of_a_complete_answer() -> None:
    message = replace(ANSWER, status=Status.COMPLETE, problem=None)
    assert chat_as_markdown(conversation(QUESTION, message), SUMMARY).endswith("Because.\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# One\n###### Six", "### One\n###### Six"),
        ("One\n===\n\nTwo\n---", "### One\n\n\n#### Two\n"),
        ("a\nb\n---\nc", "a\nb\n\n---\nc"),
        ("#include <stdio.h>\n#!/bin/sh", "#include <stdio.h>\n#!/bin/sh"),
        ("```sh\n# a comment\n```", "```sh\n# a comment\n```"),
        ("````md\n```\n# in\n```", "````md\n```\n# in\n```\n````"),
        ("~~~\nopen", "~~~\nopen\n~~~"),
        ("- a:\n  ```sh\n  # comment", "- a:\n  ```sh\n  # comment\n  ```"),
        ("1. ```\n   # in\n   ```\n# out", "1. ```\n   # in\n   ```\n### out"),
        ("    # code\n\t# code", "    # code\n\t# code"),
        ("<details>\n<!-- x\n<http://a.b>", "\\<details>\n\\<!-- x\n<http://a.b>"),
        ("a List<int> and <b>", "a List<int> and <b>"),
        ("```html\n<p>\n```", "```html\n<p>\n```"),
        ("| a |\n|---|\n| 1 |", "| a |\n|---|\n| 1 |"),
        ("\n\nkept\x1b[31m red\x9b0m", "kept red"),
    ],
)
def test_text_inside_a_document(text: str, expected: str) -> None:
    assert nested(text, levels=2).strip("\n") == expected.strip("\n")


LINES = st.sampled_from(
    ["# h", "## h ##", "text", "", "", "===", "---", "-", "```", "```py", "~~~", "````", "- a", "- ```", "1. b", "2. c",
     "> q", "> ```", "<div>", "<!--", "<pre>", "* * *", "| a |", "    code", "  ```", "   ```", "  text", "<script>", "`a` ```", "[a]: x"]
)  # fmt: skip


@settings(deadline=None, max_examples=300, derandomize=True)
@given(lines=st.lists(LINES, max_size=10), thought=st.lists(LINES, max_size=4))
def test_no_answer_reaches_beyond_its_section(lines: list[str], thought: list[str]) -> None:
    message = replace(ANSWER, content="x\n\n" + "\n".join(lines), reasoning="y\n" + "\n".join(thought))
    blocks = tokens_of(
        chat_as_markdown(conversation(QUESTION, message, replace(QUESTION, id="z", parent="a")), SUMMARY)
    )
    sections = [text for tag, depth, text in blocks if tag in ("h1", "h2") and depth == 0]
    assert sections == ["A \\*chat\\* about \\<b\\>", "You", "Assistant", "You"]
    assert ("p", 0, "**Stopped by you: the answer is not complete. Broke. the line.**") in [
        (tag, depth, text) for tag, depth, text in blocks
    ]


@pytest.mark.parametrize("name", ["a", "a`b", "``", "`", "a `` b ` c"])
def test_a_code_span_holds_any_backticks(name: str) -> None:
    children = MarkdownIt("commonmark").parseInline(code(name))[0].children
    assert children is not None
    assert [(child.type, child.content) for child in children] == [("code_inline", name)]
