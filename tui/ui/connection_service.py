"""Servers, off the screen: looking for one, the built-in engine, the guide, models and windows. It runs workers and posts
messages; it never touches a widget."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import App

from tui import files
from tui.config.settings import Settings
from tui.config.startup import StartOptions
from tui.core.endpoint import Endpoint
from tui.errors import EngineError, LokalError
from tui.ui.chat_file_service import Told
from tui.ui.messages import (
    Connected,
    EngineProgress,
    NotConnected,
    PresetSaved,
    ServerAppeared,
    ServerLoads,
    Trouble,
    WindowKnown,
)
from tui.ui.state import ScreenState
from tui.ui.work import Work, begin

if TYPE_CHECKING:
    from tui.servers.connect import Connection
    from tui.servers.engine.engine import Engine


class ConnectionService:
    """One for each app, as a part of `Services`."""

    def __init__(self, app: App[None], options: StartOptions, settings: Settings) -> None:
        self._app = app
        self._options = options
        self._settings = settings
        self._engine: Engine | None = None
        self._guide: Engine | None = None
        self._try_again: Path | None = None
        """A model that the engine had and could not load anew: it is loaded once more before servers are looked for."""
        self._asked = False
        self._looked = False

    def end_engines(self) -> None:
        """End what was started."""
        for engine in (self._engine, self._guide):
            if engine is not None:
                engine.kill()

    # -- servers ----------------------------------------------------------------------------------------------------

    def find_server(
        self, state: ScreenState, endpoint: Endpoint | None = None, text: str = "", *, asked: bool = False
    ) -> None:
        """Look around, or connect to the endpoint given, by the command `text`. The embedded engine is started with the
        state's parameters. `asked` = the person asked for a search; an endpoint is then one that was found."""
        work = partial(self._connect, state, endpoint, text, asked=asked)
        self._run(work, "connect", exclusive=True, text=text)

    async def _connect(
        self, state: ScreenState, endpoint: Endpoint | None, text: str, *, asked: bool
    ) -> None:
        from tui.servers import connect

        try:
            again, self._try_again = self._try_again, None
            gguf = again or self._options.gguf
            if endpoint is not None:
                found = await connect.choose(endpoint, self._settings.servers, os.environ, waits=self.waits())
            elif gguf is not None:
                found = await self._start_engine(gguf, state)
            else:
                usual = state.model or self._options.model or self._settings.model
                wanted = self._wanted()
                if wanted is None:
                    self._look_at_environment()
                configured = self._settings.servers
                found = await connect.choose(wanted, configured, os.environ, usual, self.waits())
        except LokalError as error:
            named = endpoint is not None and not asked
            asked_by_name = named or gguf is not None or self._names_one()
            from tui.servers.engine.engine import why_missing  # not loaded where a server answers

            missing = why_missing()
            self._app.post_message(
                NotConnected(error, missing, searched=not asked_by_name, text=text, asked=asked)
            )
            return
        # The command line's model is for the first server; after that the one that was in use last is the usual one.
        first = "" if self._asked else self._options.model
        self._asked = True
        model = connect.start_model(found, first, state.model or self._settings.model)
        # The server before may still be asked for its own.
        self._app.workers.cancel_group(self._app, "window")
        self._app.post_message(Connected(found, model, None, asked=asked))
        if told := connect.why_not_model(found, first, state.model or self._settings.model, model):
            self._app.post_message(Told(told, "warning"))
        if model:
            self._app.post_message(WindowKnown(model, await connect.window_of(found.server, model)))

    def waits(self) -> Callable[[Endpoint], None]:
        """What tells of a server that is still loading its model, once."""
        told = False

        def waits(endpoint: Endpoint) -> None:
            nonlocal told
            if not told:
                told = True
                kind = endpoint.kind.label if endpoint.kind is not None else "The server"
                self._post(ServerLoads(f"{kind} on {endpoint.place}"))

        return waits

    def _look_at_environment(self) -> None:
        """Say once what is wrong with OLLAMA_HOST."""
        from tui.servers.detect import environment_problem

        if not self._looked and (wrong := environment_problem(os.environ)) is not None:
            self._trouble(wrong)
        self._looked = True

    def _names_one(self) -> bool:
        return self._options.server is not None or bool(self._settings.server)

    def _wanted(self) -> Endpoint | None:
        if self._options.server is not None or not self._settings.server:
            return self._options.server
        return self.endpoint_named(self._settings.server)

    def endpoint_named(self, text: str) -> Endpoint:
        """The server that a person means. The key that was given with --server goes to no other address. Raises
        UsageError."""
        from tui.servers.connect import named_server

        found, given = named_server(text, self._settings.servers), self._options.server
        if given is None or given.url != found.url:
            return found
        return replace(given, login=found.login) if found.login else given

    # -- where there is none ----------------------------------------------------------------------------------------

    def start_guide(self) -> None:
        """Start the model inside lokal, and connect to it."""
        self._run(self._start_guide, "connect", exclusive=True, text="")

    async def _start_guide(self) -> None:
        from tui.guide.model import CACHE_MIB, CALLED, VALUES, checked_model
        from tui.servers.engine import embedded
        from tui.servers.engine.engine import Engine, why_missing

        try:
            if self._guide is None or not self._guide.running:
                if self._guide is not None:
                    self._guide.kill()  # what it has left
                model = await files.in_thread(checked_model)
                logs, keys = self._options.folders.logs, self._settings.keys_of_servers
                self._guide = Engine(model, logs, VALUES, name=CALLED, cache_mib=CACHE_MIB, keys=keys)
            found = await embedded.start(self._guide, on_restart=self._tell_of_restart)
        except LokalError as error:
            self._app.post_message(NotConnected(error, why_missing(), kept=True))
            return
        self._app.post_message(Connected(found, found.models[0].name, None))

    def leave_guide(self) -> bool:
        """Another server answers: the guide's memory is given back. Whether there was one."""
        guide, self._guide = self._guide, None
        if guide is not None:
            self._run(guide.stop, "guide")
        return guide is not None

    def start_gguf(self, path: Path, state: ScreenState, text: str = "") -> None:
        """Start the built-in engine with this file, by the command `text`, and connect to it. One that ran with another
        file is ended."""
        self._run(partial(self._start_gguf, path, state, text), "connect", exclusive=True, text=text)

    async def _start_gguf(
        self, path: Path, state: ScreenState, text: str = "", *, anew: bool = False
    ) -> None:
        from tui.servers.engine import gguf_file
        from tui.servers.engine.engine import why_missing

        before = self._engine
        try:
            await files.in_thread(lambda: gguf_file.inspect(path))  # before one that works is ended for it
            if self._engine is not None and (anew or self._engine.gguf != path):
                engine, self._engine = self._engine, None
                await engine.stop()
            found = await self._start_engine(path, state)
        except LokalError as error:
            self._try_again = path if anew else None
            self._app.post_message(NotConnected(error, why_missing(), kept=self._engine is before, text=text))
            return
        model = found.models[0].name if found.models else ""
        self._app.post_message(Connected(found, model, None))
        self._app.post_message(WindowKnown(model, self._engine.context_window if self._engine else None))

    def restart_engine(self, state: ScreenState) -> None:
        """Load the built-in engine's model anew, with the state's parameters."""
        if self._engine is not None:
            start = partial(self._start_gguf, self._engine.gguf, state, anew=True)
            self._run(start, "connect", exclusive=True, text="")

    def look_for_server(self) -> None:
        """See whether a server has come up in one of the usual places of this machine."""
        self._run(self._look_for_server, "watch", exclusive=True)

    async def _look_for_server(self) -> None:
        from tui.servers import detect

        places = [one for one in detect.candidates(os.environ, self._settings.servers) if one.on_this_machine]
        found = await detect.find(places)
        self._app.post_message(ServerAppeared(found[0].endpoint if found else None))

    # -- models -----------------------------------------------------------------------------------------------------

    async def _start_engine(self, gguf: Path, state: ScreenState) -> Connection:
        from tui.servers.engine import embedded
        from tui.servers.engine.engine import Engine

        if self._engine is None or not self._engine.running:
            if self._engine is not None:
                self._engine.kill()  # what it has left
            logs, keys = self._options.folders.logs, self._settings.keys_of_servers
            self._engine = Engine(gguf, logs, state.values(), keys=keys)
        return await embedded.start(
            self._engine, lambda progress: self._post(EngineProgress(progress)), self._tell_of_restart
        )

    def _tell_of_restart(self, failure: EngineError) -> None:
        """The engine had died while nothing was asked of it."""
        self._trouble(EngineError(failure.title, failure.detail, "It is started again"))

    def look_up(self, name: str) -> Endpoint | None:
        """The server of that name or address, None for no name. Raises UsageError for what can be none."""
        return self.endpoint_named(name) if name else None

    async def connect_to(self, name: str, model: str, usual: str) -> tuple[Connection, str]:
        """A connection beside the open one to the server of that name or address, and the model to ask there: `model`,
        else the `usual` one, else any. Raises LokalError."""
        from tui.servers import connect

        found = await connect.choose(self.look_up(name), self._settings.servers, os.environ, model or usual)
        try:
            return found, connect.require_model(found, model, usual)
        except LokalError:
            await found.server.aclose()
            raise

    def refresh_models(self, state: ScreenState, *, asked: bool = False) -> None:
        """Ask the connected server for its models again; `asked` = because the person wants it."""
        if state.connection is not None:
            work = partial(self._refresh, state.connection, state.model, asked=asked)
            self._run(work, "models", exclusive=True)

    async def _refresh(self, connection: Connection, model: str, *, asked: bool) -> None:
        from tui.servers.connect import window_of

        try:
            models = await connection.server.models()
        except LokalError as error:
            self._trouble(error)
            return
        window = await window_of(connection.server, model) if model else None
        again = replace(connection, models=models)
        self._app.post_message(Connected(again, model, window, refreshed=True, asked=asked))

    def ask_window(self, state: ScreenState) -> None:
        """Read the context window that the chosen model is loaded with."""
        if state.connection is not None and state.model:
            self._run(partial(self._ask_window, state.connection, state.model), "window", exclusive=True)

    async def _ask_window(self, connection: Connection, model: str) -> None:
        from tui.servers.connect import window_of

        self._app.post_message(WindowKnown(model, await window_of(connection.server, model)))

    # -- plumbing ---------------------------------------------------------------------------------------------------

    def _run(self, work: Work, group: str, *, exclusive: bool = False, text: str | None = None) -> None:
        """Let a worker do it. With a `text`, the command that asked for it or nothing, the screen waits for a server:
        where the work ends by a mistake of lokal's own, it is told that there is none."""

        def ended(mistake: LokalError) -> None:
            if text is None:
                self._trouble(mistake)
            else:
                self._post(NotConnected(mistake, kept=True, text=text))

        begin(self._app, work, group, exclusive=exclusive, ended=ended)

    def _trouble(self, error: LokalError) -> None:
        self._post(Trouble(error))

    def _post(self, message: EngineProgress | NotConnected | PresetSaved | ServerLoads | Trouble) -> None:
        self._app.post_message(message)
