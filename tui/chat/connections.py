"""Servers for a front end: looking for one, naming one, the built-in engine, the guide. No screen.

What comes of it is told as events; `state_after` says what each makes of the state. All work runs in tasks, and nothing
waits for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tui import files
from tui.chat.engine_threads import EngineThreadsChanged
from tui.chat.engines import BuiltInEngines, EngineListener
from tui.chat.state import ClientState, ConnectionStatus, ServerState
from tui.chat.tasks import TaskRunner, Work
from tui.chat.warm_chats import ChatReused
from tui.config.settings import Settings
from tui.config.startup import StartOptions
from tui.core.endpoint import Endpoint
from tui.core.events import Progress
from tui.core.message import CONTINUED, Message, Status
from tui.core.text import safe_name
from tui.errors import EngineError, LokalError

if TYPE_CHECKING:
    from tui.core.benchmark import BenchmarkSubject
    from tui.servers.base import Server
    from tui.servers.connect import Connection

State = TypeVar("State", bound=ClientState)
_GROUP = "connect"
FAR_BELOW = 3
"""An answer that comes so many times slower than the model's usually do here is worth a word."""


@dataclass(slots=True, eq=False)
class ServerConnected:
    """A server answers; `model` is the one to begin with there, empty for none, and `window` the context window in tokens
    that it is loaded with, None = not known yet. `refreshed` = the server was connected already, and only its models were
    asked for anew; `asked` = the person asked for a search or for the models, `chosen` = for this very server, in the place
    of another one: they are told what came of it. `problem` is why no server answers, of one that stands in for it."""

    connection: Connection
    model: str
    window: int | None = None
    refreshed: bool = False
    asked: bool = False
    chosen: bool = False
    problem: LokalError | None = None


@dataclass(slots=True, eq=False)
class ServerNotFound:
    """No server answers. `engine_missing` says why the built-in engine could not help either; `searched` = no server was
    named; `kept` = the connection that there was is still good. `command` is the slash command that asked for it, to be
    changed, empty for none; `asked` as in `ServerConnected`."""

    problem: LokalError
    engine_missing: LokalError | None = None
    searched: bool = False
    kept: bool = False
    command: str = ""
    asked: bool = False


@dataclass(slots=True, eq=False)
class ServerLoading:
    """A model is being loaded: by the server that is named in `who`, or by the built-in engine, which says how far it is."""

    who: str = ""
    progress: Progress | None = None


@dataclass(slots=True, eq=False)
class ServerAppeared:
    """While there was none, it was looked whether a server has come up: this one; None = there is none still, or again."""

    endpoint: Endpoint | None


@dataclass(slots=True, eq=False)
class ContextWindowRead:
    """The context window that a model is loaded with, in tokens; None = the server does not say."""

    model: str
    window: int | None


@dataclass(slots=True, eq=False)
class ConnectionWarning:
    """Something about servers that the person is to be told."""

    text: str


@dataclass(slots=True, eq=False)
class EngineSlept:
    """The built-in engine behind that connection's server was ended, as nobody used it; not `asleep` = it runs again."""

    server: Server
    asleep: bool


ConnectionEvent = (
    ServerConnected
    | ServerNotFound
    | ServerLoading
    | ServerAppeared
    | ContextWindowRead
    | ConnectionWarning
    | EngineSlept
    | ChatReused
    | EngineThreadsChanged
)


def state_after(state: State, event: ConnectionEvent) -> State:
    """The state once `event` is known."""
    match event:
        case ServerConnected():
            return _connected_state(state, event)
        case ServerNotFound() if state.connection is not None and (event.kept or state.connection.stands_in):
            kept = replace(state.server, status=ConnectionStatus.CONNECTED, starting=None, loads="")
            return state.with_server(kept)
        case ServerNotFound():
            missing = event.engine_missing
            return _without_larger_window(state).with_server(
                ServerState(
                    ConnectionStatus.NONE,
                    problem=event.problem,
                    engine_missing=missing,
                    may_guide=event.searched and missing is None,
                )
            )
        case ServerLoading(who, progress):
            if who and state.connection is not None:
                return state  # the one that is connected stays until the other has its model
            loading = replace(state.server, status=ConnectionStatus.STARTING, starting=progress, loads=who)
            return state.with_server(loading)
        case ContextWindowRead(model, window) if model == state.model:
            return state.with_settings(replace(state.settings, window=window))
        case EngineSlept(server, asleep) if (
            state.connection is not None and state.connection.server is server
        ):
            return state.with_server(replace(state.server, asleep=asleep))
        case _:
            return state


def as_known(state: ClientState, endpoint: Endpoint) -> Endpoint:
    """The endpoint as that server was found; with a login of its own it is another."""
    known = state.connection.others if state.connection is not None and not endpoint.login else ()
    return next((other for other in known if other.url == endpoint.url), endpoint)


