"""What slash commands want done off the screen: a chat written to a file or read from one, renamed, given a title by the
model, another server asked. Workers that post messages."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App
from textual.message import Message as UiMessage

from tui import files
from tui.chat import chat_files
from tui.chat.session import whole_chat
from tui.chat.write_queue import WriteQueue
from tui.config.settings import Settings
from tui.core.endpoint import Endpoint
from tui.core.request import Turn
from tui.core.text import count_of
from tui.errors import LokalError, StoreError
from tui.ui.messages import Connected, WindowKnown
from tui.ui.state import ScreenState
from tui.ui.work import Work, begin

if TYPE_CHECKING:
    from tui.store.store import Store


@dataclass
class Told(UiMessage):
    """Something was done."""

    text: str
    tone: str = "muted"


@dataclass
class NotDone(UiMessage):
    """Something was not done. `text` is the command, to be changed, empty for none; `sure` = typed
    once more it is done in any case."""

    error: LokalError
    text: str
    _: KW_ONLY
    sure: bool = False


@dataclass
class Titled(UiMessage):
    """A model has given a chat a title, in the place of the one that it had when the model was asked."""

    chat_id: str
    title: str
    instead_of: str


class ChatFileService:
    """One for each app; `store` is None until the chats are open."""

    def __init__(
        self,
        app: App[None],
        settings: Settings,
        persistence: WriteQueue,
        store: Callable[[], Store | None],
        waits: Callable[[], Callable[[Endpoint], None]],
    ) -> None:
        """`waits` gives what tells of a server that is still loading its model."""
        self._app = app
        self._settings = settings
        self._persistence = persistence
        self._store = store
        self._waits = waits

    # -- the chat as a whole ----------------------------------------------------------------------------------------

    def rename(self, chat_id: str, title: str) -> None:
        """Write down a title, after what is to be written before it."""
        store = self._store()
        if store is not None:
            self._persistence.keep(partial(store.rename, chat_id, title), store)

    def ask_title(self, state: ScreenState, chat_id: str, had: str, turns: tuple[Turn, ...]) -> None:
        """Ask the state's model for a title, instead of the one that the chat `had`."""
        self._run(partial(self._ask_title, state, chat_id, had, turns), "title", "", exclusive=True)

    async def _ask_title(self, state: ScreenState, chat_id: str, had: str, turns: tuple[Turn, ...]) -> None:
        from tui.chat.titles import ask_title

        self._app.post_message(Titled(chat_id, await ask_title(state, turns), had))

    # -- files ------------------------------------------------------------------------------------------------------

    def export(self, chat_id: str, title: str, argument: str, *, overwrite: bool) -> None:
        """Write a chat, as it is on the disk, to the file that `argument` means."""
        text = f"/export {argument}".strip()
        self._run(partial(self._export, chat_id, title, argument, text, overwrite=overwrite), "export", text)

    async def _export(self, chat_id: str, title: str, argument: str, text: str, *, overwrite: bool) -> None:
        store = self._opened()
        await self._persistence.wait(lambda: None)  # what was said last is to be in it

        def write() -> str:
            path = chat_files.export_path(argument, title)
            chat = whole_chat(self._persistence, store, chat_id)
            written = chat_files.export(path, chat, overwrite=overwrite)
            others = len(chat.conversation) - written
            more = f"; {others:,} in other branches left out" if others else ""
            return f"{count_of(written, 'message')} in {path}{more}"

        try:
            self._app.post_message(Told(await asyncio.to_thread(write), "accent"))
        except chat_files.TakenName as error:
            self._app.post_message(NotDone(error, text, sure=True))

    def import_file(self, argument: str) -> None:
        """Read the chats of a file into the store: all of them or none."""
        text = f"/import {argument}"
        self._run(partial(self._import, argument), "import", text)

    async def _import(self, argument: str) -> None:
        store = self._opened()

        self._app.post_message(Told("Reading the chats …"))
        path, export = await files.in_thread(partial(chat_files.read_export, argument))
        told = await asyncio.to_thread(chat_files.import_export, store, path, export)
        self._app.post_message(Told(told, "warning" if export.left_out else "accent"))
        while await asyncio.to_thread(store.index_some):
            pass

    def _opened(self) -> Store:
        store = self._store()
        if store is None:
            raise StoreError("The chats are not open yet", "", "Try again in a moment")
        return store

    # -- servers ----------------------------------------------------------------------------------------------------

    def use_server(self, state: ScreenState, endpoint: Endpoint, text: str) -> None:
        """Connect to another server; if it does not answer, the one there is stays."""
        self._run(partial(self.connect, state, endpoint), "connect", text, exclusive=True)

    async def connect(
        self, state: ScreenState, endpoint: Endpoint, *, instead_of_search: bool = False
    ) -> None:
        """Connect to it, and say so. Raises LokalError, and then nothing has changed. With `instead_of_search` a search
        for servers that is still going on ends without a result."""
        from tui.servers import connect

        found = await connect.choose(endpoint, self._settings.servers, os.environ, waits=self._waits())
        known = state.connection.others if state.connection else ()
        here = {other.url for other in found.others}
        others = (*found.others, *(other for other in known if other.url not in here))
        model = connect.pick_model(found.models, "", state.model or self._settings.model)
        if instead_of_search:
            self._app.workers.cancel_group(self._app, "connect")
        self._app.post_message(
            Told(" · ".join(part for part in (found.place, model or "no model") if part), "accent")
        )
        self._app.post_message(Connected(replace(found, others=others), model, None))
        if model:
            self._app.post_message(WindowKnown(model, await connect.window_of(found.server, model)))

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _run(self, work: Work, group: str, text: str, *, exclusive: bool = False) -> None:
        begin(self._app, partial(self._guarded, work, text), group, exclusive=exclusive)

    async def _guarded(self, work: Work, text: str) -> None:
        try:
            await work()
        except LokalError as error:
            self._app.post_message(NotDone(error, text))
        except Exception as error:  # noqa: BLE001  # the root of a worker: a mistake of lokal's own is said, not swallowed
            mistake = LokalError(
                "lokal made a mistake", f"{type(error).__name__}: {error}", "Please report this"
            )
            self._app.post_message(NotDone(mistake, text))
