"""Managing the models of llama.cpp, LM Studio, vLLM, text-generation-webui and others: recorded bytes of all but LM Studio,
whose replies are made up after its documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from tests.support.managing import managed, read
from tests.support.replay import CannedResponse, Replay, as_json, recorded, sse, stalling
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import ModelState
from tui.core.model_actions import ModelAction
from tui.core.model_management import Adapter, LoadOptions, PullLayer
from tui.errors import AuthRequired, ModelMissing, Refused
from tui.servers.registry import profile_of, server_for

SINGLE, ROUTER = "llama-server/single", "llama-server/router"
CHANGES = (ModelAction.LOAD, ModelAction.UNLOAD, ModelAction.PULL, ModelAction.DELETE, ModelAction.COPY)
PLAIN = LoadOptions()


@pytest.mark.parametrize("kind", list(ServerKind))
def test_every_kind_says_in_one_line_what_it_cannot(kind: ServerKind) -> None:
    missing = profile_of(kind).model_actions.missing
    for why in missing.values():
        assert why[0].isupper() or why.startswith(("llama-server", "vLLM", "text-generation-webui"))
        assert not why.endswith(".")
        assert len(why) <= 100
    assert (set(missing) == {ModelAction.SCALE_ADAPTERS}) is (kind is ServerKind.OLLAMA)


@pytest.mark.parametrize("kind", list(ServerKind))
async def test_what_cannot_be_done_is_refused_with_the_reason(kind: ServerKind) -> None:
    async with managed(kind) as (manager, tested):
        tested.replay.on("/v1/models", as_json(200, {"data": [{"id": "m"}]}))
        actions = await manager.actions()
        for action, attempt in (
            (ModelAction.DELETE, manager.delete("m")),
            (ModelAction.COPY, manager.copy("m", "n")),
            (ModelAction.KEEP, manager.keep("m", "5m")),
            (ModelAction.SCALE_ADAPTERS, manager.scale_adapters("m", (0.5,))),
        ):
            if actions.can(action):
                attempt.close()
                continue
            with pytest.raises(Refused) as caught:
                await attempt
            assert caught.value.title == f"{kind.label} cannot {action}"
            assert caught.value.detail == actions.why_not(action)
            assert caught.value.detail


# -- llama.cpp ------------------------------------------------------------------------------------------------------


def as_router(server: Replay, *lists: str) -> Replay:
    server.on("/props", recorded(f"{ROUTER}/props-no-model"))
    return server.on("/v1/models", *(recorded(f"{ROUTER}/{name}") for name in lists))


async def test_one_llama_server_has_one_model() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        tested.replay.on("/props", recorded(f"{SINGLE}/props")).on("/slots", recorded(f"{SINGLE}/slots"))
        tested.replay.on("/metrics", recorded(f"{SINGLE}/metrics"))
        tested.replay.on("/v1/models", recorded(f"{SINGLE}/v1-models"))
        tested.replay.on("/lora-adapters", as_json(200, [{"id": 0, "path": "/a.gguf", "scale": 0.5}]))
        actions = await manager.actions()
        assert not any(actions.can(action) for action in CHANGES)
        assert actions.why_not(ModelAction.LOAD).startswith("This llama-server has the one model")
        told = await manager.details("chat")
        assert (told.context_loaded, told.context_trained, told.quantization) == (1024, 8192, "F16")
        assert "<|im_start|>" in told.template
        assert dict(told.settings)["top_k"] == "40"
        assert dict(told.facts)["slots"] == "1"
        assert dict(told.facts)["slot 0"] == "is idle, 1,024 tokens"
        assert dict(told.facts)["tokens predicted total"] == "0"
        assert told.adapters == (Adapter("/a.gguf", 0.5, 0),)
        await manager.scale_adapters("chat", (0.25,))
        assert json.loads(tested.replay.last("/lora-adapters").body) == [{"id": 0, "scale": 0.25}]
        with pytest.raises(Refused, match="not those that they were"):
            await manager.scale_adapters("chat", (1.0, 1.0))
        (only,) = await manager.running()
        assert (only.name, only.context_window) == ("chat", 1024)
        with pytest.raises(Refused, match="one model that it was started with"):
            await manager.load("chat", PLAIN)


async def test_the_built_in_engine_says_how_another_file_is_opened() -> None:
    server = server_for(Endpoint("http://localhost", ServerKind.LLAMACPP, socket="/nowhere"))
    actions = await server.model_manager.actions()
    assert "/gguf" in actions.why_not(ModelAction.LOAD)
    await server.aclose()


async def test_details_of_a_routers_model_load_nothing() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay, "models-one-loaded")
        tested.replay.on("/props?model=chat&autoload=false", recorded(f"{ROUTER}/props-model"))
        tested.replay.on(
            "/lora-adapters?model=chat&autoload=false", as_json(200, [{"path": "/a", "scale": 1}])
        )
        told = await manager.details("chat")
        assert told.adapters == (Adapter("/a", 1.0),)
        assert dict(told.facts)["source"] == "models_dir"
        assert dict(told.facts)["settings"].startswith("[chat]\nwebui = 0\nctx-size = 4096")
        assert "<|im_start|>" in told.template
        assert (await manager.details("think")).template == ""
        assert not [path for path in tested.replay.paths() if "think" in path]


async def test_a_router_loads_and_unloads() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay, "models-none-loaded")
        assert (await manager.actions()).can(ModelAction.PULL)
        lists = ("models-none-loaded", "models-loading", "models-loading", "models-one-loaded")
        tested.replay.on("/v1/models", *(recorded(f"{ROUTER}/{name}") for name in lists))
        tested.replay.on("/models/load", recorded(f"{ROUTER}/load"))
        await manager.load("chat", PLAIN)
        assert tested.replay.last("/models/load").json() == {"model": "chat"}
        assert tested.replay.paths()[-4:].count("/v1/models") == 3, "it is asked until the model is there"
        await manager.load("chat", PLAIN)
        assert tested.replay.paths().count("/models/load") == 1
        tested.replay.on(
            "/v1/models", recorded(f"{ROUTER}/models-one-loaded"), recorded(f"{ROUTER}/models-none-loaded")
        )
        tested.replay.on("/models/unload", recorded(f"{ROUTER}/unload"))
        await manager.unload("chat")
        assert tested.replay.last("/models/unload").json() == {"model": "chat"}


async def test_a_model_that_is_unloaded_while_it_is_loaded() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay, "models-none-loaded", "models-loading", "models-none-loaded")
        tested.replay.on("/models/load", recorded(f"{ROUTER}/load"))
        with pytest.raises(Refused, match="is not being loaded any more"):
            await manager.load("chat", PLAIN)


async def test_a_stream_of_events_that_breaks_does_not_end_a_download() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed()).on("/models", as_json(200, {"success": True}))
        tested.replay.on("/models/sse", sse([NESTED], ended=False))
        tested.replay.on("/models?reload=1", listed(REPOSITORY, "downloading"), listed(REPOSITORY))
        progress = await read(manager.pull(REPOSITORY))
    assert progress[-1].layers == (PullLayer("x.gguf", 5, 10),)


async def test_a_router_tells_how_far_it_is() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay, "models-none-loaded")
        lists = ("models-none-loaded", "models-loading", "models-one-loaded")
        tested.replay.on("/v1/models", *(recorded(f"{ROUTER}/{name}") for name in lists))
        tested.replay.on("/models/load", recorded(f"{ROUTER}/load"))
        tested.replay.on("/models/sse", recorded(f"{ROUTER}/models-sse"))
        heard: list[float] = []
        await manager.load("chat", PLAIN, heard.append)
        assert heard[:2] == [0.0, 1.0], "those of the model that is loaded, and of no other"
        assert len(heard) == 2


async def test_a_model_that_a_router_cannot_load() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay, "models-none-loaded")
        tested.replay.on(
            "/v1/models", recorded(f"{ROUTER}/models-none-loaded"), recorded(f"{ROUTER}/models-broken")
        )
        tested.replay.on("/models/load", recorded(f"{ROUTER}/load-broken"))
        with pytest.raises(Refused, match=r"“broken” could not be loaded\. Exit code 1"):
            await manager.load("broken", PLAIN)
        with pytest.raises(ModelMissing):
            await manager.load("nosuch", PLAIN)
        with pytest.raises(Refused, match="takes no context window with a request"):
            await manager.load("chat", LoadOptions(8192))


REPOSITORY = "user/repo:Q4_K_M"


def listed(name: str = "", state: str = "unloaded") -> CannedResponse:
    models = [{"id": "old", "status": {"value": "unloaded"}, "can_remove": False, "source": "models_dir"}]
    return as_json(200, {"data": [*models, *([{"id": name, "status": {"value": state}}] if name else [])]})


def event(kind: str, data: Mapping[str, object] | None = None, model: str = REPOSITORY) -> dict[str, object]:
    return {"model": model, "event": kind, "data": data or {}}


NESTED = event("download_progress", {"progress": {"https://hub/a/x.gguf": {"done": 5, "total": 10}}})
FLAT = event("download_progress", {"https://hub/a/x.gguf": {"done": 10, "total": 10}})
OTHER = event("download_finished", model="somebody/else:Q8_0")


async def test_a_router_downloads_and_its_list_has_the_last_word() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed()).on("/models", as_json(200, {"success": True}))
        tested.replay.on(
            "/models/sse", stalling(sse([OTHER, NESTED, FLAT, event("download_finished")], ended=False))
        )
        tested.replay.on("/models?reload=1", listed(REPOSITORY))
        progress = await read(manager.pull("hf.co/User/repo"))
        assert tested.replay.last("/models").json() == {"model": "User/repo"}
    assert [each.layers for each in progress[1:3]] == [
        (PullLayer("x.gguf", 5, 10),), (PullLayer("x.gguf", 10, 10),),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "events", [[event("download_finished")], [event("download_failed", {"error": "404"})]]
)
async def test_a_download_that_the_list_does_not_have_has_failed(events: list[object]) -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed()).on("/models", as_json(200, {"success": True}))
        tested.replay.on("/models/sse", stalling(sse(events, ended=False)))
        tested.replay.on("/models?reload=1", listed())
        with pytest.raises(Refused, match=r"after all|could not download it"):
            await read(manager.pull(REPOSITORY))


async def test_a_router_without_events_is_asked() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed()).on("/models", as_json(200, {"success": True}))
        tested.replay.on("/models?reload=1", listed(), listed(REPOSITORY, "downloading"), listed(REPOSITORY))
        assert (await read(manager.pull(REPOSITORY)))[-1].status == "success"
        tested.replay.on("/v1/models", listed(REPOSITORY))
        assert [each.status for each in await read(manager.pull("user/repo"))] == ["it is there already"]


async def test_a_download_that_is_under_way_is_followed_and_can_be_stopped() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed(REPOSITORY, "downloading"))
        tested.replay.on("/models?reload=1", listed(REPOSITORY))
        await read(manager.pull(REPOSITORY))
        assert all(request.method == "GET" for request in tested.replay.seen)
        tested.replay.on("/models/unload", recorded(f"{ROUTER}/unload"))
        await manager.cancel_pull(REPOSITORY)
        assert tested.replay.last("/models/unload").json() == {"model": REPOSITORY}


async def test_a_router_deletes_only_what_it_has_downloaded() -> None:
    async with managed(ServerKind.LLAMACPP) as (manager, tested):
        as_router(tested.replay).on("/v1/models", listed("mine"))
        tested.replay.on("/models?model=mine", as_json(200, {"success": True}))
        await manager.delete("mine")
        assert tested.replay.seen[-1].method == "DELETE"
        with pytest.raises(Refused, match="comes from its models_dir"):
            await manager.delete("old")
        with pytest.raises(ModelMissing):
            await manager.delete("nosuch")


# -- LM Studio ------------------------------------------------------------------------------------------------------

KEY = "qwen/qwen3-4b"
V1 = "/api/v1/models"


def studio(*instances: tuple[str, int], key: str = KEY) -> CannedResponse:
    entry = {
        "type": "llm", "publisher": "qwen", "key": key, "display_name": "Qwen3 4B", "architecture": "qwen3",
        "quantization": {"name": "Q4_K_M", "bits_per_weight": 4.5}, "size_bytes": 2_500_000_000, "params_string": "4B",
        "format": "gguf", "max_context_length": 32768,
        "loaded_instances": [{"id": name, "config": {"context_length": window}} for name, window in instances],
        "capabilities": {"vision": False, "trained_for_tool_use": True, "reasoning": {"allowed_options": ["on", "off"]}},
    }  # fmt: skip
    return as_json(200, {"models": [entry, {"type": "embedding", "key": "nomic"}]})


async def test_lm_studio_of_today() -> None:
    async with managed(ServerKind.LMSTUDIO) as (manager, tested):
        tested.replay.on(V1, studio((KEY, 4096), (f"{KEY}:2", 8192)))
        tested.replay.on("/v1/models", as_json(200, {"data": [{"id": KEY}]}))
        qwen, embedding = await manager.models()
        assert (qwen.size, qwen.parameters, qwen.quantization, qwen.context_loaded) == (
            2_500_000_000,
            "4B",
            "Q4_K_M",
            4096,
        )
        assert qwen.capabilities == ("completion", "tools", "thinking")
        assert (embedding.name, embedding.state) == ("nomic", ModelState.NOT_LOADED)
        assert [model.name for model in await tested.server.models()] == [KEY], (
            "those that a question can be put to"
        )
        assert [(one.name, one.context_window) for one in await manager.running()] == [
            (KEY, 4096),
            (f"{KEY}:2", 8192),
        ]
        told = await manager.details(KEY)
        assert (told.format, dict(told.facts)["bits per weight"]) == ("gguf", "4.5")
        assert dict(told.facts)[f"{KEY}:2: context_length"] == "8192"


async def test_lm_studio_loads_with_a_window_and_never_twice() -> None:
    async with managed(ServerKind.LMSTUDIO) as (manager, tested):
        tested.replay.on(V1, studio((KEY, 4096)))
        tested.replay.on(f"{V1}/load", as_json(200, {"status": "loaded", "instance_id": KEY}))
        tested.replay.on(f"{V1}/unload", as_json(200, {"instance_id": KEY}))
        await manager.load(KEY, LoadOptions(4096))
        await manager.load(KEY, PLAIN)
        assert f"{V1}/load" not in tested.replay.paths()
        await manager.load(KEY, LoadOptions(8192))
        assert tested.replay.last(f"{V1}/unload").json() == {"instance_id": KEY}
        assert tested.replay.last(f"{V1}/load").json() == {"model": KEY, "context_length": 8192}
        with pytest.raises(ModelMissing):
            await manager.unload("nosuch")


async def test_lm_studio_downloads_and_errors_in_a_200_are_errors() -> None:
    job = {"job_id": "7", "status": "downloading", "total_size_bytes": 100}
    async with managed(ServerKind.LMSTUDIO) as (manager, tested):
        tested.replay.on(V1, studio())
        tested.replay.on(f"{V1}/download", as_json(200, job))
        tested.replay.on(
            f"{V1}/download/status/7",
            as_json(200, {**job, "downloaded_bytes": 60}),
            as_json(200, {**job, "status": "completed", "downloaded_bytes": 100}),
        )
        progress = await read(manager.pull("hf.co/user/repo:Q8_0"))
        assert tested.replay.last(f"{V1}/download").json() == {
            "model": "https://huggingface.co/user/repo", "quantization": "Q8_0",
        }  # fmt: skip
        assert [each.completed for each in progress] == [0, 60, 100]
        tested.replay.on(
            f"{V1}/download/status/7", as_json(200, {**job, "status": "failed", "error": "disk full"})
        )
        with pytest.raises(Refused, match="disk full"):
            await read(manager.pull("a/b"))
        tested.replay.on(
            f"{V1}/download",
            as_json(200, {"error": {"type": "model_not_found", "message": "no \x1b[2Jsuch"}}),
        )
        with pytest.raises(Refused, match="no such"):
            await read(manager.pull("a/b"))
        assert not (await manager.actions()).can(ModelAction.DELETE)


async def test_lm_studio_of_old_only_lists() -> None:
    async with managed(ServerKind.LMSTUDIO) as (manager, tested):
        tested.replay.other = recorded("lmstudio/unexpected-endpoint")
        tested.replay.on("/v1/models", recorded("lmstudio/v1-models"))
        tested.replay.on("/api/v0/models", recorded("lmstudio/v0-models"))
        assert "0.4.0" in (await manager.actions()).why_not(ModelAction.LOAD)
        assert [one.name for one in await manager.running()] == ["qwen2.5-7b-instruct"]
        with pytest.raises(Refused, match=r"0\.4\.0"):
            await read(manager.pull("a/b"))


# -- vLLM, text-generation-webui and others -------------------------------------------------------------------------


async def test_vllm_cannot_switch_models() -> None:
    async with managed(ServerKind.VLLM) as (manager, tested):
        tested.replay.on("/v1/models", recorded("vllm/v1-models")).on(
            "/is_sleeping", recorded("vllm/is-sleeping")
        )
        actions = await manager.actions()
        assert "VLLM_SERVER_DEV_MODE" in actions.why_not(ModelAction.UNLOAD)
        assert "vllm serve" in actions.why_not(ModelAction.PULL)
        told = await manager.details("smollm2")
        assert (told.path, told.context_loaded) == ("/srv/models/SmolLM2-135M", 2048)
        with pytest.raises(Refused, match="VLLM_SERVER_DEV_MODE"):
            await manager.unload("smollm2")


async def test_vllm_in_development_mode_sleeps_and_wakes() -> None:
    async with managed(ServerKind.VLLM) as (manager, tested):
        tested.replay.on("/v1/models", recorded("vllm/v1-models"))
        tested.replay.on("/is_sleeping", recorded("vllm/is-sleeping-dev-mode"))
        tested.replay.on("/sleep?level=1", recorded("vllm/sleep-dev-mode")).on(
            "/wake_up", recorded("vllm/sleep-dev-mode")
        )
        await manager.unload("smollm2")
        await manager.load("smollm2", PLAIN)
        assert [request.method for request in tested.replay.seen if "model" not in request.path][-1] == "POST"
        tested.replay.on("/is_sleeping", as_json(200, {"is_sleeping": True}))
        assert [one.state for one in await manager.running()] == ["asleep"]
        with pytest.raises(Refused, match="--max-model-len"):
            await manager.load("smollm2", LoadOptions(4096))


async def test_textgen_loads_one_model_in_place_of_another() -> None:
    info, names = "/v1/internal/model/info", "/v1/internal/model/list"
    async with managed(ServerKind.TEXTGEN) as (manager, tested):
        tested.replay.on(info, recorded("textgen/model-info-nothing-loaded"))
        tested.replay.on(names, recorded("textgen/model-list-admin-key"))
        (only,) = await manager.models()
        assert (only.name, only.state) == ("SmolLM2-135M", ModelState.NOT_LOADED)
        assert await tested.server.models() == (), (
            "a question is answered by what is loaded, whatever it names"
        )
        tested.replay.on("/v1/internal/model/load", recorded("textgen/model-load"))
        await manager.load("SmolLM2-135M", LoadOptions(4096, arguments=(("cpu", True),)))
        assert tested.replay.last("/v1/internal/model/load").json() == {
            "model_name": "SmolLM2-135M", "args": {"ctx_size": 4096, "cpu": True},
        }  # fmt: skip
        tested.replay.on(info, recorded("textgen/model-info-after-load"))
        tested.replay.on("/v1/internal/model/unload", recorded("textgen/model-unload"))
        assert dict((await manager.details("SmolLM2-135M")).facts) == {"loader": "Transformers"}
        await manager.unload("SmolLM2-135M")
        tested.replay.on("/v1/internal/model/load", recorded("textgen/model-load-missing"))
        with pytest.raises(Refused, match="Failed to load the model"):
            await manager.load("SmolLM2-135M", PLAIN)
        tested.replay.on(names, recorded("textgen/model-list-api-key-not-admin"))
        assert len(await manager.models()) == 1


async def test_of_any_other_server_only_its_list_is_known() -> None:
    async with managed(ServerKind.OPENAI) as (manager, tested):
        tested.replay.on("/v1/models", as_json(200, {"data": [{"id": "x"}]}))
        assert (await manager.details("x")).name == "x"
        assert await manager.running() == ()
        actions = await manager.actions()
        assert not any(actions.can(action) for action in ModelAction)


@pytest.mark.parametrize(
    ("kind", "path"),
    [(ServerKind.LMSTUDIO, V1), (ServerKind.OLLAMA, "/api/ps"), (ServerKind.VLLM, "/v1/models")],
)
async def test_a_key_that_is_wanted_is_asked_for(kind: ServerKind, path: str) -> None:
    async with managed(kind) as (manager, tested):
        tested.replay.on(path, as_json(401, {"error": "Unauthorized"}))
        with pytest.raises(AuthRequired):
            await manager.running()
