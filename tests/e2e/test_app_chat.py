"""A chat in the real program, with the real llama.cpp: ask, read, leave, find it again."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import StartServer
from tests.support.app import chat_titles, command, last_chat, messages_of, name_server
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.terminal import lokal
from tui.core.endpoint import Endpoint


async def test_a_question_is_answered_and_kept(llama_server: Endpoint) -> None:
    name_server(llama_server)
    async with lokal(
        "--preset", "chatbot", "--set", "max_tokens=700", "--set", "seed=7", preload=False
    ) as terminal:
        await terminal.wait_for("· script")
        await terminal.wait_for(r"Preset +chatbot")
        terminal.send("How do I read a file line by line?\r")
        await terminal.wait_for("A plain 👍 closes it")
        await terminal.wait_for(r"ctx \d\S* of 8")
        terminal.send("\x1b[1;5H")
        await terminal.wait_for(
            r"── script\S* · chatbot ─+ \d+ tokens · \d+ tok/s ─\n *Reading a file line by line"
        )
        assert terminal.screen()[1].startswith("── you ──")
        assert terminal.screen()[2] == "How do I read a file line by line?"
        await terminal.quit()
        tail = bytes(terminal.raw[-200:])
        assert b"\x1b[?1049l" in tail
        assert b"\x1b[?25h" in tail
        assert b"\x1b[?2004l" in tail

    assert await chat_titles() == ["How do I read a file line by line?"]
    question, answer = await last_chat()
    assert (question.role, question.content, question.status) == (
        "user",
        "How do I read a file line by line?",
        "complete",
    )
    assert answer.content == MARKDOWN
    assert answer.status == "complete"
    assert answer.preset == "chatbot"
    assert answer.parameters == {
        "temperature": 0.6,
        "top_p": 0.875,
        "top_k": 40,
        "max_tokens": 700,
        "repeat_penalty": 1.2,
        "seed": 7,
    }
    assert str(answer.fields["model"]).startswith("script")
    assert answer.fields["server"] == llama_server.url
    assert answer.fields["finish_reason"] == "stop"
    timings, usage = answer.fields["timings"], answer.fields["usage"]
    assert isinstance(timings, dict)
    assert isinstance(usage, dict)
    assert timings["tokens_per_s"] > 0
    assert timings["first_token_s"] > 0
    assert timings["total_s"] >= timings["first_token_s"]
    assert usage["completion"] > 100
    assert usage["prompt"] > 0

    listed = json.loads(await command("chats", "list", "--json"))
    assert listed[0]["message_count"] == 2
    assert messages_of(await command("chats", "show", listed[0]["id"], "--json")) == [question, answer]


async def test_reasoning_is_folded_shown_on_a_key_and_kept(
    start_llama: StartServer, thinking_gguf: Path
) -> None:
    server = start_llama(thinking_gguf)
    name_server(server.endpoint)
    first_thought = THOUGHT.split(".")[0]
    async with lokal("--set", "max_tokens=900", rows=40) as terminal:
        await terminal.wait_for("· thinking")
        terminal.send("Think!\r")
        await terminal.wait_for(r"A plain 👍 closes it")
        await terminal.wait_for(r"ctx \d\S* of 8")
        terminal.send("\x1b[1;5H")
        await terminal.wait_for(r"▸ thought for \d+ lines · Ctrl\+O shows it")
        assert first_thought not in terminal.text()
        terminal.send("\x0f")
        await terminal.wait_for(first_thought)
        terminal.send("\x0f")
        await terminal.wait_until_gone(first_thought)
        await terminal.quit()
    answer = (await last_chat())[1]
    assert answer.content == MARKDOWN
    assert answer.fields["reasoning"] == THOUGHT
