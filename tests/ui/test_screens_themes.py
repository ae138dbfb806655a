"""How the themes look, and no colour at all, held to the pictures in tests/snapshots."""

from __future__ import annotations

import pytest

from tests.support.replay import recorded, stalling
from tests.support.sample import MARKDOWN
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import check
from tests.support.stage import ollama_answer, running


@pytest.mark.parametrize("theme", ["lokal-light", "high-contrast", "terminal"])
async def test_themes(theme: str) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN), stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url, theme=theme) as stage:
            await ready(stage)
            await stage.ask("How do I read a file line by line?")
            await stage.see("A plain 👍 closes it")
            await stage.see("ctx 1.2k of 8k")
            await stage.press("ctrl+home")
            await stage.see("Reading a file")
            await check(stage, f"{theme}-chat")
            await stage.press("f4")
            await stage.see("band")
            await stage.press("1", ".", "2", "enter", "9", "enter")
            await stage.see("cannot be")
            await check(stage, f"{theme}-settings")
            await stage.press("escape", "f3")
            await stage.see("in memory")
            await check(stage, f"{theme}-models")
            await stage.press("ctrl+p")
            await stage.see("Ask again")
            await check(stage, f"{theme}-palette")


async def test_without_colour() -> None:
    """NO_COLOR is kept to: not one colour is left, and what colour said is said by attributes and words."""
    async with ollama() as server:
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        async with running(server.url, theme="terminal", environ={"NO_COLOR": "1"}) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("F5 asks again")
            await check(stage, "no-color-failed")
            for line in stage.lines():
                for segment in line:
                    style = segment.style
                    assert style is None or style.color is None or style.color.is_default, (segment, style)
