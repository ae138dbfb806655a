"""Small made-up streams, one for each way of speaking that some version of a server has and no recording shows."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, Dialect, Heard, hear, under_test
from tests.support.replay import CannedResponse, as_json, chunked
from tui.core.endings import UNKNOWN
from tui.core.endpoint import ServerKind
from tui.core.events import Progress, ToolCall
from tui.errors import AuthRequired, ContextOverflow, Interrupted, Refused

STREAM = {True: "application/x-ndjson", False: "text/event-stream"}
OLLAMA, LLAMACPP, LMSTUDIO, VLLM, TEXTGEN = (
    ServerKind.OLLAMA,
    ServerKind.LLAMACPP,
    ServerKind.LMSTUDIO,
    ServerKind.VLLM,
    ServerKind.TEXTGEN,
)


async def answer(kind: ServerKind, body: str | CannedResponse, *, ended: bool = True) -> Heard:
    """What a chat with a server of this kind gives."""
    canned = chunked([body.encode()], STREAM[kind is OLLAMA], ended=ended) if isinstance(body, str) else body
    async with under_test(Dialect(kind)) as tested:
        tested.answers(canned)
        return await hear(tested.server.chat(HELLO))


def deltas(*deltas: dict[str, object], reason: str = "stop") -> str:
    """Chunks of OpenAI's kind with these deltas and an end."""
    chunks = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in [*chunks, end]) + "data: [DONE]\n\n"


async def test_01_ollama() -> None:
    heard = await answer(
        OLLAMA,
        '{"model":"m","message":{"role":"assistant","thinking":"hm"},"done":false}\n'
        '{"model":"m","message":{"role":"assistant","content":"ok"},"done":false}\n'
        '{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop",'
        '"prompt_eval_count":9,"eval_count":2,"eval_duration":50000000}\n',
    )
    assert (heard.reasoning, heard.text, heard.done.finish_reason) == ("hm", "ok", "stop")
    assert heard.done.timings.tokens_per_s == 40


async def test_02_text_and_tools_in_the_last_line() -> None:
    heard = await answer(
        OLLAMA,
        '{"message":{"role":"assistant","content":"x","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},'
        '"done":true,"done_reason":"stop"}\n',
    )
    assert heard.text == "x"
    assert heard.of(ToolCall) == [ToolCall("", "f", '{"a": 1}')]


async def test_03_error_in_mid_stream() -> None:
    heard = await answer(OLLAMA, '{"message":{"content":"part"},"done":false}\n{"error":"boom"}\n')
    assert heard.text == "part"
    assert "boom" in heard.error.detail


async def test_04_end_without_done() -> None:
    heard = await answer(OLLAMA, '{"message":{"content":"part"},"done":false}\n')
    assert isinstance(heard.error, Interrupted)


async def test_05_an_error_in_an_error() -> None:
    inner = {
        "error": {"code": 400, "message": "request (9 tokens) exceeds…", "type": "exceed_context_size_error"}
    }
    heard = await answer(OLLAMA, as_json(400, {"error": json.dumps(inner)}))
    assert isinstance(heard.error, ContextOverflow)
    assert heard.error.prompt_tokens == 9
    assert "exceeds" in heard.error.detail


async def test_06_load() -> None:
    body = {
        "model": "m",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "load",
    }
    heard = await answer(OLLAMA, as_json(200, body))
    assert (heard.text, heard.done.finish_reason) == ("", "load")


async def test_07_next_line_character() -> None:
    heard = await answer(OLLAMA, '{"message":{"content":"a\u0085b"},"done":false}\n{"done":true}\n')
    assert heard.text == "a\nb"


async def test_08_progress() -> None:
    progress = {"total": 100, "cache": 20, "processed": 60, "time_ms": 5}
    chunk = {"choices": [{"index": 0, "delta": {"content": None}}], "prompt_progress": progress}
    heard = await answer(LLAMACPP, f"data: {json.dumps(chunk)}\n\n" + deltas({"content": "x"}))
    told = [event for event in heard.of(Progress) if event.total]
    assert [(event.done, event.total, event.unit) for event in told] == [(40, 80, "tokens")]
    assert told[0].fraction == 0.5


async def test_09_usage_without_choices() -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}
    timings = {
        "cache_n": 4,
        "prompt_n": 5,
        "predicted_n": 3,
        "predicted_per_second": 12.5,
        "prompt_per_second": 100.0,
    }
    chunk = {"choices": [], "usage": usage, "timings": timings}
    body = deltas({"content": "x"}).replace("data: [DONE]", f"data: {json.dumps(chunk)}\n\ndata: [DONE]")
    done = (await answer(LLAMACPP, body)).done
    assert (done.usage.prompt, done.usage.completion, done.usage.cached) == (9, 3, 4)
    assert (done.timings.tokens_per_s, done.timings.prompt_tokens_per_s) == (12.5, 100)


async def test_10_the_error_line_of_old() -> None:
    heard = await answer(LLAMACPP, 'error: {"code":400,"message":"too bad","type":"x"}\n\ndata: [DONE]\n\n')
    assert isinstance(heard.error, Refused)
    assert "too bad" in str(heard.error)


