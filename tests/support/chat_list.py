"""lokal with many chats in it, and what its list of chats and the store under it hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support import snapshot
from tests.support.app_driver import SIZES, AppDriver, running
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.many_chats import fill
from tests.support.replay import Replay, replay
from tui.store.store import Store


@asynccontextmanager
async def with_chats(count: int, size: tuple[int, int] = SIZES[0]) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """lokal with so many chats, connected to a server that answers `Yes.`"""
    fill(count)
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            yield driver, server


def under_cursor(driver: AppDriver) -> str:
    return driver.row("^›").strip()


def stored(driver: AppDriver) -> Store:
    return driver.store


def titles(driver: AppDriver, *, archived: bool = False) -> list[str]:
    return [each.title for each in stored(driver).chats(1_000, archived=archived)]


async def check_all(driver: AppDriver, name: str) -> None:
    """The screen in every size, in one that is narrow and low too."""
    await snapshot.check_all(driver, name, (*SIZES, (50, 15)))
