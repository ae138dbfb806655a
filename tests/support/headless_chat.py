"""A chat without a screen: the real controller, session, store, write queue and server class, and a front end that records."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from tests.support.canned_servers import like_ollama, questions
from tests.support.replay import Replay, replay
from tui.chat.controller import ChatController
from tui.chat.events import (
    AnswerAdvanced,
    AnswerFinished,
    ChatEvent,
    Notice,
    PromptReturned,
    SessionLeft,
    SessionOpened,
)
from tui.chat.session import ChatSession
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.chat.tasks import TaskRunner
from tui.chat.write_queue import WriteQueue
from tui.core.endpoint import Endpoint
from tui.core.message import NO_PARAMETERS, Message, Value
from tui.errors import LokalError
from tui.servers.connect import choose, window_of
from tui.store.store import Store

DEADLINE_S = 60.0
"""Longer than anything takes on a busy machine."""
PRESET = replace(ModelSettings().preset, values={}, system="")
"""A preset that asks for nothing."""

E = TypeVar("E")


class RecordingFrontEnd:
    """Keeps what it hears, and the text that a person would be writing; does what is posted in its turn."""

    def __init__(self) -> None:
        self.events: list[ChatEvent] = []
        self.text = ""
        self.edits: tuple[tuple[str, str], ...] = ()
        self.news = asyncio.Event()

    def hear(self, event: ChatEvent) -> None:
        """Record it; texts come and go as in a composer."""
        match event:
            case PromptReturned(marked):
                self.text = "\n\n".join(filter(None, (marked, self.text)))
            case SessionLeft():
                self.text = ""
            case _:
                pass
        self.events.append(event)
        self.news.set()

    def post(self, call: Callable[[], None], key: object = None) -> None:
        """Do it when the loop comes to it."""

        def run() -> None:
            call()
            self.news.set()

        asyncio.get_running_loop().call_soon(run)

    def command_hint(self, command_id: str) -> str:
        """The command itself."""
        return f"<{command_id}>"

    def unsent_text(self) -> str:
        """What is being written."""
        return self.text

    def begun_edits(self) -> tuple[tuple[str, str], ...]:
        """What the test says."""
        return self.edits

    def all(self, kind: type[E]) -> list[E]:
        """The events of one type, in their order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def notices(self) -> list[str]:
        """What was said."""
        return [notice.text for notice in self.all(Notice)]


class HeadlessChat:
    """The controller with all that stands around it."""

    def __init__(self, state: ClientState, server: Replay, folder: Path) -> None:
        self.server = server
        self.front = RecordingFrontEnd()
        self.mistakes: list[LokalError] = []
        self.problems: list[LokalError] = []
        self.tasks = TaskRunner(self.mistakes.append)
        self.store = Store.open(folder / "chats.db")
        self.queue = WriteQueue(self.problems.append)
        self.controller = ChatController(state, self.front, self.tasks, lambda: 0.0)

    def new_session(self) -> ChatSession:
        """A chat in which nothing was said."""
        return ChatSession(self.store, self.queue)

    async def open(self, session: ChatSession | None = None) -> ChatSession:
        """Open a chat, and wait until its draft is read."""
        opened = session or self.new_session()
        self.controller.open(opened)
        await self.until(lambda: self.controller.outbox.draft_is_read)
        return opened

    def submit(self, text: str) -> None:
        """Submit a prompt as it was written."""
        self.controller.submit(text, text)

    async def ask(self, text: str) -> Message:
        """Submit a prompt and wait for the end of its answer."""
        finished = len(self.front.all(AnswerFinished))
        self.submit(text)
        await self.until(lambda: len(self.front.all(AnswerFinished)) > finished)
        return self.leaf

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds; looked at again after each event."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self.front.news.clear()
                await self.front.news.wait()

    async def idle(self) -> None:
        """Wait until nothing runs and nothing is held."""
        await self.until(lambda: not self.controller.chat.busy)

    async def sees(self, text: str) -> None:
        """Wait until so much of an answer has come."""
        await self.until(lambda: bool(self.front.all(AnswerAdvanced)) and text in self.coming)

    @property
    def coming(self) -> str:
        """The answer that comes in, as far as it has come."""
        stream = self.controller.chat.stream
        return stream.final().content if stream is not None else ""

    @property
    def session(self) -> ChatSession:
        """The open chat."""
        session = self.controller.session
        assert session is not None
        return session

    @property
    def leaf(self) -> Message:
        """The end of the open branch."""
        leaf = self.session.conversation.leaf
        assert leaf is not None
        return leaf

    @property
    def texts(self) -> list[str]:
        """The texts of the open branch."""
        return [message.content for message in self.session.conversation.path()]

    @property
    def asked(self) -> list[str]:
        """What the server was asked, oldest first."""
        return questions(self.server)

    @property
    def returned(self) -> list[str]:
        """The prompts that came back."""
        return [event.marked for event in self.front.all(PromptReturned)]

    @property
    def opened(self) -> list[ChatSession]:
        """The chats that were shown."""
        return [event.session for event in self.front.all(SessionOpened)]

    def set_values(self, values: Mapping[str, Value | None]) -> None:
        """Set parameters for this run."""
        state = self.controller.chat.state
        self.controller.use(state.with_settings(replace(state.settings, overrides=values)))

    def set_status(self, status: ConnectionStatus) -> None:
        """The server is in another state, without a connection."""
        self.controller.use(self.controller.chat.state.with_server(ServerState(status)))

    def flush(self) -> None:
        """Wait until all is on the disk."""
        self.queue.flush(DEADLINE_S)

    def on_disk(self, session: ChatSession) -> list[str]:
        """The texts of a chat's open branch on the disk."""
        self.flush()
        return [message.content for message in self.store.load(session.conversation.id).path()]

    async def close(self) -> None:
        """End all of it."""
        self.tasks.close()
        connection = self.controller.chat.state.connection
        self.queue.close()
        self.store.close()
        if connection is not None:
            await connection.server.aclose()


async def connected(url: str, overrides: Mapping[str, Value | None] = NO_PARAMETERS) -> ClientState:
    """What is asked with a server, by its first model."""
    connection = await choose(Endpoint(url), (), {})
    model = connection.models[0].name
    settings = ModelSettings(
        model, await window_of(connection.server, model), (PRESET,), PRESET, overrides=overrides
    )
    return ClientState(ServerState(ConnectionStatus.CONNECTED, connection), settings)


@asynccontextmanager
async def headless(
    folder: Path,
    overrides: Mapping[str, Value | None] = NO_PARAMETERS,
    *,
    prepare: Callable[[Replay], object] = like_ollama,
) -> AsyncIterator[HeadlessChat]:
    """A new chat is open with the server that `prepare` makes of a replay server: an Ollama, unless said otherwise."""
    async with replay() as server:
        prepare(server)
        chat = HeadlessChat(await connected(server.url, overrides), server, folder)
        try:
            await chat.open()
            yield chat
            assert chat.mistakes == []
        finally:
            await chat.close()


def names(events: Sequence[ChatEvent]) -> list[str]:
    """The names of events, those that follow on one of their own kind once."""
    found: list[str] = []
    for event in events:
        name = type(event).__name__
        if not found or found[-1] != name:
            found.append(name)
    return found
