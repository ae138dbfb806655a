"""Chats that are kept warm: what the engine has read of a chat is saved before something else takes its place, and restored
before the chat is gone on with.

The engine has one slot. Which chat is in it is known here, since every request goes through `ChatSlots`; so nothing is
restored into a slot that holds the prompt already. The count of reused tokens of the next answer says whether restoring
was of use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Protocol

from tui import files
from tui.core.message import Usage
from tui.errors import ServerError
from tui.servers.engine import engine_log
from tui.servers.engine.engine import Engine
from tui.servers.engine.slot_files import HasChat, SlotFiles

LEAST_TOKENS = 64
"""A slot with fewer tokens is not saved: they are read again as fast."""
_UNREAD_TOKENS = 2
"""So many tokens of an answer, its last and its end, are not in the slot when the answer is there."""


class Reuse(Enum):
    """What came of a chat's saved slot at its next answer: its tokens were REUSED; NONE of them, since another branch or
    system prompt was asked; the file was of no use to this engine, and is LOST; or the model is one for which restoring brings
    NOTHING (a hybrid one, or one with a sliding window) and is not done again."""

    REUSED = auto()
    NONE = auto()
    LOST = auto()
    NOTHING = auto()


class SlotServer(Protocol):
    """Who writes and reads the files."""

    async def save_slot(self, name: str) -> int:
        """Save the slot under that name; how many tokens. Raises ServerError."""
        ...

    async def restore_slot(self, name: str) -> int:
        """Restore the slot from that file; how many tokens. Raises ServerError, and the slot is then empty."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    """What is in the slot since the engine's start number `start`: `chat`, empty = something beside the chats, with as many
    `tokens`, None = not known; `saved` = there is a file of just that."""

    start: int
    chat: str
    tokens: range | None = None
    saved: bool = False


class ChatSlots:
    """The chats of one engine. One thing at a time: whoever calls sees to it. Nothing here raises for a file or a server: what
    cannot be saved or restored is read again."""

    def __init__(self, engine: Engine, server: SlotServer, slot_files: SlotFiles) -> None:
        self._engine = engine
        self._server = server
        self._files = slot_files
        self._now: _Held | None = None
        self._before: _Held | None = None
        self._restored: tuple[str, int] = ("", 0)
        self._lost = ""

    @property
    def held(self) -> str:
        """The id of the chat that the slot holds; empty for none, and once the engine was started anew."""
        held = self._held
        return held.chat if held is not None else ""

    @property
    def _held(self) -> _Held | None:
        held = self._now
        return held if held is not None and held.start == self._engine.starts else None

    @property
    def unsaved(self) -> bool:
        """Whether the slot holds something of a chat that is in no file."""
        held = self._held
        if held is None or not held.chat or held.saved or held.tokens is None:
            return False
        return held.tokens.stop > LEAST_TOKENS and self._engine.endpoint is not None

    # -- requests ---------------------------------------------------------------------------------------------------

    async def begin(self, chat: str) -> None:
        """A request in that chat, empty = beside the chats, is about to take the slot: what is in it of another is saved, and
        what there is of this one is restored. Then `answered` or `broke_off` says how it ended."""
        if self.held != chat:
            await self.save()
            if chat:
                await self.restore(chat)
        self._before, self._now = self._held, _Held(self._engine.starts, chat)

    async def answered(self, chat: str, usage: Usage) -> Reuse | None:
        """The answer has ended. What came of the chat's saved slot, if it was the first answer after that."""
        prompt, completion, cached = usage.prompt, usage.completion or 0, usage.cached
        held = None
        if prompt is not None:
            total = prompt + completion
            held = range(total - _UNREAD_TOKENS, total + 1)
        self._now = _Held(self._engine.starts, chat, held)
        (restored_chat, restored), self._restored = self._restored, ("", 0)
        lost, self._lost = self._lost, ""
        if lost and lost == chat:
            return Reuse.LOST
        if not restored or restored_chat != chat or cached is None or prompt is None:
            return None
        if cached > 0:
            return Reuse.REUSED if cached * 2 >= min(restored, prompt) else Reuse.NONE
        if (state := self._engine.state) is not None:
            await files.in_thread(lambda: self._files.mark_useless(state.model))
        return Reuse.NOTHING

    def broke_off(self, chat: str, pieces: int, read: int) -> None:
        """The answer was stopped or failed after so many pieces of text, of a token or more each, and so many tokens of the
        prompt that were read for it."""
        if (
            not pieces and not read
        ):  # nothing tells that it came as far as the slot: then there is in it what was
            before, now = self._before, self._held
            known = (
                before is not None and now is not None and before.start == now.start and before.chat == chat
            )
            self._now = before if known else now
            return
        self._restored = ("", 0)
        least, most = max(1, pieces - _UNREAD_TOKENS, read), self._engine.context_window or 0
        self._now = _Held(self._engine.starts, chat, range(least, max(least, most) + 1))

    # -- files ------------------------------------------------------------------------------------------------------

    async def save(self) -> bool:
        """Save what the slot holds, if that is a chat and not saved yet; whether there is now a new file."""
        held, state = self._held, self._engine.state
        if held is None or held.tokens is None or state is None or not self.unsaved:
            return False
        if await files.in_thread(lambda: self._files.is_useless(state.model)):
            return False
        least = held.tokens.start
        try:
            name = await files.in_thread(self._files.new_name)
        except OSError:
            return False
        if not await files.in_thread(lambda: self._files.may_keep(held.chat, least, state)):
            return False
        try:
            saved = await self._server.save_slot(name)
        except ServerError as error:
            reason = str(error)
            await files.in_thread(lambda: self._files.drop(name, reason))
            return False
        except BaseException:  # lokal ends: what was begun is not left there
            self._files.drop(name, "It was not saved in time")
            raise
        if saved not in held.tokens:
            why = f"{saved} tokens were saved instead of {held.tokens.stop - 1}"
            await files.in_thread(lambda: self._files.drop(name, why))
            return False
        kept = await files.in_thread(lambda: self._files.keep(name, held.chat, saved, state))
        if kept and self._held is held:
            self._now = replace(held, saved=True)
        return kept

    async def restore(self, chat: str) -> int:
        """Put a chat into the slot again; how many tokens of it, 0 where there is nothing to restore or it is there. What the
        slot holds and was not saved is lost."""
        state = self._engine.state
        if self.held == chat or state is None or self._engine.endpoint is None:
            return 0
        if await files.in_thread(lambda: self._files.is_useless(state.model)):
            return 0
        known = await files.in_thread(lambda: self._files.has(chat))
        record = await files.in_thread(lambda: self._files.find(chat, state)) if known else None
        if record is None:
            self._lost = chat if known else self._lost
            return 0
        self._now = None  # a restore that fails leaves the slot empty
        try:
            restored = await self._server.restore_slot(record.name)
        except ServerError as error:
            restored, reason = 0, str(error)
        else:
            reason = f"{restored} tokens were restored"
        if restored != record.tokens:
            self._lost = chat
            await files.in_thread(lambda: self._files.drop(record.name, reason))
            return 0
        self._now = _Held(self._engine.starts, chat, range(restored, restored + 1), saved=True)
        self._restored = chat, restored
        return restored


def files_of(engine: Engine, limit_bytes: int, has_chat: HasChat = lambda _: True) -> SlotFiles | None:
    """The files that an engine saves chats into; what is thrown away is said in its log. None where it saves none."""

    def tell(line: str) -> None:
        if engine.log_file is not None:
            engine_log.note(engine.log_file, line)

    folder = engine.slot_folder
    return SlotFiles(folder, limit_bytes, tell, has_chat) if folder is not None else None


OnAnswer = Callable[[str, "Reuse | None", int], None]
"""Told of each answer that has ended well: the chat's id, what came of the chat's saved slot, None where nothing was restored
for this answer, and how many tokens of the prompt had not to be read, or were read again where nothing was reused."""
