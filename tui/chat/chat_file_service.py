"""What is done with a chat as a whole: it is written to a file or read from one, and a model is asked for its title."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui import files
from tui.chat import chat_files
from tui.chat.session import ChatSession, whole_chat
from tui.core.text import count_of
from tui.errors import ChatsNotOpen, UsageError

if TYPE_CHECKING:
    from tui.chat.state import ClientState
    from tui.chat.write_queue import WriteQueue
    from tui.core.request import Turn
    from tui.store.store import Store


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TitleWish:
    """A chat for which a title is wanted instead of the one that it `had`; `turns` are what the model is asked."""

    chat_id: str
    had: str
    turns: tuple[Turn, ...]


class ChatFileService:
    """One a front end; `store` is None until the chats are open."""

    def __init__(self, queue: WriteQueue, store: Callable[[], Store | None]) -> None:
        self._queue = queue
        self._store = store

    @property
    def store(self) -> Store:
        """Raises ChatsNotOpen until they are."""
        store = self._store()
        if store is None:
            raise ChatsNotOpen()
        return store

    async def export(self, session: ChatSession, argument: str, *, overwrite: bool) -> str:
        """Write a chat to the file that `argument` means; in words, what was written. Raises TakenName, LokalError."""
        store, chat_id, title = self.store, session.conversation.id, session.conversation.title
        if not len(session.conversation):
            raise UsageError("This chat is empty: there is nothing to write")
        await self._queue.wait(lambda: None)  # what was said last is to be in it

        def write() -> str:
            path = chat_files.export_path(argument, title)
            chat = whole_chat(self._queue, store, chat_id)
            written = chat_files.export(path, chat, overwrite=overwrite)
            others = len(chat.conversation) - written
            more = f"; {others:,} in other branches left out" if others else ""
            return f"{count_of(written, 'message')} in {path}{more}"

        return await asyncio.to_thread(write)

    async def import_file(self, argument: str) -> tuple[str, bool]:
        """Read the chats of a file into the store, all of them or none; in words, what came of it, and whether the file is in
        it whole. Raises LokalError."""
        store = self.store
        path, export = await files.in_thread(partial(chat_files.read_export, argument))
        words = await asyncio.to_thread(chat_files.import_export, store, path, export)
        return words, not export.left_out

    @staticmethod
    def title_wish(session: ChatSession, state: ClientState) -> TitleWish:
        """What the state's model is to be asked about a chat. Raises UsageError where there is nothing to ask, or nobody."""
        from tui.core.titling import title_turns

        chat = session.conversation
        turns = title_turns(chat.path())
        if not turns:
            raise UsageError("Nothing was said here yet", "", "/rename TITLE names the chat")
        if state.connection is None or state.connection.guide:
            raise UsageError("There is no model to ask for a title", "", "/rename TITLE sets one")
        return TitleWish(chat.id, chat.title, turns)

    def give_title(self, wish: TitleWish, title: str, session: ChatSession | None) -> str:
        """Give the chat the title that came for it; meanwhile another `session` may be open. In words, what is so now; empty
        if the person has given it one meanwhile, which stays."""
        if session is None or session.conversation.id != wish.chat_id:
            store = self.store
            self._queue.keep(partial(store.rename, wish.chat_id, title), store)
            return f"The chat from before is now “{title}”"
        if session.conversation.title != wish.had:
            return ""
        session.rename(title)
        return f"This chat is now “{title}”"
