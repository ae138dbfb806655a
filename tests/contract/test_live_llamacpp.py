"""The contract held against a real llama-server."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.support.dialects import hear
from tests.support.llama import LlamaServer
from tests.support.sample import MARKDOWN, THOUGHT
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress, TextDelta
from tui.core.message import Attachment, Role
from tui.core.model_actions import ModelAction
from tui.core.request import ChatRequest, Turn
from tui.errors import AuthRequired, ContextOverflow, Interrupted, Refused, Unreachable
from tui.servers.base import Server
from tui.servers.detect import find, recognise
from tui.servers.registry import server_for

StartServer = Callable[..., LlamaServer]
SOON_S = 60.0
ROOT = Path(__file__).parents[2]
HELLO = ChatRequest("any", (Turn(Role.USER, "Hello"),), {"temperature": 0.0, "max_tokens": 4000})


@pytest.fixture
async def server(llama_server: Endpoint) -> AsyncIterator[Server]:
    """A client of the shared server."""
    connected = server_for(replace(llama_server, kind=ServerKind.LLAMACPP))
    yield connected
    await connected.aclose()


async def test_answer(server: Server) -> None:
    heard = await hear(server.chat(HELLO))
    assert heard.text.strip() == MARKDOWN.strip()
    assert heard.done.finish_reason == "stop"
    assert heard.done.usage.prompt
    assert heard.done.usage.completion
    assert heard.done.timings.tokens_per_s
    assert heard.of(Progress)[-1].phase is Phase.PREFILL


async def test_what_it_says_of_its_model_and_its_memory(server: Server) -> None:
    manager = server.model_manager
    (model,) = await manager.models()
    told = await manager.details(model.name)
    assert told.template
    assert told.context_loaded
    assert told.path
    assert dict(told.facts)["slot 0"].startswith(("is idle", "answers"))
    assert [running.name for running in await manager.running()] == [model.name]
    actions = await manager.actions()
    assert "the one model" in actions.why_not(ModelAction.LOAD)
    with pytest.raises(Refused, match="the one model"):
        await manager.delete(model.name)


async def test_what_it_says_of_itself(server: Server, llama_server: Endpoint) -> None:
    info = await server.info()
    assert (info.kind, info.router) == (ServerKind.LLAMACPP, False)
    assert info.version
    assert await recognise(llama_server, timeout=SOON_S) == info
    assert [found.info for found in await find([replace(llama_server, kind=None)], timeout=SOON_S)] == [info]
    (model,) = await server.models()
    assert model.loaded
    assert model.context_loaded == await server.context_window(model.name)


async def test_a_wrong_key(llama_server: Endpoint) -> None:
    wrong = server_for(replace(llama_server, kind=ServerKind.LLAMACPP, api_key="wrong"))
    try:
        assert isinstance((await hear(wrong.chat(HELLO))).error, AuthRequired)
        for info in (await wrong.info(), await recognise(replace(llama_server, api_key=""), timeout=SOON_S)):
            assert (info.kind, info.version) == (ServerKind.LLAMACPP, "")
    finally:
        await wrong.aclose()


async def test_too_long(server: Server) -> None:
    request = replace(HELLO, turns=(Turn(Role.USER, "word " * 20_000),))
    error = (await hear(server.chat(request))).error
    assert isinstance(error, ContextOverflow)
    assert error.prompt_tokens > error.window_tokens > 0


async def test_a_picture_that_it_cannot_see(server: Server) -> None:
    picture = Attachment("a.png", "image/png", b"\x89PNG\r\n\x1a\n")
    error = (await hear(server.chat(replace(HELLO, turns=(Turn(Role.USER, "What?", (picture,)),))))).error
    assert isinstance(error, Refused)
    assert "cannot see" in error.hint


async def test_an_answer_is_continued_where_it_stopped(server: Server) -> None:
    start = MARKDOWN[: MARKDOWN.index("## In Python") + len("## In Python")]
    request = replace(HELLO, turns=(*HELLO.turns, Turn(Role.ASSISTANT, start)), resume=True)
    heard = await hear(server.chat(request))
    assert heard.text
    assert not heard.text.lstrip().startswith("# Reading")
    assert heard.done


async def test_reasoning(start_llama: StartServer, thinking_gguf: Path) -> None:
    running = start_llama(thinking_gguf)
    server = server_for(replace(running.endpoint, kind=ServerKind.LLAMACPP))
    try:
        heard = await hear(server.chat(HELLO))
    finally:
        await server.aclose()
    assert heard.reasoning.strip() == THOUGHT.strip()
    assert heard.text.strip() == MARKDOWN.strip()


async def test_closing_frees_the_slot_and_a_killed_server_interrupts(
    start_llama: StartServer, endless_gguf: Path
) -> None:
    running = start_llama(endless_gguf)
    server = server_for(replace(running.endpoint, kind=ServerKind.LLAMACPP))
    endless = replace(HELLO, parameters={"temperature": 0.0})
    try:
        events = server.chat(endless)
        async for event in events:
            if isinstance(event, TextDelta):
                break
        await events.aclose()
        async with (
            asyncio.timeout(SOON_S),
            httpx.AsyncClient(trust_env=False, headers=running.headers) as client,
        ):
            while True:
                slots = (await client.get(f"{running.endpoint.url}/slots")).json()
                if not any(slot["is_processing"] for slot in slots):
                    break
                await asyncio.sleep(0.01)
        said = ""
        last = None
        async for event in server.chat(endless):
            if isinstance(event, TextDelta) and not said:
                running.kill()
            said += event.text if isinstance(event, TextDelta) else ""
            last = event
        assert said
        assert isinstance(getattr(last, "error", None), Interrupted)
        async with asyncio.timeout(SOON_S):
            while not isinstance((await hear(server.chat(endless))).error, Unreachable):
                pass  # a killed process still takes connections until the system has cleared it away
    finally:
        await server.aclose()


async def test_the_scale_of_an_adapter_is_changed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.support.adapter_server", str(tmp_path)]
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=nothing
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        connected = server_for(Endpoint(url, ServerKind.LLAMACPP))
        manager = connected.model_manager
        (model,) = await manager.models()
        assert (await manager.actions()).can(ModelAction.SCALE_ADAPTERS)
        for scale in (0.25, 0.0):
            await manager.scale_adapters(model.name, (scale,))
            (adapter,) = (await manager.details(model.name)).adapters
            assert (Path(adapter.name).name, adapter.scale) == ("style.gguf", scale)
        await connected.aclose()
    finally:
        process.kill()
        await process.wait()
