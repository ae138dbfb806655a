"""The built-in engine's memory of chats on the screen: a chat that is opened again goes on at once, an engine that sleeps says so."""

from __future__ import annotations

import pytest

from tests.support.app_driver import AppDriver, running
from tests.support.chat_list import under_cursor
from tests.support.llama import needs_engine
from tests.support.snapshot import check_all
from tui.paths import folders
from tui.servers.engine.embedded import EmbeddedServer

pytestmark = [needs_engine, pytest.mark.usefixtures("packaged_gguf")]

LONG = "The keeper of the lighthouse wrote a letter home every evening. " * 45


def engine_of(driver: AppDriver) -> EmbeddedServer:
    connection = driver.connection
    assert connection is not None
    assert isinstance(connection.server, EmbeddedServer)
    return connection.server


def saved() -> int:
    return len(list(folders().slots.glob("*.slot")))


async def test_a_chat_that_is_left_and_opened_again_goes_on_at_once_and_goes_when_it_is_deleted() -> None:
    async with running(None, packaged=True) as driver:
        await driver.see("answers meanwhile")
        await driver.ask("/set max_tokens=6")
        await driver.ask(LONG)
        await driver.until_idle()
        driver.run_command("chat.new")
        await driver.until(lambda: saved() == 1, "the chat was saved when it was left")
        await driver.ask("Name a colour.")
        await driver.until_idle()
        await driver.press("f7", "down")
        await driver.until(lambda: "keeper" in under_cursor(driver), "the cursor is on the long chat")
        await driver.press("enter")
        await driver.see_no_more("Name a colour.")
        await driver.ask("And the sea?")
        await driver.see(r"── ready, \d+ tokens reused ──")
        await driver.until_idle()
    assert saved() == 1  # lokal's end has saved it anew; the short one is not worth it
    async with running(None, packaged=True) as driver:
        await driver.see("answers meanwhile")
        await driver.press("f7", "d")
        await driver.until(lambda: saved() == 0, "what was saved of it is gone with it")


async def test_an_engine_that_sleeps_says_so_and_wakes_as_one_writes() -> None:
    async with running(None, packaged=True) as driver:
        await driver.see("answers meanwhile")
        assert await engine_of(driver).sleep(0)
        await driver.see("engine asleep")
        await check_all(driver, "engine-asleep")
        await driver.press("f2")
        await driver.see("SmolLM2")
        await driver.see("engine asleep")  # its models are known
        await driver.press("escape")
        await driver.write("H")
        await driver.see_no_more("engine asleep")
        assert not engine_of(driver).asleep
