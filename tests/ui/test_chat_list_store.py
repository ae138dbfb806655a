"""The list of chats and the store under it: what was deleted before this lokal, and a store that is late or broken."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from tests.support.app_driver import AppDriver, running
from tests.support.database import database_of
from tests.support.many_chats import fill, store_of_home
from tui.paths import folders


async def ready(driver: AppDriver) -> None:
    await driver.until(lambda: driver.chats_are_open, "the chats are open")
    await driver.press("f7")


async def test_chats_that_were_deleted_before_lokal_was_started_come_back() -> None:
    fill(5)
    with store_of_home() as store:
        store.delete_chat("chat-0003")
        store.delete_chat("chat-0001")
    async with running() as driver:
        await ready(driver)
        await driver.see("Chats  3")
        await driver.press("down", "d")
        await driver.see("Chats  2")
        await driver.press("u")
        await driver.see("“Why does nginx.*” is back")
        await driver.press("u")
        await driver.see("“A shopping list.*” is back")
        await driver.see("Chats  4")
        await driver.press("u")
        await driver.see("Chats  5")
        await driver.press("u")
        await driver.see("No chat was deleted that could come back")


async def test_a_list_that_cannot_be_read_says_why() -> None:
    fill(5)
    async with running() as driver:
        await driver.until(lambda: driver.chats_are_open, "the chats are open")
        store = driver.store
        database_of(store).connection.set_authorizer(lambda *_: sqlite3.SQLITE_DENY)
        await driver.press("f7")
        await driver.see("\n Cannot read the chats")
        database_of(store).connection.set_authorizer(None)
        await driver.press("down", "f7", "f7")
        await driver.see("Chats  5")
        await driver.see_no_more("\n Cannot read the chats")


async def test_a_list_that_is_opened_before_the_store_is_read_with_it() -> None:
    fill(5)
    with closing(sqlite3.connect(folders(os.environ).database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with running() as driver:
            await driver.press("f7")
            await driver.see("The chats are being opened")
            await driver.press("down")
            other.execute("ROLLBACK")
            await driver.see("Chats  5")
            await driver.see_no_more("being opened")
            await driver.see("\n›Why does nginx")
