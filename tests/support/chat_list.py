"""lokal with many chats in it, and what its list of chats and the store under it hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support import snapshot
from tests.support.many_chats import fill
from tests.support.replay import Replay, replay
from tests.support.stage import SIZES, Stage, like_ollama, ollama_answer, running
from tui.store.store import Store


@asynccontextmanager
async def with_chats(count: int, size: tuple[int, int] = SIZES[0]) -> AsyncIterator[tuple[Stage, Replay]]:
    """lokal with so many chats, connected to a server that answers `Yes.`"""
    fill(count)
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")
            yield stage, server


def under_cursor(stage: Stage) -> str:
    return stage.row("^›").strip()


def stored(stage: Stage) -> Store:
    store = stage.app.backstage._store
    assert store is not None
    return store


def titles(stage: Stage, *, archived: bool = False) -> list[str]:
    return [each.title for each in stored(stage).chats(1_000, archived=archived)]


async def check_all(stage: Stage, name: str) -> None:
    """The screen in every size, in one that is narrow and low too."""
    await snapshot.check_all(stage, name, (*SIZES, (50, 15)))
