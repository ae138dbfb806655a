"""Everything that happens off the screen: the store, the history, servers, the engine, saving. It runs workers and
posts messages; it never touches a widget."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App

from tui import atomic
from tui.config import presets as preset_files
from tui.config import settings as settings_file
from tui.config.history import PromptHistory
from tui.config.settings import Settings
from tui.core.endpoint import Endpoint
from tui.core.presets import Preset
from tui.curtain import frame_file
from tui.errors import FileError, LokalError, StoreError
from tui.ui.chat.session import ChatSession
from tui.ui.desk import Desk
from tui.ui.launch import Launch
from tui.ui.messages import (
    Connected,
    EngineProgress,
    NotConnected,
    PresetSaved,
    StoreOpened,
    Trouble,
    WindowKnown,
)
from tui.ui.persistence import Persistence

if TYPE_CHECKING:
    from tui.servers.choice import Connection
    from tui.servers.engine import Engine
    from tui.store.store import Store


class Backstage:
    """One for each app. `edited` are the names of the presets that were changed and not saved."""

    def __init__(self, app: App[None], launch: Launch, settings: Settings) -> None:
        self._app = app
        self._launch = launch
        self._settings = settings
        self._persistence = Persistence(lambda error: self._trouble(error))
        self._history = PromptHistory(launch.folders.history, settings.history_size)
        self._store: Store | None = None
        self._engine: Engine | None = None
        self._asked = False
        self.edited: set[str] = set()

    def begin(self) -> None:
        """After the first frame: open the store. Finding a server is the app's next step."""
        self._run(self._open_store(), "store")

    def end(self) -> None:
        """Write what is queued, end the engine. Called once, after the app has ended."""
        if self._engine is not None:
            self._engine.kill()
        self._persistence.close()
        if self._store is not None:
            self._store.close()

    def flush(self, timeout_s: float) -> None:
        """Wait until everything said so far is on the disk."""
        self._persistence.flush(timeout_s)

    # -- servers ----------------------------------------------------------------------------------------------------

    def find_server(self, desk: Desk, endpoint: Endpoint | None = None) -> None:
        """Look around, or connect to the endpoint given. The embedded engine is started with the desk's parameters."""
        self._run(self._connect(desk, endpoint), "connect", exclusive=True)

    async def _connect(self, desk: Desk, endpoint: Endpoint | None) -> None:
        from tui.servers import choice

        try:
            if endpoint is not None:
                found = await choice.get_to_know(endpoint)
            elif self._launch.gguf is not None:
                found = await self._start_engine(self._launch.gguf, desk)
            else:
                usual = desk.model or self._launch.model or self._settings.model
                found = await choice.choose(self._wanted(), self._settings.servers, os.environ, usual)
        except LokalError as error:
            self._app.post_message(NotConnected(error))
            return
        # The command line's model is for the first server; after that the one that was in use last is the usual one.
        first = "" if self._asked else self._launch.model
        self._asked = True
        model = choice.pick_model(found.models, first, desk.model or self._settings.model)
        self._app.post_message(Connected(found, model, None))
        if model:
            self._app.post_message(WindowKnown(model, await choice.window_of(found.server, model)))

    def _wanted(self) -> Endpoint | None:
        from tui.servers.choice import named_server

        if self._launch.server is not None or not self._settings.server:
            return self._launch.server
        return named_server(self._settings.server, self._settings.servers, os.environ)

    async def _start_engine(self, gguf: Path, desk: Desk) -> Connection:
        from tui.servers.choice import get_to_know
        from tui.servers.engine import Engine

        if self._engine is None or not self._engine.running:
            self._engine = Engine(gguf, self._launch.folders.logs, desk.values())
        endpoint = await self._engine.start(lambda progress: self._post(EngineProgress(progress)))
        return await get_to_know(endpoint, embedded=True)

    def refresh_models(self, desk: Desk) -> None:
        """Ask the connected server for its models again."""
        if desk.connection is not None:
            self._run(self._refresh(desk.connection, desk.model), "models", exclusive=True)

    async def _refresh(self, connection: Connection, model: str) -> None:
        from tui.servers.choice import window_of

        try:
            models = await connection.server.models()
        except LokalError as error:
            self._trouble(error)
            return
        window = await window_of(connection.server, model) if model else None
        self._app.post_message(Connected(replace(connection, models=models), model, window, refreshed=True))

    def ask_window(self, desk: Desk) -> None:
        """Read the context window that the chosen model is loaded with."""
        if desk.connection is not None and desk.model:
            self._run(self._ask_window(desk.connection, desk.model), "window", exclusive=True)

    async def _ask_window(self, connection: Connection, model: str) -> None:
        from tui.servers.choice import window_of

        self._app.post_message(WindowKnown(model, await window_of(connection.server, model)))

    # -- the store --------------------------------------------------------------------------------------------------

    async def _open_store(self) -> None:
        note = ""
        try:
            store, session, note = await asyncio.to_thread(self._open)
        except StoreError as error:
            from tui.store.store import Store

            store = Store.in_memory()
            session = ChatSession(store, self._persistence)
            note = f"Nothing is kept this time: {error}"
        self._store = store
        try:
            history = await asyncio.to_thread(self._history.load)
        except LokalError:
            history = ()
        self._app.post_message(StoreOpened(session, history, note))

    def _open(self) -> tuple[Store, ChatSession, str]:
        from tui.store.store import Store

        store = Store.open(self._launch.folders.database)
        conversation, note = None, ""
        try:
            interrupted = store.recover()
            if self._launch.resume is not None:
                conversation = store.load(store.find(self._launch.resume).id)
            elif interrupted:
                conversation = store.load(interrupted[0])
                note = "lokal was ended in the middle of this answer; here is what had come"
        except StoreError as error:
            # One chat that cannot be read is no reason to keep nothing: a new one is opened.
            note = str(error)
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
            settings_file.set_value(self._launch.folders.settings_file, key, value)

        self._persistence.submit(write)

    def save_preset(self, preset: Preset) -> None:
        """Write a preset to its file."""

        def write() -> None:
            preset_files.save_preset(self._launch.folders.presets, preset)
            path = preset_files.preset_file(self._launch.folders.presets, preset.name)
            self._post(PresetSaved(preset, path))

        self._persistence.submit(write)

    def saved_preset(self, name: str) -> Preset | None:
        """A preset as its file has it."""
        saved = preset_files.load_presets(self._launch.folders.presets).value
        return next((preset for preset in saved if preset.name == name), None)

    def keep_frame(self, picture: str, size: tuple[int, int]) -> None:
        """Keep the first frame for the curtain of the next start."""
        if picture:
            path = Path(frame_file(os.environ, *size))
            self._persistence.submit(partial(_write_if_new, path, picture))

    def keep_auto_theme(self, name: str) -> None:
        """Keep what `auto` came to, so that the next start need not wait for the terminal's word."""
        self._persistence.submit(partial(_write_if_new, self._launch.folders.auto_theme, name))

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _run(self, work: Coroutine[Any, Any, None], group: str, *, exclusive: bool = False) -> None:
        self._app.run_worker(
            self._guarded(work), group=group, exclusive=exclusive, exit_on_error=False, description=group
        )

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001  # the root of a worker: a mistake of lokal's own is said, not swallowed
            self._trouble(
                LokalError("lokal made a mistake", f"{type(error).__name__}: {error}", "Please report this")
            )

    def _trouble(self, error: LokalError) -> None:
        self._post(Trouble(error))

    def _post(self, message: EngineProgress | PresetSaved | Trouble) -> None:
        self._app.post_message(message)


def _write_if_new(path: Path, text: str) -> None:
    """Write a file that only saves time: a disk that takes nothing is no trouble."""
    with contextlib.suppress(OSError, FileError):
        if not path.exists() or path.read_bytes() != text.encode():
            atomic.write_text(path, text)