def _without_larger_window(state: State) -> State:
    """The larger window did not work: the next start is as it was before."""
    before = state.settings.overrides_before
    if before is None:
        return state
    return state.with_settings(replace(state.settings, overrides=before, overrides_before=None))


def _connected_state(state: State, event: ServerConnected) -> State:
    before, settings = state.connection, replace(state.settings, overrides_before=None)
    asked_anew = before is not None and before.server is event.connection.server
    if event.refreshed and not asked_anew:
        return state  # of a server that was left meanwhile
    # Meanwhile the person may have chosen another model; the list that came is no reason to go back.
    if not asked_anew or state.model in ("", event.model):
        settings = replace(settings, model=event.model, window=event.window)
    own = None
    if event.connection.packaged:
        from tui.servers.engine import packaged_model

        own = packaged_model.PRESET
    server = ServerState(ConnectionStatus.CONNECTED, event.connection, problem=event.problem)
    return state.with_server(server).with_settings(settings.with_own_preset(own))


class ServerConnections:
    """One a front end. `hear` is called on the event loop; whoever made the service ends its `engines`."""

    def __init__(
        self,
        options: StartOptions,
        settings: Settings,
        tasks: TaskRunner,
        hear: Callable[[ConnectionEvent], None],
        has_chat: Callable[[str], bool | None] = lambda _: None,
    ) -> None:
        """`has_chat` says whether there is a chat with that id, None = that is not known now; it is called in threads."""
        self._options = options
        self._settings = settings
        self._tasks = tasks
        self._hear = hear
        self._try_again: Path | None = None
        """A model that the engine had and could not load anew: it is loaded once more before servers are looked for."""
        self._asked = False
        self._looked = False
        self._said_slow: set[BenchmarkSubject] = set()
        listener = EngineListener(
            lambda progress: hear(ServerLoading(progress=progress)),
            self._tell_of_restart,
            lambda server, asleep: hear(EngineSlept(server, asleep)),
            hear,
            hear,
            lambda words: hear(ConnectionWarning(words)),
        )
        self.engines = BuiltInEngines(options.folders, settings, tasks, listener, has_chat)
        """The built-in engine and the guide's."""

    # -- what is wanted ---------------------------------------------------------------------------------------------

    def find(
        self,
        state: ClientState,
        endpoint: Endpoint | None = None,
        *,
        command: str = "",
        asked: bool = False,
    ) -> None:
        """The server at that endpoint; else that of the command line or of the settings; else the model file of the command
        line; else whatever answers. `command` asked for it; `asked` = the person wants a search, and an endpoint is then
        one that was found."""
        self._start(partial(self._find, state, endpoint, command, asked), command)

    def use(self, state: ClientState, endpoint: Endpoint, command: str = "") -> None:
        """Talk to that server. Where it does not answer, the one there is stays."""
        self._start(partial(self._use, state, endpoint, command), command)

    async def connect(self, state: ClientState, endpoint: Endpoint) -> None:
        """The same for whoever waits for it: a search that still goes on ends without a result. Raises LokalError, and then
        nothing has changed."""
        found, model = await self._reached(state, endpoint)
        self._tasks.cancel(_GROUP)
        await self._connected(found, model, chosen=True)

    def start_guide(self) -> None:
        """Start the small model inside lokal, and talk to it."""
        self._start(self._start_guide)

    def start_gguf(self, path: Path, state: ClientState, command: str = "") -> None:
        """Start the built-in engine with this file and the state's parameters; one that has another file is ended."""
        self._start(partial(self._start_gguf, path, state, command), command)

    def restart_engine(self, state: ClientState) -> None:
        """Load the built-in engine's model anew, with the state's parameters."""
        if self.engines.engine is not None:
            self._start(partial(self._start_gguf, self.engines.engine.gguf, state, anew=True))

    def look_for_server(self) -> None:
        """See whether a server has come up in one of the usual places of this machine."""
        self._tasks.start(self._look_for_server, "watch", exclusive=True)

    def refresh_models(self, state: ClientState, *, asked: bool = False) -> None:
        """Ask the connected server for its models again; `asked` = because the person wants it."""
        if state.connection is not None:
            work = partial(self._refresh_models, state.connection, state.model, asked=asked)
            self._tasks.start(work, "models", exclusive=True)

    def read_window(self, state: ClientState) -> None:
        """Read the context window that the state's model is loaded with."""
        if state.connection is not None and state.model:
            self._tasks.start(
                partial(self._read_window, state.connection, state.model), "window", exclusive=True
            )

    def endpoint_named(self, text: str) -> Endpoint:
        """The server that a person means. The key that was given with --server goes to no other address. Raises
        UsageError."""
        from tui.servers.connect import named_server

        found, given = named_server(text, self._settings.servers), self._options.server
        if given is None or given.url != found.url:
            return found
        return replace(given, login=found.login) if found.login else given

    def look_up(self, name: str) -> Endpoint | None:
        """The server of that name or address, None for no name. Raises UsageError for what can be none."""
        return self.endpoint_named(name) if name else None

    async def connect_beside(self, name: str, model: str, usual: str) -> tuple[Connection, str]:
        """A connection beside the open one to the server of that name or address, and the model to ask there: `model`,
        else the `usual` one, else any. Raises LokalError."""
        from tui.servers import connect

        found = await connect.choose(self.look_up(name), self._settings.servers, os.environ, model or usual)
        try:
            return found, connect.require_model(found, model, usual)
        except LokalError:
            await found.server.aclose()
            raise

    def note_answer(self, connection: Connection, answer: Message) -> None:
        """An answer has ended: the rate of one that is whole is kept in the record of rates. The built-in engine keeps its own."""
        if (
            not connection.embedded
            and answer.status is Status.COMPLETE
            and CONTINUED not in answer.parameters
        ):
            self._tasks.start(partial(self._note_answer, connection, answer), "rates")

    # -- how it is done ---------------------------------------------------------------------------------------------

    def _start(self, work: Work, command: str = "") -> None:
        def ended(mistake: LokalError) -> None:
            self._hear(ServerNotFound(mistake, kept=True, command=command))

        self._tasks.start(work, _GROUP, exclusive=True, on_mistake=ended)

    async def _find(self, state: ClientState, endpoint: Endpoint | None, command: str, asked: bool) -> None:
        from tui.servers import connect

        options, settings = self._options, self._settings
        gguf, self._try_again = self._try_again or options.gguf, None
        try:
            if endpoint is not None:
                found = await connect.choose(endpoint, settings.servers, os.environ, waits=self._waits())
            elif gguf is not None:
                found = await self.engines.start(gguf, state.values())
            else:
                wanted = self._wanted()
                if wanted is None:
                    self._look_at_environment()
                usual = state.model or options.model or settings.model
                found = await connect.choose(wanted, settings.servers, os.environ, usual, self._waits())
        except LokalError as error:
            from tui.servers.engine.engine import why_missing  # not loaded where a server answers

            named = (endpoint is not None and not asked) or gguf is not None or self._names_one()
            if not named and await self._start_packaged(state, error, asked=asked):
                return
            self._hear(ServerNotFound(error, why_missing(), searched=not named, command=command, asked=asked))
            return
        # The command line's model is for the first server; after that the one in use is the usual one.
        first, self._asked = "" if self._asked else options.model, True
        usual = state.model or settings.model
        model = connect.start_model(found, first, usual)
        told = connect.why_not_model(found, first, usual, model)
        await self._connected(found, model, told or "", asked=asked)

    async def _use(self, state: ClientState, endpoint: Endpoint, command: str) -> None:
        try:
            found, model = await self._reached(state, endpoint)
        except LokalError as error:
            self._hear(ServerNotFound(error, kept=state.connection is not None, command=command))
            return
        await self._connected(found, model, chosen=True)

    async def _reached(self, state: ClientState, endpoint: Endpoint) -> tuple[Connection, str]:
        """The server there, with the model to begin with; the other servers that were known stay known. Raises LokalError."""
        from tui.servers import connect

        found = await connect.choose(endpoint, self._settings.servers, os.environ, waits=self._waits())
        known = state.connection.others if state.connection is not None else ()
        here = {other.url for other in found.others}
        others = (*found.others, *(other for other in known if other.url not in here))
        model = connect.pick_model(found.models, "", state.model or self._settings.model)
        return replace(found, others=others), model

    async def _connected(
        self,
        found: Connection,
        model: str,
        warning: str = "",
        *,
        asked: bool = False,
        chosen: bool = False,
        problem: LokalError | None = None,
    ) -> None:
        from tui.servers.connect import window_of

        self._tasks.cancel("window")  # of the server before
        self._hear(ServerConnected(found, model, asked=asked, chosen=chosen, problem=problem))
        if warning:
            self._hear(ConnectionWarning(warning))
        if not found.guide:
            self.engines.end_guide()
        engine = self.engines.engine
        if self.engines.has_packaged and not found.embedded:
            self._tasks.start(self.engines.end, "engine-stop")
        if model and not found.guide:
            window = engine.context_window if found.embedded and engine is not None else None
            self._hear(ContextWindowRead(model, window or await window_of(found.server, model)))

    async def _refresh_models(self, connection: Connection, model: str, *, asked: bool) -> None:
        from tui.servers.connect import window_of

        try:
            models = await connection.server.models()
        except LokalError as error:
            self._hear(ConnectionWarning(str(error)))
            return
        window = await window_of(connection.server, model) if model else None
        again = replace(connection, models=models)
        self._hear(ServerConnected(again, model, window, refreshed=True, asked=asked))

    async def _read_window(self, connection: Connection, model: str) -> None:
        from tui.servers.connect import window_of

        self._hear(ContextWindowRead(model, await window_of(connection.server, model)))

    async def _look_for_server(self) -> None:
        from tui.servers import detect

        places = [one for one in detect.candidates(os.environ, self._settings.servers) if one.on_this_machine]
        found = await detect.find(places)
        self._hear(ServerAppeared(found[0].endpoint if found else None))

    async def _note_answer(self, connection: Connection, answer: Message) -> None:
        from tui.chat.benchmark_run import subject_of

        record = self.engines.rates
        subject = await files.in_thread(lambda: subject_of(connection, answer.model))
        usage, rate = answer.usage, answer.timings.tokens_per_s
        usual = await files.in_thread(lambda: record.usual_rate(subject, usage.total or 0))
        if rate and usual and rate * FAR_BELOW < usual and subject not in self._said_slow:
            self._said_slow.add(subject)
            self._hear(ConnectionWarning(self._slow_words(rate, usual)))
        if record.note_answer(subject, usage.completion, rate, usage.total or 0):
            await files.in_thread(record.flush)

    def _slow_words(self, rate: float, usual: float) -> str:
        return (
            f"This answer came at {rate:.1f} tok/s; the model reaches {usual:.0f} here as a rule. Another program may use the "
            "processor, the memory may be full, or the model may have left the graphics card"
        )

    def _names_one(self) -> bool:
        return self._options.server is not None or bool(self._settings.server)

    def _wanted(self) -> Endpoint | None:
        if self._options.server is not None or not self._settings.server:
            return self._options.server
        return self.endpoint_named(self._settings.server)

    async def _start_packaged(self, state: ClientState, problem: LokalError, *, asked: bool) -> bool:
        """Where no server answers: the small chat model that came as a package. Whether it does, or did before."""
        from tui.servers.engine.engine import why_missing

        if state.connection is not None and state.connection.packaged:
            return False
        try:
            packaged = await self.engines.find_packaged()
            if packaged is None or why_missing() is not None:
                return False
            self._hear(ServerLoading())
            found = await self.engines.start(packaged.path, state.values())
        except LokalError as error:
            self._hear(ConnectionWarning(str(error)))
            return False
        await self._connected(found, found.models[0].name, asked=asked, problem=problem)
        return True

    async def _start_guide(self) -> None:
        try:
            found = await self.engines.start_guide()
        except LokalError as error:
            from tui.servers.engine.engine import why_missing

            self._hear(ServerNotFound(error, why_missing(), kept=True))
            return
        await self._connected(found, found.models[0].name)

    async def _start_gguf(
        self, path: Path, state: ClientState, command: str = "", *, anew: bool = False
    ) -> None:
        from tui.servers.engine import gguf_file
        from tui.servers.engine.engine import require_loadable, why_missing

        before = self.engines.engine
        try:
            # Before one that works is ended for it.
            await files.in_thread(lambda: gguf_file.inspect(path))
            require_loadable(state.values(), safe_name(path.name, 80))
            if before is not None and (anew or before.gguf != path):
                await self.engines.end()
            found = await self.engines.start(path, state.values())
        except LokalError as error:
            self._try_again = path if anew else None
            kept = self.engines.engine is before
            self._hear(ServerNotFound(error, why_missing(), kept=kept, command=command))
            return
        await self._connected(found, found.models[0].name if found.models else "")

    def _waits(self) -> Callable[[Endpoint], None]:
        """What tells of a server that is still loading its model, once."""
        told = False

        def waits(endpoint: Endpoint) -> None:
            nonlocal told
            if not told:
                told = True
                kind = endpoint.kind.label if endpoint.kind is not None else "The server"
                self._hear(ServerLoading(f"{kind} on {endpoint.place}"))

        return waits

    def _look_at_environment(self) -> None:
        """Say once what is wrong with OLLAMA_HOST."""
        from tui.servers.detect import environment_problem

        if not self._looked and (wrong := environment_problem(os.environ)) is not None:
            self._hear(ConnectionWarning(str(wrong)))
        self._looked = True

    def _tell_of_restart(self, failure: EngineError) -> None:
        """The engine had died while nothing was asked of it."""
        self._hear(ConnectionWarning(str(EngineError(failure.title, failure.detail, "It is started again"))))
