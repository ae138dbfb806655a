"""Nothing goes to a port on which another process than lokal's engine listens."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.listener import Listener
from tests.support.llama import linux
from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import Unreachable
from tui.servers.engine import health_check, port_listener
from tui.servers.http.http_client import HttpClient

pytestmark = linux


@pytest.fixture
def other_process() -> Iterator[int]:
    """A process that listens nowhere."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.kill()


def test_who_listens_is_told(listener: Listener, other_process: int) -> None:
    port = listener.port
    assert port_listener.can_tell()
    assert port_listener.listens(os.getpid(), port)
    assert not port_listener.listens(other_process, port)
    assert not port_listener.listens(1 << 22, port)
    assert not port_listener.listens(0, port)
    listener.close()
    assert not port_listener.listens(os.getpid(), port)


def test_a_listener_on_all_addresses_is_no_proof() -> None:
    with socket.create_server(("0.0.0.0", 0)) as everywhere:
        assert not port_listener.listens(os.getpid(), everywhere.getsockname()[1])


def test_while_it_loads_nothing_goes_to_another_process(listener: Listener, other_process: int) -> None:
    url = f"http://{port_listener.LOOPBACK}:{listener.port}"
    assert health_check.ask(Endpoint(url, api_key="secret", process=other_process)).status == 0
    assert listener.received() == []


async def test_no_question_goes_to_another_process(listener: Listener, other_process: int) -> None:
    url = f"http://{port_listener.LOOPBACK}:{listener.port}"
    http = HttpClient(Endpoint(url, ServerKind.LLAMACPP, "secret", process=other_process))
    with pytest.raises(Unreachable, match="built-in engine"):
        await http.ask("/apply-template", {"messages": ["a secret too"]})
    assert listener.received() == []
    await http.aclose()


async def test_what_was_taken_over_between_connecting_and_sending_gets_nothing(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine listened when the connection was begun, and no longer when it was there."""
    answers = iter([True, False])
    monkeypatch.setattr(port_listener, "listens", lambda *_: next(answers))
    http = HttpClient(Endpoint(f"http://127.0.0.1:{listener.port}", ServerKind.LLAMACPP, "secret", process=1))
    with pytest.raises(Unreachable):
        await http.get("/props")
    assert listener.received() == [b""]
    await http.aclose()
    assert next(answers, None) is None
