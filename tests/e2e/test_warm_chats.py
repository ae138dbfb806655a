"""Chats that go on at once, through the chat client and the real engine: left and opened again, in one run and over the next."""

from __future__ import annotations

import re
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.command import lokal_command
from tests.support.llama import needs_engine
from tests.support.warm_client import warm_client
from tui.chat.engine_idle import EngineIdle
from tui.chat.titles import ask_title
from tui.chat.warm_chats import ChatReused
from tui.config.settings import Settings
from tui.core.titling import title_turns
from tui.paths import folders

pytestmark = [needs_engine, pytest.mark.usefixtures("packaged_gguf")]

LONG = "The keeper of the lighthouse wrote a letter home every evening. " * 45
"""Some 600 tokens: enough to be worth a word."""
TURNS = ("Name a colour.", "Name another one.", "And an animal?", "Why that one?")
LOST = "what was read of this chat before could not be reused: it was read again"


async def test_a_chat_that_is_opened_again_goes_on_at_once(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        first = await client.ask(LONG)
        assert first.usage.prompt is not None
        kept = client.controller.session
        assert kept is not None
        client.new()
        await client.settled()
        assert len(client.saved) == 1  # it was left
        await client.ask(TURNS[0])
        client.reopen(kept.conversation.id)
        await client.settled()
        again = await client.ask(TURNS[1])
        assert (again.usage.cached or 0) >= first.usage.prompt
        assert client.said == [f"ready, {again.usage.cached} tokens reused"]
        await client.ask(TURNS[2])
        assert len(client.said) == 1
    assert len(client.saved) == 1  # lokal's end saves it anew, in the place of the one before
    async with warm_client(packaged_gguf) as next_run:
        next_run.reopen(kept.conversation.id)
        last = await next_run.ask(TURNS[3])
        assert (last.usage.cached or 0) > (again.usage.prompt or 0)
        assert next_run.said == [f"ready, {last.usage.cached} tokens reused"]


async def test_what_was_changed_since_is_read_again_and_that_is_said(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        await client.ask(LONG)
        kept = client.controller.session
        assert kept is not None
    (file,) = client.saved
    file.write_bytes(file.read_bytes()[:-1])
    async with warm_client(packaged_gguf) as client:
        client.reopen(kept.conversation.id)
        await client.ask(TURNS[0])
        assert client.said == [LOST]
        assert client.server.endpoint is not None


async def test_another_window_cannot_use_what_was_saved(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        await client.ask(LONG)
        state = client.controller.chat.state
        overrides = {**state.overrides, "context_window": 4096}
        client.controller.use(state.with_settings(replace(state.settings, overrides=overrides)))
        before = client.server
        client.connections.restart_engine(client.controller.chat.state)
        await client.until(
            lambda: client.controller.chat.state.connection is not None and client.server is not before
        )
        again = await client.ask(TURNS[0])
        assert again.usage.cached == 0
        assert client.said == [LOST]


async def test_within_a_chat_nothing_before_the_last_answer_is_read_again(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        before, shares = (await client.ask("Tell me about lighthouses. " * 12)).usage.prompt or 0, []
        for turn in TURNS:
            session, state = client.controller.session, client.controller.chat.state
            assert session is not None
            if turn == TURNS[2]:  # a request that takes the place of the chat
                await ask_title(state, title_turns(session.conversation.path()))
            if turn == TURNS[3]:  # an engine that slept
                assert await client.server.sleep(0)
            usage = (await client.ask(turn)).usage
            shares.append((usage.cached or 0) / before)
            before = usage.prompt or 0
        assert statistics.median(shares) >= 0.98
        assert min(shares) >= 0.98
        assert client.said == []  # nothing was opened, and little to be restored


async def test_the_system_prompt_of_an_empty_chat_is_read_before_its_first_question(
    packaged_gguf: Path,
) -> None:
    async with warm_client(packaged_gguf) as client:
        state = client.controller.chat.state
        told = replace(state.preset, system=LONG)
        client.controller.use(state.with_settings(state.settings.chosen(told)))
        await client.until(lambda: not client.tasks.runs("read-ahead"))
        first = await client.ask(TURNS[0])
        assert first.usage.prompt is not None
        assert (first.usage.cached or 0) > first.usage.prompt - 25  # what a dot and the question do not share
        assert client.said == []


async def test_a_chat_that_is_deleted_takes_its_file_with_it(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        await client.ask(LONG)
        session = client.controller.session
        assert session is not None
        client.queue.flush(60)
        client.store.delete_chat(session.conversation.id)
        client.new()
        await client.settled()
        assert client.saved == []
        client.store.restore_chat(session.conversation.id)
        client.reopen(session.conversation.id)
        again = await client.ask(TURNS[0])
        assert (again.usage.cached or 0) > 500  # it had not left the engine
    assert len(client.saved) == 1


async def test_no_chat_is_saved_where_that_is_switched_off(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf) as client:
        await client.ask(LONG)
    assert len(client.saved) == 1
    async with warm_client(packaged_gguf, Settings(warm_chats_mb=0)) as client:
        await client.until(lambda: not client.saved)  # what there was goes
        await client.ask(LONG)
        client.new()
        await client.settled()
    assert client.saved == []


async def test_one_timer_ends_an_engine_that_nobody_uses(script_gguf: Path) -> None:
    async with warm_client(script_gguf) as client:
        idle = EngineIdle(client.server, 0.05, client.tasks)
        idle.start()
        await client.until(lambda: client.sleeps == [True])
        assert (await client.ask("Hello")).content
        assert client.sleeps == [True, False]
        never = EngineIdle(client.server, 0, client.tasks)
        never.start()
        never.close()
        idle.start()
        idle.close()
        await client.settled()
        assert not client.server.asleep


async def test_an_engine_that_nobody_uses_is_ended_and_typing_starts_it_again(packaged_gguf: Path) -> None:
    async with warm_client(packaged_gguf, Settings(engine_idle=1)) as client:
        first = await client.ask(LONG)
        assert await client.server.sleep(0)
        assert client.controller.chat.state.server.asleep
        client.controller.touched()
        client.controller.touched()
        await client.until(lambda: not client.controller.chat.state.server.asleep)
        await client.settled()
        again = await client.ask(TURNS[0])
        assert (again.usage.cached or 0) >= (first.usage.prompt or 0)
        assert client.sleeps == [True, False]


async def test_plain_mode_goes_on_at_once_with_the_chat_of_the_run_before(packaged_gguf: Path) -> None:
    command = ("--plain", "--gguf", str(packaged_gguf), "--set", "max_tokens=6", "--set", "temperature=0")
    ended = await lokal_command(*command, stdin=f"{LONG}\n".encode())
    assert ended.status == 0
    assert len(list(folders().slots.glob("*.slot"))) == 1
    ended = await lokal_command(*command, "--resume", "last", stdin=b"And the sea?\n")
    assert ended.status == 0
    assert re.search(r"^lokal: ready, \d{3} tokens reused$", ended.err, re.MULTILINE)
    assert "reused" not in ended.text


def test_little_is_not_worth_a_word() -> None:
    assert ChatReused(499).words == ""
    assert ChatReused(6200).words == "ready, 6.2k tokens reused"
    assert ChatReused(499, reused=False).words == ""
    assert ChatReused(500, reused=False).words == LOST
