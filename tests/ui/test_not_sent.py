"""What the screen says of what a server cannot take, ignores, or is silent about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.app_driver import running
from tests.support.dialects import Dialect
from tests.support.replay import Replay, as_json, held, recorded, replay
from tui.chat import answer_stream
from tui.core import generation
from tui.core.endpoint import ServerKind

VLLM, TEXTGEN = Dialect(ServerKind.VLLM), Dialect(ServerKind.TEXTGEN)


def vllm(server: Replay) -> None:
    """As it is recorded, with an answer."""
    server.other = recorded("vllm/not-found")
    for path, name in (("/version", "version"), ("/health", "health"), ("/v1/models", "v1-models")):
        server.on(path, recorded(f"vllm/{name}"))
    server.on(VLLM.path, recorded("vllm/chat-stream-usage"))
    server.on("/is_sleeping", recorded("vllm/is-sleeping"))


def textgen(server: Replay) -> None:
    """As it is recorded, with a model that has a window of 1024."""
    server.other = recorded("textgen/not-found")
    server.on("/v1/internal/model/info", recorded("textgen/model-info"))
    server.on("/v1/models", recorded("textgen/v1-models"))
    server.on("/v1/internal/chat-prompt", recorded("textgen/chat-prompt-too-long"))
    server.on("/v1/internal/token-count", as_json(200, {"length": 1023}))
    server.on(TEXTGEN.path, recorded("textgen/chat-stream-usage"))


async def test_what_is_left_out_is_said_and_the_answer_keeps_what_was_sent() -> None:
    async with replay() as server:
        vllm(server)
        async with running(server.url) as driver:
            await driver.see("smollm2")
            await driver.ask("/set max_tokens=5000 stop=a1,b2,c3,d4,e5")
            await driver.ask("What is the capital of France?")
            await driver.see("Not sent to vLLM: .*max_tokens 5000")
            await driver.see("The capital of France is Paris")
            await driver.until_idle()
            session = driver.session
            leaf = session.conversation.leaf
            assert leaf is not None
            assert leaf.parameters["stop"] == ("a1", "b2", "c3", "d4")
            assert "max_tokens" not in leaf.parameters
            sent = server.last(VLLM.path).json()
            assert sent["stop"] == ["a1", "b2", "c3", "d4"]
            assert "max_tokens" not in sent


async def test_what_is_refused_later_is_said_beside_what_was_left_out() -> None:
    async with replay() as server:
        vllm(server)
        server.on(VLLM.path, recorded("vllm/param-thinking_budget-2048"), recorded("vllm/chat-stream-usage"))
        async with running(server.url) as driver:
            await driver.see("smollm2")
            await driver.ask("/set max_tokens=5000 thinking_budget=2048")
            await driver.ask("What is the capital of France?")
            await driver.see("Not sent to vLLM: max_tokens 5000")
            await driver.see("thinking_budget, for which")
            assert "max_tokens 5000" in driver.text()


async def test_a_textgen_window_is_shown_and_its_question_is_held_back() -> None:
    async with replay() as server:
        textgen(server)
        async with running(server.url) as driver:
            await driver.see("of 1k")
            await driver.ask("word " * 900)
            await driver.see("This does not fit into the context window")
            assert TEXTGEN.path not in server.paths()


async def test_a_schema_is_said_to_be_ignored_when_the_server_is_another() -> None:
    async with replay() as first, replay() as second:
        vllm(first)
        textgen(second)
        async with running(first.url) as driver:
            await driver.see("smollm2")
            await driver.ask("/schema json")
            await driver.see("Answers are JSON from the next one on")
            await driver.ask(f"/server {second.url}")
            await driver.see("text-generation-webui ignores that answers are to be JSON")
            assert TEXTGEN.path not in second.paths()


async def test_silence_is_said_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "SILENT_S", 0.2)
    monkeypatch.setattr(answer_stream, "SILENT_S", 0.2)
    async with replay() as server:
        vllm(server)
        server.on(VLLM.path, held(replace(recorded("vllm/chat-stream-usage"), piece=0)))
        async with running(server.url) as driver:
            await driver.see("smollm2")
            await driver.ask("What is the capital of France?")
            await driver.see(r"connecting · no word for \d+ min")
            server.release.set()
            await driver.see("The capital of France is Paris")
            await driver.until(lambda: "no word" not in driver.text(), "it is no longer silent")
