"""What happens off the screen: chats, files, servers, the prompt history. Each service runs tasks and posts messages; none
touches a widget."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from tui import files
from tui.chat.chat_file_service import ChatFileService
from tui.chat.chat_library import OpenedLibrary, is_on_disk, open_library
from tui.chat.connections import ConnectionEvent, ServerConnections
from tui.chat.session import ChatSession
from tui.chat.tasks import TaskRunner
from tui.chat.write_queue import KEPT, WriteQueue
from tui.config import settings as settings_file
from tui.config.history import PromptHistory
from tui.config.settings import Settings
from tui.config.startup import StartOptions
from tui.core.secrets import without_keys
from tui.errors import LokalError, sentences
from tui.paths import Folders
from tui.ui.chat_list.chat_library import ChatLibrary
from tui.ui.messages import ServerHeard, StoreOpened, StoreRenewed, Told, Trouble
from tui.ui.next_start import NextStart
from tui.ui.output import OutputService

if TYPE_CHECKING:
    from tui.store.store import Renewal, Store


class Services:
    """One for each app. What they have to say is posted to it."""

    def __init__(self, app: App[None], options: StartOptions, settings: Settings) -> None:
        self._post = post = app.post_message
        self._options = options
        self._history = PromptHistory(options.folders.history, settings.history_size)
        self._store: Store | None = None
        self._is_rescued = False
        self.at_end: list[Callable[[], None]] = []
        """What else is to be done when the app has ended."""
        self.tasks = tasks = TaskRunner(self._trouble)
        self.queue = queue = WriteQueue(self._trouble, self._all_written)
        self.connections = ServerConnections(options, settings, tasks, self._hear_of_server, self._has_chat)
        self.chat_files = ChatFileService(queue, lambda: self._store)
        self.chat_library = ChatLibrary(post, tasks, queue, lambda: self._store, options.folders.slots)
        self.output = OutputService(post, tasks, lambda: without_keys(os.environ, settings.keys_of_servers))
        self.next_start = NextStart(options.folders.auto_theme, queue)

    def begin(self) -> None:
        """After the first frame: open the chats. Finding a server is the app's next step."""
        self.tasks.start(self._open_store, "store")

    def end(self) -> None:
        """Write what is queued, end the engine. Called once, after the app has ended. What cannot be written to the store
        is written elsewhere. Raises StoreError that says where."""
        from tui.chat import rescue

        try:
            with self.connections.engines.closing():
                for close in self.at_end:
                    close()
                self.queue.close()
                if not self._is_rescued:
                    rescue.rescue_unwritten(self.queue, self._options.folders.data)
        finally:
            if self._store is not None:
                self._store.close()

    # -- what cannot be written -------------------------------------------------------------------------------------

    @property
    def unwritten(self) -> LokalError | None:
        """Why something that was said cannot be written; None while nothing is."""
        problem = self.queue.problem
        return problem if problem is not None and self._unwritten_text() else None

    def _unwritten_text(self) -> str:
        from tui.chat import rescue

        sessions = rescue.worth(self.queue.owners())
        return rescue.text_of(sessions) if sessions else ""

    def rescue(self, name: str) -> Path:
        """Write what is unwritten to a file of that name. Raises FileError."""
        from tui.chat import rescue

        path = rescue.write(Path(name), self._unwritten_text())
        self._is_rescued = True
        return path

    def rescue_path(self) -> Path:
        """Where that file can be."""
        from tui.chat import rescue

        return rescue.path_for(self._options.folders.data)

    # -- the chats --------------------------------------------------------------------------------------------------

    @property
    def folders(self) -> Folders:
        """Where the person's files are."""
        return self._options.folders

    @property
    def store(self) -> Store | None:
        """The chats on the disk; None until they are open."""
        return self._store

    def _has_chat(self, chat_id: str) -> bool | None:
        """Whether there is such a chat on the disk; None = nobody can tell now."""
        return is_on_disk(self._store, chat_id)

    async def _open_store(self) -> None:
        library = await asyncio.to_thread(self._open)
        try:
            history = await files.in_thread(self._history.load)
        except LokalError as error:
            self._trouble(error)
            history = ()
        note, problem = library.note, library.problem
        if problem is not None:
            what = (
                str(problem)
                if library.store.is_kept
                else sentences(f"Nothing can be saved now: {problem}", KEPT)
            )
            note = sentences(what, note)
        self._store = library.store  # only now: a chat that was opened before would give way to this one
        self._post(StoreOpened(library.session, history, note))
        self.chat_library.index_on()

    def _open(self) -> OpenedLibrary:
        options = self._options
        return open_library(options.folders, self.queue, options.resume, self._renewed, interrupted_too=True)

    def _renewed(self, renewal: Renewal) -> None:
        self._post(StoreRenewed(str(renewal)))

    def new_chat(self) -> None:
        """Open an empty chat; it is written down with its first question."""
        if self._store is not None:
            self._post(StoreOpened(ChatSession(self._store, self.queue), self._prompts()))

    # -- the prompt history and the settings ------------------------------------------------------------------------

    def _prompts(self) -> tuple[str, ...]:
        try:
            return self._history.load()
        except LokalError:
            return ()

    def add_to_history(self, text: str) -> None:
        """Remember a prompt."""
        self.queue.submit(partial(self._history.add, text))

    def remember(self, key: str, value: str) -> None:
        """Write one setting, off the screen's thread."""
        self.queue.submit(partial(settings_file.set_value, self._options.folders.settings_file, key, value))

    def _all_written(self) -> None:
        self._post(Told("Everything is saved now", "accent"))

    def _hear_of_server(self, event: ConnectionEvent) -> None:
        self._post(ServerHeard(event))

    def _trouble(self, error: LokalError) -> None:
        self._post(Trouble(error))
