"""Every kind of server: however much comes, and in whatever shape, it is bounded and said."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
import zlib

import pytest

from tests.support.dialects import HELLO, ServerUnderTest, hear
from tests.support.replay import CannedResponse, as_json, ndjson, replay, reply
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress
from tui.core.message import Role
from tui.core.request import ChatRequest, Turn
from tui.errors import BadReply, Interrupted, ServerBusy, ServerError
from tui.servers import answer, detect, server_client
from tui.servers.detect import recognise
from tui.servers.http import body
from tui.servers.json_object import MOST_ITEMS
from tui.servers.kinds.ollama import OllamaServer
from tui.servers.kinds.ollama_package import is_free_of_wishes

DEEP = b'{"models":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
WIDE = b'{"models":[' + b"[]," * 1_200_000 + b"[]]}"


@pytest.mark.parametrize("raw", [DEEP, WIDE], ids=["deep", "wide"])
async def test_json_that_is_too_much_is_a_bad_reply(tested: ServerUnderTest, raw: bytes) -> None:
    tested.replay.replies.clear()
    tested.replay.other = reply(200, raw, "application/json")
    with pytest.raises(BadReply):
        await tested.server.models()
    tested.answers(reply(200, raw, "application/json"))
    heard = await hear(tested.server.chat(HELLO))
    assert isinstance(heard.error, BadReply)
    with pytest.raises(BadReply):
        await recognise(Endpoint(tested.replay.url), 60)


async def test_a_list_of_models_has_an_end(tested: ServerUnderTest) -> None:
    names = [f"m{number}" for number in range(MOST_ITEMS + 5)]
    listed = [{"name": name, "id": name, "type": "llm", "key": name} for name in names]
    tested.replay.replies.clear()
    tested.replay.other = as_json(200, {"models": listed, "data": listed})
    assert len(await tested.server.models()) <= MOST_ITEMS


@pytest.mark.parametrize("package", [True, False], ids=["package", "plain"])
async def test_what_is_in_memory_is_read_with_the_same_care(
    package: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if not is_free_of_wishes({name: ""})]:
        monkeypatch.delenv(name)
    if not package:
        monkeypatch.setenv("NO_PROXY", "x")
    async with replay() as server:
        ollama = OllamaServer(Endpoint(server.url, ServerKind.OLLAMA))
        try:
            # The window is what is in memory only after a question that names none.
            server.on("/api/chat", ndjson([{"message": {"content": "Hello"}, "done": True}]))
            await hear(ollama.chat(ChatRequest("m", (Turn(Role.USER, "Hello"),))))
            for raw in (
                DEEP,
                b'{"models":[' + b"{}," * 30_000 + b"{}]}" if package else WIDE,
                b"[]",
                b"{}" if package else b"[1]",
                b'{"models": 3}' if package else b"nothing",
            ):
                server.on("/api/ps", reply(200, raw, "application/json"))
                with pytest.raises(ServerError):
                    await ollama.context_window("m")
            assert ollama.uses_package == package
        finally:
            await ollama.aclose()


def compressed(data: bytes, coding: str, media_type: str) -> CannedResponse:
    """A reply in that coding."""
    packed = {
        "gzip": lambda: gzip.compress(data),
        "two gzips": lambda: gzip.compress(data[:9]) + gzip.compress(data[9:]),
        "deflate": lambda: zlib.compress(data),
        "raw deflate": lambda: zlib.compress(data, wbits=-zlib.MAX_WBITS),
        "br": lambda: data,
    }[coding]()
    return reply(200, packed, media_type, {"Content-Encoding": coding.rpartition(" ")[2].removesuffix("s")})


@pytest.mark.parametrize("coding", ["gzip", "two gzips", "deflate", "raw deflate"])
async def test_an_answer_that_a_proxy_compressed_is_read(tested: ServerUnderTest, coding: str) -> None:
    says = tested.dialect
    records = [says.text("Hello " * 20_000), *says.end()]
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    plain = b"".join(map(says.line, lines))
    tested.answers(compressed(plain, coding, says.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.done
    assert heard.text == "Hello " * 20_000


async def test_an_unknown_coding_is_said(tested: ServerUnderTest) -> None:
    tested.answers(compressed(b"\x1b\x00", "br", tested.dialect.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert isinstance(heard.error, BadReply)
    assert "compressed as br" in heard.error.detail


async def test_what_is_expanded_without_end_fills_no_memory(
    tested: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "MAX_BODY", 1_000_000)
    bomb = compressed(b"\n" * 5_000_000, "gzip", tested.dialect.media_type)
    tracemalloc.start()
    try:
        tested.answers(bomb)
        heard = await hear(tested.server.chat(HELLO))
        tested.replay.replies.clear()
        tested.replay.other = bomb
        with pytest.raises(BadReply):
            await tested.server.models()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(heard.error, BadReply)
    assert "too much" in heard.error.title
    assert peak < 4_000_000


async def test_an_answer_ends_at_its_limit_and_keeps_what_came(
    tested: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "MAX_ANSWER", 1 << 20)
    says = tested.dialect
    piece = "ą" * 100_000
    tested.answers(says.stream(*[says.text(piece)] * 9, *says.end()))
    heard = await hear(tested.server.chat(HELLO))
    assert isinstance(heard.error, BadReply)
    assert "1 MiB of text" in heard.error.detail
    assert len(heard.text.encode()) == 1 << 20
    assert set(heard.text) == {"ą"}


async def test_a_line_lost_in_the_size_of_a_chunk_breaks_an_answer_off(tested: ServerUnderTest) -> None:
    says = tested.dialect
    whole = says.stream(says.text("one"), says.text("two"), *says.end()).raw
    head, _, chunks = whole.partition(b"\r\n\r\n")
    assert b"chunked" in head.lower()
    said = chunks.index(b"\r\n", chunks.index(b"one"))
    torn = chunks[:said] + b'\r\nzz{"lost'
    tested.answers(CannedResponse(head + b"\r\n\r\n" + torn))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == "one"
    assert isinstance(heard.error, Interrupted)


async def test_endless_replies_to_all_probes_have_a_common_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "MAX_PROBE", 400_000)
    monkeypatch.setattr(detect, "MAX_TOGETHER", 500_000)
    async with replay() as server:
        server.other = reply(200, b" " * 350_000, "application/json")
        with pytest.raises(BadReply, match="too much"):
            await recognise(Endpoint(server.url), 60)


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_is_asked_again_when_it_said(tested: ServerUnderTest, status: int) -> None:
    says = tested.dialect
    busy = as_json(status, {"error": "queue full"}, {"Retry-After": "0"})
    tested.answers(busy, busy, says.stream(says.text("Yes."), *says.end()))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.done
    assert heard.text == "Yes."
    assert [
        event.unit for event in heard.events if isinstance(event, Progress) and event.phase is Phase.WAITING
    ]


async def test_a_busy_server_that_wants_too_long_is_said(
    tested: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested.answers(as_json(503, {"error": "queue full"}, {"Retry-After": "600"}))
    heard = await hear(tested.server.chat(HELLO))
    assert isinstance(heard.error, ServerBusy)
    assert "asked again in 10 min" in heard.error.hint
    # It is not asked for ever either.
    monkeypatch.setattr(server_client, "PATIENCE_S", 0.9)
    tested.answers(as_json(503, {"error": "queue full"}, {"Retry-After": "0"}))
    heard = await hear(tested.server.chat(HELLO))
    assert isinstance(heard.error, ServerBusy)
