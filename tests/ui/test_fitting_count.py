"""What the conversation takes of the context window: counted by the server where it can, and shown by the meter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import CHAT, answer, becomes_llamacpp, model_server
from tests.support.fitting import ASKED, LONG, choose, choosing, nearly_full
from tests.support.replay import Canned, Replay, as_json, held
from tests.support.snapshot import check
from tests.support.stage import SIZES, running
from tui.core.endpoint import Endpoint

# -- counting -----------------------------------------------------------------------------------------------------------


def counting(server: Replay, tokens: int) -> Canned:
    """Let a replay server be a llama.cpp that counts so many tokens in every prompt."""
    becomes_llamacpp(server)
    server.on("/apply-template", as_json(200, {"prompt": "<user>…"}))
    return as_json(200, {"tokens": list(range(tokens))})


async def test_the_servers_count_decides_and_not_the_estimate() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 3000))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask("Short?")
            await stage.see(r"Yes\.")
            assert "/tokenize" not in server.paths(), "a short question is not held up"
            await stage.ask(LONG * 5)
            await stage.until(lambda: len([p for p in server.paths() if p == CHAT]) == 2, "it is asked")
            assert "/tokenize" in server.paths()
            server.on("/tokenize", as_json(200, {"tokens": list(range(3900))}))
            await stage.ask(LONG * 4)
            await stage.see(r"this takes 3\.9k tokens")
            await stage.see("no larger window: llama-server sets it when it starts: --ctx-size")
            assert "ask anyway" not in stage.text(), "the count is no estimate"


async def test_what_is_written_while_the_server_counts_waits() -> None:
    async with model_server(answer("Yes."), answer("Two.")) as server:
        server.on("/tokenize", held(counting(server, 900)))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 3)
            await stage.see("counting the tokens")
            await stage.ask("And then?")
            await stage.see("waiting: And then")
            assert CHAT not in server.paths()
            server.release.set()
            await stage.see(r"Two\.")
            assert [p for p in server.paths() if p == CHAT] == [CHAT, CHAT]


async def test_escape_ends_a_count() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", held(counting(server, 900)))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 3)
            await stage.see("counting the tokens")
            await stage.press("escape")
            await stage.see_no_more("counting the tokens")
            assert stage.app.chat.composer.plain.strip() == LONG * 3
            server.release.set()
            await stage.settle()
            assert CHAT not in server.paths()


@pytest.mark.parametrize("way", ["fit.drop", "fit.summary"])
async def test_with_a_real_server_of_a_small_window(
    start_llama: StartServer, script_gguf: Path, way: str
) -> None:
    endpoint: Endpoint = start_llama(script_gguf, context_window=1024).endpoint
    async with running(replace(endpoint, kind=None), overrides={"max_tokens": 200}) as stage:
        await stage.see("ctx 0 of 1k")
        for _ in range(3):
            await stage.ask("What is the difference between a list and a tuple, and when do I use which?")
            await stage.see("F6 continue")
        await stage.ask("And a set?")
        await stage.until(lambda: choosing(stage), "it does not fit")
        await choose(stage, way)
        await stage.until(lambda: not stage.app.chat.busy, "it is answered")
        assert not choosing(stage)
        session = stage.app.chat.session
        assert session is not None
        path = session.conversation.path()
        assert path[-2].content == "And a set?"
        assert path[-1].content
        assert path[-1].problem is None
        assert (path[-1].usage.total or 0) <= 1024
        assert 1 <= session.conversation.view.cut(path) // 2 <= 3
        assert bool(session.conversation.view.summary) is (way == "fit.summary")


# -- the meter ----------------------------------------------------------------------------------------------------------


async def test_a_long_draft_counts() -> None:
    async with nearly_full() as (stage, _):
        stage.app.chat.composer.fill("Short")
        await stage.see("ctx 7.6k of 8k")
        stage.app.chat.composer.fill(LONG)
        await stage.see(r"ctx ~8\.\dk of 8k")
        stage.app.chat.composer.fill("")
        await stage.see("ctx 7.6k of 8k")


async def test_a_very_long_draft_is_counted_by_a_server_that_can() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 1234))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            stage.app.chat.composer.fill(LONG)
            await stage.see(r"ctx ~\d+ of 4")
            await stage.see(r"ctx 1\.2k of 4")
            await stage.write("x")
            await stage.see(r"ctx ~\d+ of 4")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_how_a_question_looks_that_is_too_long() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 5000))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 6)
            await stage.see(ASKED)
            for size in reversed(SIZES):
                await stage.resize(*size)
                await check(stage, "fit-too-long")
