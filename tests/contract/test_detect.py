"""Recognising servers by what they say, and finding those that run."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.support.replay import (
    CannedResponse,
    Replay,
    as_json,
    held,
    recorded,
    replay,
    reply,
    stalling,
    text,
)
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import ServerInfo
from tui.errors import AuthRequired, NotAModelServer, ServerError, Unreachable
from tui.servers import detect
from tui.servers.detect import find, recognise
from tui.servers.http.http_client import HttpClient, Reply

SINGLE, ROUTER = "llama-server/single", "llama-server/router"
LMSTUDIO_OTHER = as_json(200, {"error": "Unexpected endpoint or method. (GET /x)"})


def ollama(running: Replay) -> None:
    running.on("/api/version", recorded("ollama/version"))
    running.on("/v1/models", as_json(200, {"data": [{"id": "m", "owned_by": "library"}]}))


def llamacpp(running: Replay) -> None:
    running.other = recorded(f"{SINGLE}/not-found")
    for path, name in (("/health", "health"), ("/props", "props"), ("/v1/models", "v1-models")):
        running.on(path, recorded(f"{SINGLE}/{name}"))


def router(running: Replay) -> None:
    running.other = recorded(f"{SINGLE}/not-found")
    running.on("/health", recorded(f"{ROUTER}/health")).on("/props", recorded(f"{ROUTER}/props-no-model"))
    running.on("/v1/models", recorded(f"{ROUTER}/v1-models-none-loaded"))


def loading(running: Replay) -> None:
    running.other = recorded(f"{SINGLE}/health-loading")


def llamacpp_with_key(running: Replay) -> None:
    llamacpp(running)
    running.on("/props", recorded(f"{SINGLE}/props-no-key")).on(
        "/v1/models", recorded(f"{SINGLE}/models-no-key")
    )


def recordings(running: Replay, folder: str, **names: str) -> None:
    """Answer the paths with these recordings, everything else as that server does."""
    running.other = recorded(f"{folder}/not-found")
    for path, name in names.items():
        running.on(path, recorded(f"{folder}/{name}"))


def lmstudio(running: Replay) -> None:
    running.other = recorded("lmstudio/unexpected-endpoint")
    running.on("/lmstudio-greeting", recorded("lmstudio/greeting"))
    running.on("/v1/models", recorded("lmstudio/v1-models"))


def vllm(running: Replay) -> None:
    recordings(
        running,
        "vllm",
        **{"/version": "version", "/health": "health", "/v1/models": "v1-models", "/": "root"},
    )


def vllm_with_key(running: Replay) -> None:
    vllm(running)
    running.on("/v1/models", recorded("vllm/v1-models-no-key"))


def textgen(running: Replay) -> None:
    recordings(
        running,
        "textgen",
        **{"/v1/internal/model/info": "model-info", "/v1/models": "v1-models", "/": "root"},
    )


def textgen_with_nothing_loaded(running: Replay) -> None:
    textgen(running)
    running.on("/v1/internal/model/info", recorded("textgen/model-info-nothing-loaded"))
    running.on("/v1/models", recorded("textgen/v1-models-nothing-loaded"))


def textgen_after_a_failed_load(running: Replay) -> None:
    textgen(running)
    running.on("/v1/internal/model/info", recorded("textgen/model-info-after-failed-load"))


def textgen_with_key(running: Replay) -> None:
    textgen(running)
    running.on("/v1/internal/model/info", recorded("textgen/model-info-no-key"))
    running.on("/v1/models", recorded("textgen/models-no-key"))


def other(running: Replay) -> None:
    running.on("/v1/models", as_json(200, {"data": [{"id": "m", "owned_by": "someone"}]}))


KIND = ServerKind


@pytest.mark.parametrize(
    ("speaks", "expected"),
    [
        (ollama, ServerInfo(KIND.OLLAMA, "", "0.33.0")),
        (llamacpp, ServerInfo(KIND.LLAMACPP, "", "b0-unknown")),
        (router, ServerInfo(KIND.LLAMACPP, "", "b0-unknown", router=True)),
        (loading, ServerInfo(KIND.LLAMACPP, "")),
        (llamacpp_with_key, ServerInfo(KIND.LLAMACPP, "")),
        (lmstudio, ServerInfo(KIND.LMSTUDIO, "")),
        (vllm, ServerInfo(KIND.VLLM, "", "0.32.0")),
        (vllm_with_key, ServerInfo(KIND.VLLM, "", "0.32.0")),
        (textgen, ServerInfo(KIND.TEXTGEN, "")),
        (textgen_with_nothing_loaded, ServerInfo(KIND.TEXTGEN, "")),
        (textgen_after_a_failed_load, ServerInfo(KIND.TEXTGEN, "")),
        (textgen_with_key, ServerInfo(KIND.TEXTGEN, "")),
        (other, ServerInfo(KIND.OPENAI, "")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_each_kind_is_recognised(speaks: object, expected: ServerInfo) -> None:
    assert callable(speaks)
    async with replay() as running:
        speaks(running)
        info = await recognise(Endpoint(running.url), timeout=60)
        assert info == replace(expected, url=running.url)


@pytest.mark.parametrize(
    "body",
    [
        LMSTUDIO_OTHER,
        text(200, "Hello"),
        text(404, "no"),
        reply(200, b"<html><title>Router login</title></html>", "text/html"),
        as_json(200, {"version": 7, "lmstudio": "yes", "status": "ok"}),
        as_json(200, {"models": []}),
        as_json(200, []),
        CannedResponse(b"220 mail.example ESMTP\r\n\r\n"),
    ],
)
async def test_what_is_no_model_server(body: CannedResponse) -> None:
    async with replay() as running:
        running.other = body
        with pytest.raises(NotAModelServer):
            await recognise(Endpoint(running.url), timeout=60)


async def test_a_server_that_says_nothing_without_a_key() -> None:
    async with replay() as running:
        running.other = as_json(401, {"error": {"message": "no key"}})
        with pytest.raises(AuthRequired, match="LOKAL_API_KEY"):
            await recognise(Endpoint(running.url), timeout=60)
        assert (await recognise(Endpoint(running.url, KIND.VLLM), timeout=60)).kind is KIND.VLLM


async def test_openai_is_taken_at_its_word_and_other_kinds_are_corrected() -> None:
    async with replay() as running:
        ollama(running)
        assert (await recognise(Endpoint(running.url, KIND.OPENAI), timeout=60)).kind is KIND.OPENAI
        assert (await recognise(Endpoint(running.url, KIND.LLAMACPP), timeout=60)).kind is KIND.OLLAMA


async def test_a_probe_that_hangs_does_not_hide_the_server() -> None:
    async with replay() as running:
        ollama(running)
        running.on("/v1/internal/model/info", held(text(200, "")))
        assert (await recognise(Endpoint(running.url), timeout=2)).kind is KIND.OLLAMA


async def test_what_only_the_late_reply_tells_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with replay() as running:
        ollama(running)
        running.on("/api/version", held(as_json(200, {"version": "0.33.0"})))
        is_open = detect.may_be_several

        def time_is_up(endpoint: Endpoint, replies: Mapping[str, Reply]) -> bool:
            running.release.set()
            return is_open(endpoint, replies)

        monkeypatch.setattr(detect, "may_be_several", time_is_up)
        found = await recognise(Endpoint(running.url), timeout=2)
        assert found.kind is KIND.OLLAMA, "not a plain server of OpenAI's API"


async def test_a_server_that_takes_the_line_and_is_silent() -> None:
    async with replay() as running:
        running.other = held(text(200, ""))
        with pytest.raises(Unreachable):
            await recognise(Endpoint(running.url), timeout=0.2)
        assert await find([Endpoint(running.url)], timeout=0.2) == ()


@pytest.mark.parametrize(
    "url", ["http://", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://[::1", "nonsense"]
)
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ServerError):
        await recognise(Endpoint(url))
    assert await find([Endpoint(url)]) == ()


async def test_https_where_only_http_is_spoken() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Unreachable, match="TLS"):
            await recognise(Endpoint(f"https://127.0.0.1:{port}"), timeout=60)


async def test_a_reply_that_drips_has_a_limit_too() -> None:
    async with replay() as running:
        running.other = stalling(CannedResponse(as_json(200, {"version": "0.33.0"}).raw[:-1]))
        with pytest.raises(Unreachable, match="does not answer"):
            await HttpClient(Endpoint(running.url)).get("/api/version", timeout_s=0.1)


async def test_finding_keeps_the_order_and_passes_over_the_dead() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = Endpoint(f"http://127.0.0.1:{free.getsockname()[1]}")
    async with replay() as first, replay() as second, replay() as third:
        vllm(first)
        ollama(second)
        third.other = text(200, "Hello")
        endpoints = [
            Endpoint(first.url, api_key="k", name="one"), dead, Endpoint(third.url), Endpoint(second.url)
        ]  # fmt: skip
        found = await asyncio.wait_for(find(endpoints, timeout=60), 20)
        assert [f.endpoint for f in found] == [
            Endpoint(first.url, KIND.VLLM, "k", "one"),
            Endpoint(second.url, KIND.OLLAMA),
        ]
        assert [f.info.version for f in found] == ["0.32.0", "0.33.0"]
        assert {seen.headers.get("authorization") for seen in first.seen} == {"Bearer k"}
        assert {seen.headers.get("authorization") for seen in second.seen} == {None}
