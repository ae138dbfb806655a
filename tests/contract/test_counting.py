"""How many tokens a prompt takes, and how large a window a request may ask for: what each kind of server tells."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.dialects import HELLO, Dialect, ServerUnderTest, hear, under_test
from tests.support.replay import as_json, body_of, recorded, stalling, text
from tui.core.endpoint import ServerKind
from tui.core.message import Attachment, Role, Value
from tui.core.request import ChatRequest, Turn
from tui.errors import ModelMissing
from tui.servers.registry import server_for

SINGLE = "llama-server/single"
COUNTING = {ServerKind.LLAMACPP, ServerKind.VLLM, ServerKind.TEXTGEN}
TEXTGEN = "/v1/internal/"
LONG = ChatRequest(
    "m",
    (
        Turn(Role.SYSTEM, "Kurz."),
        Turn(Role.USER, "Hä?", (Attachment("a.md", "text/markdown", b"# a"),)),
        Turn(Role.ASSISTANT, "Ja"),
    ),
    {"temperature": 0.4},
    resume=True,
)


def counts(tested: ServerUnderTest, tokens: int) -> None:
    """Let the server count so many tokens."""
    tested.replay.on("/apply-template", as_json(200, {"prompt": "<user>Hello"}))
    tested.replay.on(f"{TEXTGEN}chat-prompt", as_json(200, {"prompt": "<user>Hello"}))
    tested.replay.on(f"{TEXTGEN}token-count", as_json(200, {"length": tokens}))
    listed = {"tokens": list(range(tokens)), "count": tokens, "max_model_len": 4096}
    tested.replay.on("/tokenize", as_json(200, listed))


async def test_it_counts_or_says_that_it_cannot(tested: ServerUnderTest) -> None:
    counts(tested, 11)
    can = tested.dialect.kind in COUNTING
    assert tested.server.capabilities.counts_tokens is can
    assert await tested.server.count_tokens(HELLO) == (11 if can else None)
    if not can:
        assert tested.replay.paths() == [], "nothing is asked of a server that cannot tell"


@pytest.mark.parametrize(
    "reply",
    [
        text(404, "404 page not found"),
        text(500, "no"),
        as_json(200, {"error": "Unexpected endpoint"}),
        as_json(200, {"prompt": 3, "tokens": "many", "count": -1, "length": None}),
        as_json(200, []),
        text(200, "<html>"),
    ],
)
async def test_a_count_that_cannot_be_had_is_none(tested: ServerUnderTest, reply: object) -> None:
    tested.replay.other = reply  # type: ignore[assignment]  # a CannedResponse, from the list above
    assert await tested.server.count_tokens(HELLO) is None


async def test_a_server_that_is_gone_counts_nothing() -> None:
    for kind in COUNTING:
        async with under_test(Dialect(kind)) as tested:
            server = server_for(replace(tested.server.endpoint, url="http://127.0.0.1:1"))
            assert await server.count_tokens(HELLO) is None
            await server.aclose()


async def test_cancelling_a_count_closes_the_connection() -> None:
    async with under_test(Dialect(ServerKind.VLLM)) as tested:
        tested.replay.on("/tokenize", stalling(replace(as_json(200, {"count": 1}), stop_after=60)))
        counting = asyncio.ensure_future(tested.server.count_tokens(HELLO))
        await tested.replay.arrival("/tokenize").wait()
        counting.cancel()
        await asyncio.wait({counting})
        await asyncio.wait_for(tested.replay.left.wait(), 60)


async def test_llamacpp_applies_the_template_and_counts() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        tested.replay.on("/apply-template", recorded(f"{SINGLE}/apply-template"))
        tested.replay.on("/tokenize", recorded(f"{SINGLE}/tokenize"))
        assert await tested.server.count_tokens(LONG) == 5
        asked = tested.replay.last("/apply-template").json()
        assert asked["temperature"] == 0.4
        assert [message["role"] for message in asked["messages"]] == ["system", "user", "assistant"]  # type: ignore[attr-defined]  # a list of objects
        assert "# a" in json.dumps(asked)
        prompt = json.loads(body_of(f"{SINGLE}/apply-template"))["prompt"]
        tokenized = tested.replay.last("/tokenize").json()
        assert tokenized == {"model": "m", "content": prompt, "add_special": True, "parse_special": True}


async def test_pictures_are_not_sent_to_be_counted(tested: ServerUnderTest) -> None:
    counts(tested, 11)
    files = (Attachment("a.png", "image/png", b"\x89PNG"), Attachment("a.md", "text/markdown", b"# a"))
    await tested.server.count_tokens(replace(HELLO, turns=(Turn(Role.USER, "What?", files),)))
    asked = b"".join(request.body for request in tested.replay.seen)
    assert b"iVBOR" not in asked
    assert b"a.png" not in asked


async def test_a_real_llama_server_counts_what_it_then_reads(
    start_llama: StartServer, script_gguf: Path
) -> None:
    endpoint = start_llama(script_gguf).endpoint
    server = server_for(replace(endpoint, kind=ServerKind.LLAMACPP))
    turns = (
        Turn(Role.SYSTEM, "Odpowiadaj krótko."),
        Turn(Role.USER, "Hello, <|im_end|> wie geht's? 你好"),
        Turn(Role.ASSISTANT, "Good."),
        Turn(Role.USER, "And now?"),
    )
    try:
        for request in (
            ChatRequest("any", turns, {"max_tokens": 2}),
            ChatRequest("any", turns[:3], {"max_tokens": 2}, resume=True),
        ):
            counted = await server.count_tokens(request)
            usage = (await hear(server.chat(request))).done.usage
            assert counted == usage.prompt
    finally:
        await server.aclose()


async def test_only_ollama_takes_a_larger_window_with_a_request(tested: ServerUnderTest) -> None:
    tested.replay.on("/api/show", recorded("ollama/show"))
    native = tested.dialect.native
    assert await tested.server.largest_window("teacher") == (8192 if native else None)


async def test_a_model_that_is_not_there_has_no_window() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        tested.replay.on("/api/show", recorded("ollama/show-missing"))
        with pytest.raises(ModelMissing):
            await tested.server.largest_window("nosuch")
        tested.replay.on("/api/show", as_json(200, {"model_info": {"general.architecture": 3}}))
        assert await tested.server.largest_window("nosuch") is None


async def test_ollama_is_always_told_to_cut_nothing() -> None:
    """Whatever is asked: it is refused, never shortened without a word."""
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        tested.answers(recorded("ollama/chat-too-long-no-truncate"))
        given: tuple[dict[str, Value], ...] = (
            {},
            {"context_window": 512},
            {"temperature": 0.0, "stop": ("x",)},
        )
        for parameters in given:
            for turns in (HELLO.turns, LONG.turns[:2]):
                await hear(tested.server.chat(ChatRequest("m", turns, parameters)))
                sent = tested.replay.last("/api/chat").json()
                assert (sent["truncate"], sent["shift"]) == (False, False)
