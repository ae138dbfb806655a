"""The embedded engine for real: llama.cpp in a child process, with models whose answers are known."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartServer
from tests.e2e.conftest import StartEngine
from tests.support.llama import is_alive, linux, needs_engine, processes, until
from tests.support.sample import MARKDOWN, THOUGHT
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress
from tui.errors import EngineError
from tui.servers.engine.engine import Engine
from tui.servers.engine.machine import Cores
from tui.servers.kinds.llamacpp import LlamaCppServer


def ask(endpoint: Endpoint, **more: object) -> httpx.Response:
    """One answer, at temperature 0 unless said otherwise."""
    messages = [{"role": "user", "content": "Как прочитать файл построчно?"}]
    transport = httpx.HTTPTransport(uds=endpoint.socket or None, trust_env=False)
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.post(
            f"{endpoint.url}/v1/chat/completions",
            headers={"Authorization": f"Bearer {endpoint.api_key}"},
            json={"messages": messages, "temperature": 0, **more},
            timeout=60,
        )


def environment(pid: int) -> str:
    """The environment of a process, as it started."""
    return Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")


def command_line(pid: int) -> str:
    """What `ps` shows of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def changed(gguf: Path, copy: Path, change: Callable[[bytes], bytes]) -> Path:
    """A copy of a model with other bytes."""
    copy.write_bytes(change(gguf.read_bytes()))
    return copy