async def test_11_comments_and_windows_line_ends() -> None:
    record = json.dumps({"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]})
    heard = await answer(TEXTGEN, f": ping - x\r\n\r\n:\n\ndata: {record}\r\n\r\n")
    assert (heard.text, heard.done.finish_reason) == ("x", "stop")


async def test_12_done_after_an_error() -> None:
    error = {"error": {"message": "e", "type": "InternalServerError", "code": 500}}
    heard = await answer(VLLM, f"data: {json.dumps(error)}\n\ndata: [DONE]\n\n")
    assert heard.error.detail == "e"


@pytest.mark.parametrize("data", ['{"error":{"message":"e"}}', '{"message":"e"}', '"e"', "e"])
async def test_13_named_error_event(data: str) -> None:
    heard = await answer(LMSTUDIO, f"event: error\ndata: {data}\n\n")
    assert "e" in heard.error.detail
    assert not isinstance(heard.error, Interrupted)


async def test_14_error_with_status_200() -> None:
    heard = await answer(LMSTUDIO, as_json(200, {"error": "Unexpected endpoint or method. (POST /x)"}))
    assert isinstance(heard.error, Refused)
    assert "route" in heard.error.hint


async def test_15_the_line_is_cut() -> None:
    body = deltas({"content": "a"}, {"content": "b"}, {"content": "c"})
    heard = await answer(TEXTGEN, body[: body.index('"delta": {}')], ended=False)
    assert heard.text == "abc"
    assert isinstance(heard.error, Interrupted)


async def test_16_think_tags_in_pieces() -> None:
    heard = await answer(LMSTUDIO, deltas({"content": "<thi"}, {"content": "nk>a</th"}, {"content": "ink>b"}))
    assert (heard.reasoning, heard.text) == ("a", "b")


async def test_17_think_tag_only_closed() -> None:
    heard = await answer(VLLM, deltas({"content": "a</think>b"}))
    assert (heard.reasoning, heard.text) == ("a", "b")


async def test_18_tool_call_in_fragments() -> None:
    def fragment(**fields: object) -> dict[str, object]:
        return {"tool_calls": [{"index": 0, **fields}]}

    body = deltas(
        fragment(id="c", function={"name": "f", "arguments": ""}),
        fragment(function={"arguments": '{"a"'}),
        fragment(id="", function={"name": "", "arguments": ":1}"}),
        reason="tool_calls",
    )
    heard = await answer(LLAMACPP, body)
    assert heard.of(ToolCall) == [ToolCall("c", "f", '{"a":1}')]
    assert heard.done.finish_reason == "tool_calls"


async def test_19_all_tokens_spent_on_thinking() -> None:
    heard = await answer(LLAMACPP, deltas({"reasoning_content": "hm"}, reason="length"))
    assert (heard.reasoning, heard.text, heard.done.finish_reason) == ("hm", "", "length")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (VLLM, {"error": "Unauthorized"}),
        (TEXTGEN, {"detail": "Unauthorized"}),
        (LLAMACPP, {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}),
    ],
)
async def test_20_wants_a_key(kind: ServerKind, body: object) -> None:
    error = (await answer(kind, as_json(401, body))).error
    assert isinstance(error, AuthRequired)
    assert "api_key" in error.hint
    assert "LOKAL_API_KEY" in error.hint


async def test_old_textgen_sends_message_beside_delta_and_no_done() -> None:
    chunk = {
        "choices": [
            {"index": 0, "delta": {"content": "x"}, "message": {"content": "x"}, "finish_reason": "stop"}
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1},
    }
    heard = await answer(TEXTGEN, f"data: {json.dumps(chunk)}\r\n\r\n")
    assert (heard.text, heard.done.usage.prompt) == ("x", 9)


async def test_a_server_that_does_not_stream() -> None:
    message = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]
    }
    assert (await answer(ServerKind.OPENAI, as_json(200, message))).text == "x"


NO_REASON = 'data: {"choices":[{"index":0,"delta":%s}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("delta", ["{}", '{"content":" \\n"}', '{"reasoning_content":"hm"}'])
async def test_done_without_text_proves_nothing(delta: str) -> None:
    assert isinstance((await answer(VLLM, "data: [DONE]\n\n")).error, Interrupted)
    assert isinstance((await answer(VLLM, NO_REASON % delta)).error, Interrupted)


async def test_done_after_text_is_an_end_of_which_no_reason_is_known() -> None:
    heard = await answer(VLLM, NO_REASON % '{"content":"x"}')
    assert (heard.text, heard.done.finish_reason) == ("x", UNKNOWN)
    assert isinstance((await answer(VLLM, (NO_REASON % '{"content":"x"}')[:-14])).error, Interrupted)


def with_reason(reason: str, **more: object) -> str:
    """Text, and an end for this reason."""
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason, **more}]}
    return deltas({"content": "x"}).split("\n\n")[0] + f"\n\ndata: {json.dumps(end)}\n\ndata: [DONE]\n\n"


