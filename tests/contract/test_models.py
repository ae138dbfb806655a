"""What Ollama, llama.cpp and any other server tell of their models and of themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.dialects import HELLO, Dialect, hear, under_test
from tests.support.replay import as_json, recorded, text
from tui.core.endpoint import ServerKind
from tui.core.model import Model, ServerInfo
from tui.core.model_management import LoadOptions
from tui.errors import StillLoading

SINGLE, ROUTER = "llama-server/single", "llama-server/router"


async def test_ollama_models() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        tested.replay.on("/api/tags", recorded("ollama/tags")).on("/api/ps", recorded("ollama/ps"))
        models = {model.name: model for model in await tested.server.models()}
        assert models["bigram:q8"] == Model(
            *("bigram:q8", 9812323, "9.18M", "Q8_0", "llama", 32768, None, False, None, ("completion",)),
            thinks=False,
            changed_at=models["bigram:q8"].changed_at,
            digest=models["bigram:q8"].digest,
        )
        assert models["think:latest"].thinks
        loaded = models["chat:latest"]
        assert (loaded.loaded, loaded.context_loaded, loaded.memory) == (True, 4096, 8147435)
        assert await tested.server.context_window("chat") is None, "another program may have loaded it so"


async def test_a_model_that_was_loaded_with_a_window_is_loaded_anew_by_a_question_that_names_none() -> None:
    says = Dialect(ServerKind.OLLAMA)
    async with under_test(says) as tested:
        tested.answers(says.stream(says.text("Hi"), *says.end()))
        tested.replay.on("/api/ps", recorded("ollama/ps-two")).on("/api/generate", recorded("ollama/load"))
        tested.replay.on("/api/show", recorded("ollama/show"))
        await hear(tested.server.chat(replace(HELLO, model="chat")))
        assert await tested.server.context_window("chat") == 4096
        await tested.server.model_manager.keep("chat", "30m")
        assert await tested.server.context_window("chat") == 4096, "it was kept as it was"
        await tested.server.model_manager.load("chat", LoadOptions(16384))
        assert await tested.server.context_window("chat") is None


async def test_the_window_of_ollama_is_that_of_the_next_question() -> None:
    says = Dialect(ServerKind.OLLAMA)
    async with under_test(says) as tested:
        tested.replay.on("/api/ps", recorded("ollama/ps"))
        tested.answers(says.stream(says.text("Hi"), *says.end()))
        ask = replace(HELLO, model="chat")
        await hear(tested.server.chat(replace(ask, parameters={"context_window": 4096})))
        assert await tested.server.context_window("chat") is None, "that was for this question"
        await hear(tested.server.chat(ask))
        assert await tested.server.context_window("chat") == 4096
        assert await tested.server.context_window("registry.ollama.ai/library/CHAT:latest") == 4096
        about = {"general.architecture": "llama", "llama.context_length": 2048}
        told = {"parameters": 'stop    "num_ctx 9"\nnum_ctx    8192\ntop_k    20', "model_info": about}
        tested.replay.on("/api/show", as_json(200, told))
        assert await tested.server.context_window("bigram:q8") == 2048, "no more than the model was made for"
        tested.replay.on("/api/show", as_json(200, {**told, "model_info": {}}))
        assert await tested.server.context_window("bigram:q8") == 8192


async def test_ollama_models_of_the_cloud_and_for_embeddings_come_last() -> None:
    listed = [
        {
            "name": "big:cloud",
            "size": 380,
            "remote_host": "https://ollama.com:443",
            "capabilities": ["completion"],
        },
        {"name": "embed:latest", "size": 5, "capabilities": ["embedding"]},
        {"name": "old:7b", "size": 7},
        {"name": "new:7b\x1b[31m", "size": 7, "capabilities": ["completion", "vision"]},
    ]
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        tested.replay.on("/api/tags", as_json(200, {"models": listed})).on(
            "/api/ps", text(404, "404 page not found")
        )
        models = await tested.server.models()
        assert [model.name for model in models] == ["old:7b", "new:7b", "big:cloud", "embed:latest"]
        assert models[2].note == "runs at https://ollama.com:443, not here"
        assert {model.loaded for model in models} == {None}
        assert models[0].thinks is None, "an Ollama of old does not say"


async def test_ollama_without_models() -> None:
    async with under_test(Dialect(ServerKind.OLLAMA)) as tested:
        tested.replay.on("/api/tags", recorded("ollama/tags-empty")).on(
            "/api/ps", recorded("ollama/ps-empty")
        )
        tested.replay.on("/api/version", recorded("ollama/version"))
        assert await tested.server.models() == ()
        assert await tested.server.info() == ServerInfo(ServerKind.OLLAMA, tested.replay.url, "0.33.0")


async def test_llamacpp_models() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        tested.replay.on("/v1/models", recorded(f"{SINGLE}/v1-models")).on(
            "/props", recorded(f"{SINGLE}/props")
        )
        tested.replay.on("/health", recorded(f"{SINGLE}/health"))
        assert await tested.server.models() == (
            Model("chat", 1001088, "378K", "F16", "", 8192, 1024, True, None, ("completion",)),
        )
        assert await tested.server.context_window("chat") == 1024
        info = await tested.server.info()
        assert info == ServerInfo(ServerKind.LLAMACPP, tested.replay.url, "b0-unknown")


async def test_llamacpp_router() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        tested.replay.on("/v1/models", recorded(f"{ROUTER}/models-broken"))
        tested.replay.on("/props", recorded(f"{ROUTER}/props-no-model"))
        tested.replay.on("/props?model=chat&autoload=false", recorded(f"{ROUTER}/props-model"))
        tested.replay.on("/props?model=think&autoload=false", recorded(f"{ROUTER}/chat-no-autoload"))
        tested.replay.on("/health", recorded(f"{ROUTER}/health"))
        models = await tested.server.models()
        assert [(m.name, m.loaded, m.note) for m in models] == [
            ("bigram", True, ""),
            ("chat", False, ""),
            ("think", False, ""),
            ("broken", False, "could not be loaded (exit code 1)"),
        ]
        assert models[0].context_loaded == 4096
        assert (await tested.server.info()).router
        assert await tested.server.context_window("chat") == 4096
        assert await tested.server.context_window("think") is None


async def test_llamacpp_with_a_key() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        tested.replay.on("/props", recorded(f"{SINGLE}/props-no-key")).on(
            "/health", recorded(f"{SINGLE}/health")
        )
        tested.replay.on("/v1/models", recorded(f"{SINGLE}/models-no-key"))
        assert (await tested.server.info()).version == ""
        assert await tested.server.context_window("/srv/models/bigram.gguf") == 2048


async def test_llamacpp_while_it_loads() -> None:
    async with under_test(Dialect(ServerKind.LLAMACPP)) as tested:
        for path in ("/props", "/v1/models"):
            tested.replay.on(path, recorded(f"{SINGLE}/chat-while-loading"))
        tested.replay.on("/health", recorded(f"{SINGLE}/health-loading"))
        assert (await tested.server.info()).kind is ServerKind.LLAMACPP
        assert await tested.server.context_window("chat") is None
        with pytest.raises(StillLoading):
            await tested.server.models()


async def test_any_other() -> None:
    async with under_test(Dialect(ServerKind.OPENAI)) as tested:
        tested.replay.on("/v1/models", as_json(200, {"data": [{"id": "x", "owned_by": "me"}, {"no": "id"}]}))
        assert await tested.server.models() == (Model("x"),)
        assert await tested.server.context_window("x") is None
        assert await tested.server.info() == ServerInfo(ServerKind.OPENAI, tested.replay.url)
