"""The chat that `lokal ask --save` keeps: the question before it is sent, the answer while it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from tui.cli.output import say
from tui.core.message import Message, new_id
from tui.errors import StoreError

if TYPE_CHECKING:
    from tui.store.store import Store

INTERVAL_S = 0.25
"""How long what has come of an answer stays unwritten, at the most."""


class SavedAnswer:
    """One question and its answer in the store. What could not be written is tried again with the next piece, and all of
    it at the end; only that is an error, for until then nothing of it is lost."""

    def __init__(self, path: Path) -> None:
        """`path` is the database; it is opened when there is something to write."""
        self.chat_id = new_id()
        self._path = path
        self._store: Store | None = None
        self._messages: tuple[Message, Message] | None = None
        self._is_there = False
        self._whole: Message | None = None
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._news = asyncio.Event()

    @contextlib.asynccontextmanager
    async def begun(self, asked: Message, answer: Message) -> AsyncIterator[None]:
        """Write down the question and an answer of which nothing has come; inside, what comes is written as it is told."""
        self._messages = asked, answer
        with contextlib.suppress(StoreError):
            await asyncio.to_thread(self._begin)
        writing = asyncio.create_task(self._write_on())
        try:
            yield
        finally:
            writing.cancel()

    def advance(self, text: str, reasoning: str) -> None:
        """More of the answer has come."""
        if text:
            self._text.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        self._news.set()

    def rewrite(self, answer: Message) -> None:
        """What has come so far is something else than it was taken for."""
        self._text.clear()
        self._reasoning.clear()
        self._whole = answer
        self._news.set()

    def end(self, asked: Message, answer: Message) -> str:
        """Write the answer as a whole; the id of its chat. Raises StoreError."""
        self._messages = asked, answer
        try:
            self._begin()
            self._opened().update_message(self.chat_id, answer)
        finally:
            if self._store is not None:
                self._store.close()
        return self.chat_id

    async def _write_on(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            whole, text, reasoning = self._whole, "".join(self._text), "".join(self._reasoning)
            self._whole = None
            self._text.clear()
            self._reasoning.clear()
            if not await asyncio.to_thread(self._is_written, whole, text, reasoning) and self._whole is None:
                self._whole = whole
                self._text.insert(0, text)
                self._reasoning.insert(0, reasoning)
            await asyncio.sleep(INTERVAL_S)

    def _is_written(self, whole: Message | None, text: str, reasoning: str) -> bool:
        """Write down what has come; False = it could not be."""
        try:
            self._begin()
            with self._opened().together("Cannot save the answer"):
                if whole is not None:
                    self._opened().update_message(self.chat_id, whole)
                if self._messages is not None:
                    self._opened().checkpoint(self._messages[1].id, text, reasoning)
        except StoreError:
            return False
        return True

    def _begin(self) -> None:
        """Make the chat, unless it is there."""
        from tui.core.conversation import title_from

        if self._is_there or self._messages is None:
            return
        asked, answer = self._messages
        store = self._opened()
        with store.together("Cannot save the chat"):
            store.create_chat(self.chat_id, title_from(asked.content), asked.created_at)
            store.add_message(self.chat_id, asked)
            store.add_message(self.chat_id, answer)
        self._is_there = True

    def _opened(self) -> Store:
        from tui.store.store import Store

        if self._store is None:
            self._store = Store.open(self._path, on_renewed=lambda renewal: say(str(renewal)))
        return self._store
