"""What a person does with models in the Models tab: memory, details, copies, deletions, downloads, filters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import MODEL, chats, like_ollama, ollama_answer, options
from tests.support.editor import editor
from tests.support.hub import REPOSITORY, hub
from tests.support.replay import Replay, as_json, ndjson, replay, stalling
from tests.support.snapshot import check
from tui.core.endpoint import Endpoint, ServerKind
from tui.paths import folders

THREE = (
    (MODEL, "3.2B", 2_019_393_189),
    ("qwen2.5-coder:7b", "7.6B", 4_683_087_332),
    ("bielik:11b", "11B", 6_700_000_000),
)
SHOWN = {
    "license": "Apache License",
    "modelfile": "# made by hand\nFROM llama3.2\nPARAMETER temperature 0.7\x1b[31m",
    "template": "{{ .Prompt }}",
    "details": {"family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
    "model_info": {"general.architecture": "llama", "llama.block_count": 28, "llama.context_length": 131072},
    "capabilities": ["completion"],
}
BEGUN = {"status": "pulling ab", "digest": "sha256:ab", "total": 4_000_000_000, "completed": 10**9}
PULLED = ({"status": "pulling manifest"}, {"status": "success"})


@asynccontextmanager
async def tab() -> AsyncIterator[tuple[AppDriver, Replay]]:
    """The Models tab of a lokal that is connected to an Ollama."""
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/generate", as_json(200, {"done": True}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("u unload")
            yield driver, server


def sent(server: Replay, path: str) -> list[dict[str, object]]:
    """The bodies that went to that path."""
    return [json.loads(request.body) for request in server.seen if request.path == path]


async def test_memory_is_taken_and_given_back() -> None:
    async with tab() as (driver, server):
        await driver.press("u")
        await driver.see(f"{MODEL} is no longer in memory")
        await driver.press("down", "l")
        await driver.see("qwen2.5-coder:7b is in memory")
        await driver.press("K")
        await driver.see("stays in memory until it is unloaded")
        bodies = sent(server, "/api/generate")
        assert bodies[0] == {"model": MODEL, "keep_alive": 0}
        assert bodies[1] == {"model": "qwen2.5-coder:7b"}
        assert bodies[2] == {"model": "qwen2.5-coder:7b", "keep_alive": -1}


async def test_details_are_a_page_without_the_servers_escapes() -> None:
    async with tab() as (driver, server):
        server.on("/api/show", as_json(200, SHOWN))
        await driver.press("i")
        await driver.see("layers +28")
        assert "\x1b" not in driver.text()
        await driver.press("end")
        await driver.see("PARAMETER temperature 0.7")
        await driver.press("m")
        await driver.see("c copies all")
        await driver.press("escape")
        await driver.see("u unload")


async def test_only_its_own_key_deletes() -> None:
    async with tab() as (driver, server):
        server.on("/api/show", as_json(200, SHOWN)).on("/api/delete", as_json(200, {}))
        await driver.press("down", "d")
        await driver.see(r"Delete qwen2.5-coder:7b\? Frees 4.7 GB")
        await driver.press("enter")
        await driver.see_no_more("Delete qwen")
        assert not sent(server, "/api/delete")
        await driver.press("d")
        await driver.see("Delete qwen")
        await driver.press("d")
        await driver.see("qwen2.5-coder:7b is deleted")
        assert [body["model"] for body in sent(server, "/api/delete")] == ["qwen2.5-coder:7b"]


async def test_a_copy_is_named_in_the_line_below() -> None:
    async with tab() as (driver, server):
        server.on("/api/copy", as_json(200, {}))
        await driver.press("c")
        await driver.see(f"Copy {MODEL} as:")
        await driver.press("-", "2", "enter")
        await driver.see(f"{MODEL} is called {MODEL}-2 too")
        assert sent(server, "/api/copy") == [{"source": MODEL, "destination": f"{MODEL}-2"}]


async def test_a_filter_shows_what_has_the_words_and_esc_all_again() -> None:
    async with tab() as (driver, _):
        await driver.press("/", "b", "i", "e")
        await driver.see_no_more("qwen2.5-coder")
        await driver.press("enter")
        await driver.see("1 model · 6.7 GB on the disk · .*with “bie”")
        await driver.press("escape")
        await driver.see("qwen2.5-coder")
        await driver.press("s", "s")
        await driver.see("by size")
        assert driver.model_under_cursor == "bielik:11b", "the cursor stays on its model"


async def test_a_download_goes_on_while_one_chats_and_is_in_the_status_bar() -> None:
    async with tab() as (driver, server):
        pulling = ndjson([BEGUN], ended=False)
        server.on("/api/pull", stalling(pulling))
        await driver.press("p")
        await driver.see("Download:")
        await driver.press(*"mistral", "enter")
        await driver.see("mistral .*25%")
        await driver.press("f2")
        await driver.see("↓ mistral 25%")
        await driver.press("f3", "end")
        await driver.see("1.0 GB of 4.0 GB")
        await driver.press("P")
        await driver.see("mistral +paused")
        server.on("/api/pull", ndjson(PULLED))
        await driver.press("P")
        await driver.see("›mistral +up to date")
        await driver.press("x")
        await driver.see_no_more("›mistral")


async def test_names_are_offered_while_one_is_typed() -> None:
    async with tab() as (driver, server):
        server.on("/api/pull", ndjson(PULLED))
        await driver.press("p")
        await driver.press(*"gemma3:1")
        await driver.see("Tab gemma3:1b +Gemma 3")
        await driver.press("tab", "enter")
        await driver.see("gemma3:1b +up to date")


async def test_what_does_not_exist_cannot_be_downloaded() -> None:
    async with tab() as (driver, server):
        server.on("/api/pull", ndjson([PULLED[0], {"error": "pull model manifest: file does not exist"}]))
        await driver.press("p")
        await driver.see("Download:")
        await driver.press(*"nosuch", "enter")
        await driver.see("nosuch +failed")
        await driver.see("1 download failed")


async def test_what_was_not_done_goes_on_in_the_next_lokal() -> None:
    async with replay() as server:
        like_ollama(server, *THREE)
        pulling = ndjson([BEGUN], ended=False)
        server.on("/api/pull", stalling(pulling))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("u unload")
            await driver.press("p")
            await driver.see("Download:")
            await driver.press(*"mistral", "enter")
            await driver.see("mistral .*25%")
        server.on("/api/pull", ndjson(PULLED))
        before = len(sent(server, "/api/pull"))
        async with running(server.url) as driver:
            await driver.see("mistral: up to date")
        assert len(sent(server, "/api/pull")) == before + 1


async def test_what_the_server_cannot_do_is_said_with_the_reason() -> None:
    async with replay() as server:
        server.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": "m", "object": "model"}]}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("cannot download a model: ")
            for key, what in (("d", "delete"), ("l", "load"), ("U", "unload")):
                await driver.press(key)
                await driver.see(f"cannot {what} a model")


async def test_a_file_of_hugging_face_is_downloaded_whatever_the_server_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = bytes(range(256)) * 400
    async with replay() as server, hub({"tiny-Q4_K_M.gguf": data}) as there:
        monkeypatch.setenv("HF_ENDPOINT", there.url)
        server.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": "m", "object": "model"}]}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("cannot download a model: ")
            await driver.press("p")
            await driver.see("hf:ORG/REPO:QUANT")
            await driver.paste(f"hf:{REPOSITORY}:q4_k_m")
            await driver.press("enter")
            await driver.see("downloaded to")
            await driver.press("p")
            await driver.paste("hf:../x")
            await driver.press("enter")
            await driver.see("is no model on Hugging Face")
    assert (folders().models / REPOSITORY / "tiny-Q4_K_M.gguf").read_bytes() == data


async def test_several_that_are_marked_are_deleted_at_once() -> None:
    async with tab() as (driver, server):
        server.on("/api/show", as_json(200, SHOWN)).on("/api/delete", as_json(200, {}))
        await driver.press("down", "space", "space")
        await driver.see("2 marked · 11.4 GB on the disk")
        await driver.press("d")
        await driver.see(r"Delete 2 models\? Frees 11.4 GB")
        await driver.press("d")
        await driver.see("2 models are deleted")
        assert [body["model"] for body in sent(server, "/api/delete")] == ["qwen2.5-coder:7b", "bielik:11b"]


async def test_the_name_of_one_in_memory_is_typed_before_it_is_deleted() -> None:
    async with tab() as (driver, server):
        server.on("/api/show", as_json(200, SHOWN)).on("/api/delete", as_json(200, {}))
        await driver.press("d")
        await driver.see(rf"In use\. Type {MODEL}:")
        await driver.press(*"llama", "enter")
        await driver.see("That is another name: nothing is deleted")
        await driver.press("d")
        await driver.see("Type ")
        await driver.write(f"{MODEL}\r")
        await driver.see("is deleted; it was in use: choose another with Enter")
        assert [body["model"] for body in sent(server, "/api/delete")] == [MODEL]


async def test_a_model_in_use_is_renamed_and_the_chat_goes_on_with_it() -> None:
    async with tab() as (driver, server):
        server.on("/api/copy", as_json(200, {})).on("/api/delete", as_json(200, {}))
        await driver.press("R")
        await driver.see(f"Rename {MODEL} to:")
        await driver.write("\x15small\r")
        await driver.see(f"{MODEL} is now small")
        assert sent(server, "/api/copy") == [{"source": MODEL, "destination": "small"}]
        assert sent(server, "/api/delete") == [{"model": MODEL}]
        await driver.see("machine · small")


async def test_a_model_is_loaded_with_a_window_and_for_a_time() -> None:
    async with tab() as (driver, server):
        await driver.press("down", "L")
        await driver.see("Load qwen2.5-coder:7b with:")
        await driver.write("16k 30m\r")
        await driver.see("is in memory, a window of 16k, for 30m")
        assert sent(server, "/api/generate")[-1] == {
            "model": "qwen2.5-coder:7b", "keep_alive": "30m", "options": {"num_ctx": 16384},
        }  # fmt: skip
        await driver.press("L")
        await driver.write("soon\r")
        await driver.see("“soon” is neither a context window nor a time")


async def test_the_window_of_the_next_question_is_the_one_that_the_model_was_loaded_with() -> None:
    async with tab() as (driver, server):
        server.on("/api/chat", ollama_answer("Yes."))
        await driver.press("L")
        await driver.see(f"Load {MODEL} with:")
        await driver.write("16k\r")
        await driver.see("a window of 16k; questions ask for it in this run")
        await driver.see("a question asks for 16k, and reloads it")  # as it is still listed with 8k
        await driver.press("f2")
        await driver.see("of 16k")
        await driver.ask("Well?")
        await driver.see(r"Yes\.")
        assert options(chats(server)[-1])["num_ctx"] == 16384
        await driver.press("f3", "down", "l")
        await driver.see("qwen2.5-coder:7b is in memory")
        assert sent(server, "/api/generate")[-1]["options"] == {"num_ctx": 16384}, "as a question asks"


async def test_a_model_is_made_of_the_preset_in_the_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tab() as (driver, server):
        made = ndjson([{"status": "writing manifest"}, {"status": "success"}])
        server.on("/api/create", made)
        monkeypatch.setenv("VISUAL", editor(tmp_path, "echo 'PARAMETR top_k 5' >> \"$1\""))
        await driver.press("n")
        await driver.write("mine\r")
        await driver.see(r"Line 9 of the Modelfile: .*PARAMETR")
        assert not sent(server, "/api/create")
        monkeypatch.setenv("VISUAL", editor(tmp_path, "sed -i 's/^PARAMETR/PARAMETER/' \"$1\""))
        await driver.press("n")
        await driver.write("mine\r")
        await driver.see("Make mine from llama3.2:3b, 6 parameters")
        await driver.press("enter")
        await driver.see("mine is made")
        (body,) = sent(server, "/api/create")
        assert (body["model"], body["from"]) == ("mine", MODEL)
        assert body["parameters"] == {
            "temperature": 0.4, "top_p": 0.8, "top_k": 5, "num_predict": 512, "repeat_penalty": 1.2,
        }  # fmt: skip


async def test_a_question_to_a_model_that_is_gone_is_not_sent_and_the_nearest_are_named() -> None:
    async with tab() as (driver, server):
        like_ollama(server, *THREE[1:], ("llama3.1:8b", "8B", 4_000_000_000))
        await driver.press("r")
        await driver.see("llama3.1:8b")
        await driver.press("f2")
        await driver.ask("Are you there?")
        await driver.see(r"no longer has the model “llama3.2:3b”\. It has ─*\n +llama3.1:8b")
        assert driver.composer_text == "Are you there?"
        assert not sent(server, "/api/chat")


async def test_on_a_wide_screen_the_details_stand_beside_the_list() -> None:
    async with replay() as server:
        like_ollama(server, *THREE).on("/api/show", as_json(200, SHOWN))
        async with running(server.url, size=(120, 40)) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see(r"│ llama3.2:3b")
            await driver.see(r"│ +layers +28")
            await check(driver, "models-beside")
            await driver.press("down")
            await driver.see(r"│ qwen2.5-coder:7b *\n.*│ +family")
            assert [body["model"] for body in sent(server, "/api/show")][-1] == "qwen2.5-coder:7b"
            await driver.resize(100, 40)
            await driver.see_no_more(r"│ +layers")


async def test_the_scale_of_an_adapter_is_typed() -> None:
    async with replay() as server:
        adapters = [{"id": 0, "path": "/lora/style\x1b[31m.gguf", "scale": 1.0}]
        listed = {"object": "list", "data": [{"id": "m", "object": "model", "meta": {"n_ctx": 4096}}]}
        server.on("/health", as_json(200, {"status": "ok"})).on("/v1/models", as_json(200, listed))
        server.on("/props", as_json(200, {"default_generation_settings": {"n_ctx": 4096}}))
        server.on("/lora-adapters", as_json(200, adapters))
        async with running(Endpoint(server.url, ServerKind.LLAMACPP)) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("›m ")
            await driver.press("a")
            await driver.see(r"Scale of style\.gguf: 1")
            await driver.write("\x15much\r")
            await driver.see("“much” is no scale")
            await driver.press("a")
            await driver.see(r"Scale of style\.gguf: 1")
            await driver.write("\x150.5\r")
            await driver.see(r"LoRA: style\.gguf 0\.5")
            posted = [
                request for request in server.seen if request.method == "POST" and "lora" in request.path
            ]
            assert [json.loads(request.body) for request in posted] == [[{"id": 0, "scale": 0.5}]]
            server.on("/lora-adapters", as_json(200, []))
            await driver.press("a")
            await driver.see("m has no LoRA adapters")


async def test_a_model_is_made_of_a_gguf_file_and_quantized(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(1000))
    digest = f"sha256:{hashlib.sha256((tmp_path / 'm.gguf').read_bytes()).hexdigest()}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISUAL", editor(tmp_path, "printf 'FROM ./nosuch.gguf\\n' > \"$1\""))
    async with tab() as (driver, server):
        server.on(f"/api/blobs/{digest}", as_json(404, {}), as_json(201, {}))
        server.on(
            "/api/create", ndjson([{"status": "quantizing F16 model to Q4_K_M"}, {"status": "success"}])
        )
        await driver.press("n")
        await driver.write("mine q4_k_m\r")
        await driver.see("Make mine from ./nosuch.gguf")
        await driver.press("enter")
        await driver.see("There is no file")
        monkeypatch.setenv("VISUAL", editor(tmp_path, "sed -i 's/nosuch/m/' \"$1\""))
        await driver.press("n")
        await driver.write("mine q4_k_m\r")
        await driver.see("Make mine from ./m.gguf")
        await driver.press("enter")
        await driver.see("mine is made")
        (body,) = sent(server, "/api/create")
        assert (body["model"], body["files"], body["quantize"]) == ("mine", {"m.gguf": digest}, "q4_K_M")


async def test_a_server_that_can_make_and_rename_none_says_why() -> None:
    async with replay() as server:
        server.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": "m", "object": "model"}]}))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.press("f3")
            await driver.see("›m ")
            for key, what in (("n", "make"), ("R", "copy"), ("L", "load"), ("a", "change how strongly")):
                await driver.press(key)
                await driver.see(f"cannot {what} ")
                driver.clear_notice()
