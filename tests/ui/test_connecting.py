"""How the screen stands with servers: one that loads, one that comes up late, and a mistake of lokal's own."""

from __future__ import annotations

import pytest

from tests.support.app import becomes_llamacpp
from tests.support.dialects import Dialect
from tests.support.replay import recorded, replay
from tests.support.stage import NOBODY, running
from tui.core.endpoint import Endpoint, ServerKind
from tui.servers import choice

SINGLE = "llama-server/single"
LLAMACPP = Dialect(ServerKind.LLAMACPP)


async def test_a_server_that_loads_is_said_and_a_question_waits_for_it() -> None:
    async with replay() as server:
        server.other = recorded(f"{SINGLE}/chat-while-loading")
        async with running(Endpoint(server.url)) as stage:
            await stage.see("llama.cpp on this machine is loading its model")
            await stage.see("You can type your question already")
            await stage.see(" llama.cpp on this machine is loading")
            await stage.ask("Hello?")
            await stage.see("loading the model")
            becomes_llamacpp(server)
            server.on("/v1/models", recorded(f"{SINGLE}/v1-models"))
            server.on(LLAMACPP.path, LLAMACPP.stream(LLAMACPP.text("At last."), *LLAMACPP.end()))
            await stage.see(r"At last\.")


async def test_a_question_looks_again_for_a_server_that_was_not_there() -> None:
    async with replay() as server, running(Endpoint(server.url)) as stage:
        await stage.see("no server")
        becomes_llamacpp(server)
        server.on("/v1/models", recorded(f"{SINGLE}/v1-models"))
        server.on(LLAMACPP.path, LLAMACPP.stream(LLAMACPP.text("Here."), *LLAMACPP.end()))
        await stage.ask("Hello?")
        await stage.see(r"Here\.")


async def test_a_mistake_while_a_server_is_looked_for_does_not_leave_the_screen_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def mistaken(*_: object, **__: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(choice, "choose", mistaken)
    async with running(NOBODY) as stage:
        await stage.see("lokal made a mistake")
        await stage.see_no_more("[Ll]ooking for a")
        await stage.see("no server")
