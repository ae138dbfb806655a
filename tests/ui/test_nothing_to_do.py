"""Keys that find nothing to do say so; what they find is said too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.replay import as_json, held, stalling
from tests.support.stage import Stage, chatting, like_ollama, ollama_answer, questions, running


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("f5", "Nothing was asked here yet"),
        ("f6", "There is nothing to continue"),
        ("ctrl+o", "There is no reasoning in this chat yet; what comes is shown as it comes"),
    ],
)
async def test_in_an_empty_chat(key: str, said: str) -> None:
    async with chatting() as (stage, server):
        await stage.press(key)
        await stage.see(said)
        assert questions(server) == []


async def test_while_an_answer_comes_in_and_after_a_whole_one() -> None:
    async with chatting() as (stage, server):
        await stage.ask("Well?")
        await stage.see(r"Yes\.")
        await stage.see("Enter send")
        await stage.press("f6")
        await stage.see("The last answer is whole")
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.ask("And?")
        await stage.see("Slowly")
        for key in ("f5", "f6"):
            await stage.press(key)
            await stage.see("An answer is coming in.*Esc stops it")
            await stage.press("shift+tab", "escape")  # which takes the notice away
            await stage.see_no_more("stops it")
        assert stage.app.chat.doing


async def test_reasoning_that_is_there_is_shown_without_a_word() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer("Yes.", thought="Is it so?"))
        await stage.ask("Well?")
        await stage.see(r"Yes\.")
        await stage.press("ctrl+o")
        await stage.see(r"Is it so\?")
        assert "There is no reasoning" not in stage.text()


async def _looked(stage: Stage, said: str) -> None:
    await stage.press("f8")
    await stage.see(f"Looked again: {said}")


async def test_looking_for_servers_says_what_came_of_it() -> None:
    async with chatting() as (stage, server):
        await _looked(stage, r"Ollama on this machine, llama3\.2:3b")
        await stage.press("f4")
        await stage.see("›temperature ")
        server.on("/api/version", as_json(500, {}))
        server.on("/api/tags", as_json(500, {}))
        await _looked(stage, "")
        await stage.see("no server")
        like_ollama(server)
        await _looked(stage, r"Ollama on this machine, llama3\.2:3b")


async def test_one_search_is_enough() -> None:
    async with chatting() as (stage, server):
        server.on("/api/version", held(as_json(200, {})))
        server.on("/api/tags", held(as_json(200, {})))
        await stage.press("f8")
        await stage.see("Looking for a model server")
        await stage.press("f8")
        await stage.see("lokal is looking for a server already")


async def test_in_another_tab_a_key_of_the_chat_says_where_it_works() -> None:
    async with chatting() as (stage, _):
        for tab in ("f3", "f4"):
            await stage.press(tab, "f5")
            await stage.see("“Ask again” works in the chat; F2 goes there")
            await stage.press("ctrl+o")
            await stage.see("“Fold or unfold reasoning” works in the chat")
        await stage.press("f1", "f6")
        await stage.see("type to search")
        assert "Continue the answer” works" not in stage.text()


async def test_the_only_preset_has_no_next_one() -> None:
    async with running() as stage:
        stage.app.set_settings(replace(stage.app.state.settings, presets=stage.app.state.presets[:1]))
        await stage.press("ctrl+t")
        await stage.see("technical is the only preset")
