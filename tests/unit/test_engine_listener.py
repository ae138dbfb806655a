"""Nothing goes to a port on which another process than lokal's engine listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.llama import linux
from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import Unreachable
from tui.servers import engine_health, engine_listener
from tui.servers.http import Http

pytestmark = linux


@pytest.fixture
def impostor() -> Iterator[socket.socket]:
    """A socket of this process that listens where the engine should; it takes connections when it is asked to."""
    with socket.create_server((engine_listener.LOOPBACK, 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture
def other_process() -> Iterator[int]:
    """A process that listens nowhere."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def received(listener: socket.socket) -> list[bytes]:
    """What each connection has brought."""
    brought: list[bytes] = []
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return brought
        with connection:
            connection.settimeout(60)
            brought.append(connection.recv(65536))


def test_who_listens_is_told(impostor: socket.socket, other_process: int) -> None:
    port = port_of(impostor)
    assert engine_listener.can_tell()
    assert engine_listener.listens(os.getpid(), port)
    assert not engine_listener.listens(other_process, port)
    assert not engine_listener.listens(1 << 22, port)
    assert not engine_listener.listens(0, port)
    impostor.close()
    assert not engine_listener.listens(os.getpid(), port)


def test_a_listener_on_all_addresses_is_no_proof() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert not engine_listener.listens(os.getpid(), port_of(listener))


def test_while_it_loads_nothing_goes_to_another_process(impostor: socket.socket, other_process: int) -> None:
    url = f"http://{engine_listener.LOOPBACK}:{port_of(impostor)}"
    assert engine_health.ask(Endpoint(url, api_key="secret", process=other_process)).status == 0
    assert received(impostor) == []


async def test_no_question_goes_to_another_process(impostor: socket.socket, other_process: int) -> None:
    url = f"http://{engine_listener.LOOPBACK}:{port_of(impostor)}"
    http = Http(Endpoint(url, ServerKind.LLAMACPP, "secret", process=other_process))
    with pytest.raises(Unreachable, match="built-in engine"):
        await http.post("/v1/chat/completions", {"messages": ["a secret too"]})
    assert received(impostor) == []
    await http.aclose()


async def test_what_was_taken_over_between_connecting_and_sending_gets_nothing(
    impostor: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine listened when the connection was begun, and no longer when it was there."""
    answers = iter([True, False])
    monkeypatch.setattr(engine_listener, "listens", lambda *_: next(answers))
    http = Http(Endpoint(f"http://127.0.0.1:{port_of(impostor)}", ServerKind.LLAMACPP, "secret", process=1))
    with pytest.raises(Unreachable):
        await http.get("/props")
    assert received(impostor) == [b""]
    await http.aclose()
    assert next(answers, None) is None
