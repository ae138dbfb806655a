"""A server that comes up while there is none is offered until it is used, refused, or gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app import configure
from tests.support.replay import Replay, as_json, replay
from tests.support.stage import Stage, like_ollama, ollama_answer, running

OFFER = r"Ollama answers now on this machine · F8 uses it, Esc refuses"


@asynccontextmanager
async def alone() -> AsyncIterator[tuple[Stage, Replay]]:
    """lokal that found no server, and one of which it knows that does not answer yet."""
    async with replay() as server, running(None, environ={"OLLAMA_HOST": server.url}) as stage:
        await stage.see("no server")
        await stage.until(lambda: stage.app.chat.draft_is_read, "the chats are open")
        yield stage, server


async def look(stage: Stage, server: Replay) -> None:
    """Let lokal look once, as it does every 15 s."""
    asked = len(server.seen)
    stage.app.backstage.look_for_server()
    await stage.until(lambda: len(server.seen) > asked, "the server was asked")


async def test_it_stays_and_is_used() -> None:
    async with alone() as (stage, server):
        await look(stage, server)
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        await look(stage, server)
        await stage.see(OFFER)
        await stage.press("up", "ctrl+t")
        stage.app.chat.tell("Something else")
        await stage.see(f"(?s)Something else.*{OFFER}")
        stage.app.chat.divider.clear_notice()
        await stage.ask("/preset creative")
        await stage.see("preset creative")
        await stage.see(OFFER)
        await look(stage, server)
        await stage.press("f8")
        await stage.see("Looked again: Ollama on this machine")
        await stage.see_no_more("answers now")


async def test_it_is_refused_once_and_offered_when_it_comes_anew() -> None:
    async with alone() as (stage, server):
        like_ollama(server)
        await look(stage, server)
        await stage.see(OFFER)
        await stage.press("escape")
        await stage.see_no_more("answers now")
        await look(stage, server)
        await stage.settle()
        assert "answers now" not in stage.text()
        server.on("/api/version", as_json(500, {})).on("/api/tags", as_json(500, {}))
        await look(stage, server)
        like_ollama(server)
        await look(stage, server)
        await stage.see(OFFER)
        server.on("/api/version", as_json(500, {})).on("/api/tags", as_json(500, {}))
        await look(stage, server)
        await stage.see_no_more("answers now")


async def test_elsewhere_it_is_said_and_in_the_chat_it_waits() -> None:
    async with alone() as (stage, server):
        like_ollama(server)
        await stage.press("f4")
        await look(stage, server)
        await stage.see("Ollama answers now on this machine · F8 uses it")
        await stage.press("f2")
        await stage.resize(50, 15)
        await stage.see(r"Ollama answers now on this machine · F8 uses")
        await stage.see(r"it, Esc refuses")


async def test_keys_of_ones_own_are_named() -> None:
    configure('[keys]\n"server.search" = ""\n"answer.stop" = "f12"\n')
    async with alone() as (stage, server):
        like_ollama(server)
        await look(stage, server)
        await stage.see(r"“Look for servers” in the palette ─+\n +uses it, F12 refuses")
        await stage.press("f12")
        await stage.see_no_more("answers now")
