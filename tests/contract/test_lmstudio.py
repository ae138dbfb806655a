"""LM Studio. No bytes of a real one are to be had: these are synthetic, see `fixtures/wire/lmstudio`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, Dialect, ServerUnderTest, hear, under_test
from tests.support.replay import WIRE, recorded
from tui.core.endpoint import ServerKind
from tui.core.model import Model, ServerInfo
from tui.core.schema import ANY_JSON
from tui.errors import ContextOverflow, Refused

LMSTUDIO = Dialect(ServerKind.LMSTUDIO)


@pytest.fixture
async def tested() -> AsyncIterator[ServerUnderTest]:
    """A version that has a list of its own."""
    async with under_test(LMSTUDIO) as server:
        server.replay.other = recorded("lmstudio/unexpected-endpoint")
        server.replay.on("/v1/models", recorded("lmstudio/v1-models"))
        server.replay.on("/api/v0/models", recorded("lmstudio/v0-models"))
        yield server


def test_what_is_not_recorded_says_so() -> None:
    replies = sorted((WIRE / "lmstudio").glob("*.response.http"))
    assert replies
    for reply in replies:
        assert b"\r\nX-Synthetic: made up" in reply.read_bytes(), reply.name


async def test_its_models(tested: ServerUnderTest) -> None:
    vision, loaded, embedding = await tested.server.models()
    assert loaded == Model(
        "qwen2.5-7b-instruct", None, "", "Q4_K_M", "qwen2", 32768, 4096, True, None, ("completion", "tools")
    )
    assert (vision.name, vision.loaded, vision.capabilities) == (
        "qwen2-vl-7b-instruct", False, ("completion", "vision"),
    )  # fmt: skip
    assert embedding.capabilities == ("embedding",)
    assert await tested.server.context_window("qwen2.5-7b-instruct") == 4096
    assert await tested.server.context_window("qwen2-vl-7b-instruct") is None
    assert await tested.server.info() == ServerInfo(ServerKind.LMSTUDIO, tested.replay.url)


async def test_a_version_without_a_list_of_its_own(tested: ServerUnderTest) -> None:
    tested.replay.on("/api/v0/models", recorded("lmstudio/unexpected-endpoint"))
    assert {model.loaded for model in await tested.server.models()} == {None}


async def test_an_answer(tested: ServerUnderTest) -> None:
    tested.answers(recorded("lmstudio/chat-stream", 3))
    heard = await hear(tested.server.chat(HELLO))
    assert heard.text == "The capital of France is Paris."
    assert (heard.done.usage.prompt, heard.done.usage.completion) == (24, 8)


async def test_its_reasoning(tested: ServerUnderTest) -> None:
    tested.answers(recorded("lmstudio/chat-reasoning"))
    heard = await hear(tested.server.chat(HELLO))
    assert (heard.reasoning, heard.text) == ("They ask for a capital.", "Paris.")


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("chat-error-event", Refused, "roles must alternate"),
        ("chat-overflow", ContextOverflow, "6000"),
        ("chat-no-model", Refused, "lms load"),
        ("unexpected-endpoint", Refused, "Unexpected endpoint"),
    ],
)
async def test_refusals(tested: ServerUnderTest, name: str, error: type[Refused], words: str) -> None:
    tested.answers(recorded(f"lmstudio/{name}"))
    refusal = (await hear(tested.server.chat(HELLO))).error
    assert isinstance(refusal, error)
    assert words in str(refusal)


async def test_any_json_is_asked_for_as_a_schema(tested: ServerUnderTest) -> None:
    tested.answers(recorded("lmstudio/chat-stream"))
    await hear(tested.server.chat(replace(HELLO, schema=ANY_JSON)))
    wanted = tested.replay.last(tested.dialect.path).json()["response_format"]
    assert isinstance(wanted, dict)
    assert wanted["type"] == "json_schema", "it refuses json_object"
