"""What end-to-end tests ask for by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tui.core.message import Value
from tui.servers.engine.engine import Engine

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
