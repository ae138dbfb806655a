"""The engine's supervisor that is started before lokal knows what to serve."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.test_engine import environment
from tests.support.llama import needs_engine, processes
from tui.paths import folders
from tui.servers.engine import supervisor
from tui.servers.engine.engine import Engine

pytestmark = [needs_engine, pytest.mark.skipif(sys.platform == "win32", reason="begins with its job there")]

BARE = {"PATH": "/nowhere", "HOME": "/nowhere"}


def test_it_ends_when_nobody_gives_it_a_job() -> None:
    supervisor.begin_early(["ask", "--gguf=x.gguf", "Hello"], BARE)
    process = supervisor.take_early()
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stdout is not None
    process.stdout.close()
    assert supervisor.take_early() is None


@pytest.mark.parametrize("arguments", [["ask", "Hello"], ["--server", "gguf"], []])
def test_it_begins_only_where_a_model_file_is_named(arguments: list[str]) -> None:
    supervisor.begin_early(arguments, BARE)
    assert supervisor.take_early() is None


def test_it_does_not_begin_where_a_llama_server_will_serve(tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    supervisor.begin_early(["--gguf", "x.gguf"], {**BARE, "PATH": f"/nowhere:{tmp_path}"})
    assert supervisor.take_early() is None


@pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="nothing tells the environment of a process"
)
async def test_the_engine_is_served_by_it_and_knows_no_key_of_yours(script_gguf: Path) -> None:
    supervisor.begin_early(["--gguf", "x.gguf"], {**os.environ, "LANG": "C", "MY_SERVER_KEY": "geheim"})
    engine = Engine(script_gguf, folders(os.environ).logs, {})
    try:
        await engine.start()
        assert supervisor.take_early() is None
        for process in processes(engine):
            environ = environment(process)
            assert "LANG=C" in environ
            assert "MY_SERVER_KEY" not in environ
        assert engine.log_file is not None
        assert b"listening" in engine.log_file.read_bytes()
    finally:
        await engine.stop()
