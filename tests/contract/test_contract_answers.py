"""Every kind of server: what it says comes through whole, safe and as it was meant."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, ServerUnderTest, ask, hear
from tests.support.replay import as_json, chunked
from tui.core.endpoint import ServerKind
from tui.core.events import ReasoningDelta, TextDelta, ToolCall
from tui.core.message import Attachment, Role
from tui.core.request import ChatRequest, Turn
from tui.errors import (
    BadReply,
)


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
    # text-generation-webui is first asked what its model makes of a picture.
    tested.replay.on("/v1/completions", as_json(200, {"usage": {"prompt_tokens": 602}}))
    files = (
        Attachment("a.png", "image/png", b"\x89PNG"),
        Attachment("a.md", "text/markdown", "żółw".encode()),
    )
    await hear(tested.server.chat(ChatRequest("m", (Turn(Role.USER, "What?", files),))))
    body = json.dumps(tested.replay.last(tested.dialect.path).json(), ensure_ascii=False)
    assert base64.b64encode(b"\x89PNG").decode() in body
    assert r"--- FILE a.md ---\nżółw\n--- END OF a.md ---" in body
    assert "żółw" in body
    assert ("data:image/png;base64," in body) is not tested.dialect.native


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


async def test_reasoning_comes_before_the_text_in_events(tested: ServerUnderTest) -> None:
    says = tested.dialect
    heard = await ask(tested, says.text("<think>a</think>\n\nb <think>"), *says.end())
    assert [type(event) for event in heard.events[:2]] == [ReasoningDelta, TextDelta]
    assert heard.text == "b <think>"


SPOKEN = [
    {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "so"}]},
    {"content": {"type": "text", "text": "so"}, "reasoning_text": "hm"},
    {"content": ["so"], "thinking": "hm"},
    {"content": "so", "thinking": {"content": "hm"}},
    {"content": "so", "reasoning": {"text": "hm"}},
    {"content": "so", "reasoning_details": [{"type": "reasoning.text", "text": "h"}, {"type": "reasoning.text", "text": "m"}]},
    {"content": "so", "reasoning": "hm", "reasoning_content": "hm", "reasoning_details": [{"text": "hm"}]},
    {"content": None, "refusal": "so", "thinking_blocks": [{"type": "thinking", "thinking": "hm"}]},
]  # fmt: skip


@pytest.mark.parametrize("message", SPOKEN)
async def test_text_and_reasoning_in_other_places(
    tested: ServerUnderTest, message: dict[str, object]
) -> None:
    native = tested.dialect.native
    record = {"message": message, "done": False} if native else {"choices": [{"index": 0, "delta": message}]}
    heard = await ask(tested, record, *tested.dialect.end())
    assert (heard.reasoning, heard.text, heard.done.finish_reason) == ("hm", "so", "stop")


@pytest.mark.parametrize("said", ["You write </think> there", "a\n</think>\n\nb", "<think>a</think>b"])
async def test_a_mark_is_text_where_the_reasoning_came_by_itself(tested: ServerUnderTest, said: str) -> None:
    says = tested.dialect
    heard = await ask(tested, says.thought("hm"), *map(says.text, said), *says.end())
    assert (heard.reasoning, heard.text) == ("hm", said)


@pytest.mark.parametrize("thought", ["", "hm"])
async def test_harmony_channels_in_the_text(tested: ServerUnderTest, thought: str) -> None:
    says = tested.dialect
    said = "<|channel|>final<|message|>Hello.<|return|>"
    if not thought:
        said = f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant{said}"
    before = [says.thought(thought)] if thought else []
    heard = await ask(tested, *before, *map(says.text, said), *says.end())
    assert (heard.reasoning, heard.text) == ("hm", "Hello.")


async def test_a_call_in_harmony_channels_is_a_call(tested: ServerUnderTest) -> None:
    said = '<|channel|>commentary to=functions.f <|constrain|>json<|message|>{"a":1}'
    heard = await ask(tested, *map(tested.dialect.text, said), *tested.dialect.end())
    assert heard.of(ToolCall) == [ToolCall("", "f", '{"a":1}')]
    assert heard.done.finish_reason == "tool_calls"
