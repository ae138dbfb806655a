"""A server that comes up while there is none is offered until it is used, refused, or gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app import configure
from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import Replay, as_json, replay

OFFER = r"Ollama answers now on this machine · F8 uses it, Esc refuses"


@asynccontextmanager
async def alone() -> AsyncIterator[tuple[AppDriver, Replay]]:
    """lokal that found no server, and one of which it knows that does not answer yet."""
    async with replay() as server, running(None, environ={"OLLAMA_HOST": server.url}) as driver:
        await driver.see("no server")
        await driver.until(lambda: driver.draft_is_read, "the chats are open")
        yield driver, server


async def look(driver: AppDriver, server: Replay) -> None:
    """Let lokal look once, as it does every 15 s."""
    asked = len(server.seen)
    driver.look_for_server()
    await driver.until(lambda: len(server.seen) > asked, "the server was asked")


async def test_it_stays_and_is_used() -> None:
    async with alone() as (driver, server):
        await look(driver, server)
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        await look(driver, server)
        await driver.see(OFFER)
        await driver.press("up", "ctrl+t")
        driver.show_chat_notice("Something else")
        await driver.see(f"(?s)Something else.*{OFFER}")
        driver.clear_notice()
        await driver.ask("/preset creative")
        await driver.see("preset creative")
        await driver.see(OFFER)
        await look(driver, server)
        await driver.press("f8")
        await driver.see("Looked again: Ollama on this machine")
        await driver.see_no_more("answers now")


async def test_it_is_refused_once_and_offered_when_it_comes_anew() -> None:
    async with alone() as (driver, server):
        like_ollama(server)
        await look(driver, server)
        await driver.see(OFFER)
        await driver.press("escape")
        await driver.see_no_more("answers now")
        await look(driver, server)
        await driver.settle()
        assert "answers now" not in driver.text()
        server.on("/api/version", as_json(500, {})).on("/api/tags", as_json(500, {}))
        await look(driver, server)
        like_ollama(server)
        await look(driver, server)
        await driver.see(OFFER)
        server.on("/api/version", as_json(500, {})).on("/api/tags", as_json(500, {}))
        await look(driver, server)
        await driver.see_no_more("answers now")


async def test_elsewhere_it_is_said_and_in_the_chat_it_waits() -> None:
    async with alone() as (driver, server):
        like_ollama(server)
        await driver.press("f4")
        await look(driver, server)
        await driver.see("Ollama answers now on this machine · F8 uses it")
        await driver.press("f2")
        await driver.resize(50, 15)
        await driver.see(r"Ollama answers now on this machine · F8 uses")
        await driver.see(r"it, Esc refuses")


async def test_keys_of_ones_own_are_named() -> None:
    configure('[keys]\n"server.search" = ""\n"answer.stop" = "f12"\n')
    async with alone() as (driver, server):
        like_ollama(server)
        await look(driver, server)
        await driver.see(r"“Look for servers” in the palette ─+\n +uses it, F12 refuses")
        await driver.press("f12")
        await driver.see_no_more("answers now")
