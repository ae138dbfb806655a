"""Small made-up streams, one for each way of speaking that some version of a server has and no recording shows."""

from __future__ import annotations

import json

import pytest

from tests.support.dialects import HELLO, Dialect, Heard, hear, under_test
from tests.support.replay import Canned, as_json, chunked
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


async def answer(kind: ServerKind, body: str | Canned, *, ended: bool = True) -> Heard:
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


async def test_done_alone_proves_nothing() -> None:
    assert isinstance((await answer(VLLM, "data: [DONE]\n\n")).error, Interrupted)


async def test_the_context_runs_out_in_mid_stream() -> None:
    body = (
        'data: {"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}\n\n'
    )
    assert isinstance((await answer(LLAMACPP, body)).error, ContextOverflow)
