"""What is said before a model is loaded for which there is no memory: over made-up machines, and the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.llama import needs_engine
from tests.support.machine_tree import tree
from tui.errors import EngineError
from tui.servers.engine.engine import Engine
from tui.servers.engine.memory_check import check_memory

pytestmark = needs_engine


def machine(root: Path, available_mb: int) -> Path:
    """A machine with so much memory."""
    kib = available_mb * 1000
    return tree(root, {"proc/meminfo": f"MemTotal: {kib} kB\nMemAvailable: {kib} kB\n"})


def test_a_model_with_room_is_not_worth_a_word(packaged_gguf: Path, tmp_path: Path) -> None:
    assert check_memory(packaged_gguf, {}, 8192, machine(tmp_path, 16_000)) == ""


def test_weights_without_room_are_said(packaged_gguf: Path, tmp_path: Path) -> None:
    words = check_memory(packaged_gguf, {}, 512, machine(tmp_path, 80))
    assert "SmolLM2-135M-Instruct.Q4_1.gguf takes " in words
    assert "very slow" in words


def test_a_cache_without_room_is_refused_with_the_window_that_has(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match="cannot be loaded with a context window of 128k") as caught:
        check_memory(packaged_gguf, {}, 131_072, machine(tmp_path, 1000))
    assert "context_window=32768 has room" in caught.value.hint


async def test_the_engine_is_not_started_then(packaged_gguf: Path, tmp_path: Path) -> None:
    engine = Engine(packaged_gguf, tmp_path, {"context_window": 500_000_000})
    with pytest.raises(EngineError, match="cannot be loaded with a context window"):
        await engine.start()
    assert not engine.running
    assert engine.log_file is None
