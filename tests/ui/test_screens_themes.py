"""How the themes look, and no colour at all, held to the pictures in tests/snapshots."""

from __future__ import annotations

import pytest

from tests.support.app_driver import running
from tests.support.canned_servers import ollama_answer
from tests.support.replay import recorded, stalling
from tests.support.sample import MARKDOWN
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import check


@pytest.mark.parametrize("theme", ["lokal-light", "high-contrast", "terminal"])
async def test_themes(theme: str) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN), stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url, theme=theme) as driver:
            await ready(driver)
            await driver.ask("How do I read a file line by line?")
            await driver.see("A plain 👍 closes it")
            await driver.see("ctx 1.2k of 8k")
            await driver.press("ctrl+home")
            await driver.see("Reading a file")
            await check(driver, f"{theme}-chat")
            await driver.press("f4")
            await driver.see("band")
            await driver.press("1", ".", "2", "enter", "9", "enter")
            await driver.see("cannot be")
            await check(driver, f"{theme}-settings")
            await driver.press("escape", "f3")
            await driver.see("in memory")
            await check(driver, f"{theme}-models")
            await driver.press("ctrl+p")
            await driver.see("Ask again")
            await check(driver, f"{theme}-palette")


async def test_without_colour() -> None:
    """NO_COLOR is kept to: not one colour is left, and what colour said is said by attributes and words."""
    async with ollama() as server:
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        async with running(server.url, theme="terminal", environ={"NO_COLOR": "1"}) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("F5 asks again")
            await check(driver, "no-color-failed")
            for line in driver.lines():
                for segment in line:
                    style = segment.style
                    assert style is None or style.color is None or style.color.is_default, (segment, style)
