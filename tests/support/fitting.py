"""Conversations that come to the end of the context window, and whether the person is asked what is to be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app_driver import SIZES, AppDriver, running
from tests.support.canned_servers import like_ollama
from tests.support.fitting_prompts import counted
from tests.support.replay import Replay, replay

ASKED = "This does not fit into the context window"


@asynccontextmanager
async def nearly_full(
    size: tuple[int, int] = SIZES[0],
) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A chat of three questions with Ollama, whose window of 8k has 7.6k taken."""
    async with replay() as server:
        like_ollama(server).on(
            "/api/chat",
            counted("One.", 2400),
            counted("Two.", 5000),
            counted("Three.", 7600),
            counted("Four.", 900),
        )
        async with running(server.url, size=size) as driver:
            await driver.see("ctx 0 of 8k")
            for question, said in (
                ("Who was Euler?", "One."),
                ("And Gauss?", "Two."),
                ("And Noether?", "Three."),
            ):
                await driver.ask(question)
                await driver.see(said)
                await driver.until_idle()
            await driver.see("ctx 7.6k of 8k")
            yield driver, server


def choosing(driver: AppDriver) -> bool:
    """Whether the person is asked; they can write all the while."""
    assert driver.region("composer").height, "who is asked can go on writing"
    return driver.region("decision").height > 0


async def choose(driver: AppDriver, command_id: str) -> None:
    """Choose what this command does, as somebody who goes to the list."""
    await driver.press("tab")
    assert driver.focus == "decision"
    for _ in driver.decision:
        if driver.decision_cursor != command_id:
            await driver.press("down")
    assert driver.decision_cursor == command_id
    await driver.press("enter")
