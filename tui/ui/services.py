"""What happens off the screen: the store, the history, saving, and by `ConnectionService` servers and the engine. It runs
workers and posts messages; it never touches a widget."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from tui import atomic, files, frame_file
from tui.chat.session import ChatSession
from tui.chat.write_queue import WriteQueue
from tui.config import presets as preset_files
from tui.config import settings as settings_file
from tui.config.history import PromptHistory
from tui.config.settings import Settings
from tui.config.startup import StartOptions
from tui.core.presets import Preset
from tui.errors import FileError, LokalError, StoreError, StoreUnavailable
from tui.ui.chat_file_service import ChatFileService, Told
from tui.ui.chat_list.chat_library import ChatLibrary
from tui.ui.connection_service import ConnectionService
from tui.ui.messages import (
    PresetSaved,
    StoreOpened,
    StoreRenewed,
)

if TYPE_CHECKING:
    from tui.store.store import Renewal, Store

FRAMES = 32
"""How many first frames are kept, one for each kind and size of terminal."""


class Services(ConnectionService):
    """One for each app. `edited` are the names of the presets that were changed and not saved."""

    def __init__(self, app: App[None], options: StartOptions, settings: Settings) -> None:
        super().__init__(app, options, settings)
        self._persistence = WriteQueue(lambda error: self._trouble(error), self._all_written)
        self._history = PromptHistory(options.folders.history, settings.history_size)
        self._store: Store | None = None
        self.chat_files = ChatFileService(app, settings, self._persistence, lambda: self._store, self.waits)
        self.chat_library = ChatLibrary(app, self._persistence, lambda: self._store)
        self.edited: set[str] = set()
        self._is_rescued = False

    def begin(self) -> None:
        """After the first frame: open the store. Finding a server is the app's next step."""
        self._run(self._open_store, "store")

    def end(self) -> None:
        """Write what is queued, end the engine. Called once, after the app has ended. What cannot be written to the store
        is written elsewhere. Raises StoreError that says where."""
        self.end_engines()
        self._persistence.close()
        problem, text = self._persistence.problem, "" if self._is_rescued else self._unwritten_text()
        if self._store is not None:
            self._store.close()
        if problem is None or not text:
            return
        from tui.chat import rescue

        path = rescue.write_somewhere(self._options.folders.data, text)
        if path is None:
            raise StoreError("The last messages are lost", str(problem), "No disk takes a file")
        raise StoreError(
            "Not everything could be saved",
            f"{problem.title}: {problem.detail}",
            f"It is in {path}: “lokal chats import” reads it",
        )

    @property
    def unwritten(self) -> LokalError | None:
        """Why something that was said cannot be written; None while nothing is."""
        problem = self._persistence.problem
        return problem if problem is not None and self._unwritten_text() else None

    def _unwritten_text(self) -> str:
        from tui.chat import rescue

        sessions = rescue.worth(self._persistence.owners())
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

    def _all_written(self) -> None:
        self._app.post_message(Told("Everything is saved now", "accent"))

    def flush(self, timeout_s: float) -> None:
        """Wait until everything said so far is on the disk."""
        self._persistence.flush(timeout_s)

    # -- the store --------------------------------------------------------------------------------------------------

    async def _open_store(self) -> None:
        note = ""
        try:
            store, session, note = await asyncio.to_thread(self._open)
        except StoreError as error:
            from tui.store.store import Store

            store = Store.in_memory()
            session = ChatSession(store, self._persistence)
            note = f"Nothing can be saved now: {error}"
            self._persistence.keep(partial(self._open_at_last, store), store)
        try:
            history = await files.in_thread(self._history.load)
        except LokalError as error:
            self._trouble(error)
            history = ()
        self._store = store  # only now: a chat that was opened before would give way to this one
        self._app.post_message(StoreOpened(session, history, note))
        self.chat_library.index_on()

    def _open_at_last(self, store: Store) -> None:
        """What could not be opened at the start is tried again before anything is written. Raises StoreUnavailable."""
        try:
            store.move_to(self._options.folders.database, self._renewed)
        except StoreUnavailable:
            raise
        except StoreError as error:
            raise StoreUnavailable(error.title, error.detail, error.hint) from error

    def _renewed(self, renewal: Renewal) -> None:
        self._app.post_message(StoreRenewed(str(renewal)))

    def _open(self) -> tuple[Store, ChatSession, str]:
        from tui.store.store import Store

        store = Store.open(self._options.folders.database, on_renewed=self._renewed)
        conversation, note = None, ""
        try:
            interrupted = store.recover()
            if self._options.resume is not None:
                conversation = store.load(store.find(self._options.resume).id)
            elif interrupted:
                conversation = store.load(interrupted[0])
                note = "lokal was ended in the middle of this answer; here is what had come"
        except StoreError as error:
            # One chat that cannot be read is no reason to keep nothing: a new one is opened.
            note = str(error)
        if not note:
            from tui.chat import rescue

            left = rescue.left(self._options.folders.data, time.time())
            note = f"What could not be saved earlier is in {left}; /import reads it" if left else ""
        return store, ChatSession(store, self._persistence, conversation), note

    def new_chat(self) -> None:
        """Open an empty chat; it is written down with its first question."""
        if self._store is not None:
            self._app.post_message(StoreOpened(ChatSession(self._store, self._persistence), self._prompts()))

    def _prompts(self) -> tuple[str, ...]:
        try:
            return self._history.load()
        except LokalError:
            return ()

    def add_to_history(self, text: str) -> None:
        """Remember a prompt."""
        self._persistence.submit(partial(self._history.add, text))

    # -- files ------------------------------------------------------------------------------------------------------

    def remember(self, key: str, value: str) -> None:
        """Write one setting, off the screen's thread."""

        def write() -> None:
            settings_file.set_value(self._options.folders.settings_file, key, value)

        self._persistence.submit(write)

    def save_preset(self, preset: Preset) -> None:
        """Write a preset to its file."""

        def write() -> None:
            preset_files.save_preset(self._options.folders.presets, preset)
            path = preset_files.preset_file(self._options.folders.presets, preset.name)
            self._post(PresetSaved(preset, path))

        self._persistence.submit(write)

    def saved_preset(self, name: str) -> Preset | None:
        """A preset as its file has it."""
        saved = preset_files.load_presets(self._options.folders.presets).value
        return next((preset for preset in saved if preset.name == name), None)

    def keep_frame(self, picture: str, size: tuple[int, int]) -> None:
        """Keep the first frame for the next start, which shows it early."""
        if picture:
            path = Path(frame_file.frame_file(os.environ, *size))
            self._persistence.submit(partial(_keep_frame, path, picture))

    def keep_auto_theme(self, name: str) -> None:
        """Keep what `auto` came to, so that the next start need not wait for the terminal's word."""
        self._persistence.submit(partial(_write_if_new, self._options.folders.auto_theme, name))


def _keep_frame(path: Path, picture: str) -> None:
    """Keep a frame, and of those of other terminals and sizes the newest."""
    with contextlib.suppress(OSError):
        is_new = not path.exists()
        _write_if_new(path, picture)
        os.utime(path)
        if not is_new:
            return
        frames = sorted(path.parent.iterdir(), key=lambda frame: frame.stat().st_mtime, reverse=True)
        for frame in frames[FRAMES:]:
            frame.unlink()


def _write_if_new(path: Path, text: str) -> None:
    """Write a file that only saves time: a disk that takes nothing is no trouble."""
    with contextlib.suppress(OSError, FileError):
        try:
            is_new = files.read_bytes(path) != text.encode()
        except OSError:  # none there, or something that is no such file
            is_new = True
        if is_new:
            atomic.write_text(path, text)
