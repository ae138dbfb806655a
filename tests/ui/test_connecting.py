"""How the screen stands with servers: one that loads, one that comes up late, and a mistake of lokal's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.app import becomes_llamacpp, configure
from tests.support.app_driver import NOBODY, running
from tests.support.canned_servers import chats, like_ollama, ollama_answer
from tests.support.dialects import Dialect
from tests.support.replay import recorded, replay
from tui.core.endpoint import Endpoint, ServerKind
from tui.servers import connect

SINGLE = "llama-server/single"
LLAMACPP = Dialect(ServerKind.LLAMACPP)


async def test_a_server_that_loads_is_said_and_a_question_waits_for_it() -> None:
    async with replay() as server:
        server.other = recorded(f"{SINGLE}/chat-while-loading")
        async with running(Endpoint(server.url)) as driver:
            await driver.see("llama.cpp on this machine is loading its model")
            await driver.see("You can type your question already")
            await driver.see(" llama.cpp on this machine is loading")
            await driver.ask("Hello?")
            await driver.see("loading the model")
            becomes_llamacpp(server)
            server.on("/v1/models", recorded(f"{SINGLE}/v1-models"))
            server.on(LLAMACPP.path, LLAMACPP.stream(LLAMACPP.text("At last."), *LLAMACPP.end()))
            await driver.see(r"At last\.")


async def test_a_question_looks_again_for_a_server_that_was_not_there() -> None:
    async with replay() as server, running(Endpoint(server.url)) as driver:
        await driver.see("no server")
        becomes_llamacpp(server)
        server.on("/v1/models", recorded(f"{SINGLE}/v1-models"))
        server.on(LLAMACPP.path, LLAMACPP.stream(LLAMACPP.text("Here."), *LLAMACPP.end()))
        await driver.ask("Hello?")
        await driver.see(r"Here\.")


async def test_a_mistake_while_a_server_is_looked_for_does_not_leave_the_screen_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def mistaken(*_: object, **__: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(connect, "choose", mistaken)
    async with running(NOBODY) as driver:
        await driver.see("lokal made a mistake")
        await driver.see_no_more("[Ll]ooking for a")
        await driver.see("no server")


async def test_a_password_in_an_address_is_sent_and_written_down_nowhere() -> None:
    async with replay() as server:
        like_ollama(server)
        host = server.url.removeprefix("http://")
        async with running(NOBODY) as driver:
            await driver.see("no server")
            await driver.ask(f"/server ann:s3cret-word@{host}")
            await driver.see("Connected")
            assert {seen.headers.get("authorization") for seen in server.seen} == {
                "Basic YW5uOnMzY3JldC13b3Jk"
            }
            assert "s3cret" not in driver.text()
            await driver.ask("/server ann:s3cret-word@127.0.0.1:1")
            await driver.see("127.0.0.1:1")
        kept = [path for path in Path(os.environ["HOME"]).parent.rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if b"s3cret" in path.read_bytes()]


async def test_a_model_that_the_server_has_not_is_said_at_once_and_nothing_is_sent() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, model="nope") as driver:
            await driver.see("has no model “nope”")
            await driver.ask("Well?")
            await driver.see("No model is chosen")
            assert chats(server) == []
            assert driver.composer_text == "Well?"
            await driver.press("ctrl+u")
            await driver.ask("/model llama3.2:3b")
            await driver.ask("Well?")
            await driver.see(r"Yes\.")


async def test_a_model_of_the_settings_that_is_gone_is_not_replaced_in_silence() -> None:
    configure('model = "gone:7b"\n')
    async with replay() as server, running(like_ollama(server).url) as driver:
        await driver.see("has no model “gone:7b”: llama3.2:3b")
