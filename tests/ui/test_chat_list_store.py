"""The list of chats and the store under it: what was deleted before this lokal, and a store that is late or broken."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from tests.support.many_chats import fill, store_of_home
from tests.support.stage import Stage, running
from tui.paths import folders


async def ready(stage: Stage) -> None:
    await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")
    await stage.press("f7")


async def test_chats_that_were_deleted_before_lokal_was_started_come_back() -> None:
    fill(5)
    with store_of_home() as store:
        store.delete_chat("chat-0003")
        store.delete_chat("chat-0001")
    async with running() as stage:
        await ready(stage)
        await stage.see("Chats  3")
        await stage.press("down", "d")
        await stage.see("Chats  2")
        await stage.press("u")
        await stage.see("“Why does nginx.*” is back")
        await stage.press("u")
        await stage.see("“A shopping list.*” is back")
        await stage.see("Chats  4")
        await stage.press("u")
        await stage.see("Chats  5")
        await stage.press("u")
        await stage.see("No chat was deleted that could come back")


async def test_a_list_that_cannot_be_read_says_why() -> None:
    fill(5)
    async with running() as stage:
        await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")
        store = stage.app.backstage._store
        assert store is not None
        store._database.connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        await stage.press("f7")
        await stage.see("\n Cannot read the chats")
        store._database.connection.set_authorizer(None)
        await stage.press("down", "f7", "f7")
        await stage.see("Chats  5")
        await stage.see_no_more("\n Cannot read the chats")


async def test_a_list_that_is_opened_before_the_store_is_read_with_it() -> None:
    fill(5)
    with closing(sqlite3.connect(folders(os.environ).database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with running() as stage:
            await stage.press("f7")
            await stage.see("The chats are being opened")
            await stage.press("down")
            other.execute("ROLLBACK")
            await stage.see("Chats  5")
            await stage.see_no_more("being opened")
            await stage.see("\n›Why does nginx")
