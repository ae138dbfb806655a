"""A chat client without a screen over the built-in engine: connections, controller, store, as both front ends put them together."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.support.headless_chat import DEADLINE_S, PRESET, RecordingFrontEnd
from tui.chat.chat_library import is_on_disk
from tui.chat.connections import ConnectionEvent, EngineSlept, ServerConnections, state_after
from tui.chat.controller import ChatController
from tui.chat.events import AnswerFinished
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ModelSettings
from tui.chat.tasks import TaskRunner
from tui.chat.warm_chats import ChatReused
from tui.chat.write_queue import WriteQueue
from tui.config.settings import Settings
from tui.config.startup import StartOptions
from tui.core.message import Message, Value
from tui.errors import LokalError
from tui.paths import folders
from tui.servers.engine.embedded import EmbeddedServer
from tui.store.store import Store

EXACT: dict[str, Value | None] = {"temperature": 0.0, "max_tokens": 8}


class WarmClient:
    """One run of lokal."""

    def __init__(self, gguf: Path, settings: Settings) -> None:
        self.deadline_s = DEADLINE_S
        self.places = folders(os.environ)
        self.front = RecordingFrontEnd()
        self.heard: list[ConnectionEvent] = []
        self.mistakes: list[LokalError] = []
        self.tasks = TaskRunner(self.mistakes.append)
        self.queue = WriteQueue(self.mistakes.append)
        self.store = Store.open(self.places.database)
        options = StartOptions(self.places, gguf=gguf, overrides=EXACT)
        self.connections = ServerConnections(
            options, settings, self.tasks, self._hear, partial(is_on_disk, self.store)
        )
        chosen = ModelSettings(presets=(PRESET,), preset=PRESET, overrides=EXACT)
        self.controller = ChatController(
            ClientState(settings=chosen),
            self.front,
            self.tasks,
            lambda: 0.0,
            self.connections.engines.warm_chats,
        )

    def _hear(self, event: ConnectionEvent) -> None:
        self.heard.append(event)
        self.controller.use(state_after(self.controller.chat.state, event))
        self.front.news.set()

    @property
    def server(self) -> EmbeddedServer:
        """The engine."""
        connection = self.controller.chat.state.connection
        assert connection is not None
        assert isinstance(connection.server, EmbeddedServer)
        return connection.server

    @property
    def said(self) -> list[str]:
        """What was said of chats that were opened again."""
        return [event.words for event in self.heard if isinstance(event, ChatReused) and event.words]

    @property
    def sleeps(self) -> list[bool]:
        """When the engine was ended for want of use, and when it came back."""
        return [event.asleep for event in self.heard if isinstance(event, EngineSlept)]

    @property
    def saved(self) -> list[Path]:
        """The files of saved slots."""
        return list(self.places.slots.glob("*.slot"))

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; looked at again after each event, and now and then for what tells none."""
        async with asyncio.timeout(self.deadline_s):
            while not condition():
                self.front.news.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await self.front.news.wait()

    async def settled(self) -> None:
        """Wait until nothing is saved or restored any more."""
        await self.until(lambda: not self.tasks.runs("warm"))

    def new(self) -> ChatSession:
        """Open a new chat."""
        session = ChatSession(self.store, self.queue)
        self.controller.open(session)
        return session

    def reopen(self, chat_id: str) -> ChatSession:
        """Open a chat as it is on the disk."""
        self.queue.flush(60)
        session = ChatSession(self.store, self.queue, self.store.load(chat_id))
        self.controller.open(session)
        return session

    async def ask(self, text: str) -> Message:
        """The answer to a question."""
        finished = len(self.front.all(AnswerFinished))
        self.controller.submit(text, text)
        await self.until(lambda: len(self.front.all(AnswerFinished)) > finished)
        return self.front.all(AnswerFinished)[-1].message

    def leave(self) -> None:
        """lokal ends, its event loop first."""
        self.controller.leave(closed=False)
        self.tasks.close()


@asynccontextmanager
async def warm_client(gguf: Path, settings: Settings | None = None) -> AsyncIterator[WarmClient]:
    """A client in this test's home, connected to an engine with that model."""
    client = WarmClient(gguf, replace(settings or Settings()))
    try:
        client.new()
        client.connections.find(client.controller.chat.state)
        await client.until(lambda: client.controller.chat.state.connection is not None)
        yield client
        client.leave()
        assert client.mistakes == []
    finally:
        with client.connections.engines.closing():
            client.queue.close()
        client.store.close()