@pytest.mark.parametrize(
    ("word", "reason"),
    [("STOP", "stop"), ("end_turn", "stop"), ("eos", "stop"), ("MAX_TOKENS", "length"), ("model_length", "length"),
     ("SAFETY", "content_filter"), ("content_filter", "content_filter"), ("repetition", "repetition"),
     ("function_call", "tool_calls")],
)  # fmt: skip
async def test_other_words_for_the_end(word: str, reason: str) -> None:
    assert (await answer(VLLM, with_reason(word))).done.finish_reason == reason


@pytest.mark.parametrize("word", ["abort", "error", "cancelled", "insufficient_system_resource"])
async def test_words_for_an_end_that_is_none(word: str) -> None:
    heard = await answer(VLLM, with_reason(word))
    assert heard.text == "x"
    assert isinstance(heard.error, Interrupted)
    assert word in heard.error.detail


async def test_an_error_inside_the_choice() -> None:
    heard = await answer(VLLM, with_reason("error", error={"message": "provider died", "code": 502}))
    assert (heard.text, heard.error.detail) == ("x", "provider died")


COMPLAINTS = [
    '{"error":{"message":"it died"}}', '{"error":"it died"}', '{"detail":"it died"}', '{"detail":[{"msg":"it died"}]}',
    '{"detail":{"message":"it died"}}', '{"code":1302,"message":"it died"}', '{"type":"error","message":"it died"}',
    '{"object":"error","message":"it died"}', '{"errors":[{"message":"it died"}]}', '{"errors":["it died"]}',
    '{"status":"error","msg":"it died"}', '{"success":false,"error_msg":"it died"}',
    '{"choices":[],"error":{"message":"it died"}}',
]  # fmt: skip


@pytest.mark.parametrize("complaint", COMPLAINTS)
@pytest.mark.parametrize("kind", [OLLAMA, VLLM])
async def test_errors_in_every_shape_after_the_answer_began(kind: ServerKind, complaint: str) -> None:
    says = Dialect(kind)
    begun = says.line(json.dumps(says.text("x"))).decode()
    heard = await answer(
        kind, begun + says.line(complaint).decode() + ("" if kind is OLLAMA else "data: [DONE]\n\n")
    )
    assert heard.text == "x"
    assert isinstance(heard.error, Refused)
    assert "it died" in heard.error.detail


@pytest.mark.parametrize("complaint", [*COMPLAINTS, '{\n  "error": {\n    "message": "it died"\n  }\n}'])
async def test_errors_in_bare_lines_between_events(complaint: str) -> None:
    begun = deltas({"content": "x"}).split("\n\n")[0] + "\n\n"
    for end in ("\n", "\n\ndata: [DONE]\n\n", ""):
        heard = await answer(VLLM, f"{begun}{complaint}{end}")
        assert heard.text == "x"
        assert "it died" in heard.error.detail


@pytest.mark.parametrize("end", ["\n", "\ndata: [DONE]\n\n", ""])
async def test_a_web_page_between_events(end: str) -> None:
    begun = deltas({"content": "x"}).split("\n\n")[0] + "\n\n"
    page = "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n\r\n<body></body>\r\n</html>\r\n"
    heard = await answer(VLLM, f"{begun}{page}{end}")
    assert heard.text == "x"
    assert isinstance(heard.error, Interrupted)
    assert "504 Gateway Time-out" in heard.error.detail


@pytest.mark.parametrize(
    "media_type", ["application/json", "text/plain", "text/html", "application/octet-stream", ""]
)
@pytest.mark.parametrize("piece", [1, 0])
async def test_the_media_type_proves_nothing(media_type: str, piece: int) -> None:
    body = "\r\n: ping\n\n" + deltas({"content": "Hello"}, {"content": " there"})
    for kind in (LLAMACPP, ServerKind.OPENAI):
        heard = await answer(kind, replace(chunked([body.encode()], media_type), piece=piece))
        assert (heard.text, heard.done.finish_reason) == ("Hello there", "stop")
    says = Dialect(OLLAMA)
    lines = b"".join(says.line(json.dumps(r)) for r in (says.text("Hello"), says.text(" there"), *says.end()))
    heard = await answer(OLLAMA, replace(chunked([lines], media_type), piece=piece))
    assert (heard.text, heard.done.finish_reason) == ("Hello there", "stop")


@pytest.mark.parametrize("indent", [None, 2])
async def test_a_whole_document_whatever_it_calls_itself(indent: int | None) -> None:
    message = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}
    for value, text in ((message, "x"), ({"error": {"message": "it died"}}, "")):
        for media_type in ("application/json", "text/event-stream"):
            heard = await answer(VLLM, chunked([json.dumps(value, indent=indent).encode()], media_type))
            assert heard.text == text
            assert text or "it died" in str(heard.error)


async def test_chunks_as_json_lines() -> None:
    body = deltas({"content": "a"}, {"content": "b"}).replace("data: ", "").replace("\n\n", "\n")
    assert (await answer(VLLM, body)).text == "ab"


async def test_the_context_runs_out_in_mid_stream() -> None:
    body = (
        'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n'
    )
    assert isinstance((await answer(LLAMACPP, body)).error, ContextOverflow)
