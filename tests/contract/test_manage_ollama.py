"""Managing Ollama's models, over recorded bytes of Ollama 0.33."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.support.managing import managed, read
from tests.support.replay import CannedResponse, as_json, ndjson, recorded, stalling
from tui.core.endpoint import ServerKind
from tui.core.model import Model, ModelState
from tui.core.model_actions import ModelAction
from tui.core.model_management import DeletionEffect, LoadOptions, PullLayer, PullProgress
from tui.core.modelfile import Modelfile, parse_modelfile
from tui.errors import BadReply, FileError, Interrupted, ModelMissing, Refused, ServerError
from tui.servers.kinds.ollama_storage import freed_bytes

OLLAMA = ServerKind.OLLAMA
BIG = "sha256:a4b8abccca60bbd40a9a073007eb30dbff5765ee98131df116f520d04ebc0535"


async def test_it_can_do_everything() -> None:
    async with managed(OLLAMA) as (manager, _):
        actions = await manager.actions()
        assert all(
            actions.can(action) is (action is not ModelAction.SCALE_ADAPTERS) for action in ModelAction
        )


async def test_the_list_says_when_a_model_was_changed_and_what_it_does() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", recorded("ollama/tags")).on("/api/ps", recorded("ollama/ps"))
        models = {model.name: model for model in await manager.models()}
    chat = models["chat:latest"]
    assert chat.changed_at == pytest.approx(1795317459.73371788)
    assert chat.digest.startswith("c8fccd3c")
    assert (chat.aliases, models["bigram:q8"].aliases) == (("chat",), ())
    assert (chat.state, models["bigram:q8"].state) == (ModelState.LOADED, ModelState.NOT_LOADED)
    assert all(model.chats for model in models.values())
    assert not Model("e", capabilities=("embedding",)).chats


async def test_details() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", recorded("ollama/tags"))
        tested.replay.on("/api/show", recorded("ollama/show-licence-parameters"))
        told = await manager.details("bigram:27m")
    assert (told.name, told.family, told.parameters, told.quantization) == (
        "bigram:27m",
        "llama",
        "9.18M",
        "F16",
    )
    assert (told.layers, told.heads, told.kv_heads, told.embedding_length) == (1, 8, 1, 2048)
    assert told.context_trained == 32768
    assert told.settings == (("temperature", "0.7"), ("top_k", "40"), ("stop", '"<|im_end|>"'))
    assert told.license.startswith("MIT License\n\nPermission")
    assert "{{ .Content }}<|im_end|>" in told.template
    assert told.weights == (BIG.replace(":", "-"),)
    assert dict(told.facts)["llama.vocab_size"] == "2048"
    assert "tokenizer.ggml.tokens" not in dict(told.facts)
    assert told.digest
    assert parse_modelfile(told.modelfile).template == told.template


async def test_details_of_what_there_is_not() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", recorded("ollama/tags")).on(
            "/api/show", recorded("ollama/show-missing")
        )
        with pytest.raises(ModelMissing):
            await manager.details("nosuch")


async def test_what_is_in_memory() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/ps", recorded("ollama/ps-two"))
        bigram, chat, tool = await manager.running()
    assert (bigram.name, bigram.memory, bigram.vram, bigram.ram, bigram.context_window) == (
        "bigram:27m", 70307019, 0, 70307019, 8192,
    )  # fmt: skip
    assert bigram.expires_at == pytest.approx(1795317766.858350181)
    assert (chat.name, tool.name) == ("chat:latest", "tool:1b")


@pytest.mark.parametrize(
    ("text", "expires"),
    [
        ("2318-03-04T05:06:07.8+01:00", math.inf),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        ("9999-12-31", None),
    ],
)
async def test_the_end_of_a_models_time(text: str, expires: float | None) -> None:
    async with managed(OLLAMA) as (manager, tested):
        entry = {"name": "a\x1b[31m", "size": 10, "size_vram": 12, "expires_at": text}
        tested.replay.on("/api/ps", as_json(200, {"models": [entry, {"size": 1}, "x"]}))
        (only,) = await manager.running()
    assert (only.name, only.ram, only.expires_at) == ("a", 0, expires)


async def test_load_keep_and_unload() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/generate", recorded("ollama/load")).on("/api/ps", recorded("ollama/ps"))
        await manager.load("chat", LoadOptions(8192, "forever"))
        assert tested.replay.last("/api/generate").json() == {
            "model": "chat", "keep_alive": -1, "options": {"num_ctx": 8192},
        }  # fmt: skip
        await manager.keep("chat", "30m")
        assert tested.replay.last("/api/generate").json() == {
            "model": "chat", "keep_alive": "30m", "options": {"num_ctx": 4096},
        }, "another window would load it again"  # fmt: skip
        tested.replay.on("/api/ps", recorded("ollama/ps"), recorded("ollama/ps"), recorded("ollama/ps-empty"))
        asked = tested.replay.paths().count("/api/ps")
        await manager.unload("CHAT:latest")
        assert tested.replay.last("/api/generate").json() == {"model": "CHAT:latest", "keep_alive": 0}
        assert tested.replay.paths().count("/api/ps") == asked + 3, "it is listed for a moment"


async def test_a_model_for_embeddings_is_loaded_too() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/generate", as_json(400, {"error": '"e:latest" does not support generate'}))
        tested.replay.on("/api/embed", as_json(200, {"embeddings": []}))
        await manager.load("e", LoadOptions(keep_alive="5m"))
        assert tested.replay.last("/api/embed").json() == {"model": "e", "keep_alive": "5m", "input": ""}


async def test_delete_and_copy() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/delete", recorded("ollama/delete")).on("/api/copy", recorded("ollama/copy"))
        tested.replay.on("/api/tags", recorded("ollama/tags"))
        await manager.copy("chat", "chat-copy")
        await manager.delete("chat-copy")
        request = tested.replay.last("/api/delete")
        assert (request.method, request.json()) == ("DELETE", {"model": "chat-copy"})
        assert tested.replay.last("/api/copy").json() == {"source": "chat", "destination": "chat-copy"}
        for taken in ("think", "Think:latest", "registry.ollama.ai/library/think"):
            with pytest.raises(Refused, match="There is a model “think:latest” already"):
                await manager.copy("chat", taken)
        tested.replay.on("/api/delete", recorded("ollama/delete-missing"))
        tested.replay.on("/api/copy", recorded("ollama/copy-missing"))
        with pytest.raises(ModelMissing):
            await manager.delete("nosuch")
        with pytest.raises(ModelMissing):
            await manager.copy("nosuch", "y")


@pytest.mark.parametrize("piece", [0, 1, 7])
async def test_a_pull(piece: int) -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", recorded("ollama/pull", piece))
        progress = await read(manager.pull("think"))
        assert tested.replay.last("/api/pull").json() == {"model": "think", "stream": True}
    assert [each.status for each in progress][:1] + [each.status for each in progress][-3:] == [
        "pulling manifest", "verifying sha256 digest", "writing manifest", "success",
    ]  # fmt: skip
    sums = [(each.completed, each.total) for each in progress]
    assert sums[:3] == [(0, 0), (262144, 820128), (524288, 820128)]
    # The recording ends before the last bytes of the largest layer are told.
    assert sums[-1] == (720896 + 225 + 59 + 148, 820560)
    assert progress[1].current == progress[1].layers[0].digest


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("pull-missing", ModelMissing, "There is no model “m” to download. pull model manifest: file does not exist"),
        ("pull-registry-500", Interrupted, "The download broke off. pull model manifest: 500: oops"),
        ("pull-unreachable", Interrupted, "connection refused"),
        ("pull-digest-mismatch", Interrupted, "What was downloaded is damaged"),
        ("pull-cancelled-by-client", Interrupted, "The download broke off"),
    ],
)  # fmt: skip
async def test_an_error_inside_a_200_is_an_error(name: str, error: type[ServerError], words: str) -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", recorded(f"ollama/{name}"))
        with pytest.raises(error) as caught:
            await read(manager.pull("m"))
    assert type(caught.value) is error
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("canned", "error", "words"),
    [
        (ndjson([{"status": "pulling manifest"}]), Interrupted, "before it had said that it was done"),
        (ndjson([{"status": "pulling manifest"}], ended=False), Interrupted, "broke off"),
        (ndjson([{"error": "write /var/x: no space left on device"}]), Refused, "The server's disk is full"),
        (ndjson(["nonsense"]), BadReply, "It is no record of a download"),
        (as_json(400, {"error": "invalid model name"}), Refused, "invalid model name"),
        (ndjson([{"error": "\x1b[2Jhello"}]), Refused, "hello"),
    ],
)
async def test_a_pull_without_success_is_none(
    canned: CannedResponse, error: type[ServerError], words: str
) -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", canned)
        with pytest.raises(error) as caught:
            await read(manager.pull("m"))
    assert words in str(caught.value)
    assert "\x1b" not in str(caught.value)


async def test_figures_that_cannot_be() -> None:
    layer = {"status": "pulling \x1b[31mx", "digest": "sha256:x"}
    odd = [
        {**layer, "total": 10, "completed": 99},
        {**layer, "total": -1},
        {**layer, "total": "many"},
        {"status": 5, "digest": [1], "total": 3},
        {"status": "success"},
    ]
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", ndjson(odd))
        progress = await read(manager.pull("m"))
    assert progress[0] == PullProgress("pulling x", (PullLayer("sha256:x", 10, 10),), "sha256:x")
    assert progress[-1].total == 10


async def test_layers_without_end_do_not_fill_the_memory() -> None:
    many = [{"status": "pulling", "digest": f"sha256:{number}", "total": 1} for number in range(1500)]
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", ndjson([*many, {"status": "success"}]))
        progress = await read(manager.pull("m"))
    assert len(progress[-1].layers) == 1000


async def test_closing_a_pull_closes_its_connection() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", stalling(ndjson([{"status": "pulling manifest"}], ended=False)))
        async with aclosing(manager.pull("m")) as progress:
            assert (await anext(progress)).status == "pulling manifest"
        await tested.replay.left.wait()
        await manager.cancel_pull("m")


async def test_an_up_to_date_model_comes_with_its_layers_complete() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/pull", recorded("ollama/pull-again-up-to-date"))
        progress = await read(manager.pull("bigram:27m"))
    assert progress[-1].completed == progress[-1].total == 26802530


# -- deleting -------------------------------------------------------------------------------------------------------


def made_of(*weights: str) -> CannedResponse:
    lines = [f"FROM /var/lib/ollama/blobs/sha256-{name * 64}" for name in weights]
    return as_json(200, {"modelfile": "\n".join(lines)})


async def test_shared_weights_are_not_freed() -> None:
    listed = [{"name": "a:1", "size": 100}, {"name": "b:1", "size": 101}, {"name": "c:1", "size": 50}]
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", as_json(200, {"models": listed}))
        tested.replay.on("/api/show", made_of("a"), made_of("a"), made_of("a"), made_of("c"))
        # Asked first for the folder of its files, which are on another machine.
        effect = await manager.effect_of_deleting(["a:1"])
        assert (effect.frees, effect.shared_with) == (0, ("b:1",))
        tested.replay.on("/api/show", made_of("a"), made_of("a"), made_of("a"), made_of("c"))
        effect = await manager.effect_of_deleting(["A:1", "b:1"])
        assert (effect.frees, effect.shared_with) == (100, ()), "their weights count once"
        tested.replay.on("/api/show", made_of("a"), made_of("c"), made_of("a"), made_of("a"))
        assert (await manager.effect_of_deleting(["c:1"])).frees == 50


def manifest(folder: Path, name: str, **layers: int) -> None:
    path = folder / "manifests" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [{"digest": digest, "size": size} for digest, size in layers.items()]
    path.write_text(json.dumps({"config": listed[0], "layers": listed[1:]}))


def test_the_manifests_say_exactly_what_is_freed(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    assert freed_bytes(blobs, ["a:1"]) is None, "they cannot be read"
    library = "registry.ollama.ai/library"
    manifest(tmp_path, f"{library}/a/1", c=1, weights=100, template=5)
    manifest(tmp_path, f"{library}/b/1", d=2, weights=100)
    manifest(tmp_path, "registry.ollama.ai/me/c/Q4", e=3, other=50)
    manifest(tmp_path, "hf.co/user/repo/Q4_K_M", f=4, more=70)
    assert freed_bytes(blobs, ["a:1"]) == DeletionEffect(6, ("b:1",))
    assert freed_bytes(blobs, ["a:1", "b:1"]) == DeletionEffect(108)
    assert freed_bytes(blobs, ["me/c:q4", "hf.co/user/repo:q4_k_m"]) == DeletionEffect(127)
    assert freed_bytes(blobs, ["nosuch:1"]) is None
    (tmp_path / "manifests" / library / "a" / "broken").write_text("{")
    assert freed_bytes(blobs, ["a:broken"]) == DeletionEffect(0)


async def test_where_the_manifests_are_here_they_are_asked(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / f"sha256-{'a' * 64}"
    blob.parent.mkdir()
    blob.touch()
    manifest(tmp_path, "registry.ollama.ai/library/a/latest", c=1, weights=100)
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", as_json(200, {"models": [{"name": "a:latest", "size": 7}]}))
        tested.replay.on("/api/show", as_json(200, {"modelfile": f"FROM {blob}"}))
        assert await manager.effect_of_deleting(["a"]) == DeletionEffect(101)


async def test_a_new_name_is_a_copy_and_a_deletion() -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/delete", recorded("ollama/delete")).on("/api/copy", recorded("ollama/copy"))
        tested.replay.on("/api/tags", recorded("ollama/tags"))
        await manager.rename("chat", "talk")
        assert tested.replay.paths()[-2:] == ["/api/copy", "/api/delete"]
        assert tested.replay.last("/api/delete").json() == {"model": "chat"}
        with pytest.raises(Refused, match="takes no loader arguments"):
            await manager.load("talk", LoadOptions(arguments=(("threads", 4),)))


async def test_where_its_files_are(tmp_path: Path) -> None:
    blob = tmp_path / "blobs" / f"sha256-{'a' * 64}"
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/tags", as_json(200, {"models": [{"name": "a"}]}))
        tested.replay.on("/api/show", as_json(200, {"modelfile": f"FROM {blob}"}))
        assert await manager.storage_folder() is None, "the server may be at the other end of a tunnel"
        blob.parent.mkdir()
        blob.touch()
        assert await manager.storage_folder() == blob.parent


# -- making ---------------------------------------------------------------------------------------------------------


async def test_a_model_is_made_from_another() -> None:
    text = "FROM chat\nSYSTEM You are a patient teacher. Отвечай кратко.\nPARAMETER temperature 0.4\nPARAMETER stop a\n"
    text += "PARAMETER stop b\nMESSAGE user What is HTTP?\nMESSAGE assistant A protocol.\n"
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/create", recorded("ollama/create-from-model-with-persona"))
        progress = await read(manager.create("teacher", parse_modelfile(text), "q8_0"))
        assert tested.replay.last("/api/create").json() == {
            "model": "teacher", "stream": True, "from": "chat", "quantize": "q8_0",
            "system": "You are a patient teacher. Отвечай кратко.", "parameters": {"temperature": 0.4, "stop": ["a", "b"]},
            "messages": [{"role": "user", "content": "What is HTTP?"}, {"role": "assistant", "content": "A protocol."}],
        }  # fmt: skip
    assert progress[-2].status == "writing manifest"


async def test_files_that_the_server_does_not_have_are_sent(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(3_000_000))
    digest = f"sha256:{hashlib.sha256((tmp_path / 'm.gguf').read_bytes()).hexdigest()}"
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on(
            f"/api/blobs/{digest}", recorded("ollama/blob-missing"), recorded("ollama/blob-push")
        )
        tested.replay.on("/api/create", recorded("ollama/create-bigram"))
        progress = [each async for each in manager.create("m", Modelfile("./m.gguf"), folder=tmp_path)]
        head, sent = [seen for seen in tested.replay.seen if seen.path == f"/api/blobs/{digest}"]
        assert (head.method, sent.method, sent.body[:4], len(sent.body)) == (
            "HEAD",
            "POST",
            b"GGUF",
            3_000_004,
        )
        assert tested.replay.last("/api/create").json() == {
            "model": "m", "stream": True, "files": {"m.gguf": digest},
        }  # fmt: skip
    assert progress[0].status == "reading m.gguf"
    assert progress[0].layers == (PullLayer("m.gguf", 1 << 20, 3_000_004),)
    assert progress[-1].done


async def test_a_model_that_cannot_be_made(tmp_path: Path) -> None:
    async with managed(OLLAMA) as (manager, tested):
        tested.replay.on("/api/create", recorded("ollama/create-bad-gguf"))
        with pytest.raises(Refused, match="failed to validate GGUF"):
            await read(manager.create("bad", Modelfile("chat")))
        with pytest.raises(FileError, match=r"There is no file .*/nosuch\.gguf"):
            await read(manager.create("bad", Modelfile("./nosuch.gguf"), folder=tmp_path))
        assert json.loads(tested.replay.seen[-1].body)["model"] == "bad"
