"""The embedded engine for real: llama.cpp in a child process, with models whose answers are known."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartServer
from tests.support.llama import children, is_alive, until
from tests.support.sample import MARKDOWN, THOUGHT
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.events import Phase, Progress
from tui.core.message import Value
from tui.errors import EngineError
from tui.servers.engine import Engine

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
needs_engine = pytest.mark.usefixtures("engine_installed")

StartEngine = Callable[..., Engine]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[StartEngine]:
    """Makes engines that are gone when the test is over."""
    made: list[Engine] = []

    def make(gguf: Path, **values: Value) -> Engine:
        made.append(Engine(gguf, tmp_path / "logs", values))
        return made[-1]

    yield make
    for one in made:
        await one.stop()
        assert not one.running


def ask(endpoint: Endpoint, **more: object) -> httpx.Response:
    """One answer, at temperature 0 unless said otherwise."""
    messages = [{"role": "user", "content": "Как прочитать файл построчно?"}]
    return httpx.post(
        f"{endpoint.url}/v1/chat/completions",
        headers={"Authorization": f"Bearer {endpoint.api_key}"},
        json={"messages": messages, "temperature": 0, **more},
        timeout=30,
        trust_env=False,
    )


def processes(engine: Engine) -> list[int]:
    """The supervisor and what it runs."""
    supervisor = engine._process.pid if engine._process else 0
    return [supervisor, *children(supervisor)]


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
    engine: StartEngine, script_gguf: Path
) -> None:
    one = engine(script_gguf)
    endpoint = await one.start()
    for pid in processes(one):
        assert endpoint.api_key not in command_line(pid)
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
    assert first.url != second.url
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


@linux
@needs_engine
async def test_cancelling_the_start_leaves_nothing(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    begun = asyncio.Event()
    starting = asyncio.create_task(one.start(lambda _: begun.set()))
    await begun.wait()
    left = processes(one)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")


@linux
@needs_engine
async def test_a_server_that_dies_says_why(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    await one.start()
    assert one.failure() is None
    os.kill(processes(one)[1], signal.SIGKILL)
    until(lambda: not one.running, "the engine has noticed")
    failure = one.failure()
    assert failure is not None
    assert "memory" in failure.detail
    assert one.endpoint is None


@linux
@needs_engine
async def test_a_killed_supervisor_takes_the_server_along(engine: StartEngine, script_gguf: Path) -> None:
    one = engine(script_gguf)
    await one.start()
    supervisor, worker = processes(one)
    assert os.getsid(worker) == os.getsid(supervisor) != os.getsid(0)  # no Ctrl+C of the terminal gets there
    os.kill(supervisor, signal.SIGKILL)
    until(lambda: not is_alive(worker), "the server is gone")


_PARENT = """
import asyncio, os, sys
from pathlib import Path
from tui.servers.engine import Engine

async def main():
    engine = Engine(Path(sys.argv[1]), Path(sys.argv[2]))
    starting = asyncio.create_task(engine.start())
    if sys.argv[3] == "serving":
        await starting
    else:
        while not engine.running:
            await asyncio.sleep(0)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@linux
@needs_engine
@pytest.mark.parametrize("moment", ["serving", "loading"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_however_lokal_ends_the_server_ends(
    script_gguf: Path, tmp_path: Path, moment: str, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(script_gguf), str(tmp_path), moment], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (supervisor,) = children(parent.pid)
        left = [supervisor, *children(supervisor)]
        parent.send_signal(number)
        parent.wait()
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")


_STAND_IN = """#!{python}
import http.server, json, os, signal, sys
note = {{"arguments": sys.argv[1:], "parent": os.getppid()}}
with open({note!r}, "w") as file:
    json.dump(note, file)
key = os.environ["LLAMA_API_KEY"]
{behaviour}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers.get("Authorization") == "Bearer " + key
        self.send_response(200 if known or self.path == "/health" else 401)
        self.end_headers()
        self.wfile.write(b'{{"default_generation_settings": {{"n_ctx": 2048}}}}')

port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Puts a llama-server on the PATH that is none; it notes how it was called in the file that is returned."""

    def install(behaviour: str = "") -> Path:
        note = tmp_path / "called.json"
        program = tmp_path / "bin" / "llama-server"
        program.parent.mkdir()
        program.write_text(
            _STAND_IN.format(python=sys.executable, note=str(note), behaviour=behaviour), encoding="utf-8"
        )
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
        return note

    return install


async def test_a_llama_server_on_the_path_is_preferred(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    note = stand_in()
    one = engine(script_gguf, gpu_layers=12, temperature=0.5)
    endpoint = await one.start()
    called = note.read_text()
    assert str(script_gguf) in called
    assert '"--ctx-size", "8192", "--n-gpu-layers", "12"' in called
    assert '"--jinja"' in called
    assert endpoint.api_key not in called
    assert one.context_window == 2048
    left = processes(one)
    await one.stop()
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")


async def test_a_server_that_will_not_end_is_killed(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    stand_in("signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    one = engine(script_gguf)
    await one.start()
    left = processes(one)
    await one.stop()
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")


async def test_a_llama_server_that_is_too_old_says_so(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    note = stand_in("sys.exit('error: unknown argument: --jinja')")
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "unknown argument: --jinja" in caught.value.detail
    assert str(note.parent / "bin" / "llama-server") in caught.value.hint


async def test_a_llama_server_that_cannot_run_says_so(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    program = stand_in().parent / "bin" / "llama-server"
    program.write_text("#!/nowhere/python\n")
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "failed to run" in caught.value.detail


async def test_somebody_else_on_the_port_is_not_taken_for_the_server(
    stand_in: Callable[..., Path], script_gguf: Path, tmp_path: Path
) -> None:
    """Both can bind one port where SO_REUSEPORT is set; only our own server knows the key."""
    stand_in("key = 'another'")
    one = Engine(script_gguf, tmp_path / "logs")
    with pytest.raises(EngineError, match="No free port"):
        await one.start()
    assert not one.running


async def test_without_any_llama_cpp_the_hint_says_how_to_get_it(
    engine: StartEngine, script_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "lokal[engine]" in caught.value.hint
