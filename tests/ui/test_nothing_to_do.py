"""Keys that find nothing to do say so; what they find is said too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.app_driver import AppDriver, chatting, running
from tests.support.canned_servers import like_ollama, ollama_answer, questions
from tests.support.replay import as_json, held, stalling


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("f5", "Nothing was asked here yet"),
        ("f6", "There is nothing to continue"),
        ("ctrl+o", "There is no reasoning in this chat yet; what comes is shown as it comes"),
    ],
)
async def test_in_an_empty_chat(key: str, said: str) -> None:
    async with chatting() as (driver, server):
        await driver.press(key)
        await driver.see(said)
        assert questions(server) == []


async def test_while_an_answer_comes_in_and_after_a_whole_one() -> None:
    async with chatting() as (driver, server):
        await driver.ask("Well?")
        await driver.see(r"Yes\.")
        await driver.see("Enter send")
        await driver.press("f6")
        await driver.see("The last answer is whole")
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.ask("And?")
        await driver.see("Slowly")
        for key in ("f5", "f6"):
            await driver.press(key)
            await driver.see("An answer is coming in.*Esc stops it")
            await driver.press("shift+tab", "escape")  # which takes the notice away
            await driver.see_no_more("stops it")
        assert driver.activity


async def test_reasoning_that_is_there_is_shown_without_a_word() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Yes.", thought="Is it so?"))
        await driver.ask("Well?")
        await driver.see(r"Yes\.")
        await driver.press("ctrl+o")
        await driver.see(r"Is it so\?")
        assert "There is no reasoning" not in driver.text()


async def _looked(driver: AppDriver, said: str) -> None:
    await driver.press("f8")
    await driver.see(f"Looked again: {said}")


async def test_looking_for_servers_says_what_came_of_it() -> None:
    async with chatting() as (driver, server):
        await _looked(driver, r"Ollama on this machine, llama3\.2:3b")
        await driver.press("f4")
        await driver.see("›temperature ")
        server.on("/api/version", as_json(500, {}))
        server.on("/api/tags", as_json(500, {}))
        await _looked(driver, "")
        await driver.see("no server")
        like_ollama(server)
        await _looked(driver, r"Ollama on this machine, llama3\.2:3b")


async def test_one_search_is_enough() -> None:
    async with chatting() as (driver, server):
        server.on("/api/version", held(as_json(200, {})))
        server.on("/api/tags", held(as_json(200, {})))
        await driver.press("f8")
        await driver.see("Looking for a model server")
        await driver.press("f8")
        await driver.see("lokal is looking for a server already")


async def test_in_another_tab_a_key_of_the_chat_says_where_it_works() -> None:
    async with chatting() as (driver, _):
        for tab in ("f3", "f4"):
            await driver.press(tab, "f5")
            await driver.see("“Ask again” works in the chat; F2 goes there")
            await driver.press("ctrl+o")
            await driver.see("“Fold or unfold reasoning” works in the chat")
        await driver.press("escape", "f7")
        await driver.see("Enter open")
        await driver.press("f5")
        await driver.see("“Ask again” works in the chat; Esc goes there")
        await driver.press("/", "f6")
        await driver.see("“Continue the answer” works in the chat")
        await driver.press("escape", "escape")
        await driver.press("f1", "f6")
        await driver.see("type to search")
        assert "Continue the answer” works" not in driver.text()


async def test_the_only_preset_has_no_next_one() -> None:
    async with running() as driver:
        driver.set_settings(replace(driver.settings, presets=driver.presets[:1]))
        await driver.press("ctrl+t")
        await driver.see("technical is the only preset")
