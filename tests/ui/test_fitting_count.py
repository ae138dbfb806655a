"""What the conversation takes of the context window: counted by the server where it can, and shown by the meter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import CHAT, answer, becomes_llamacpp, model_server
from tests.support.app_driver import SIZES, running
from tests.support.fitting import ASKED, choose, choosing, nearly_full
from tests.support.fitting_prompts import LONG
from tests.support.replay import CannedResponse, Replay, as_json, held
from tests.support.snapshot import check
from tui.core.endpoint import Endpoint

# -- counting -----------------------------------------------------------------------------------------------------------


def counting(server: Replay, tokens: int) -> CannedResponse:
    """Let a replay server be a llama.cpp that counts so many tokens in every prompt."""
    becomes_llamacpp(server)
    server.on("/apply-template", as_json(200, {"prompt": "<user>…"}))
    return as_json(200, {"tokens": list(range(tokens))})


async def test_what_is_written_while_the_server_counts_waits() -> None:
    async with model_server(answer("Yes."), answer("Two.")) as server:
        server.on("/tokenize", held(counting(server, 900)))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await driver.ask(LONG * 3)
            await driver.see("counting the tokens")
            await driver.ask("And then?")
            await driver.see("waiting: And then")
            assert CHAT not in server.paths()
            server.release.set()
            await driver.see(r"Two\.")
            assert [p for p in server.paths() if p == CHAT] == [CHAT, CHAT]


@pytest.mark.parametrize("way", ["fit.drop", "fit.summary"])
async def test_with_a_real_server_of_a_small_window(
    start_llama: StartServer, script_gguf: Path, way: str
) -> None:
    endpoint: Endpoint = start_llama(script_gguf, context_window=1024).endpoint
    async with running(replace(endpoint, kind=None), overrides={"max_tokens": 200}) as driver:
        await driver.see("ctx 0 of 1k")
        for _ in range(3):
            await driver.ask("What is the difference between a list and a tuple, and when do I use which?")
            await driver.see("F6 continue")
        await driver.ask("And a set?")
        await driver.until(lambda: choosing(driver), "it does not fit")
        await choose(driver, way)
        await driver.until_idle()
        assert not choosing(driver)
        session = driver.session
        path = session.conversation.path()
        assert path[-2].content == "And a set?"
        assert path[-1].content
        assert path[-1].problem is None
        assert (path[-1].usage.total or 0) <= 1024
        assert 1 <= session.conversation.view.cut(path) // 2 <= 3
        assert bool(session.conversation.view.summary) is (way == "fit.summary")


# -- the meter ----------------------------------------------------------------------------------------------------------


async def test_a_long_draft_counts() -> None:
    async with nearly_full() as (driver, _):
        driver.fill("Short")
        await driver.see("ctx 7.6k of 8k")
        driver.fill(LONG)
        await driver.see(r"ctx ~8\.\dk of 8k")
        driver.fill("")
        await driver.see("ctx 7.6k of 8k")


async def test_a_very_long_draft_is_counted_by_a_server_that_can() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 1234))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 4.1k|ctx 0 of 4k")
            driver.fill(LONG)
            await driver.see(r"ctx ~\d+ of 4")
            await driver.see(r"ctx 1\.2k of 4")
            await driver.write("x")
            await driver.see(r"ctx ~\d+ of 4")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_how_a_question_looks_that_is_too_long() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 5000))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await driver.ask(LONG * 6)
            await driver.see(ASKED)
            for size in reversed(SIZES):
                await driver.resize(*size)
                await check(driver, "fit-too-long")
