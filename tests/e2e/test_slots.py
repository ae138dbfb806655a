"""Chats that are kept warm, on the real engine with a real model: saved, restored, also by another engine, never damaged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.dialects import hear
from tests.support.llama import linux, needs_engine, processes
from tui.core.message import Role
from tui.core.request import ChatRequest, Turn
from tui.servers.engine import embedded
from tui.servers.engine.embedded import EmbeddedServer
from tui.servers.engine.engine import Engine
from tui.servers.engine.slot_files import LIMIT_BYTES
from tui.servers.engine.slots import ChatSlots, Reuse, files_of

pytestmark = needs_engine

FIRST = "The keeper of the lighthouse wrote a letter home every evening. " * 6
OTHER = "Name a colour."


class Warm:
    """An engine whose chats are kept warm, and what is said in them."""

    def __init__(self, engine: Engine, server: EmbeddedServer) -> None:
        files = files_of(engine, LIMIT_BYTES)
        assert files is not None
        self.engine = engine
        self.server = server
        self.slots = ChatSlots(engine, server, files)
        self.reuse: Reuse | None = None

    async def ask(self, chat: str, *said: str) -> tuple[str, int, int]:
        """The next answer in a chat, the tokens of its prompt, and how many of these had not to be read."""
        roles = (Role.USER, Role.ASSISTANT)
        turns = tuple(Turn(roles[place % 2], text) for place, text in enumerate(said))
        request = ChatRequest("any", turns, {"temperature": 0.0, "max_tokens": 8})
        heard = await hear(self.server.chat(request))
        usage = heard.done.usage
        assert usage.prompt is not None
        assert usage.completion is not None
        self.reuse = await self.slots.answered(chat, usage.prompt, usage.completion, usage.cached)
        return heard.text, usage.prompt, usage.cached or 0


@asynccontextmanager
async def warm(gguf: Path, folder: Path) -> AsyncIterator[Warm]:
    """An engine that saves its chats in `folder`."""
    engine = Engine(gguf, folder / "logs", {"context_window": 1024}, slot_folder=folder / "slots")
    connection = await embedded.start(engine)
    assert isinstance(connection.server, EmbeddedServer)
    try:
        yield Warm(engine, connection.server)
    finally:
        await connection.server.aclose()
        await engine.stop()


async def test_a_chat_is_restored_also_by_the_next_engine(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, prompt, _ = await one.ask("a", FIRST)
        assert one.slots.held == "a"
        assert await one.slots.restore("a") == 0  # it is there
        assert await one.slots.save("a")
        await one.ask("b", OTHER)
        assert await one.slots.save("a") is False  # the slot holds another
        assert await one.slots.restore("a") >= prompt
    async with warm(packaged_gguf, tmp_path) as next_one:
        restored = await next_one.slots.restore("a")
        assert restored >= prompt
        _, _, cached = await next_one.ask("a", FIRST, first, OTHER)
        assert cached >= prompt
        assert next_one.reuse is Reuse.REUSED
        await next_one.ask("a", FIRST, first, OTHER)
        assert next_one.reuse is None
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "slots").iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("damage", ["truncated", "changed"])
async def test_a_damaged_file_is_never_handed_over_and_the_engine_lives(
    packaged_gguf: Path, tmp_path: Path, damage: str
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        await one.ask("a", FIRST)
        assert await one.slots.save("a")
        await one.ask("b", OTHER)
        spoil(tmp_path / "slots", damage)
        assert await one.slots.restore("a") == 0
        assert one.engine.running
        assert list_of(tmp_path / "slots") == []
        assert one.engine.log_file is not None
        assert "was thrown away: it is not as it was saved" in one.engine.log_file.read_text()
        await one.ask("a", OTHER)


async def test_a_slot_that_does_not_hold_what_it_should_leaves_no_file(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        assert not await one.slots.save("a")  # nothing was said
        await one.slots.answered("a", 10, 5, None)
        assert not await one.slots.save("a")  # the slot holds nothing: a stub is written, with 0 tokens
        assert list_of(tmp_path / "slots") == []


@linux
async def test_a_disk_that_is_full_leaves_no_part_of_a_file(packaged_gguf: Path, tmp_path: Path) -> None:
    import resource

    async with warm(packaged_gguf, tmp_path) as one:
        first, prompt, _ = await one.ask("a", FIRST)
        # A file may not become larger for this process: the write fails in its middle, as on a disk without room.
        resource.prlimit(processes(one.engine)[-1], resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))
        assert not await one.slots.save("a")
        assert list_of(tmp_path / "slots") == []
        assert one.engine.running
        _, _, cached = await one.ask("a", FIRST, first, OTHER)
        assert cached >= prompt


async def test_a_model_that_reuses_nothing_is_not_restored_again(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        _, prompt, _ = await one.ask("a", FIRST)
        assert await one.slots.save("a")
        await one.ask("b", OTHER)
        assert await one.slots.restore("a")
        assert await one.slots.answered("a", prompt, 8, 0) is Reuse.NOTHING
        assert not await one.slots.save("a")
        await one.ask("b", OTHER)
        assert await one.slots.restore("a") == 0


async def test_an_engine_without_a_folder_saves_nothing(script_gguf: Path, tmp_path: Path) -> None:
    engine = Engine(script_gguf, tmp_path / "logs")
    connection = await embedded.start(engine)
    try:
        assert engine.state is None
        assert files_of(engine, LIMIT_BYTES) is None
    finally:
        await connection.server.aclose()
        await engine.stop()


def list_of(folder: Path) -> list[Path]:
    """What is in a folder."""
    return list(folder.iterdir())


def spoil(folder: Path, damage: str) -> None:
    """Damage the one file in the folder."""
    (path,) = folder.glob("*.slot")
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)
