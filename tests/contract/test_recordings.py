"""Real servers' bytes, replayed: Ollama 0.33 and llama.cpp b10488; vLLM, text-generation-webui and LM Studio have files of
their own beside this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.dialects import HELLO, Dialect, Heard, hear, under_test
from tests.support.replay import WIRE, CannedResponse, body_of, recorded
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Event, Failed, Phase, Progress, ToolCall
from tui.core.generation import Generation
from tui.errors import (
    AuthRequired,
    ContextOverflow,
    Interrupted,
    ModelMissing,
    Refused,
    ServerBusy,
    StillLoading,
)
from tui.servers.answer import Answer
from tui.servers.errors import Asked
from tui.servers.http.framing import Ndjson, Parser, Sse
from tui.servers.kinds.ollama import OllamaAnswer
from tui.servers.kinds.openai_chunks import OpenAIAnswer

KINDS = {kind.value: kind for kind in ServerKind}
OLLAMA, LLAMACPP = Dialect(ServerKind.OLLAMA), Dialect(ServerKind.LLAMACPP)
GREETING = "# Greetings\n\nHello! **Bold**, *italic* and `code`. Привет, как дела? Zażółć gęślą jaźń."
END = "Emoji 🙂 and 漢字 end here."


async def answer_of(dialect: Dialect, *replies: CannedResponse) -> Heard:
    """What a chat gives whose replies these are."""
    async with under_test(dialect) as tested:
        tested.answers(*replies)
        return await hear(tested.server.chat(HELLO))


def streams(folder: str, head: bytes) -> list[str]:
    """The recordings of chats that stream."""
    files = sorted((WIRE / folder).glob("chat*.response.http"))
    return [
        f"{folder}/{f.name.removesuffix('.response.http')}" for f in files if head in f.read_bytes()[:400]
    ]


def read_in_pieces(name: str, size: int) -> list[Event]:
    """The events of a recorded stream, its body handed over in pieces of `size` bytes."""

    kind = KINDS.get(name.partition("/")[0], ServerKind.LLAMACPP)
    native = kind is ServerKind.OLLAMA
    parser: Parser = Ndjson() if native else Sse()
    asked = Asked(Endpoint("http://127.0.0.1:1", kind), kind, "m")
    answer: Answer = OllamaAnswer(asked) if native else OpenAIAnswer(asked)
    body = body_of(name) if "dies" not in name and "cancelled" not in name else b""
    events: list[Event] = []
    frames = [frame for at in range(0, len(body), size) for frame in parser.feed(body[at : at + size])]
    for frame in [*frames, *parser.finish()]:
        events += answer.frame(frame)
    return [*events, *answer.finish()]


ALL_STREAMS = [
    *streams("ollama", b"application/x-ndjson"),
    *streams("llama-server/single", b"text/event-stream"),
    *streams("llama-server/router", b"text/event-stream"),
    *(name for folder in ("lmstudio", "vllm", "textgen") for name in streams(folder, b"text/event-stream")),
]


def test_there_are_recordings() -> None:
    assert len(ALL_STREAMS) > 20
    assert Path(WIRE / "ollama").is_dir()


@pytest.mark.parametrize("name", ALL_STREAMS)
def test_the_cut_of_the_bytes_changes_nothing(name: str) -> None:
    whole = read_in_pieces(name, 10_000_000)
    for size in (1, 2, 3, 5, 17, 64, 1000):
        cut = read_in_pieces(name, size)
        assert [e for e in cut if not isinstance(e, Failed)] == [
            e for e in whole if not isinstance(e, Failed)
        ]


@pytest.mark.parametrize("piece", [1, 3, 64, 0])
async def test_ollama_chat(piece: int) -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-stream", piece))
    assert heard.text.startswith(GREETING)
    assert heard.text.endswith(END)
    done = heard.done
    assert (done.finish_reason, done.usage.prompt, done.usage.completion) == ("stop", 24, 86)
    assert done.timings.tokens_per_s == pytest.approx(86 / 0.037867)
    assert done.timings.load_s == pytest.approx(0.001580996)


async def test_ollama_without_a_stream_is_read_all_the_same() -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-not-stream"))
    assert heard.text.endswith(END)
    assert heard.done.usage.completion == 86


async def test_ollama_thinking() -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-thinking", 5))
    assert heard.reasoning.startswith("The person greets me. I should greet back")
    assert heard.text.endswith("today?")
    assert "think>" not in heard.text + heard.reasoning


async def test_ollama_thinking_that_was_switched_off_and_came_all_the_same() -> None:
    with_tags = await answer_of(OLLAMA, recorded("ollama/chat-thinking-off", 1))
    apart = await answer_of(OLLAMA, recorded("ollama/chat-thinking", 1))
    assert with_tags.reasoning.strip() == apart.reasoning.strip()
    assert with_tags.text.strip() == apart.text.strip()


async def test_ollama_tool_call() -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-tool-call", 9))
    (call,) = heard.of(ToolCall)
    assert (call.id, call.name) == ("call_so980jl7", "get_weather")
    assert call.arguments == '{"city": "Tashkent", "unit": "celsius"}'


async def test_ollama_stops_at_the_window_instead_of_cutting_the_conversation() -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-no-shift-fills-window"))
    assert heard.done.finish_reason == "length"
    assert heard.done.usage.total == 256


async def test_ollama_runner_dies() -> None:
    heard = await answer_of(OLLAMA, recorded("ollama/chat-runner-dies-midstream", 11))
    assert heard.text
    assert "unexpected EOF" in heard.error.detail


@pytest.mark.parametrize("case", ["load-empty", "unload"])
async def test_ollama_load_and_unload(case: str) -> None:
    heard = await answer_of(OLLAMA, recorded(f"ollama/chat-{case}"))
    assert heard.text == ""
    assert heard.done.finish_reason == case.removesuffix("-empty")


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("missing-model", ModelMissing, "ollama pull m"),
        ("too-long-no-truncate", ContextOverflow, "30019"),
        ("server-busy", ServerBusy, "maximum pending"),
        ("thinking-unsupported", Refused, "does not support thinking"),
        ("tools-unsupported", Refused, "does not support tools"),
        ("image-unsupported", Refused, "cannot see"),
        ("bad-option-type", Refused, "temperature"),
        ("bad-schema", Refused, "JSON schema conversion failed"),
        ("runner-cannot-load", Refused, "could not be loaded"),
        ("no-model", Refused, "model is required"),
    ],
)
async def test_ollama_refusals(case: str, error: type[Refused], words: str) -> None:
    refusal = (await answer_of(OLLAMA, recorded(f"ollama/chat-{case}", 7))).error
    assert type(refusal) is error
    assert words in str(refusal)
    assert '{"' not in refusal.title
    assert refusal.detail


@pytest.mark.parametrize("mode", ["single", "router"])
@pytest.mark.parametrize("piece", [7, 0])
async def test_llamacpp_chat(mode: str, piece: int) -> None:
    heard = await answer_of(LLAMACPP, recorded(f"llama-server/{mode}/chat", piece))
    assert heard.text.startswith(GREETING)
    assert heard.text.endswith(END)
    assert [p for p in heard.of(Progress) if p.total] == [
        Progress(Phase.PREFILL, 0, 24, "tokens"),
        Progress(Phase.PREFILL, 24, 24, "tokens"),
    ]
    assert heard.done.usage.prompt == 24
    assert heard.done.usage.completion
    assert (heard.done.timings.tokens_per_s or 0) > 100


async def test_llamacpp_long_prompt() -> None:
    heard = await answer_of(LLAMACPP, recorded("llama-server/single/chat-long-prompt-progress"))
    assert heard.of(Progress)[-1].fraction == 1
    assert (heard.done.usage.prompt, heard.done.usage.completion) == (769, 4)
    assert heard.done.timings.prompt_tokens_per_s == pytest.approx(32990.13)
    assert heard.done.timings.tokens_per_s == pytest.approx(873.36, rel=1e-3)


async def test_llamacpp_counts_what_was_cached() -> None:
    done = (await answer_of(LLAMACPP, recorded("llama-server/single/chat-fills-window"))).done
    assert (done.finish_reason, done.usage.cached, done.usage.total) == ("length", 756, 1024)


async def test_llamacpp_reasoning() -> None:
    heard = await answer_of(LLAMACPP, recorded("llama-server/single/chat-reasoning", 33))
    assert heard.reasoning.startswith("The person greets me.")
    assert heard.text.endswith("today?")


async def test_llamacpp_dies() -> None:
    heard = await answer_of(LLAMACPP, recorded("llama-server/single/chat-server-dies-midstream"))
    assert len(heard.text) > 100
    assert isinstance(heard.error, Interrupted)


async def test_llamacpp_loads_first() -> None:
    async with under_test(LLAMACPP) as tested:
        loading = recorded("llama-server/single/chat-while-loading")
        tested.answers(loading, recorded("llama-server/single/chat-plain"))
        tested.replay.on(
            "/health",
            recorded("llama-server/single/health-loading"),
            recorded("llama-server/single/health-loading"),
            recorded("llama-server/single/health"),
        )
        heard = await hear(tested.server.chat(HELLO))
        assert Progress(Phase.LOADING) in heard.events
        assert heard.text
        assert heard.done
        assert tested.replay.paths().count("/health") == 3
        assert tested.replay.paths().count("/v1/chat/completions") == 2


async def test_llamacpp_is_asked_again_only_once() -> None:
    async with under_test(LLAMACPP) as tested:
        tested.answers(recorded("llama-server/single/chat-while-loading"))
        heard = await hear(tested.server.chat(HELLO))
        assert isinstance(heard.error, StillLoading)
        assert tested.replay.paths().count("/v1/chat/completions") == 2


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("single/chat-no-key", AuthRequired, "api_key"),
        ("single/chat-too-long", ContextOverflow, "4519"),
        ("single/chat-image", Refused, "mmproj"),
        ("single/chat-bad-temperature", Refused, "temperature"),
        ("single/chat-bad-json", Refused, "parse error"),
        ("single/chat-no-messages", Refused, "required"),
        ("router/chat-missing-model", ModelMissing, "“m”"),
        ("router/chat-broken", Refused, "failed to load"),
        ("router/chat-no-autoload", Refused, "not loaded"),
        ("router/chat-no-model", Refused, "missing from the request"),
    ],
)
async def test_llamacpp_refusals(case: str, error: type[Refused], words: str) -> None:
    refusal = (await answer_of(LLAMACPP, recorded(f"llama-server/{case}"))).error
    assert type(refusal) is error
    assert words in str(refusal)


def test_events_of_a_recording_make_one_message() -> None:
    generation = Generation(0.0)
    for event in read_in_pieces("ollama/chat-stream-bigram", 100):
        generation.apply(event, 1.0)
    assert generation.finished
    assert len(generation.content) > 1000
