"""A comparison whose prompt does not fit into a context window, and what its columns are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tests.support.app_driver import chatting, running
from tests.support.canned_servers import chats, like_ollama, ollama_answer, options, with_window
from tests.support.fitting import ASKED, choose, nearly_full
from tests.support.fitting_prompts import LONG as OVER
from tests.support.replay import Replay, as_json, replay
from tui.chat.state import ConnectionStatus, ServerState
from tui.core.draft import Draft

LONG = "Why is the sky blue, and why is it red in the evening? " * 600
"""About 8,300 tokens by estimate."""
SKY = "Why is the sky blue?"
FIRST = "Sunlight is scattered by the air, blue light the most."


def sent(body: Mapping[str, object]) -> list[dict[str, str]]:
    """The turns of a chat request."""
    found = body["messages"]
    assert isinstance(found, list)
    return found


def larger(server: Replay, window: int) -> None:
    """Let an Ollama have its model in memory with another window."""
    loaded = [{"name": "phi4", "model": "phi4", "size": 2_500_000_000, "context_length": window}]
    like_ollama(server, ("phi4", "14B", 1)).on("/api/ps", as_json(200, {"models": loaded}))
    with_window(server, window)


async def test_what_does_not_fit_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    async with chatting() as (driver, server):
        driver.run_command("attach", str(tmp_path / "notes.txt"))
        await driver.see("attached: notes.txt 1 line")
        await driver.ask(f"/compare technical creative: {LONG}")
        await driver.see(f"{ASKED} *\n The window has 8k; this takes")
        assert not driver.attached
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain.strip() == f"/compare technical creative: {LONG}".strip()
        assert driver.attached == ["notes.txt"]
        assert len(driver.conversation) == 0, "it was not asked, so it is not in the chat"
        assert chats(server) == []


async def test_the_oldest_is_left_out_for_all_columns() -> None:
    async with nearly_full() as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        await driver.ask(f"/compare technical creative: {OVER}")
        await driver.see(ASKED)
        await choose(driver, "fit.drop")
        await driver.see(r"\n 2 answers ")
        first, second = ([one["content"] for one in sent(body)] for body in chats(server)[-2:])
        assert first == second
        assert first[-1] == OVER.strip()
        assert "Who was Euler?" not in first
        await driver.press("enter")
        await driver.see("Kept; the other answer stays")
        await driver.press("ctrl+home")
        await driver.see("not seen")


async def test_the_last_question_again_is_held_too_and_the_chat_stays_as_it_is() -> None:
    async with nearly_full() as (driver, server):
        driver.set_settings(replace(driver.settings, overrides={"context_window": 4096}))
        await driver.ask("/compare technical creative")
        await driver.see(ASKED)
        await driver.press("escape")
        await driver.see_no_more(ASKED)
        assert len(chats(server)) == 3
        assert driver.composer_plain == ""
        await driver.ask("/compare technical creative")
        await driver.see(ASKED)
        await choose(driver, "fit.window")
        await driver.see(r"\n 2 answers ")
        windows = [options(body)["num_ctx"] for body in chats(server)[-2:]]
        assert windows == [8192, 8192]


async def test_while_the_model_is_loaded_anew_all_columns_wait_for_it() -> None:
    async with chatting() as (driver, server):
        text = f"/compare technical creative: {LONG}".strip()
        await driver.ask(text)
        await driver.see(ASKED)
        server_before = driver.server
        driver.set_server(ServerState(ConnectionStatus.STARTING))
        await choose(driver, "fit.window")
        await driver.see("loading the model")
        assert ASKED not in driver.text()
        assert chats(server) == []
        driver.set_server(server_before)
        await driver.see(r"\n 2 answers ")
        assert len(chats(server)) == 2


async def test_the_command_is_kept_with_its_chat() -> None:
    async with chatting() as (driver, _):
        first = driver.session
        await driver.ask(SKY)
        await driver.see("Yes.")
        await driver.until_idle()
        text = f"/compare technical creative: {LONG}".strip()
        await driver.ask(text)
        await driver.see(ASKED)
        driver.flush()
        assert driver.store.draft(first.draft_key) == Draft(text), "also if lokal is killed now"
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.session is not first, "there is a new chat")
        assert driver.composer_plain == ""
        driver.open_chat(first)
        await driver.until(lambda: driver.composer_plain == text, "the command is there")


async def test_what_is_asked_comes_back_from_the_palette_as_it_was_written() -> None:
    async with chatting() as (driver, server):
        driver.fill(LONG)
        driver.run_command("compare")
        await driver.see(ASKED)
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == LONG
        assert chats(server) == []


async def test_another_model_of_the_server_is_asked_for_its_window_first() -> None:
    async with replay() as server:
        like_ollama(server, ("llama3.2:3b", "3.2B", 1), ("phi4", "14B", 1))
        loaded = [
            {"name": name, "model": name, "size": 1, "context_length": window}
            for name, window in (("llama3.2:3b", 32768), ("phi4", 2048))
        ]
        server.on("/api/ps", as_json(200, {"models": loaded})).on("/api/chat", ollama_answer(FIRST))
        with_window(server, 32768, 2048)
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 33k|ctx 0 of 32k")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            await driver.ask(f"/compare technical technical@phi4: {LONG}")
            await driver.see(f"{ASKED} of technical@phi4")
            assert chats(server) == []
            await choose(driver, "fit.anyway")
            await driver.see(r"\n 1 answer · 1 failed ")
            assert [body["model"] for body in chats(server)] == ["llama3.2:3b"]
            await driver.press("enter")
            await driver.see("─ Kept ─")


async def test_a_column_with_a_larger_window_can_be_asked_all_the_same() -> None:
    async with replay() as other, chatting() as (driver, server):
        larger(other, 32768)
        other.on("/api/chat", ollama_answer(FIRST))
        await driver.ask(f"/compare technical technical on {other.url}: {LONG}")
        await driver.see(f"{ASKED} of technical")
        await driver.see("ask the others anyway, and not technical")
        await choose(driver, "fit.anyway")
        await driver.see(r"\n 1 answer · 1 failed ")
        assert chats(server) == []
        assert [body["model"] for body in chats(other)] == ["phi4"]
        await driver.see("Sunlight is scattered")


async def test_a_column_whose_server_has_a_smaller_window_is_not_asked() -> None:
    async with replay() as other, chatting() as (driver, server):
        larger(other, 2048)
        server.on("/api/chat", ollama_answer(FIRST))
        await driver.ask(f"/compare technical technical on {other.url}: {LONG[:12_000]}")
        await driver.see(r"\n 1 answer · 1 failed ")
        assert len(chats(server)) == 1
        assert chats(other) == []
        await driver.see("The window has 2k")


async def test_a_column_is_called_by_the_model_that_answers() -> None:
    async with replay() as other, chatting(size=(120, 40)) as (driver, server):
        server.on("/api/chat", ollama_answer(FIRST))
        like_ollama(other, ("phi4", "14B", 1)).on("/api/chat", ollama_answer(FIRST))
        await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
        await driver.see(r"\n 2 answers ")
        assert "─ llama3.2:3b · technical ─" in driver.row("phi4")
        assert "─ phi4 · http:/" in driver.row("phi4")


async def test_no_part_of_a_name_is_said_twice() -> None:
    async with replay() as other, replay() as server:
        for each in (server, other):
            like_ollama(each).on("/api/chat", ollama_answer(FIRST))
        async with running(server.url, size=(120, 40)) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
            await driver.see(r"\n 2 answers ")
            heading = driver.row("›─")
            assert "›─ technical · llama3.2:3b ─" in heading
            assert heading.count("technical") == 1
