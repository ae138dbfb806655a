"""Chats that are gone on with at once: what the built-in engine has read of a chat is saved when it is left, and is there
again when the chat is opened, also after the engine has slept and after a restart of lokal.

It follows which chat is open. What has to be saved before a request takes its place is seen to by the engine's own
`EmbeddedServer`; here it is done ahead, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.tasks import TaskRunner
from tui.core.request import ChatRequest, Turn
from tui.core.text import human_tokens

if TYPE_CHECKING:
    from tui.servers.engine.embedded import EmbeddedServer
    from tui.servers.engine.slots import Reuse

_GROUP, _AHEAD = "warm", "read-ahead"
WORTH_SAYING = 500
"""Fewer tokens that had not to be read again, or had, are not worth a word."""
SAVE_AT_END_S = 2.0
"""How long lokal's end waits for a chat to be saved, in seconds; 7,000 tokens of a small model take 0.2."""


@dataclass(frozen=True, slots=True)
class ChatReused:
    """The first answer in a chat that was opened again is there: so many `tokens` of it had not to be read again, or, not
    `reused`, were, since what was saved of it could not be used."""

    tokens: int
    reused: bool = True

    @property
    def words(self) -> str:
        """In words; empty where it is not worth any."""
        if self.tokens < WORTH_SAYING:
            return ""
        if self.reused:
            return f"ready, {human_tokens(self.tokens)} tokens reused"
        return "what was read of this chat before could not be reused: it was read again"


class WarmChats:
    """One a front end. Without an engine that saves chats it does nothing."""

    def __init__(self, tasks: TaskRunner, hear: Callable[[ChatReused], None]) -> None:
        self._tasks = tasks
        self._hear = hear
        self._server: EmbeddedServer | None = None
        self._chat = ""
        self._answered = False
        self._may_wake = False
        self.first_request: Callable[[], ChatRequest | None] = lambda: None
        """What the first question of the open chat will be sent with, as far as that is known: its system prompt; None where
        the chat has begun, or the built-in engine is not in use."""
        self._read_ahead: tuple[EmbeddedServer, tuple[Turn, ...]] | None = None

    def use(self, server: EmbeddedServer) -> None:
        """This engine runs from now on: the open chat is put into its slot."""
        self._server, self._answered = server, False
        self._prepare()

    def open(self, chat: str) -> None:
        """Another chat is open: the one before is saved, and this one restored."""
        if chat != self._chat:
            self._chat, self._answered, self._read_ahead = chat, False, None
            self._prepare()
            self.read_ahead()

    def read_ahead(self) -> None:
        """Let the engine read the system prompt of an empty chat while its first question is written. Called when the chat, the
        server, the model or the preset may be another."""
        server, request = self._server, self.first_request()
        if server is None or request is None or self._read_ahead == (server, request.turns):
            return
        self._read_ahead = server, request.turns
        self._tasks.start(partial(server.read_ahead, request), _AHEAD, exclusive=True)

    def moved(self, chat: str) -> None:
        """The open chat has another id."""
        self._chat = chat

    def touched(self) -> None:
        """The person writes: a question may follow, so that an engine that sleeps is started."""
        server = self._server
        if server is not None and self._may_wake and server.asleep:
            self._may_wake = False  # what cannot be started is not tried at each key
            self._tasks.start(self._wake, _GROUP)

    def engine_slept(self) -> None:
        """The engine was ended, since nobody used it: what it had read has to be restored."""
        self._answered, self._may_wake, self._read_ahead = False, True, None

    def answered(self, chat: str, reuse: Reuse | None, tokens: int) -> None:
        """An answer has ended; what came of restoring its chat is told once for each time that it is opened."""
        from tui.servers.engine.slots import Reuse

        if chat == self._chat:
            is_first, self._answered = not self._answered, True
            if is_first and reuse is not None:
                self._hear(ChatReused(tokens, reuse is Reuse.REUSED))

    async def save(self) -> None:
        """Save what the engine has read of the chat that it was asked in last."""
        if self._server is not None:
            await self._server.save_chat()

    async def end(self) -> None:
        """The same before the engine is ended for good."""
        server, self._server = self._server, None
        if server is not None:
            await server.save_chat()

    async def save_in_time(self) -> None:
        """The same where lokal ends: what takes longer than that is left."""
        if self._server is not None and self._server.has_unsaved:
            try:
                async with asyncio.timeout(SAVE_AT_END_S):
                    await self._server.save_chat()
            except TimeoutError:
                pass

    def save_at_end(self) -> None:
        """The same without an event loop: it blocks."""

        async def save(server: EmbeddedServer) -> None:
            try:
                async with asyncio.timeout(SAVE_AT_END_S):
                    await server.save_at_end()
            except TimeoutError:
                pass

        if self._server is not None and self._server.has_unsaved:
            asyncio.run(save(self._server))

    @property
    def has_unsaved(self) -> bool:
        """Whether there is something to be saved."""
        return self._server is not None and self._server.has_unsaved

    def _prepare(self) -> None:
        if self._server is not None:
            self._tasks.start(self._restore, _GROUP)

    async def _restore(self) -> None:
        server = self._server
        if server is not None:
            await server.save_chat()
            await server.restore_chat(self._chat)  # which may be another one by now

    async def _wake(self) -> None:
        if self._server is not None:
            await self._server.wake(self._chat)
