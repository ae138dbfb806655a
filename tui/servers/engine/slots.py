"""Chats that are kept warm: what the engine has read of a chat is saved when the chat is left, and restored when it is opened.

The engine has one slot. Which chat is in it is known here, so that nothing is restored into a slot that holds the prompt
already; the count of reused tokens of the next answer says whether restoring was of use.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto

from tui import files
from tui.errors import ServerError
from tui.servers.engine import engine_log
from tui.servers.engine.embedded import EmbeddedServer
from tui.servers.engine.engine import Engine
from tui.servers.engine.slot_files import SlotFiles

_UNREAD_TOKENS = 2
"""So many tokens of an answer, its last and its end, are not in the slot when the answer is there."""


class Reuse(Enum):
    """What came of a restored chat at its next answer: its tokens were REUSED, it is NONE since another branch or system prompt
    was asked, or the model is one for which restoring brings NOTHING (a hybrid one, or one with a sliding window) and is not done again."""

    REUSED = auto()
    NONE = auto()
    NOTHING = auto()


class ChatSlots:
    """The chats of one engine. Every method may be called at any time; they wait for each other, and none raises for a file
    or a server: what cannot be saved or restored is read again."""

    def __init__(self, engine: Engine, server: EmbeddedServer, slot_files: SlotFiles) -> None:
        self._engine = engine
        self._server = server
        self._files = slot_files
        self._one_at_a_time = asyncio.Lock()
        self._held: tuple[int, str, int] | None = None
        self._restored = 0

    @property
    def held(self) -> str:
        """The id of the chat that the slot holds; empty for none, and once the engine was started anew."""
        return self._held[1] if self._held is not None and self._held[0] == self._engine.starts else ""

    async def answered(self, chat: str, prompt: int, completion: int, cached: int | None) -> Reuse | None:
        """An answer in `chat` has ended, after so many tokens of prompt and answer, of which `cached` had not to be read. What
        came of restoring the chat, if it was the first answer after that."""
        restored, self._restored = (self._restored if self.held == chat else 0), 0
        self._held = (self._engine.starts, chat, prompt + completion)
        if not restored or cached is None:
            return None
        if cached > 0:
            return Reuse.REUSED if cached * 2 >= min(restored, prompt) else Reuse.NONE
        if (state := self._engine.state) is not None:
            await files.in_thread(lambda: self._files.mark_useless(state.model))
        return Reuse.NOTHING

    async def save(self, chat: str) -> bool:
        """Save the slot, if it holds this chat; whether there is now a file of it."""
        async with self._one_at_a_time:
            held, state = self._held, self._engine.state
            if held is None or self.held != chat or state is None or self._engine.endpoint is None:
                return False
            if await files.in_thread(lambda: self._files.is_useless(state.model)):
                return False
            try:
                name = await files.in_thread(self._files.new_name)
            except OSError:
                return False
            try:
                saved = await self._server.save_slot(name)
            except ServerError as error:
                reason = str(error)
                await files.in_thread(lambda: self._files.drop(name, reason))
                return False
            if not held[2] - _UNREAD_TOKENS <= saved <= held[2]:
                why = f"{saved} tokens were saved instead of {held[2]}"
                await files.in_thread(lambda: self._files.drop(name, why))
                return False
            return await files.in_thread(lambda: self._files.keep(name, chat, saved, state))

    async def restore(self, chat: str) -> int:
        """Put a chat into the slot again; how many tokens of it, 0 where there is nothing to restore or it is there."""
        async with self._one_at_a_time:
            state = self._engine.state
            if self.held == chat or state is None or self._engine.endpoint is None:
                return 0
            if await files.in_thread(lambda: self._files.is_useless(state.model)):
                return 0
            record = await files.in_thread(lambda: self._files.find(chat, state))
            if record is None:
                return 0
            self._held = None  # a restore that fails leaves the slot empty
            try:
                restored = await self._server.restore_slot(record.name)
            except ServerError as error:
                reason = str(error)
                await files.in_thread(lambda: self._files.drop(record.name, reason))
                return 0
            if restored != record.tokens:
                await files.in_thread(
                    lambda: self._files.drop(record.name, f"{restored} tokens were restored")
                )
                return 0
            self._held = (self._engine.starts, chat, restored)
            self._restored = restored
            return restored


def files_of(engine: Engine, limit_bytes: int) -> SlotFiles | None:
    """The files that an engine saves chats into; what is thrown away is said in its log. None where it saves none."""

    def tell(line: str) -> None:
        if engine.log_file is not None:
            engine_log.note(engine.log_file, line)

    return SlotFiles(engine.slot_folder, limit_bytes, tell) if engine.slot_folder is not None else None