@needs_engine
async def test_a_model_is_loaded_answers_and_stops(
    engine: StartEngine, script_gguf: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    one = engine(script_gguf)
    seen: list[Progress] = []
    endpoint = await one.start(seen.append)
    assert (endpoint.kind, endpoint.name, endpoint.on_this_machine) == (ServerKind.LLAMACPP, "script", True)
    assert one.endpoint == endpoint == await one.start()
    assert one.context_window == 8192
    assert one.running
    assert {progress.phase for progress in seen} == {Phase.LOADING}
    assert sorted(progress.done for progress in seen) == [progress.done for progress in seen]

    reply = ask(endpoint).json()
    assert reply["choices"][0]["message"]["content"] == MARKDOWN
    assert reply["choices"][0]["finish_reason"] == "stop"

    gone = processes(one)
    assert len(gone) == 2 or sys.platform != "linux"
    await one.stop()
    await one.stop()
    assert not one.running
    assert one.endpoint is None
    assert one.failure() is None
    until(lambda: not any(map(is_alive, gone)), "the server's processes are gone")
    assert one.log_file is not None
    assert "listening on" in one.log_file.read_text()
    assert capfd.readouterr() == ("", "")


def test_only_who_has_the_key_is_answered(llama_server: Endpoint) -> None:
    assert len(llama_server.api_key) >= 32
    assert llama_server.api_key not in repr(llama_server)
    assert ask(Endpoint(llama_server.url, api_key="wrong")).status_code == 401
    assert httpx.get(f"{llama_server.url}/props", trust_env=False).status_code == 401
    assert ask(llama_server, max_tokens=1).status_code == 200


@linux
@needs_engine
async def test_the_key_is_neither_in_the_process_list_nor_in_the_log(
    engine: StartEngine, script_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKAL_API_KEY", "of-another-server")
    one = engine(script_gguf)
    endpoint = await one.start()
    for pid in processes(one):
        assert endpoint.api_key not in command_line(pid)
        assert "of-another-server" not in environment(pid)
    assert one.log_file is not None
    assert endpoint.api_key not in one.log_file.read_text()


async def test_a_bigram_answer_and_a_thought(
    start_llama: StartServer, bigram_gguf: Path, thinking_gguf: Path
) -> None:
    first = ask(start_llama(bigram_gguf).endpoint, max_tokens=300, seed=7, temperature=1).json()
    text = first["choices"][0]["message"]["content"]
    assert text.startswith("# Reading")
    assert set(text.split()) & set(MARKDOWN.split())

    thinking = start_llama(thinking_gguf)
    message = ask(thinking.endpoint).json()["choices"][0]["message"]
    assert message["reasoning_content"].strip() == THOUGHT.strip()
    assert message["content"] == MARKDOWN
    quiet = ask(thinking.endpoint, chat_template_kwargs={"enable_thinking": False}).json()
    assert quiet["choices"][0]["message"]["content"] == MARKDOWN
    assert not quiet["choices"][0]["message"].get("reasoning_content")


async def test_an_endless_answer_fills_the_window(start_llama: StartServer, endless_gguf: Path) -> None:
    server = start_llama(endless_gguf, context_window=1024, threads=1, batch_size=64, gpu_layers=0)
    reply = ask(server.endpoint).json()
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["total_tokens"] == 1024


@needs_engine
async def test_the_cache_is_kept_as_it_was_asked_for(packaged_gguf: Path, tmp_path: Path) -> None:
    states, sizes = [], []
    for values in ({}, {"cache_type": "q8_0", "flash_attention": "on"}):
        one = Engine(
            packaged_gguf, tmp_path, {"context_window": 512, **values}, slot_folder=tmp_path / "slots"
        )
        try:
            endpoint = await one.start()
            assert ask(endpoint, max_tokens=2).status_code == 200
            server = LlamaCppServer(endpoint)
            assert await server.save_slot("one") > 0
            await server.aclose()
            sizes.append((tmp_path / "slots/one").stat().st_size)
            assert one.state is not None
            states.append(one.state.cache_types)
        finally:
            await one.stop()
    assert states == [
        "flash_attn default, cache_type_k default, cache_type_v default",
        "flash_attn on, cache_type_k q8_0, cache_type_v q8_0",
    ]
    assert sizes[1] < 0.6 * sizes[0]


@needs_engine
async def test_a_quantized_cache_without_flash_attention_is_refused(
    engine: StartEngine, script_gguf: Path
) -> None:
    one = engine(script_gguf, cache_type="q8_0", flash_attention="off")
    with pytest.raises(EngineError) as caught:
        await one.start()
    assert caught.value.detail == "A KV cache of q8_0 needs flash attention, which is off"
    assert not one.running
    assert one.log_file is None


async def test_a_server_comes_back_at_its_address(start_llama: StartServer, script_gguf: Path) -> None:
    server = start_llama(script_gguf)
    assert ask(server.endpoint, max_tokens=1).status_code == 200
    server.kill()
    with pytest.raises(httpx.ConnectError):
        ask(server.endpoint)
    server.start_again()
    assert ask(server.endpoint, max_tokens=1).status_code == 200


@needs_engine
async def test_two_engines_at_once(engine: StartEngine, script_gguf: Path, bigram_gguf: Path) -> None:
    script, markdown = engine(script_gguf, context_window=512), engine(bigram_gguf)
    first, second = await asyncio.gather(script.start(), markdown.start())
    assert first.socket != second.socket
    assert first.api_key != second.api_key
    assert (script.context_window, markdown.context_window) == (512, 8192)
    assert script.log_file != markdown.log_file
    await script.stop()
    assert ask(second, max_tokens=1).status_code == 200


@needs_engine
async def test_a_cut_model_is_named_with_the_reason(
    engine: StartEngine, script_gguf: Path, tmp_path: Path
) -> None:
    one = engine(changed(script_gguf, tmp_path / "cut.gguf", lambda whole: whole[: len(whole) // 2]))
    with pytest.raises(EngineError) as caught:
        await one.start()
    assert "cut.gguf" in caught.value.title
    assert "not within the file bounds" in caught.value.detail
    assert "Download the file again" in caught.value.hint
    assert str(one.log_file) in caught.value.hint
    assert not one.running


@needs_engine
async def test_an_unknown_architecture_asks_for_an_upgrade(
    engine: StartEngine, script_gguf: Path, tmp_path: Path
) -> None:
    strange = changed(script_gguf, tmp_path / "strange.gguf", lambda whole: whole.replace(b"llama", b"llamx"))
    with pytest.raises(EngineError) as caught:
        await engine(strange).start()
    assert "llamx" in caught.value.detail
    assert "upgrade" in caught.value.hint


@needs_engine
async def test_a_taken_port_is_said_so(script_gguf: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        one = Engine(script_gguf, tmp_path, port=port)
        with pytest.raises(EngineError, match=f"Port {port} is taken"):
            await one.start()
    assert not one.running


def tasks(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


async def threads_of(engine: Engine) -> int:
    """How many threads an engine has once it has computed something."""
    ask(await engine.start(), max_tokens=2)
    return tasks(processes(engine)[-1])


@linux
@needs_engine
async def test_the_engine_computes_with_the_threads_that_suit_this_machine_or_that_a_preset_has(
    engine: StartEngine, script_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.servers.engine.machine.usable_cores", lambda: Cores(3))
    three = await threads_of(engine(script_gguf))
    monkeypatch.setattr("tui.servers.engine.machine.usable_cores", lambda: Cores(1))
    assert await threads_of(engine(script_gguf)) == three - 2
    assert await threads_of(engine(script_gguf, threads=2)) == three - 1


@linux
@needs_engine
async def test_waiting_threads_spin_shortly_and_a_crash_runs_no_debugger(
    engine: StartEngine, script_gguf: Path
) -> None:
    one = engine(script_gguf)
    await one.start()
    for pid in processes(one):
        assert "GOMP_SPINCOUNT=1000\0" in environment(pid)
        assert "GGML_NO_BACKTRACE=1\0" in environment(pid)
