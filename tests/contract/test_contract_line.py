"""Every kind of server: whatever the line does, an answer ends properly and a connection is closed."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, ServerUnderTest, ask, hear
from tests.support.replay import CannedResponse, as_json, held, reply, stalling
from tui.core.endpoint import Endpoint
from tui.core.events import Phase, Progress, TextDelta
from tui.errors import (
    BadReply,
    Interrupted,
    Unreachable,
)
from tui.servers.registry import server_for

SOON_S = 60.0


async def test_closing_the_generator_closes_the_connection(tested: ServerUnderTest) -> None:
    tested.answers(stalling(tested.dialect.stream(tested.dialect.text("one"), ended=False)))
    events = tested.server.chat(HELLO)
    async for event in events:
        if isinstance(event, TextDelta):
            break
    await events.aclose()
    await asyncio.wait_for(tested.replay.left.wait(), SOON_S)


async def test_cancelling_the_reader_closes_the_connection(tested: ServerUnderTest) -> None:
    tested.answers(stalling(tested.dialect.stream(tested.dialect.text("one"), ended=False)))
    came = asyncio.Event()

    async def read() -> None:
        async for event in tested.server.chat(HELLO):
            if isinstance(event, TextDelta):
                came.set()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(came.wait(), SOON_S)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await asyncio.wait_for(tested.replay.left.wait(), SOON_S)


async def test_cancelling_before_the_headers_closes_the_connection(tested: ServerUnderTest) -> None:
    tested.answers(held(tested.dialect.stream(*tested.dialect.end())))
    reader = asyncio.create_task(hear(tested.server.chat(HELLO)))
    async with asyncio.timeout(SOON_S):
        await tested.replay.arrival(tested.dialect.path).wait()
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await tested.replay.left.wait()


async def test_closing_the_server_ends_a_running_answer(tested: ServerUnderTest) -> None:
    tested.answers(stalling(tested.dialect.stream(tested.dialect.text("one"), ended=False)))
    events = tested.server.chat(HELLO)
    heard = []
    async with asyncio.timeout(SOON_S):
        async for event in events:
            heard.append(event)
            if isinstance(event, TextDelta):
                await tested.server.aclose()
        await tested.replay.left.wait()
    assert type(heard[-1]).__name__ == "Failed"


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
async def test_a_line_that_drops_keeps_what_came(tested: ServerUnderTest, reset: bool) -> None:
    says = tested.dialect
    canned = says.stream(says.text("one "), says.text("two"), *says.end())
    cut = canned.raw.index(b"two") + 8
    tested.answers(replace(canned, stop_after=cut, reset=reset, piece=50))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text.startswith("one")
    assert isinstance(heard.error, Interrupted)


async def test_a_stream_that_ends_without_its_end_is_interrupted(tested: ServerUnderTest) -> None:
    heard = await ask(tested, tested.dialect.text("one"))
    assert heard.text == "one"
    assert isinstance(heard.error, Interrupted)


async def test_an_end_that_is_cut_after_the_last_word_is_an_end(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("one"), says.end()[0], ended=False)
    assert heard.text == "one"
    assert heard.done.finish_reason == "stop"


async def test_an_empty_stream_is_interrupted(tested: ServerUnderTest) -> None:
    assert isinstance((await ask(tested)).error, Interrupted)


async def test_a_server_that_hangs_up_before_it_answers(tested: ServerUnderTest) -> None:
    tested.answers(CannedResponse(b""))
    assert isinstance((await hear(tested.server.chat(HELLO))).error, Interrupted)


async def test_an_endless_line_is_an_error_and_takes_no_memory(tested: ServerUnderTest) -> None:
    says = tested.dialect
    start = says.line(json.dumps(says.text("one")))
    endless = (
        says.line("x")[: -len("x\n") if says.native else -len("x\n\n")] + b'{"message":"' + b"x" * 50_000_000
    )
    endless_reply = reply(200, start + endless, says.media_type, length=False)
    tested.answers(replace(endless_reply, piece=65_536))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        heard = await hear(tested.server.chat(HELLO))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert heard.text == "one"
    assert isinstance(heard.error, BadReply)
    assert peak - before < 45_000_000
    await asyncio.wait_for(tested.replay.left.wait(), SOON_S)


async def test_nobody_there(tested: ServerUnderTest) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    server = server_for(Endpoint(url, tested.dialect.kind))
    try:
        error = (await hear(server.chat(HELLO))).error
        assert isinstance(error, Unreachable)
        assert url in error.title
        assert "refused" in error.detail
        assert error.hint
        for asking in (server.info, server.models):
            with pytest.raises(Unreachable):
                await asking()
    finally:
        await server.aclose()


@pytest.mark.parametrize("key", ["", "mine"])
async def test_the_key_goes_out_and_the_environment_does_not(
    tested: ServerUnderTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-of-another-server")
    server = server_for(replace(tested.server.endpoint, api_key=key))
    try:
        tested.answers(tested.dialect.stream(*tested.dialect.end()))
        assert (await hear(server.chat(HELLO))).done
        await server.context_window("m") if tested.dialect.native else await server.models()
    finally:
        await server.aclose()
    sent = {request.headers.get("authorization") for request in tested.replay.seen}
    assert sent == ({f"Bearer {key}"} if key else {None})
    assert {request.headers["accept-encoding"] for request in tested.replay.seen} == {"identity"}


async def test_a_model_that_is_being_loaded_is_said(tested: ServerUnderTest) -> None:
    if not tested.server.capabilities.loads_on_request:
        pytest.skip("this kind loads no model for a request")
    says = tested.dialect
    tested.replay.on("/api/ps", as_json(200, {"models": []}))
    tested.replay.on("/v1/models", as_json(200, {"data": [{"id": "m", "status": {"value": "unloaded"}}]}))
    tested.replay.on("/api/v0/models", as_json(200, {"data": [{"id": "m", "state": "not-loaded"}]}))
    tested.answers(held(says.stream(says.text("one"), *says.end())))
    events = tested.server.chat(HELLO)
    assert await asyncio.wait_for(anext(events), SOON_S) == Progress(Phase.LOADING)
    tested.replay.release.set()
    assert (await hear(events)).text == "one"


async def test_two_answers_at_a_time_do_not_meet(tested: ServerUnderTest) -> None:
    says = tested.dialect
    first = stalling(says.stream(says.text("first"), ended=False))
    tested.answers(first, says.stream(says.text("second"), *says.end()))
    slow = tested.server.chat(HELLO)
    async for event in slow:
        if isinstance(event, TextDelta):
            break
    assert (await hear(tested.server.chat(HELLO))).text == "second"
    await slow.aclose()
    await asyncio.wait_for(tested.replay.left.wait(), SOON_S)


async def test_a_list_that_does_not_end_is_not_read(tested: ServerUnderTest) -> None:
    endless = reply(200, b'{"data":"' + b"x" * 70_000_000, "application/json", length=False)
    for path in ("/v1/models", "/api/tags", "/v1/internal/model/info"):
        tested.replay.on(path, endless)
    with pytest.raises(BadReply, match="too much"):
        await tested.server.models()
