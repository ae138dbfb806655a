"""However the embedded engine or lokal ends, it is said why, and no process is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import StartEngine
from tests.support.llama import children, is_alive, linux, needs_engine, processes, until


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
from tui.servers.engine.engine import Engine

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
def test_however_lokal_ends_the_server_ends_and_its_socket_goes(
    script_gguf: Path, tmp_path: Path, short_folder: Path, moment: str, number: signal.Signals
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(script_gguf), str(tmp_path), moment],
        stdout=subprocess.PIPE,
        env={**os.environ, "XDG_RUNTIME_DIR": str(short_folder)},
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (supervisor,) = children(parent.pid)
        left = [supervisor, *children(supervisor)]
        assert len(list(short_folder.iterdir())) == 1
        parent.send_signal(number)
        parent.wait()
    until(lambda: not any(map(is_alive, left)), "the server's processes are gone")
    assert list(short_folder.iterdir()) == []
