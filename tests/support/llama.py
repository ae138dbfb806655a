"""A real llama.cpp server for tests, run as lokal runs it, and waiting for things without guessing how long."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pytest

from tui.core.endpoint import Endpoint
from tui.core.message import NO_PARAMETERS, Value
from tui.servers.engine.engine import Engine

T = TypeVar("T")

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
needs_engine = pytest.mark.usefixtures("engine_installed")


def run_aside(coroutine: Coroutine[object, object, T]) -> T:
    """The result of a coroutine run on a loop of its own, in a thread of its own: usable inside an async test."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_awaited(coroutine))).result()


async def _awaited(coroutine: Coroutine[object, object, T]) -> T:
    return await coroutine


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until `condition` holds; AssertionError naming `what` if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has waited for yet does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] not in ("Z", "X")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that are still there."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def processes(engine: Engine) -> list[int]:
    """The supervisor and what it runs."""
    supervisor = engine._process.pid if engine._process else 0
    return [supervisor, *children(supervisor)]


class LlamaServer:
    """A server at a port that a test may kill and start again: address and key stay the same."""

    def __init__(
        self, gguf: Path, log_folder: Path, values: Mapping[str, Value] = NO_PARAMETERS, cache_mib: int = 64
    ) -> None:
        self.gguf = gguf
        self._log_folder = log_folder
        self._values = values
        self._engine = Engine(gguf, log_folder, values, port=0, cache_mib=cache_mib)
        self.endpoint = self._start()

    @property
    def headers(self) -> dict[str, str]:
        """What a request must carry."""
        return {"Authorization": f"Bearer {self.endpoint.api_key}"}

    @property
    def pid(self) -> int:
        """The process id of its supervisor; 0 while it does not run."""
        return self._engine._process.pid if self._engine._process else 0

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self._engine.running

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._engine.log_file.read_text() if self._engine.log_file else ""

    def kill(self) -> None:
        """End it as kill -9 does; connections break."""
        self._engine.kill()
        port = urlsplit(self.endpoint.url).port or 0
        self._engine = Engine(
            self.gguf, self._log_folder, self._values, port=port, api_key=self.endpoint.api_key
        )

    def start_again(self) -> None:
        """Start it at the same address after `kill`."""
        assert self._start() == self.endpoint

    def _start(self) -> Endpoint:
        """Its address as that of any server, which one may not know to be lokal's own."""
        return replace(run_aside(self._engine.start()), process=0)
