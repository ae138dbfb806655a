"""What slash commands want done off the screen: a chat written to a file or read from one, renamed, given a title by the
model. What comes of it is posted as messages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message as UiMessage

from tui import files
from tui.chat import chat_files
from tui.chat.session import whole_chat
from tui.chat.tasks import TaskRunner, Work
from tui.chat.write_queue import WriteQueue
from tui.core.request import Turn
from tui.core.text import count_of
from tui.errors import ChatsNotOpen, LokalError
from tui.ui.messages import ServiceMessage
from tui.ui.state import ScreenState

if TYPE_CHECKING:
    from tui.store.store import Store


@dataclass(eq=False, repr=False)
class Told(ServiceMessage):
    """Something was done."""

    text: str
    tone: str = "muted"


@dataclass(eq=False, repr=False)
class NotDone(ServiceMessage):
    """Something was not done. `text` is the command, to be changed, empty for none; `sure` = typed
    once more it is done in any case."""

    error: LokalError
    text: str
    _: KW_ONLY
    sure: bool = False


@dataclass(eq=False, repr=False)
class Titled(ServiceMessage):
    """A model has given a chat a title, in the place of the one that it had when the model was asked."""

    chat_id: str
    title: str
    instead_of: str


class ChatFileService:
    """One for each app; `store` is None until the chats are open."""

    def __init__(
        self,
        post: Callable[[UiMessage], object],
        tasks: TaskRunner,
        queue: WriteQueue,
        store: Callable[[], Store | None],
    ) -> None:
        self._post = post
        self._tasks = tasks
        self._queue = queue
        self._store = store

    # -- the chat as a whole ----------------------------------------------------------------------------------------

    def rename(self, chat_id: str, title: str) -> None:
        """Write down a title, after what is to be written before it."""
        store = self._store()
        if store is not None:
            self._queue.keep(partial(store.rename, chat_id, title), store)

    def ask_title(self, state: ScreenState, chat_id: str, had: str, turns: tuple[Turn, ...]) -> None:
        """Ask the state's model for a title, instead of the one that the chat `had`."""
        self._run(partial(self._ask_title, state, chat_id, had, turns), "title", "", exclusive=True)

    async def _ask_title(self, state: ScreenState, chat_id: str, had: str, turns: tuple[Turn, ...]) -> None:
        from tui.chat.titles import ask_title

        self._post(Titled(chat_id, await ask_title(state, turns), had))

    # -- files ------------------------------------------------------------------------------------------------------

    def export(self, chat_id: str, title: str, argument: str, *, overwrite: bool) -> None:
        """Write a chat, as it is on the disk, to the file that `argument` means."""
        text = f"/export {argument}".strip()
        self._run(partial(self._export, chat_id, title, argument, text, overwrite=overwrite), "export", text)

    async def _export(self, chat_id: str, title: str, argument: str, text: str, *, overwrite: bool) -> None:
        store = self._opened()
        await self._queue.wait(lambda: None)  # what was said last is to be in it

        def write() -> str:
            path = chat_files.export_path(argument, title)
            chat = whole_chat(self._queue, store, chat_id)
            written = chat_files.export(path, chat, overwrite=overwrite)
            others = len(chat.conversation) - written
            more = f"; {others:,} in other branches left out" if others else ""
            return f"{count_of(written, 'message')} in {path}{more}"

        try:
            self._post(Told(await asyncio.to_thread(write), "accent"))
        except chat_files.TakenName as error:
            self._post(NotDone(error, text, sure=True))

    def import_file(self, argument: str) -> None:
        """Read the chats of a file into the store: all of them or none."""
        text = f"/import {argument}"
        self._run(partial(self._import, argument), "import", text)

    async def _import(self, argument: str) -> None:
        store = self._opened()

        self._post(Told("Reading the chats …"))
        path, export = await files.in_thread(partial(chat_files.read_export, argument))
        told = await asyncio.to_thread(chat_files.import_export, store, path, export)
        self._post(Told(told, "warning" if export.left_out else "accent"))
        while await asyncio.to_thread(store.index_some):
            pass

    def _opened(self) -> Store:
        store = self._store()
        if store is None:
            raise ChatsNotOpen()
        return store

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _run(self, work: Work, group: str, text: str, *, exclusive: bool = False) -> None:
        def failed(mistake: LokalError) -> None:
            self._post(NotDone(mistake, text))

        self._tasks.start(partial(self._guarded, work, text), group, exclusive=exclusive, on_mistake=failed)

    async def _guarded(self, work: Work, text: str) -> None:
        try:
            await work()
        except LokalError as error:
            self._post(NotDone(error, text))
