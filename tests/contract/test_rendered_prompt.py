"""What each kind of server tells of the prompt that its template makes, and that nothing is generated for it."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.dialects import HELLO, Dialect, ServerUnderTest, under_test
from tests.support.replay import as_json, recorded, text
from tui.core.endpoint import ServerKind
from tui.core.rendered_prompt import RenderedPrompt
from tui.errors import ServerError
from tui.servers.kinds.ollama import renders_prompts
from tui.servers.registry import server_for

PROMPT = "<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"
TELLING = {ServerKind.LLAMACPP, ServerKind.OLLAMA, ServerKind.VLLM, ServerKind.TEXTGEN}
TEXTGEN = "/v1/internal/chat-prompt"


def tells(tested: ServerUnderTest, version: str = "0.33.0") -> None:
    """Let the server be one that tells, as each kind does."""
    replay = tested.replay
    replay.on("/apply-template", as_json(200, {"prompt": PROMPT}))
    replay.on(TEXTGEN, as_json(200, {"prompt": PROMPT}))
    replay.on(
        "/tokenize",
        as_json(200, {"count": 3, "max_model_len": 2048, "tokens": [1, 2, 3], "token_strs": None}),
    )
    replay.on("/detokenize", as_json(200, {"prompt": PROMPT}))
    if tested.dialect.kind is ServerKind.OLLAMA:
        replay.on("/api/version", as_json(200, {"version": version}))
        replay.on("/api/chat", as_json(200, {"model": "m", "_debug_info": {"rendered_template": PROMPT}}))


async def test_it_tells_the_prompt_or_that_it_cannot(tested: ServerUnderTest) -> None:
    tells(tested)
    kind = tested.dialect.kind
    tokens = 3 if kind is ServerKind.VLLM else None
    rendered = await tested.server.rendered_prompt(HELLO)
    assert rendered == (RenderedPrompt(PROMPT, tokens) if kind in TELLING else None)
    assert "/v1/chat/completions" not in tested.replay.paths(), "nothing is generated"
    if kind is ServerKind.OLLAMA:
        body = tested.replay.seen[-1].json()
        assert (body["_debug_render_only"], body["stream"]) == (True, False)
    elif kind is ServerKind.VLLM:
        assert tested.replay.seen[-1].json()["tokens"] == [1, 2, 3]


@pytest.mark.parametrize("version", ["0.11.4", "0.9.0", "", "unknown"])
async def test_an_old_ollama_is_not_asked_for_it_would_answer(tested: ServerUnderTest, version: str) -> None:
    if tested.dialect.kind is not ServerKind.OLLAMA:
        return
    tells(tested, version)
    assert await tested.server.rendered_prompt(HELLO) is None
    assert "/api/chat" not in tested.replay.paths()


def test_which_ollama_renders() -> None:
    assert [renders_prompts(one) for one in ("0.11.5", "0.11.10", "0.12.0-rc1", "1.0.0")] == [True] * 4


async def test_what_is_no_prompt_is_none_or_an_error(tested: ServerUnderTest) -> None:
    for reply in (
        as_json(200, {"prompt": 3, "tokens": ["x"], "_debug_info": []}),
        text(500, "no"),
        text(404, "no"),
    ):
        tells(tested)
        for path in ("/apply-template", TEXTGEN, "/tokenize", "/detokenize", "/api/chat"):
            tested.replay.on(path, reply)
        with contextlib.suppress(ServerError):
            assert await tested.server.rendered_prompt(HELLO) is None


@pytest.mark.parametrize(
    ("kind", "recordings"),
    [
        (ServerKind.LLAMACPP, {"/apply-template": "llama-server/single/apply-template"}),
        (ServerKind.TEXTGEN, {TEXTGEN: "textgen/chat-prompt"}),
        (ServerKind.VLLM, {"/tokenize": "vllm/tokenize-messages", "/detokenize": "vllm/detokenize"}),
    ],
)
async def test_over_recorded_bytes(kind: ServerKind, recordings: dict[str, str]) -> None:
    async with under_test(Dialect(kind)) as tested:
        for path, name in recordings.items():
            tested.replay.on(path, recorded(name))
        rendered = await tested.server.rendered_prompt(HELLO)
        assert rendered is not None
        assert rendered.text


async def test_a_real_llama_server_puts_it_into_the_models_template(
    start_llama: StartServer, packaged_gguf: Path
) -> None:
    endpoint = start_llama(packaged_gguf).endpoint
    server = server_for(replace(endpoint, kind=ServerKind.LLAMACPP))
    try:
        rendered = await server.rendered_prompt(HELLO)
    finally:
        await server.aclose()
    assert rendered is not None
    assert rendered.text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert rendered.text.startswith("<|im_start|>system\n"), "SmolLM2 has a system prompt of its own"
