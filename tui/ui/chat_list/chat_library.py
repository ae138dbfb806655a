"""The chats in the store, off the screen's thread: parts of the list, searching, opening, and changing whole chats.

What is written goes through the thread that writes everything else, in the order in which it was asked for. Listing and
searching give it a moment, so that a chat that was just begun is there; opening a chat waits for all of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message as UiMessage

from tui.chat.session import ChatSession, waiting, whole_chat
from tui.chat.tasks import TaskRunner, Work
from tui.chat.write_queue import WriteQueue
from tui.core.text import safe_name
from tui.errors import ChatGone, LokalError, StoreError
from tui.ui.chat_list.messages import (
    ChatChange,
    ChatChanged,
    ChatOpened,
    ChatsListed,
    ChatsUnlisted,
    ChatUnchanged,
    HitsFound,
    ListWish,
    SearchHits,
)
from tui.ui.messages import Told, Trouble

if TYPE_CHECKING:
    from tui.store.store import ChatSummary, Store

NAMED = 30
"""Characters of a title in an error, so that there is room on the rule for what it says."""
PAGE = 50
"""Hits of a search that are read at a time."""
CATCH_UP_S = 0.25
"""What a list waits for the disk at the most: one that lags behind is better than none."""
INDEX_PAUSE_S = 0.02
"""Between two steps of what the index is behind, each some hundredths of a second."""


class ChatLibrary:
    """One for each app; `store` gives None until the chats are open; `slots` is the folder of what the engine keeps of chats."""

    def __init__(
        self,
        post: Callable[[UiMessage], object],
        tasks: TaskRunner,
        queue: WriteQueue,
        store: Callable[[], Store | None],
        slots: Path,
    ) -> None:
        self._post = post
        self._tasks = tasks
        self._queue = queue
        self._opened = store
        self._slots = slots

    # -- reading ----------------------------------------------------------------------------------------------------

    def list_chats(self, wish: ListWish) -> None:
        """Read a part of the list; the last wish counts."""
        self._run(lambda: self._list(wish), "chats-list")

    async def _list(self, wish: ListWish) -> None:
        store = self._opened()
        if store is None:  # whoever wants the list asks again when the chats are open
            self._post(ChatsUnlisted(None, wish.number))
            return
        try:
            await self._queue.catch_up(CATCH_UP_S)
            read = store.chats_around
            window = await asyncio.to_thread(read, wish.middle, wish.limit, wish.archived, wish.chat_id)
        except StoreError as error:
            self._post(ChatsUnlisted(error, wish.number))
            return
        self._post(ChatsListed(window, wish.number))

    def search(self, query: str, first: int = 0) -> None:
        """Search all chats; the last wish counts."""
        self._run(lambda: self._search(query, first), "chats-search")

    async def _search(self, query: str, first: int) -> None:
        if self._opened() is None:
            return
        try:
            await self._queue.catch_up(CATCH_UP_S)
            found = await asyncio.to_thread(self._find, query, first)
        except StoreError as error:
            self._post(Trouble(error))
            found = SearchHits(query, first, (), False, 0)
        self._post(HitsFound(found))

    def _find(self, query: str, first: int) -> SearchHits:
        store = self._store()
        hits = store.search(query, PAGE + 1, first)
        return SearchHits(query, first, hits[:PAGE], len(hits) > PAGE, store.index_backlog())

    def open_chat(
        self,
        chat_id: str,
        title: str,
        message_id: str = "",
        query: str = "",
        *,
        known: bool = False,
        beneath: bool = False,
    ) -> None:
        """Read a chat as it is on the disk now; `title` is what it is called if it is there no longer. `known` = it is
        the open one, and only what `query` finds is wanted."""
        self._run(lambda: self._open(chat_id, title, message_id, query, known, beneath), "chats-open")

    async def _open(
        self, chat_id: str, title: str, message_id: str, query: str, known: bool, beneath: bool
    ) -> None:
        session = None
        try:
            pattern = await asyncio.to_thread(_pattern, query) if query else None
            if not known:
                await self._queue.wait(lambda: None)  # what was said in it is on the disk
                store = self._store()
                session = waiting(self._queue, chat_id)
                if session is None:
                    conversation = await asyncio.to_thread(store.load, chat_id)
                    session = ChatSession(store, self._queue, conversation)
        except StoreError as error:
            self._post(ChatUnchanged(chat_id, _named(error, title)))
            return
        self._post(ChatOpened(chat_id, session, message_id, pattern, beneath=beneath))

    # -- changing ---------------------------------------------------------------------------------------------------

    def rename(self, chat: ChatSummary, title: str) -> None:
        """Give a chat another title."""
        self._change(
            ChatChange.RENAMED, replace(chat, title=title), lambda: self._store().rename(chat.id, title)
        )

    def pin(self, chat: ChatSummary, *, pinned: bool) -> None:
        """Keep a chat at the top, or no longer."""
        change = ChatChange.PINNED if pinned else ChatChange.UNPINNED
        self._change(change, replace(chat, pinned=pinned), lambda: self._store().pin(chat.id, pinned))

    def archive(self, chat: ChatSummary, *, archived: bool) -> None:
        """Put a chat away, or bring it back."""
        change = ChatChange.ARCHIVED if archived else ChatChange.UNARCHIVED
        self._change(
            change, replace(chat, archived=archived), lambda: self._store().archive(chat.id, archived)
        )

    def delete(self, chat: ChatSummary) -> None:
        """Delete a chat; it can come back. What the engine keeps of it goes at once."""

        def delete() -> None:
            from tui.servers.engine.slot_files import SlotFiles

            self._store().delete_chat(chat.id)
            SlotFiles(self._slots).forget([chat.id])

        self._change(ChatChange.DELETED, chat, delete)

    def restore(self, chat: ChatSummary) -> None:
        """Bring back a chat that was deleted."""
        self._change(ChatChange.RESTORED, chat, lambda: self._store().restore_chat(chat.id))

    def restore_last(self) -> None:
        """Bring back the chat that was deleted last, also before lokal was started; say so if there is none."""

        def change() -> None:
            chat_id = ""
            try:
                store = self._store()
                chat = store.last_deleted()
                if chat is None:
                    self._post(Told("No chat was deleted that could come back"))
                    return
                chat_id = chat.id
                store.restore_chat(chat_id)
            except StoreError as error:
                self._post(ChatUnchanged(chat_id, error))
            else:
                self._post(ChatChanged(ChatChange.RESTORED, chat))

        self._queue.submit(change)

    def _change(self, change: ChatChange, chat: ChatSummary, write: Callable[[], None]) -> None:
        def write_it() -> None:
            try:
                write()
            except StoreError as error:
                self._post(ChatUnchanged(chat.id, _named(error, chat.title)))
            else:
                self._post(ChatChanged(change, chat))

        self._queue.submit(write_it)

    # -- files ------------------------------------------------------------------------------------------------------

    def export(self, chat: ChatSummary) -> None:
        """Write a chat as Markdown to a new file in the folder that lokal was started in, named after its title."""
        self._run(lambda: self._export(chat), "chats-export")

    async def _export(self, chat: ChatSummary) -> None:
        await self._queue.wait(lambda: None)  # what was said last is to be in it
        try:
            path = await asyncio.to_thread(self._write, chat)
        except StoreError as error:
            self._post(ChatUnchanged(chat.id, _named(error, chat.title)))
        except LokalError as error:
            self._post(Trouble(error))
        else:
            self._post(Told(f"{path.name} is in {path.parent}", "accent"))

    def _write(self, chat: ChatSummary) -> Path:
        from tui.chat import chat_files

        whole = whole_chat(self._queue, self._store(), chat.id)
        first = path = chat_files.export_path("", chat.title)
        number = 1
        while True:
            try:
                chat_files.export(path, whole, overwrite=False)
            except chat_files.TakenName:
                number += 1
                path = first.with_stem(f"{first.stem}-{number}")
            else:
                return path

    # -- the index --------------------------------------------------------------------------------------------------

    def index_on(self) -> None:
        """Work off what the index is behind, step by step; other writes come in between."""
        self._run(self._index, "index")

    async def _index(self) -> None:
        left = True

        def step() -> None:
            nonlocal left
            left = self._store().index_some()

        while True:
            if not await self._queue.wait(step) or not left:
                return
            await asyncio.sleep(INDEX_PAUSE_S)

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _store(self) -> Store:
        store = self._opened()
        if store is None:
            raise StoreError("The chats are not open yet", "", "Try again in a moment")
        return store

    def _run(self, work: Work, group: str) -> None:
        self._tasks.start(work, group, exclusive=True)


def _named(error: StoreError, title: str) -> StoreError:
    """For a chat that was deleted since it was shown, which one it is; the store may know no more than its id."""
    if not isinstance(error, ChatGone):
        return error
    name = safe_name(title, NAMED) or "without a title"
    return ChatGone(error.chat_id, f"The chat “{name}” was deleted")


def _pattern(query: str) -> re.Pattern[str] | None:
    """What finds the words of a query in a text; None if it has none."""
    from tui.store.highlight import pattern_of
    from tui.store.query import parse

    terms = parse(query)
    return pattern_of(terms) if terms else None
