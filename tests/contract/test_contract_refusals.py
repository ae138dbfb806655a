"""Every kind of server: errors become errors of ours that say what to do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.support.dialects import DIALECTS, HELLO, Dialect, ServerUnderTest, ask, hear, under_test
from tests.support.replay import CannedResponse, as_json, reply, text
from tui.core.endpoint import ServerKind
from tui.core.message import Attachment, Role
from tui.core.request import ChatRequest, Turn
from tui.core.secrets import MASK
from tui.errors import (
    AuthRequired,
    BadReply,
    ContextOverflow,
    Interrupted,
    ModelMissing,
    NotAModelServer,
    Refused,
    ServerBusy,
)
from tui.servers.registry import server_for


async def test_a_file_that_is_neither_is_refused_before_anything_is_sent(tested: ServerUnderTest) -> None:
    files = (Attachment("a.bin", "application/octet-stream", b"\xff\x00\xfe"),)
    heard = await hear(tested.server.chat(ChatRequest("m", (Turn(Role.USER, "What?", files),))))
    assert "a.bin" in heard.error.title
    assert tested.dialect.path not in tested.replay.paths()


async def test_an_error_in_mid_stream_keeps_what_came(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("one"), says.error("the card caught fire"), *says.end()[-1:])
    assert heard.text == "one"
    assert isinstance(heard.error, Refused)
    assert not isinstance(heard.error, Interrupted)
    assert "caught fire" in str(heard.error)


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
        (400, {"error": {"code": 400, "message": "Failed to initialize samplers: failed to parse grammar",
                         "type": "invalid_request_error"}}, Refused, "/schema off"),
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


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"your prompt contains at least 2049 input tokens, which exceeds", "It has at least 2049 tokens, the window 2048"),
        (b"you requested 100 output tokens and your prompt contains at least 2049 input tokens, for a total of at least "
         b"2149 tokens.", "It has at least 2049 tokens, the window 2048"),
        (b"your prompt contains 5000 input tokens.", "It has 5000 tokens, the window 2048"),
    ],
)  # fmt: skip
async def test_a_prompt_that_was_not_counted_to_its_end(
    tested: ServerUnderTest, body: bytes, words: str
) -> None:
    said = f"This model's maximum context length is 2048 tokens. However, {body.decode()}"
    tested.answers(as_json(400, {"error": {"message": said, "code": 400}}))
    error = (await hear(tested.server.chat(HELLO))).error
    assert isinstance(error, ContextOverflow)
    assert (error.detail, error.at_least) == (words, "at least" in words)


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


async def test_a_key_that_cannot_be_sent(tested: ServerUnderTest) -> None:
    server = server_for(replace(tested.server.endpoint, api_key="ключ"))
    error = (await hear(server.chat(HELLO))).error
    assert isinstance(error, AuthRequired)
    assert tested.replay.seen == []


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


async def test_plain_text_errors(tested: ServerUnderTest) -> None:
    tested.answers(text(500, "proxy error: Could not establish connection"))
    assert "Could not establish" in (await hear(tested.server.chat(HELLO))).error.detail


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.kind))
async def test_a_key_that_comes_back_in_an_error_is_masked(dialect: Dialect) -> None:
    key = "sk-proj-ABCdef0123456789"
    said = f"Incorrect API key provided: {key} (Bearer {key[:12]}...)"
    async with under_test(dialect, key) as tested:
        for status in (400, 401, 404, 429, 500, 503):
            for body in ({"error": {"message": said}}, {"error": said}, {"detail": said}):
                tested.answers(as_json(status, body))
                heard = await hear(tested.server.chat(HELLO))
                assert heard.error is not None
                assert "sk-proj" not in str(heard.error)
        tested.answers(dialect.stream(dialect.text("So "), dialect.error(said)))
        heard = await hear(tested.server.chat(HELLO))
        assert heard.error is not None
        assert MASK in str(heard.error)
        assert key not in str(heard.error)
        tested.answers(CannedResponse(f"HTTP/1.1 {key} nonsense\r\n\r\n".encode()))
        heard = await hear(tested.server.chat(HELLO))
        assert key not in str(heard.error)
        tested.replay.other = as_json(
            200, {"version": key, "models": [], "data": [{"id": key}], "status": "ok"}
        )
        assert key not in repr(await tested.server.models())
