"""What holds for every kind of server, whatever the line and the server do."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, ServerUnderTest, ask, hear
from tests.support.replay import Canned, as_json, chunked, held, reply, stalling, text
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress, ReasoningDelta, TextDelta
from tui.core.message import Attachment, Role
from tui.core.request import ChatRequest, Turn
from tui.errors import (
    AuthRequired,
    BadReply,
    ContextOverflow,
    Interrupted,
    ModelMissing,
    NotAModelServer,
    Refused,
    ServerBusy,
    Unreachable,
)
from tui.servers.ollama import OllamaServer
from tui.servers.openai import OpenAIServer
from tui.servers.registry import connect

SOON_S = 10.0


async def test_an_answer_comes_as_it_was_said(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("Xin "), says.text("chào, "), says.text("мир 🙂"), *says.end())
    assert heard.text == "Xin chào, мир 🙂"
    assert len(heard.of(TextDelta)) == 3
    assert heard.done.finish_reason == "stop"
    assert (heard.done.usage.prompt, heard.done.usage.completion) == (9, 3)


async def test_reasoning_is_told_from_the_answer(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.thought("hm"), says.thought(", so"), says.text("ok"), *says.end())
    assert (heard.reasoning, heard.text) == ("hm, so", "ok")


async def test_reasoning_alone_up_to_the_limit_is_no_error(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.thought("hm"), *says.end("length"))
    assert (heard.reasoning, heard.text, heard.done.finish_reason) == ("hm", "", "length")


async def test_the_request_carries_what_was_set_and_nothing_else(tested: ServerUnderTest) -> None:
    tested.answers(tested.dialect.stream(*tested.dialect.end()))
    turns = (Turn(Role.SYSTEM, "Kurz."), Turn(Role.USER, "Hä?"))
    await hear(tested.server.chat(ChatRequest("m", turns, {"temperature": 0.4, "stop": ("\n\n",)})))
    body = tested.replay.last(tested.dialect.path).json()
    assert body["messages"] == [{"role": "system", "content": "Kurz."}, {"role": "user", "content": "Hä?"}]
    assert body["stream"] is True
    options = body["options"] if tested.dialect.native else body
    assert isinstance(options, dict)
    assert options["temperature"] == 0.4
    assert options["stop"] == ["\n\n"]
    extra = {
        ServerKind.OLLAMA: {"truncate", "shift", "options"},
        ServerKind.LLAMACPP: {"stream_options", "return_progress", "temperature", "stop"},
    }.get(tested.dialect.kind, {"stream_options", "temperature", "stop"})
    assert set(body) == {"model", "messages", "stream"} | extra


async def test_a_picture_and_a_text_file_go_along(tested: ServerUnderTest) -> None:
    tested.answers(tested.dialect.stream(*tested.dialect.end()))
    files = (
        Attachment("a.png", "image/png", b"\x89PNG"),
        Attachment("a.md", "text/markdown", "żółw".encode()),
    )
    await hear(tested.server.chat(ChatRequest("m", (Turn(Role.USER, "What?", files),))))
    body = json.dumps(tested.replay.last(tested.dialect.path).json(), ensure_ascii=False)
    assert "iVBORw" in body or "iVBORw"[:4] in body
    assert "a.md:" in body
    assert "żółw" in body
    assert ("data:image/png;base64," in body) is not tested.dialect.native


async def test_a_file_that_is_neither_is_refused_before_anything_is_sent(tested: ServerUnderTest) -> None:
    files = (Attachment("a.bin", "application/octet-stream", b"\xff\x00\xfe"),)
    heard = await hear(tested.server.chat(ChatRequest("m", (Turn(Role.USER, "What?", files),))))
    assert "a.bin" in heard.error.title
    assert tested.dialect.path not in tested.replay.paths()


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
    tested.answers(Canned(b""))
    assert isinstance((await hear(tested.server.chat(HELLO))).error, Interrupted)


async def test_an_error_in_mid_stream_keeps_what_came(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("one"), says.error("the card caught fire"), *says.end()[-1:])
    assert heard.text == "one"
    assert isinstance(heard.error, Refused)
    assert not isinstance(heard.error, Interrupted)
    assert "caught fire" in str(heard.error)


async def test_a_broken_frame_is_said_and_costs_nothing_else(tested: ServerUnderTest) -> None:
    says = tested.dialect
    parts = [says.line(r if isinstance(r, str) else json.dumps(r)) for r in (says.text(" two"), *says.end())]
    broken = says.line('{"choices":[{"delta":{"conte')
    tested.answers(chunked([says.line(json.dumps(says.text("one"))), broken, *parts], says.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == "one two"
    assert isinstance(heard.error, BadReply)


async def test_noise_between_the_frames_does_no_harm(tested: ServerUnderTest) -> None:
    says = tested.dialect
    parts = [
        says.line("<!-- a proxy was here -->"),
        b"\n\r\n",
        says.line(json.dumps(says.text("one"))),
        says.line("[1, 2]"),
        says.line("null"),
        *(says.line(r if isinstance(r, str) else json.dumps(r)) for r in says.end()),
    ]
    tested.answers(chunked(parts, says.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == "one"
    assert heard.done.finish_reason == "stop"


@pytest.mark.parametrize(
    "record",
    ["{}", '{"choices":null}', '{"choices":[null]}', '{"choices":[{}]}', '{"choices":[{"delta":[]}]}',
     '{"message":null}', '{"message":"x"}', '{"message":{"content":7,"tool_calls":[{}]}}', '{"done":"yes"}',
     '{"choices":[{"delta":{"tool_calls":[{"index":-1,"function":null},7]}}]}', '{"usage":[],"timings":{"prompt_n":"x"}}',
     '{"usage":{"prompt_tokens":-1,"completion_tokens":1e400}}', '{"prompt_progress":{"total":-5,"cache":9}}',
     '{"error":null}', "[" * 50_000],
)  # fmt: skip
async def test_a_record_of_another_shape_is_survived(tested: ServerUnderTest, record: str) -> None:
    says = tested.dialect
    parts = [
        says.line(r if isinstance(r, str) else json.dumps(r)) for r in (record, says.text("one"), *says.end())
    ]
    tested.answers(chunked(parts, says.media_type))
    assert (await hear(tested.server.chat(HELLO))).text == "one"


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
async def test_characters_are_whole_however_the_bytes_are_cut(tested: ServerUnderTest, piece: int) -> None:
    says = tested.dialect
    said = "Привет, Zażółć, tiếng Việt, 漢字 🙂 a\u0085b\u2028c\u2029d"
    tested.answers(replace(says.stream(says.text(said), *says.end()), piece=piece))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == said.replace("\u0085", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    assert heard.done


async def test_a_missing_final_newline_is_forgiven(tested: ServerUnderTest) -> None:
    says = tested.dialect
    records = [says.text("one"), says.end()[0]]
    body = b"".join(says.line(json.dumps(record)) for record in records).rstrip(b"\n")
    tested.answers(chunked([body], says.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert (heard.text, heard.done.finish_reason) == ("one", "stop")


async def test_windows_line_ends(tested: ServerUnderTest) -> None:
    says = tested.dialect
    records = [says.text("one"), *says.end()]
    body = b"".join(says.line(r if isinstance(r, str) else json.dumps(r)) for r in records)
    tested.answers(chunked([body.replace(b"\n", b"\r\n")], says.media_type))
    assert (await hear(tested.server.chat(HELLO))).text == "one"


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


async def test_escape_sequences_never_come_out(tested: ServerUnderTest) -> None:
    says = tested.dialect
    pieces = [
        "a\x1b",
        "[31mred\x1b]0;ti",
        "tle\x07b",
        "\x9b",
        "2J",
        "\x1bP",
        "\u202egnp.exe",
        "\r",
        "\nend\r\n",
    ]
    heard = await ask(
        tested, says.thought("\x1b]52;c;"), says.thought("eA==\x07"), *map(says.text, pieces), *says.end()
    )
    for said in (heard.text, heard.reasoning):
        assert all(c == "\n" or c.isprintable() for c in said), said
    assert heard.text.endswith("gnp.exe\nend\n")


async def test_half_a_character_pair_cannot_break_the_screen(tested: ServerUnderTest) -> None:
    says = tested.dialect
    record = json.dumps(says.text("a@@b")).replace("@@", "\\ud83d")
    parts = [says.line(record), *(says.line(r if isinstance(r, str) else json.dumps(r)) for r in says.end())]
    tested.answers(chunked(parts, says.media_type))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == "a\ufffdb"
    heard.text.encode()


async def test_think_tags_in_the_text_are_reasoning(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("<thi"), says.text("nk>a</th"), says.text("ink>b"), *says.end())
    assert (heard.reasoning, heard.text) == ("a", "b")


@pytest.mark.parametrize("pieces", [("a</think>b",), ("a", "</think>", "b"), ("a</th", "ink>\n\nb")])
async def test_a_think_tag_that_was_opened_in_the_prompt(
    tested: ServerUnderTest, pieces: tuple[str, ...]
) -> None:
    heard = await ask(tested, *map(tested.dialect.text, pieces), *tested.dialect.end())
    assert (heard.reasoning, heard.text) == ("a", "b")


async def test_a_tag_that_is_written_about_stays(tested: ServerUnderTest) -> None:
    said = "Use `</think>` or:\n```\n<think>x</think>\n```\n"
    heard = await ask(tested, *map(tested.dialect.text, said), *tested.dialect.end())
    assert (heard.reasoning, heard.text) == ("", said)


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"error": "Unauthorized"}, AuthRequired, ""),
        (401, {"detail": "Unauthorized"}, AuthRequired, ""),
        (401, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, AuthRequired, ""),
        (404, {"error": "model 'm' not found"}, ModelMissing, "“m”"),
        (404, {"error": {"message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}},
         ModelMissing, "“m”"),
        (400, {"error": {"message": "model 'm' not found", "type": "invalid_request_error"}}, ModelMissing, "“m”"),
        (429, {"error": {"message": "slow down"}}, ServerBusy, "slow down"),
        (503, {"error": "server busy, please try again.  maximum pending requests exceeded"}, ServerBusy, "pending"),
        (500, {"error": "it exploded\x1b[31m"}, Refused, "it exploded"),
        (500, {"error": {"message": "image input is not supported - hint: mmproj"}}, Refused, "cannot see"),
        (400, {"error": "\"m\" does not support thinking"}, Refused, "thinking"),
        (422, {"detail": [{"loc": ["body", "top_p"], "msg": "must be a number", "type": "x"}]}, Refused, "top_p: must be"),
        (400, {"object": "error", "message": "bad temperature"}, Refused, "bad temperature"),
        (418, None, Refused, "418"),
        (302, None, BadReply, "redirect"),
    ],
)  # fmt: skip
async def test_refusals(
    tested: ServerUnderTest, status: int, body: object, error: type[Refused], words: str
) -> None:
    tested.answers(as_json(status, body) if body is not None else reply(status, b"", "text/plain"))
    refusal = (await hear(tested.server.chat(HELLO))).error
    assert type(refusal) is error
    assert words.lower() in str(refusal).lower()
    assert str(refusal).isprintable()
    if isinstance(refusal, Refused) and error is not BadReply:
        assert refusal.status == status


@pytest.mark.parametrize(
    ("body", "prompt", "window"),
    [
        ({"error": {"code": 400, "message": "request (4519 tokens) exceeds the available context size (1024 tokens), try "
                    "increasing it", "type": "exceed_context_size_error", "n_prompt_tokens": 4519, "n_ctx": 1024}}, 4519, 1024),
        ({"error": {"message": "This model's maximum context length is 4096 tokens. However, your prompt contains at least "
                    "5000 input tokens.", "type": "BadRequestError", "code": 400}}, 5000, 4096),
        ({"error": "Trying to keep the first 6000 tokens when context the overflows. However, the model is loaded with "
                   "context length of only 4096 tokens, which is not enough."}, 6000, 4096),
        ({"error": {"message": "prompt is too long"}}, 0, 0),
    ],
)  # fmt: skip
async def test_too_long_a_conversation(
    tested: ServerUnderTest, body: object, prompt: int, window: int
) -> None:
    tested.answers(as_json(400, body))
    error = (await hear(tested.server.chat(HELLO))).error
    assert isinstance(error, ContextOverflow)
    assert (error.prompt_tokens, error.window_tokens) == (prompt, window)
    assert error.hint


async def test_the_page_of_a_proxy(tested: ServerUnderTest) -> None:
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Sorry</h1></body></html>"
    tested.answers(reply(502, page, "text/html"))
    error = (await hear(tested.server.chat(HELLO))).error
    assert "502 Bad Gateway" in error.detail
    assert "<" not in str(error)
    tested.answers(reply(200, page, "text/html; charset=utf-8"))
    assert isinstance((await hear(tested.server.chat(HELLO))).error, NotAModelServer)


async def test_an_error_inside_a_200(tested: ServerUnderTest) -> None:
    tested.answers(as_json(200, {"error": "Unexpected endpoint or method. (POST /x)"}))
    error = (await hear(tested.server.chat(HELLO))).error
    assert isinstance(error, Refused)
    assert "Unexpected endpoint" in error.detail


async def test_nobody_there(tested: ServerUnderTest) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    server = connect(Endpoint(url, tested.dialect.kind))
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


async def test_silence_ends_an_answer(tested: ServerUnderTest) -> None:
    tested.answers(stalling(tested.dialect.stream(tested.dialect.text("one"), ended=False)))
    endpoint = tested.server.endpoint
    impatient = (
        OllamaServer(endpoint, silence_s=0.1)
        if tested.dialect.native
        else OpenAIServer(endpoint, ServerKind.OPENAI, silence_s=0.1)
    )
    try:
        heard = await hear(impatient.chat(HELLO))
    finally:
        await impatient.aclose()
    assert heard.text == "one"
    assert isinstance(heard.error, Interrupted)
    assert "silent" in heard.error.title


async def test_the_key_goes_out_and_the_environment_does_not(
    tested: ServerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_API_KEY", "secret-of-another-server")
    for key in ("", "mine"):
        tested.replay.seen.clear()
        server = connect(replace(tested.server.endpoint, api_key=key))
        try:
            tested.answers(tested.dialect.stream(*tested.dialect.end()))
            assert (await hear(server.chat(HELLO))).done
            await server.context_window("m") if tested.dialect.native else await server.models()
        finally:
            await server.aclose()
        sent = {request.headers.get("authorization") for request in tested.replay.seen}
        assert sent == ({f"Bearer {key}"} if key else {None})
        assert {request.headers["accept-encoding"] for request in tested.replay.seen} == {"identity"}


async def test_a_key_that_cannot_be_sent(tested: ServerUnderTest) -> None:
    server = connect(replace(tested.server.endpoint, api_key="ключ"))
    error = (await hear(server.chat(HELLO))).error
    assert isinstance(error, AuthRequired)
    assert tested.replay.seen == []


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


async def test_a_kind_that_cannot_continue_says_so(tested: ServerUnderTest) -> None:
    tested.answers(tested.dialect.stream(tested.dialect.text(" more"), *tested.dialect.end()))
    request = ChatRequest("m", (Turn(Role.USER, "Q"), Turn(Role.ASSISTANT, "some")), resume=True)
    heard = await hear(tested.server.chat(request))
    if tested.server.capabilities.resumes:
        assert heard.text == " more"
        body = tested.replay.last(tested.dialect.path).json()
        assert body["messages"] == [
            {"role": "user", "content": "Q"},
            {"role": "assistant", "content": "some"},
        ]
        assert ("continue_final_message" in body) == (tested.dialect.kind is ServerKind.VLLM)
    else:
        assert "continue" in heard.error.title
        assert tested.replay.seen == []


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"data": 7, "models": {"a": 1}}', b"\xff\xfe"])
async def test_lists_of_another_shape_are_errors_or_empty(tested: ServerUnderTest, body: bytes) -> None:
    for path in ("/v1/models", "/api/tags", "/api/ps", "/props", "/v1/internal/model/info"):
        tested.replay.on(path, reply(200, body, "application/json"))
    for asking in (tested.server.models(), tested.server.context_window("m")):
        with suppress(NotAModelServer, Refused):
            assert await asking in ((), None)


async def test_a_list_that_does_not_end_is_not_read(tested: ServerUnderTest) -> None:
    endless = reply(200, b'{"data":"' + b"x" * 70_000_000, "application/json", length=False)
    for path in ("/v1/models", "/api/tags", "/v1/internal/model/info"):
        tested.replay.on(path, endless)
    with pytest.raises(BadReply, match="too much"):
        await tested.server.models()


async def test_reasoning_comes_before_the_text_in_events(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("<think>a</think>\n\nb <think>"), *says.end())
    assert [type(event) for event in heard.events[:2]] == [ReasoningDelta, TextDelta]
    assert heard.text == "b <think>"


async def test_plain_text_errors(tested: ServerUnderTest) -> None:
    tested.answers(text(500, "proxy error: Could not establish connection"))
    assert "Could not establish" in (await hear(tested.server.chat(HELLO))).error.detail
