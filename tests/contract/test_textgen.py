"""text-generation-webui 4.7, by its own bytes: what it cuts, drops and ignores without a word."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, Dialect, ServerUnderTest, hear, under_test
from tests.support.replay import as_json, recorded, text
from tui.core.endpoint import ServerKind
from tui.core.events import NotSent
from tui.core.message import Attachment, Role, Value
from tui.core.model import Model
from tui.core.request import ChatRequest, Turn
from tui.errors import AuthRequired, ContextOverflow, Interrupted, ModelMissing, Refused

TEXTGEN = Dialect(ServerKind.TEXTGEN)
INFO, PROMPT, COUNT = (f"/v1/internal/{name}" for name in ("model/info", "chat-prompt", "token-count"))
FRANCE = ChatRequest("SmolLM2-135M", (Turn(Role.USER, "What is the capital of France?"),))
UNFINISHED = replace(FRANCE, turns=(*FRANCE.turns, Turn(Role.ASSISTANT, "The capital of")), resume=True)
PICTURE = Attachment("a.png", "image/png", b"\x89PNG")


@pytest.fixture
async def tested() -> AsyncIterator[ServerUnderTest]:
    """With the Transformers loader, and a model loaded."""
    async with under_test(TEXTGEN) as server:
        server.replay.on(INFO, recorded("textgen/model-info"))
        server.replay.on("/v1/models", recorded("textgen/v1-models"))
        yield server


def has_window(tested: ServerUnderTest, tokens: int) -> None:
    """Let a prompt that is too long be cut to a window of so many tokens."""
    tested.replay.on(PROMPT, recorded("textgen/chat-prompt-too-long"))
    tested.replay.on(COUNT, as_json(200, {"length": tokens - 1}))


# -- what is loaded -----------------------------------------------------------------------------------------------------


async def test_it_lists_what_is_loaded(tested: ServerUnderTest) -> None:
    assert await tested.server.models() == (Model("SmolLM2-135M", loaded=True),)


@pytest.mark.parametrize("info", ["model-info-nothing-loaded", "model-info-after-failed-load"])
async def test_with_nothing_loaded_nothing_is_sent(tested: ServerUnderTest, info: str) -> None:
    tested.replay.on(INFO, recorded(f"textgen/{info}"))
    tested.answers(recorded("textgen/chat-nothing-loaded"))
    assert await tested.server.models() == ()
    assert await tested.server.context_window("nosuch") is None
    error = (await hear(tested.server.chat(FRANCE))).error
    assert isinstance(error, ModelMissing)
    assert "no model loaded" in error.title
    assert tested.dialect.path not in tested.replay.paths()


async def test_an_old_version_that_does_not_name_its_loader_has_a_model(tested: ServerUnderTest) -> None:
    tested.replay.on(INFO, as_json(200, {"model_name": "mistral.gguf", "lora_names": []}))
    tested.answers(recorded("textgen/chat-stream"))
    assert [model.name for model in await tested.server.models()] == ["mistral.gguf"]
    assert (await hear(tested.server.chat(FRANCE))).text == "The capital of France is Paris."


async def test_it_wants_its_key(tested: ServerUnderTest) -> None:
    tested.replay.on(INFO, recorded("textgen/model-info-no-key"))
    tested.replay.on("/v1/models", recorded("textgen/models-no-key"))
    tested.answers(recorded("textgen/chat-no-key"))
    assert (await tested.server.info()).kind is ServerKind.TEXTGEN
    with pytest.raises(AuthRequired):
        await tested.server.models()
    assert isinstance((await hear(tested.server.chat(FRANCE))).error, AuthRequired)


# -- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chat-stream-usage", "llamacpp-chat-stream-usage"])
@pytest.mark.parametrize("piece", [1, 64, 0])
async def test_an_answer(tested: ServerUnderTest, name: str, piece: int) -> None:
    tested.answers(recorded(f"textgen/{name}", piece))
    heard = await hear(tested.server.chat(FRANCE))
    assert (heard.text, heard.done.finish_reason) == ("The capital of France is Paris.", "stop")


async def test_a_prompt_of_no_tokens_is_one_that_was_not_counted(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-stream-usage"), recorded("textgen/llamacpp-chat-stream-usage"))
    usage = (await hear(tested.server.chat(FRANCE))).done.usage
    assert (usage.prompt, usage.completion, usage.total) == (None, 8, None)
    assert (await hear(tested.server.chat(FRANCE))).done.usage.prompt == 37


@pytest.mark.parametrize("name", ["chat-continue", "llamacpp-chat-continue"])
@pytest.mark.parametrize("piece", [1, 0])
async def test_an_answer_is_continued_without_what_was_there(
    tested: ServerUnderTest, name: str, piece: int
) -> None:
    tested.answers(recorded(f"textgen/{name}", piece))
    heard = await hear(tested.server.chat(replace(UNFINISHED, parameters={"think": "high"})))
    assert heard.text == " France is Paris."
    sent = tested.replay.last(tested.dialect.path).json()
    assert (sent["continue_"], sent["enable_thinking"]) == (True, False)
    assert "reasoning_effort" not in sent


async def test_no_other_question_is_said_to_continue(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-stream"))
    await hear(tested.server.chat(FRANCE))
    assert "continue_" not in tested.replay.last(tested.dialect.path).json()


# -- the window ---------------------------------------------------------------------------------------------------------


async def test_the_window_is_learnt_from_what_is_cut(tested: ServerUnderTest) -> None:
    has_window(tested, 8192)
    assert await tested.server.context_window("SmolLM2-135M") == 8192
    asked = tested.replay.last(PROMPT).json()
    assert asked["max_tokens"] == 1
    assert "truncation_length" not in asked
    assert json.dumps(asked).count("word") == 20_000
    assert (await tested.server.models())[0].context_loaded == 8192


async def test_a_large_window_is_learnt_from_more(tested: ServerUnderTest) -> None:
    whole = as_json(200, {"prompt": "<user>" + " ".join(["word"] * 20_000)})
    tested.replay.on(PROMPT, whole, recorded("textgen/chat-prompt-too-long"))
    tested.replay.on(COUNT, as_json(200, {"length": 131_071}))
    assert await tested.server.context_window("SmolLM2-135M") == 131_072
    assert json.dumps(tested.replay.last(PROMPT).json()).count("word") == 160_000


async def test_a_window_that_cannot_be_learnt_is_not_guessed(tested: ServerUnderTest) -> None:
    tested.replay.on(PROMPT, as_json(200, {"prompt": " ".join(["word"] * 160_000)}))
    assert await tested.server.context_window("SmolLM2-135M") is None
    has_window(tested, 8192)
    tested.replay.on(COUNT, recorded("textgen/token-count-nothing-loaded"))
    assert await tested.server.context_window("SmolLM2-135M") is None
    tested.replay.on(PROMPT, recorded("textgen/not-found"))
    assert await tested.server.context_window("SmolLM2-135M") is None


@pytest.mark.parametrize("parameters", [{}, {"max_tokens": 1_000_000}, {"max_tokens": 512, "think": "on"}])
async def test_all_of_a_prompt_is_counted(tested: ServerUnderTest, parameters: dict[str, Value]) -> None:
    tested.replay.on(PROMPT, recorded("textgen/chat-prompt"))
    tested.replay.on(COUNT, recorded("textgen/token-count"))
    assert await tested.server.count_tokens(replace(FRANCE, parameters=parameters)) == 6
    asked = tested.replay.last(PROMPT).json()
    assert (asked["truncation_length"], asked["max_tokens"]) == (1_000_000, 1)
    assert asked["continue_"] is False
    prompt = tested.replay.last(COUNT).json()["text"]
    assert str(prompt).endswith("France?<|im_end|>\n<|im_start|>assistant\n")


async def test_an_answer_that_is_continued_is_counted_so(tested: ServerUnderTest) -> None:
    tested.replay.on(PROMPT, recorded("textgen/chat-prompt-continue"))
    tested.replay.on(COUNT, recorded("textgen/token-count"))
    await tested.server.count_tokens(UNFINISHED)
    assert tested.replay.last(PROMPT).json()["continue_"] is True


@pytest.mark.parametrize(("room", "parameters"), [(512, {}), (900, {"max_tokens": 900})])
async def test_what_it_would_cut_is_not_sent(
    tested: ServerUnderTest, room: int, parameters: dict[str, Value]
) -> None:
    has_window(tested, 2048)
    assert await tested.server.context_window("SmolLM2-135M") == 2048
    tested.answers(recorded("textgen/chat-stream"))
    long = replace(FRANCE, turns=(Turn(Role.USER, "word " * 1500),), parameters=parameters)
    tested.replay.on(COUNT, as_json(200, {"length": 2048 - room + 1}))
    error = (await hear(tested.server.chat(long))).error
    assert isinstance(error, ContextOverflow)
    assert (error.prompt_tokens, error.window_tokens) == (2048 - room + 1, 2048)
    assert tested.dialect.path not in tested.replay.paths()
    tested.replay.on(COUNT, as_json(200, {"length": 2048 - room}))
    assert (await hear(tested.server.chat(long))).done


async def test_the_window_is_learnt_for_a_long_question_where_nobody_has_asked_for_it(
    tested: ServerUnderTest,
) -> None:
    tested.replay.on(PROMPT, recorded("textgen/chat-prompt-too-long"))
    tested.replay.on(COUNT, as_json(200, {"length": 2047}), as_json(200, {"length": 1900}))
    tested.answers(recorded("textgen/chat-stream"))
    long = replace(FRANCE, turns=(Turn(Role.USER, "word " * 1500),))
    assert isinstance((await hear(tested.server.chat(long))).error, ContextOverflow)


async def test_a_short_question_is_asked_at_once(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-stream"))
    assert (await hear(tested.server.chat(FRANCE))).done
    assert tested.replay.paths() == [INFO, tested.dialect.path]


# -- what it cannot -----------------------------------------------------------------------------------------------------


async def test_a_limit_above_the_window_is_not_sent(tested: ServerUnderTest) -> None:
    has_window(tested, 1024)
    tested.answers(recorded("textgen/chat-stream"))
    heard = await hear(tested.server.chat(replace(FRANCE, parameters={"max_tokens": 2000})))
    assert heard.events[0] == NotSent(
        ("max_tokens 2000, as the context window has 1024",), {"max_tokens": None}
    )
    assert heard.done
    assert "max_tokens" not in tested.replay.last(tested.dialect.path).json()


async def test_what_is_not_off_there_is_not_sent(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-stream"))
    values: dict[str, Value] = {"typical_p": 0.0, "repeat_last_n": 0, "top_k": 0}
    heard = await hear(tested.server.chat(replace(FRANCE, parameters=values)))
    told = heard.events[0]
    assert isinstance(told, NotSent)
    assert [words.split(",")[0] for words in told.what] == ["typical_p 0", "repeat_last_n 0"]
    assert told.values == {"typical_p": None, "repeat_last_n": None}
    sent = tested.replay.last(tested.dialect.path).json()
    assert not {"typical_p", "repetition_penalty_range"} & set(sent)
    assert sent["top_k"] == 0


async def test_it_takes_any_number_of_stop_sequences(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-stop-seventeen"))
    stop = tuple(f"zz{number}" for number in range(17))
    heard = await hear(tested.server.chat(replace(FRANCE, parameters={"stop": stop})))
    assert not heard.of(NotSent)
    assert tested.replay.last(tested.dialect.path).json()["stop"] == list(stop)


async def test_a_picture_is_refused_by_a_loader_that_would_leave_it_out(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-image"))
    seen = replace(FRANCE, turns=(Turn(Role.USER, "See", (PICTURE,)),))
    error = (await hear(tested.server.chat(seen))).error
    assert isinstance(error, Refused)
    assert "cannot see pictures" in error.title
    assert tested.replay.paths() == [INFO]


@pytest.mark.parametrize(
    ("tokens", "status", "sees"), [(602, 200, True), (2, 200, False), (0, 500, False), (0, 404, False)]
)
async def test_a_loader_that_takes_pictures_is_tried_once(
    tested: ServerUnderTest, tokens: int, status: int, sees: bool
) -> None:
    tested.replay.on(INFO, recorded("textgen/llamacpp-model-info"))
    tested.replay.on("/v1/completions", as_json(status, {"usage": {"prompt_tokens": tokens}}))
    tested.answers(recorded("textgen/chat-stream"))
    seen = replace(FRANCE, turns=(Turn(Role.USER, "See", (PICTURE,)),))
    for _ in range(2):
        heard = await hear(tested.server.chat(seen))
        assert (heard.text != "") is sees
    assert tested.replay.paths().count("/v1/completions") == 1


# -- connections that it drops ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chat-max-tokens-over-window", "llamacpp-chat-max-tokens-over-window"])
async def test_a_limit_that_was_too_high_is_named_as_the_reason(tested: ServerUnderTest, name: str) -> None:
    """Nobody knew the window when the question was asked."""
    has_window(tested, 512)
    tested.answers(recorded(f"textgen/{name}"))
    error = (await hear(tested.server.chat(replace(FRANCE, parameters={"max_tokens": 600})))).error
    assert isinstance(error, Refused)
    assert not isinstance(error, Interrupted)
    assert "max_tokens is 600, the window has 512" in error.detail


async def test_a_model_that_went_away_is_named_as_the_reason(tested: ServerUnderTest) -> None:
    tested.replay.on(INFO, recorded("textgen/model-info"), recorded("textgen/model-info-nothing-loaded"))
    tested.answers(recorded("textgen/chat-nothing-loaded"))
    assert isinstance((await hear(tested.server.chat(FRANCE))).error, ModelMissing)


async def test_what_it_tells_without_a_stream_is_the_reason(tested: ServerUnderTest) -> None:
    tested.answers(
        recorded("textgen/chat-max-tokens-zero"), recorded("textgen/chat-max-tokens-zero-not-stream")
    )
    error = (await hear(tested.server.chat(FRANCE))).error
    assert "max_tokens must be greater than 0" in error.detail
    sent = tested.replay.last(tested.dialect.path).json()
    assert sent["stream"] is False
    assert "stream_options" not in sent


async def test_a_failure_without_a_reason_is_no_lost_connection(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-grammar-bad"), recorded("textgen/chat-grammar-bad-not-stream"))
    error = (await hear(tested.server.chat(FRANCE))).error
    assert isinstance(error, Refused)
    assert not isinstance(error, Interrupted)
    assert "could not answer" in error.title
    assert "connection was lost" not in str(error)


async def test_a_line_that_drops_in_mid_answer_is_a_lost_connection(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-server-dies-midstream"))
    heard = await hear(tested.server.chat(FRANCE))
    assert heard.text
    assert isinstance(heard.error, Interrupted)
    assert tested.replay.paths().count(tested.dialect.path) == 1, "it is not asked again"


async def test_an_error_that_is_told_at_once_stays_as_it_is(tested: ServerUnderTest) -> None:
    tested.answers(recorded("textgen/chat-null-parameter"))
    error = (await hear(tested.server.chat(HELLO))).error
    assert "top_k: Input should be a valid integer" in error.detail
    tested.answers(text(502, "Bad Gateway"))
    assert isinstance((await hear(tested.server.chat(HELLO))).error, Refused)
