"""The engine with a llama-server that is on the PATH, one that will not do among them, and without any llama.cpp."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import StartEngine
from tests.support.listener import Listener
from tests.support.llama import is_alive, linux, processes, until
from tui.errors import EngineError
from tui.servers.engine import port_listener
from tui.servers.engine.engine import Engine
from tui.servers.engine.slot_files import LIMIT_BYTES
from tui.servers.engine.slots import files_of
from tui.servers.kinds.llamacpp import LlamaCppServer

_STAND_IN = """#!{python}
import http.server, json, os, signal, socket, socketserver, sys
note = {{"arguments": sys.argv[1:], "parent": os.getppid()}}
with open({note!r}, "w") as file:
    json.dump(note, file)
key = os.environ["LLAMA_API_KEY"]
{behaviour}

class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass
    def do_GET(self):
        known = self.headers.get("Authorization") == "Bearer " + key
        self.send_response(200 if known or self.path == "/health" else 401)
        self.end_headers()
        self.wfile.write(b'{{"default_generation_settings": {{"n_ctx": 2048}}}}')

host = sys.argv[sys.argv.index("--host") + 1]
if host.endswith(".sock"):
    http.server.HTTPServer.address_family = socket.AF_UNIX
    http.server.HTTPServer.server_bind = socketserver.TCPServer.server_bind
    http.server.HTTPServer(host, Handler).serve_forever()
port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer((host, port), Handler).serve_forever()
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
    assert f'"--host", "{endpoint.socket}"' in called
    assert "--port" not in called
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


async def test_a_llama_server_that_saves_no_slots_is_started_without(
    stand_in: Callable[..., Path], script_gguf: Path, tmp_path: Path
) -> None:
    note = stand_in(
        "if '--slot-save-path' in sys.argv: sys.exit('error: unknown argument: --slot-save-path')"
    )
    one = Engine(script_gguf, tmp_path / "logs", slot_folder=tmp_path / "slots")
    try:
        await one.start()
        assert "--slot-save-path" not in note.read_text()
        assert one.state is None
        assert files_of(one, LIMIT_BYTES) is None
    finally:
        await one.stop()


async def test_a_llama_server_that_cannot_run_says_so(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    program = stand_in().parent / "bin" / "llama-server"
    program.write_text("#!/nowhere/python\n")
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "failed to run" in caught.value.detail


NO_SOCKETS = """
if sys.argv[sys.argv.index("--host") + 1].endswith(".sock"):
    sys.exit("main: couldn't bind HTTP server socket, hostname: " + sys.argv[sys.argv.index("--host") + 1])
"""
"""An old build takes the path for the name of a host."""

ELSEWHERE = """
if sys.argv[sys.argv.index("--host") + 1].endswith(".sock"):
    print("main: server is listening on http://10.0.0.1:8080", flush=True)
    signal.pause()
"""
"""One whose name was looked up after all, or that sees another /tmp."""


@linux
@pytest.mark.parametrize("behaviour", [NO_SOCKETS, ELSEWHERE])
async def test_a_build_without_unix_sockets_gets_a_port_that_is_proved(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path, behaviour: str
) -> None:
    stand_in(behaviour)
    one = engine(script_gguf)
    endpoint = await one.start()
    assert endpoint.socket == ""
    assert endpoint.process == processes(one)[1]
    assert endpoint.address == "built-in llama.cpp"
    server = LlamaCppServer(endpoint)
    assert await server.context_window("script") == 2048  # by the client of all servers too
    await server.aclose()


NOWHERE = (
    NO_SOCKETS
    + """
print("main: server is listening on http://127.0.0.1 of a container", flush=True)
signal.pause()
"""
)


async def test_one_that_listens_where_nobody_can_see_it_is_given_up(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(NOWHERE)
    monkeypatch.setattr("tui.servers.engine.engine.ELSEWHERE_POLLS", 1)
    with pytest.raises(EngineError, match="cannot prove"):
        await engine(script_gguf).start()


@linux
async def test_a_port_that_another_user_has_taken_meanwhile_is_given_nothing(
    engine: StartEngine,
    stand_in: Callable[..., Path],
    script_gguf: Path,
    listener: Listener,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stand_in(NO_SOCKETS)
    free = port_listener.free_port()
    ports = iter([listener.port, free])
    monkeypatch.setattr(port_listener, "free_port", lambda: next(ports))
    endpoint = await engine(script_gguf).start()
    assert endpoint.url == f"http://127.0.0.1:{free}"
    assert listener.received() == []


async def test_where_nothing_proves_who_listens_nothing_is_sent(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = stand_in(NO_SOCKETS)
    monkeypatch.setattr(port_listener, "can_tell", lambda: False)
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "safely" in caught.value.title
    assert str(note.parent / "bin" / "llama-server") in caught.value.hint


async def test_a_server_that_does_not_know_its_key_is_not_waited_for(
    engine: StartEngine, stand_in: Callable[..., Path], script_gguf: Path
) -> None:
    stand_in("key = 'another'")
    with pytest.raises(EngineError, match="status 401"):
        await engine(script_gguf).start()


async def test_without_any_llama_cpp_the_hint_says_how_to_get_it(
    engine: StartEngine, script_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(EngineError) as caught:
        await engine(script_gguf).start()
    assert "lokal[engine]" in caught.value.hint
