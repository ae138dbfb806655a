"""vLLM 0.32, by its own bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.dialects import Dialect, ServerUnderTest, hear, under_test
from tests.support.replay import as_json, recorded
from tui.core.endpoint import ServerKind
from tui.core.events import NotSent, ToolCall
from tui.core.message import Attachment, Role, Value
from tui.core.model import Model, ServerInfo
from tui.core.request import ChatRequest, Turn
from tui.core.schema_parsing import parse
from tui.errors import AuthRequired, ContextOverflow, Interrupted, ModelMissing, Refused

VLLM = Dialect(ServerKind.VLLM)
FRANCE = ChatRequest("smollm2", (Turn(Role.USER, "What is the capital of France?"),))
UNFINISHED = replace(FRANCE, turns=(*FRANCE.turns, Turn(Role.ASSISTANT, "The capital of")), resume=True)
BUDGET: dict[str, Value] = {"thinking_budget": 2048, "temperature": 0.0}


@pytest.fixture
async def tested() -> AsyncIterator[ServerUnderTest]:
    """Started without a key, a reasoning parser and development mode."""
    async with under_test(VLLM) as server:
        for path, name in (
            ("/v1/models", "v1-models"),
            ("/version", "version"),
            ("/is_sleeping", "is-sleeping"),
        ):
            server.replay.on(path, recorded(f"vllm/{name}"))
        yield server


# -- what it is ---------------------------------------------------------------------------------------------------------


async def test_its_model_and_its_window(tested: ServerUnderTest) -> None:
    assert await tested.server.models() == (Model("smollm2", context_loaded=2048, loaded=True),)
    assert await tested.server.context_window("smollm2") == 2048
    assert await tested.server.info() == ServerInfo(ServerKind.VLLM, tested.replay.url, "0.32.0")


async def test_it_wants_its_key(tested: ServerUnderTest) -> None:
    tested.replay.on("/v1/models", recorded("vllm/v1-models-no-key"))
    tested.answers(recorded("vllm/chat-no-key"))
    assert (await tested.server.info()).kind is ServerKind.VLLM
    with pytest.raises(AuthRequired):
        await tested.server.models()
    assert isinstance((await hear(tested.server.chat(FRANCE))).error, AuthRequired)


# -- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 64, 0])
async def test_an_answer(tested: ServerUnderTest, piece: int) -> None:
    tested.answers(recorded("vllm/chat-stream-usage", piece))
    heard = await hear(tested.server.chat(FRANCE))
    assert (heard.text, heard.done.finish_reason) == ("The capital of France is Paris.", "stop")
    assert (heard.done.usage.prompt, heard.done.usage.completion) == (37, 8)


async def test_its_own_rate_is_taken(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-metrics"))
    assert (await hear(tested.server.chat(FRANCE))).done.timings.tokens_per_s


async def test_its_reasoning_is_told_from_the_text(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-reasoning", 7))
    heard = await hear(tested.server.chat(FRANCE))
    assert heard.reasoning.startswith("Lighthouse keeper")
    assert heard.text


async def test_a_tool_call(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-tool-call-named"))
    assert (await hear(tested.server.chat(FRANCE))).of(ToolCall)


async def test_an_answer_is_continued_without_a_new_thought(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-reasoning-continue-off"))
    values: dict[str, Value] = {"think": "high", "thinking_budget": 100}
    heard = await hear(tested.server.chat(replace(UNFINISHED, parameters=values)))
    assert (heard.text, heard.reasoning) == (" France is Paris.", "")
    sent = tested.replay.last(tested.dialect.path).json()
    assert (sent["add_generation_prompt"], sent["continue_final_message"]) == (False, True)
    assert sent["chat_template_kwargs"] == {"enable_thinking": False}
    assert not {"reasoning_effort", "thinking_token_budget"} & set(sent)


@pytest.mark.parametrize("name", ["chat-continue", "chat-reasoning-continue"])
async def test_what_continues_a_text_is_text(tested: ServerUnderTest, name: str) -> None:
    """Also where the template does not know of the switch, so that the parser takes it for a thought."""
    tested.answers(recorded(f"vllm/{name}"))
    heard = await hear(tested.server.chat(UNFINISHED))
    assert (heard.text, heard.reasoning) == (" France is Paris.", "")


async def test_a_continued_answer_is_counted_as_it_is_asked_for(tested: ServerUnderTest) -> None:
    tested.replay.on("/tokenize", recorded("vllm/tokenize-continue"))
    assert await tested.server.count_tokens(replace(UNFINISHED, parameters={"think": "on"})) == 39
    asked = tested.replay.last("/tokenize").json()
    assert (asked["add_generation_prompt"], asked["continue_final_message"]) == (False, True)
    assert asked["chat_template_kwargs"] == {"enable_thinking": False}


async def test_a_question_is_counted(tested: ServerUnderTest) -> None:
    tested.replay.on("/tokenize", recorded("vllm/tokenize-messages"))
    assert await tested.server.count_tokens(FRANCE) == 37
    asked = tested.replay.last("/tokenize").json()
    assert (asked["add_generation_prompt"], asked["continue_final_message"]) == (True, False)
    assert "chat_template_kwargs" not in asked


# -- what it cannot -----------------------------------------------------------------------------------------------------


async def test_the_first_four_stop_sequences_are_sent(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-stream"))
    stop = ("a1", "b2", "c3", "d4", "e5\x1b[31m", "f6")
    heard = await hear(tested.server.chat(replace(FRANCE, parameters={"stop": stop})))
    told = heard.events[0]
    assert isinstance(told, NotSent)
    assert told.values == {"stop": stop[:4]}
    assert told.what[0].startswith("stop sequences after the first 4: “e5")
    assert told.what[0].endswith("“f6”")
    assert told.what[0].isprintable()
    assert tested.replay.last(tested.dialect.path).json()["stop"] == list(stop[:4])


@pytest.mark.parametrize(("limit", "sent"), [(5000, None), (2049, None), (2048, 2048), (100, 100)])
async def test_a_limit_above_the_window_is_not_sent(
    tested: ServerUnderTest, limit: int, sent: int | None
) -> None:
    tested.answers(recorded("vllm/chat-stream"))
    heard = await hear(tested.server.chat(replace(FRANCE, parameters={"max_tokens": limit})))
    assert [event.values for event in heard.of(NotSent)] == ([] if sent else [{"max_tokens": None}])
    assert tested.replay.last(tested.dialect.path).json().get("max_tokens") == sent


async def test_a_budget_for_thought_that_it_refuses_is_left_out(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/param-thinking_budget-2048"), recorded("vllm/chat-stream"))
    for asked in (2, 3):
        heard = await hear(tested.server.chat(replace(FRANCE, parameters=BUDGET)))
        assert heard.text == "The capital of France is Paris."
        told = heard.events[0]
        assert isinstance(told, NotSent)
        assert told.values == {"thinking_budget": None}
        assert "--reasoning-parser" in told.what[0]
        bodies = [each.json() for each in tested.replay.seen if each.path == tested.dialect.path]
        assert len(bodies) == asked, "once it is known it is not tried again"
        assert "thinking_token_budget" not in bodies[-1]
        assert bodies[-1]["temperature"] == 0.0


async def test_a_budget_is_left_out_also_where_it_is_refused_before_the_stream(
    tested: ServerUnderTest,
) -> None:
    refusal = "thinking_token_budget is set but reasoning_config is not configured."
    early = as_json(400, {"error": {"message": refusal, "type": "BadRequestError", "code": 400}})
    tested.answers(early, recorded("vllm/chat-stream"))
    heard = await hear(tested.server.chat(replace(FRANCE, parameters=BUDGET)))
    assert heard.text
    assert heard.of(NotSent)


async def test_a_budget_that_it_takes_is_sent_once(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-reasoning"))
    heard = await hear(tested.server.chat(replace(FRANCE, parameters=BUDGET)))
    assert heard.done
    assert not heard.of(NotSent)
    assert tested.replay.last(tested.dialect.path).json()["thinking_token_budget"] == 2048
    assert tested.replay.paths().count(tested.dialect.path) == 1


async def test_another_refusal_is_no_reason_to_ask_again(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-format-bad-schema"))
    schema = parse('{"type": "object"}', "a.json")
    heard = await hear(tested.server.chat(replace(FRANCE, parameters=BUDGET, schema=schema)))
    assert "Invalid type: nonsense" in heard.error.detail
    assert tested.replay.paths().count(tested.dialect.path) == 1


# -- when it sleeps, refuses or dies --------------------------------------------------------------------------------------


async def test_one_that_sleeps_is_not_asked(tested: ServerUnderTest) -> None:
    tested.replay.on(
        "/is_sleeping", as_json(200, {"is_sleeping": True}), recorded("vllm/is-sleeping-dev-mode")
    )
    tested.answers(recorded("vllm/chat-stream"))
    error = (await hear(tested.server.chat(FRANCE))).error
    assert isinstance(error, Refused)
    assert error.title == "vLLM is asleep"
    assert f"curl -X POST {tested.replay.url}/wake_up" in error.hint
    assert tested.dialect.path not in tested.replay.paths()
    assert (await hear(tested.server.chat(FRANCE))).text, "it is awake now"


async def test_one_that_does_not_say_is_asked_only_once(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-stream"))
    for _ in range(2):
        assert (await hear(tested.server.chat(FRANCE))).text
    assert tested.replay.paths().count("/is_sleeping") == 1


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("chat-too-long", ContextOverflow, "2048"),
        ("chat-unknown-model", ModelMissing, "smollm2"),
        ("chat-image", Refused, "cannot see"),
        ("chat-after-engine-death", Refused, "EngineCore"),
    ],
)
async def test_refusals(tested: ServerUnderTest, name: str, error: type[Refused], words: str) -> None:
    tested.answers(recorded(f"vllm/{name}"))
    seen = replace(FRANCE, turns=(Turn(Role.USER, "See", (Attachment("a.png", "image/png", b"\x89PNG"),)),))
    refusal = (await hear(tested.server.chat(seen))).error
    assert isinstance(refusal, error)
    assert words in str(refusal)


async def test_an_engine_that_dies_in_mid_answer(tested: ServerUnderTest) -> None:
    tested.answers(recorded("vllm/chat-engine-dies-midstream"))
    heard = await hear(tested.server.chat(FRANCE))
    assert heard.text.startswith("Once upon a time")
    assert "EngineCore" in heard.error.detail
    tested.answers(recorded("vllm/chat-server-dies-midstream"))
    heard = await hear(tested.server.chat(FRANCE))
    assert heard.reasoning
    assert isinstance(heard.error, Interrupted)
