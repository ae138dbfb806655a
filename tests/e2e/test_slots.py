"""Chats that are kept warm, on the real engine with a real model: saved, restored, also by another engine, never damaged."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.dialects import hear
from tests.support.llama import linux, needs_engine, processes
from tui.core.events import Done, Progress, TextDelta
from tui.core.message import Role, Usage
from tui.core.request import ChatRequest, Turn
from tui.errors import ContextOverflow
from tui.servers.engine import embedded
from tui.servers.engine.embedded import EmbeddedServer
from tui.servers.engine.engine import Engine
from tui.servers.engine.slot_files import LIMIT_BYTES
from tui.servers.engine.slots import ChatSlots, Reuse, files_of
from tui.servers.engine.thread_fallback import AnswerTiming

pytestmark = needs_engine

FIRST = "The keeper of the lighthouse wrote a letter home every evening. " * 6
OTHER = "Name a colour."


@dataclass
class Warm:
    """An engine whose chats are kept warm, and what is said in them. `told` are the answers with what came of restoring."""

    engine: Engine
    folder: Path
    told: list[tuple[str, Reuse | None, int]] = field(default_factory=list)
    asleep: list[bool] = field(default_factory=list)
    chats: set[str] = field(default_factory=lambda: {"a", "b"})
    timings: list[AnswerTiming] = field(default_factory=list)
    connected: EmbeddedServer | None = None

    @property
    def server(self) -> EmbeddedServer:
        assert self.connected is not None
        return self.connected

    async def ask(self, chat: str, *said: str) -> tuple[str, Usage]:
        """The next answer in a chat, and the tokens of its prompt."""
        heard = await hear(self.server.chat(request(chat, *said)))
        return heard.text, heard.done.usage

    @property
    def threads(self) -> int:
        """With how many the engine writes answers, as it says itself."""
        assert self.engine.log_file is not None
        found = re.search(r"n_threads = (\d+)", self.engine.log_file.read_text())
        assert found is not None
        return int(found[1])

    @property
    def reuse(self) -> Reuse | None:
        """What came of restoring at the last answer."""
        return self.told[-1][1]

    @property
    def slot_files(self) -> list[Path]:
        """What is in the folder."""
        return list((self.folder / "slots").glob("*.slot"))


def request(chat: str, *said: str, tokens: int = 8) -> ChatRequest:
    roles = (Role.USER, Role.ASSISTANT)
    turns = tuple(Turn(roles[place % 2], text) for place, text in enumerate(said))
    return ChatRequest("any", turns, {"temperature": 0.0, "max_tokens": tokens}, chat=chat)


@asynccontextmanager
async def warm(gguf: Path, folder: Path) -> AsyncIterator[Warm]:
    """An engine that saves its chats in `folder`."""
    engine = Engine(gguf, folder / "logs", {"context_window": 1024}, slot_folder=folder / "slots")
    one = Warm(engine, folder)
    connection = await embedded.start(
        engine,
        on_asleep=one.asleep.append,
        slot_files=files_of(engine, LIMIT_BYTES, lambda chat: chat in one.chats),
        on_answer=lambda *told: one.told.append(told),
        on_timing=one.timings.append,
    )
    assert isinstance(connection.server, EmbeddedServer)
    one.connected = connection.server
    try:
        yield one
    finally:
        await connection.server.aclose()
        await engine.stop()


async def test_a_chat_is_restored_also_by_the_next_engine(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        assert usage.prompt is not None
        assert one.server.has_unsaved
        await one.server.save_chat()
        assert not one.server.has_unsaved
        (file,) = one.slot_files
        await one.server.save_chat()
        assert one.slot_files == [file]  # nothing new was said
    async with warm(packaged_gguf, tmp_path) as next_one:
        await next_one.server.restore_chat("a")
        _, again = await next_one.ask("a", FIRST, first, OTHER)
        assert next_one.told == [("a", Reuse.REUSED, again.cached)]
        assert (again.cached or 0) >= usage.prompt
        await next_one.ask("a", FIRST, first, OTHER)
        assert next_one.reuse is None
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "slots").iterdir()}
    assert modes == {0o600}


async def test_what_takes_the_place_of_a_chat_lets_it_be_saved_before(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        await one.ask("", "Name this conversation. " * 9)  # a title, say
        assert len(one.slot_files) == 1
        await one.ask("b", OTHER)
        _, again = await one.ask("a", FIRST, first, OTHER)  # nobody has opened it: the question is enough
        assert one.reuse is Reuse.REUSED
        assert usage.prompt is not None
        assert (again.cached or 0) >= usage.prompt
        restored = len(one.told)
        await one.ask("a", FIRST, first, "Another question")  # another branch of the chat that is there
        assert one.told[restored:] == [("a", None, one.told[-1][2])]
        assert one.told[-1][2] >= usage.prompt


@pytest.mark.parametrize("damage", ["truncated", "changed"])
async def test_a_damaged_file_is_never_handed_over_and_the_engine_lives(
    packaged_gguf: Path, tmp_path: Path, damage: str
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, _ = await one.ask("a", FIRST)
        await one.ask("b", OTHER)
        spoil(one.slot_files, damage)
        await one.ask("a", FIRST, first, OTHER)
        assert one.reuse is Reuse.LOST
        assert one.engine.starts == 1
        assert one.engine.log_file is not None
        assert "was thrown away: it is not as it was saved" in one.engine.log_file.read_text()
        await one.ask("a", FIRST, first, OTHER)
        assert one.reuse is None


async def test_a_file_that_kills_the_engine_costs_only_itself(packaged_gguf: Path, tmp_path: Path) -> None:
    """As would one that was damaged before its record was made."""
    async with warm(packaged_gguf, tmp_path) as one:
        first, _ = await one.ask("a", FIRST)
        await one.ask("b", OTHER)
        spoil(one.slot_files, "truncated")
        files = files_of(one.engine, LIMIT_BYTES)
        assert files is not None
        assert one.engine.state is not None
        assert files.keep(one.slot_files[0].name, "a", 100, one.engine.state)
        text, _ = await one.ask("a", FIRST, first, OTHER)
        assert text
        assert one.engine.starts == 2
        assert one.slot_files == []


async def test_a_slot_that_does_not_hold_what_it_should_leaves_no_file(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        files = files_of(one.engine, LIMIT_BYTES)
        assert files is not None
        slots = ChatSlots(one.engine, one.server, files)
        assert not await slots.save()  # nothing was said
        await slots.answered("a", Usage(100, 5))
        assert slots.unsaved
        assert not await slots.save()  # the slot holds nothing: a stub is written, with 0 tokens
        assert one.slot_files == []


async def test_nothing_is_kept_of_a_chat_that_is_gone(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        await one.ask("a", FIRST)
        one.chats.remove("a")
        await one.server.save_chat()
        assert one.slot_files == []
        one.chats.add("a")  # it has come back, and is in the slot still
        await one.server.save_chat()
        assert len(one.slot_files) == 1


@linux
async def test_a_disk_that_is_full_leaves_no_part_of_a_file(packaged_gguf: Path, tmp_path: Path) -> None:
    import resource

    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        # A file may not become larger for this process: the write fails in its middle, as on a disk without room.
        resource.prlimit(processes(one.engine)[-1], resource.RLIMIT_FSIZE, (1 << 16, resource.RLIM_INFINITY))
        await one.server.save_chat()
        assert one.slot_files == []
        assert one.engine.running
        _, again = await one.ask("a", FIRST, first, OTHER)
        assert usage.prompt is not None
        assert (again.cached or 0) >= usage.prompt


@pytest.mark.parametrize("when", ["answering", "reading"])
async def test_an_answer_that_was_stopped_is_saved_with_what_came(
    packaged_gguf: Path, tmp_path: Path, when: str
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        async with aclosing(one.server.chat(request("a", FIRST, tokens=400))) as events:
            async for event in events:
                is_read = isinstance(event, Progress) and event.done > 0
                if is_read if when == "reading" else isinstance(event, TextDelta):
                    break
        await one.server.save_chat()
        assert len(one.slot_files) == 1
        await one.ask("b", OTHER)
        _, usage = await one.ask("a", FIRST)
        assert one.reuse is Reuse.REUSED
        assert usage.prompt is not None
        assert (usage.cached or 0) >= usage.prompt - 1


async def test_what_never_came_to_the_slot_changes_nothing(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        too_long = await hear(one.server.chat(request("a", FIRST, first, FIRST * 20)))
        assert isinstance(too_long.error, ContextOverflow)
        await one.server.save_chat()
        assert len(one.slot_files) == 1
        await hear(one.server.chat(request("b", FIRST * 20)))
        await one.server.save_chat()
        assert len(one.slot_files) == 1  # what is in the slot is none of the other chat's
        _, again = await one.ask("a", FIRST, first, OTHER)
        assert (again.cached or 0) >= (usage.prompt or 0)


@linux
async def test_an_engine_that_was_killed_goes_on_with_what_was_saved(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        await one.server.save_chat()
        async with aclosing(one.server.chat(request("a", FIRST, first, OTHER, tokens=400))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    os.kill(processes(one.engine)[-1], signal.SIGKILL)
        _, again = await one.ask("a", FIRST, first, OTHER)
        assert one.engine.starts == 2
        assert usage.prompt is not None
        assert (again.cached or 0) >= usage.prompt
        assert one.reuse is Reuse.REUSED


async def test_a_model_that_reuses_nothing_is_not_restored_again(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        files = files_of(one.engine, LIMIT_BYTES)
        assert files is not None
        slots = ChatSlots(one.engine, one.server, files)
        _, usage = await one.ask("a", FIRST)
        await one.ask("b", OTHER)
        assert await slots.restore("a") >= (usage.prompt or 0)
        assert await slots.answered("a", Usage(usage.prompt, 8, 0)) is Reuse.NOTHING
        assert not await slots.save()
        assert await slots.restore("b") == 0
        assert await slots.restore("a") == 0


# -- sleep ----------------------------------------------------------------------------------------------------------------


def is_gone(process: int) -> bool:
    return not Path(f"/proc/{process}").exists()


@linux
@pytest.mark.parametrize("wake", ["by a question", "while it is written", "by a count"])
async def test_an_engine_that_nobody_uses_sleeps_and_goes_on_where_it_was(
    packaged_gguf: Path, tmp_path: Path, wake: str
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        used = processes(one.engine)
        assert not await one.server.sleep(3600)
        assert await one.server.sleep(0)
        assert one.server.asleep
        assert all(map(is_gone, used))
        assert not await one.server.sleep(0)
        assert [model.name for model in await one.server.models()]  # the Models tab lets it sleep
        assert await one.server.context_window("any") == 1024
        assert one.server.asleep
        if wake == "while it is written":
            await one.server.wake("a")
            assert not one.server.asleep
        elif wake == "by a count":
            assert await one.server.count_tokens(request("a", FIRST)) == usage.prompt
        _, again = await one.ask("a", FIRST, first, OTHER)
        assert one.asleep == [True, False]
        assert one.reuse is Reuse.REUSED
        assert (again.cached or 0) >= (usage.prompt or 0)


async def test_it_does_not_sleep_while_it_is_asked(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        async with aclosing(one.server.chat(request("a", FIRST))) as events:
            await anext(events)
            assert one.server.idle_s() == 0
            assert not await one.server.sleep(0.0001)
        assert not one.server.asleep


async def test_an_engine_without_a_folder_saves_nothing(script_gguf: Path, tmp_path: Path) -> None:
    engine = Engine(script_gguf, tmp_path / "logs")
    connection = await embedded.start(engine)
    try:
        assert engine.state is None
        assert files_of(engine, LIMIT_BYTES) is None
    finally:
        await connection.server.aclose()
        await engine.stop()


def spoil(files: list[Path], damage: str) -> None:
    """Damage the one file in the folder."""
    (path,) = files
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[len(content) // 2 :]
    else:
        content[len(content) // 2] ^= 1
    path.write_bytes(content)


@linux
async def test_with_other_threads_the_chat_is_in_the_slot_again(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        first, usage = await one.ask("a", FIRST)
        assert usage.prompt is not None
        before = processes(one.engine)
        assert await one.server.use_threads(1) is True
        assert processes(one.engine) != before
        assert one.threads == 1
        _, again = await one.ask("a", FIRST, first, OTHER)
        assert (again.cached or 0) >= usage.prompt
        assert await one.server.use_threads(None) is True
        assert one.threads == one.server.usual_threads
        assert not one.asleep or one.asleep[-1] is False


async def test_an_answer_that_comes_in_is_not_broken_off_for_other_threads(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        changing: asyncio.Task[bool | None] | None = None
        pieces = 0
        async with aclosing(one.server.chat(request("a", FIRST, tokens=24))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    pieces += 1
                    changing = changing or asyncio.create_task(one.server.use_threads(1))
        assert isinstance(event, Done)
        assert pieces > 10
        assert changing is not None
        assert await changing is True


async def test_a_long_chat_that_cannot_be_saved_is_not_read_again_for_other_threads(
    packaged_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.servers.engine.embedded.MOST_READ_AGAIN", 50)
    async with warm(packaged_gguf, tmp_path) as one:
        await one.ask("a", FIRST)
        before = processes(one.engine)
        one.chats.clear()  # so that it is not saved
        assert await one.server.use_threads(1) is None
        assert processes(one.engine) == before


async def test_an_engine_that_sleeps_takes_other_threads_when_it_wakes(
    packaged_gguf: Path, tmp_path: Path
) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        await one.ask("a", FIRST)
        assert await one.server.sleep(0)
        assert await one.server.use_threads(1) is False
        assert one.server.asleep
        await one.ask("a", FIRST)
        assert one.threads == 1


async def test_each_answer_is_timed_also_one_that_is_stopped(packaged_gguf: Path, tmp_path: Path) -> None:
    async with warm(packaged_gguf, tmp_path) as one:
        await one.ask("a", FIRST)
        pieces = 0
        async with aclosing(one.server.chat(request("a", FIRST, tokens=200))) as events:
            async for event in events:
                pieces += isinstance(event, TextDelta)
                if pieces == 6:
                    break
        assert [timing.tokens for timing in one.timings] == [8, 6]
        assert all(timing.rate > 0 for timing in one.timings)


def test_the_number_of_threads_that_the_person_has_set_stays(packaged_gguf: Path, tmp_path: Path) -> None:
    engine = Engine(packaged_gguf, tmp_path, {"threads": 2})
    assert engine.usual_threads == 1  # which nothing is ever done about
