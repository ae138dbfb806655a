"""Answers that were cut: what cut them is said, for what helps depends on it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.app_driver import chatting, running
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import replay
from tui.core.message import Message, Role, Usage

CUT = Message("a", None, Role.ASSISTANT, "Half", 0.0, parameters={"max_tokens": 512}, finish_reason="length")


@pytest.mark.parametrize(
    ("usage", "limit"),
    [
        (Usage(632, 392), None),
        (Usage(632, 512), 512),
        (Usage(632, None), 512),
        (Usage(None, 100), 512),  # pieces that lokal has counted itself: one can be several tokens
        (Usage(), 512),
    ],
)
def test_the_limit_counts_only_where_it_was_reached(usage: Usage, limit: int | None) -> None:
    assert replace(CUT, usage=usage).cut_at == limit
    assert replace(CUT, usage=usage, parameters={}).cut_at is None


async def test_a_full_window_is_not_taken_for_the_limit() -> None:
    async with replay() as server:
        like_ollama(server).on(
            "/api/chat",
            ollama_answer("Half", tokens=392, reason="length"),
            ollama_answer("Most", tokens=512, reason="length"),
            ollama_answer(thought="Hm", tokens=392, reason="length"),
        )
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.ask("Why?")
            await driver.see("cut at the end of the context window · F6 continues")
            await driver.press("f5")
            await driver.see("cut at 512 tokens · F6 continues")
            await driver.press("f5")
            await driver.see("The context window was full while thinking")


async def test_columns_say_it_too() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Half", tokens=392, reason="length"))
        await driver.ask("/compare technical creative: Why?")
        await driver.see("cut at the end of the")
        assert "cut at 512" not in driver.text()
