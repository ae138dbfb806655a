"""The server, the model and the built-in engine on the screen: what the person asks for, what is heard of it, and a server that
comes up later, which is offered and never taken unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui.chat.chat_files import as_path
from tui.chat.commands import CommandRegistry
from tui.chat.connections import (
    ConnectionEvent,
    ConnectionWarning,
    ContextWindowRead,
    EngineSlept,
    ServerAppeared,
    ServerConnected,
    ServerConnections,
    ServerLoading,
    ServerNotFound,
    as_known,
    state_after,
)
from tui.chat.engine_threads import EngineThreadsChanged
from tui.chat.guide_question import GuideQuestion
from tui.chat.reasons import why_not_change
from tui.chat.state import ClientState, ConnectionStatus, ServerState
from tui.chat.tasks import TaskRunner
from tui.chat.warm_chats import ChatReused
from tui.core.endpoint import Endpoint
from tui.core.slash import one_of
from tui.core.text import human_tokens, safe_name
from tui.errors import LokalError, UsageError, sentences
from tui.ui.context import AppContext, CommandLine

if TYPE_CHECKING:
    from tui.ui.start.files_page import FileChoice

WATCH_S = 15.0
"""How often the usual places on this machine are looked at while there is no server but the guide."""


class ServerController:
    """One for each app."""

    def __init__(
        self,
        app: AppContext,
        connections: ServerConnections,
        tasks: TaskRunner,
        post: Callable[[Callable[[], None]], None],
        command_line: CommandLine,
        remember: Callable[[str, str], None],
        on_search_ended: Callable[[str], None],
        model_folders: str,
    ) -> None:
        """`post` does something on the screen for a task; `remember` writes a setting down; `on_search_ended` hears what came of a search, in words; in `model_folders` model files are looked for too."""
        self._app = app
        self._connections = connections
        self._tasks = tasks
        self._post = post
        self._command_line = command_line
        self._remember = remember
        self._on_search_ended = on_search_ended
        self._model_folders = model_folders
        self._watch_timer: Timer | None = None
        self._offered: Endpoint | None = None
        self._refused = ""  # the address of the server that the person does not want
        self._guide_question = GuideQuestion(connections, tasks, post, lambda: app.chat.controller)

    def add_commands(self, registry: CommandRegistry) -> None:
        """What a person can do about servers and models."""
        registry.add("model.choose", self._choose_model)
        registry.add("model.refresh", lambda _: self.refresh())
        registry.add("server.use", self._choose_server)
        registry.add("server.help", lambda _: self.explain())
        registry.add("server.search", lambda _: self.look_again())
        registry.add("guide.ask", self._ask_guide_named)
        registry.add("gguf.open", self.open_file)

    # -- what is wanted ---------------------------------------------------------------------------------------------

    def search(self, endpoint: Endpoint | None = None, *, asked: bool = False) -> None:
        """Look for servers, or use the one that was found at the `endpoint`; the guide stays until there is one. `asked` =
        the person wants it, and is told what comes of it."""
        if self._stands_in(self._app.state):
            self._app.show_notice("looking for a server")
        else:
            self._app.set_server(ServerState(ConnectionStatus.SEARCHING))
        self._connections.find(self._app.state, endpoint, asked=asked)

    def look_again(self) -> None:
        """The person asks for servers: use the one that is offered, or look for any. What comes of it is said."""
        if self._app.state.status is ConnectionStatus.SEARCHING:
            self._app.show_notice("lokal is looking for a server already")
            return
        offered = self._offered
        self._offer(None)
        self.search(offered, asked=True)

    def refresh(self) -> None:
        """Ask the server for its models again; where there is none, one is looked for."""
        if self._app.state.connection is None:
            self.look_again()
        else:
            self._connections.refresh_models(self._app.state, asked=True)

    def use_server(self, endpoint: Endpoint, command: str = "") -> None:
        """Talk to another server, by that slash command. One that answers stays until the other one does."""
        app, connection = self._app, self._app.state.connection
        endpoint = as_known(app.state, endpoint)
        if connection is None or connection.guide or app.state.status is not ConnectionStatus.CONNECTED:
            app.set_server(ServerState(ConnectionStatus.SEARCHING))
            self._connections.find(app.state, endpoint, command=command)
            return
        app.show_notice(f"Asking {endpoint.url} …")
        self._connections.use(app.state, endpoint, command)

    def use_model(self, name: str) -> None:
        """Chat with another model from the next answer on."""
        app = self._app
        app.set_settings(replace(app.state.settings, model=name, window=None))
        self._remember("model", name)
        self._connections.read_window(app.state)
        running = bool(app.chat.controller.chat.doing)
        app.chat.show_notice(
            f"{name} will answer your next question" if running else f"model {name}", "second"
        )

    def _choose_model(self, argument: str) -> None:
        state = self._app.state
        connection = state.connection
        if connection is None:
            way = state.key("server.search")
            raise UsageError("No server, so no models", "", f"{way} looks for one")
        names = [model.name for model in connection.models]
        if argument:
            # A server that lists none may have one all the same, and then says itself if it has not this one.
            self.use_model(one_of(argument, names, "model") if names else argument)
        elif names:
            self._command_line.choose("model", f"{state.model} is in use")
        else:
            label = connection.info.kind.label
            raise UsageError(f"{label} lists no models", "", "/model NAME uses one anyway")

    def _choose_server(self, argument: str) -> None:
        connection = self._app.state.connection
        if argument:
            self.use_server(self._connections.endpoint_named(argument), f"/server {argument}")
        else:
            in_use = f"{connection.place} is in use" if connection else "No server is in use"
            self._command_line.choose("server", in_use)

    def ask_guide(self) -> None:
        """Talk to the guide from now on."""
        connection = self._app.state.connection
        if connection is not None and connection.guide:
            self._app.show_notice("This is the guide already; it knows only lokal")
            return
        self._app.open_tab("chat")
        self._show_starting()
        self._connections.start_guide()
        if connection is not None and self._app.chat.controller.chat.can_retry:
            way = self._app.state.key("answer.retry")
            self._app.show_notice(f"The guide answers from now on; {way} asks it your last question")

    def _ask_guide_named(self, question: str) -> None:
        """From now on; or, with a question, this once, whatever else answers."""
        app, connection = self._app, self._app.state.connection
        if not question:
            self.ask_guide()
            return
        if why_not := why_not_change(app.chat.controller):
            raise UsageError(why_not)
        app.open_tab("chat")
        if connection is None or connection.guide:
            if connection is None:
                self.ask_guide()
            app.chat.controller.ask(question)
            return
        app.show_notice("Asking the guide, which knows lokal and local models …")
        self._guide_question.ask(question, partial(self._guide_asked, question))

    def _guide_asked(self, question: str, problem: LokalError | None) -> None:
        if problem is not None:
            self._command_line.return_command(f"/guide {question}")
            self._app.show_notice(str(problem), "warning")

    def answer_finished(self) -> None:
        """An answer has ended. Many servers load a model with the first question and know its context window only then; the
        guide that was asked this once is no longer needed."""
        if self._app.state.window is None:
            self._connections.read_window(self._app.state)
        self._guide_question.end()

    def ask_guide_instead(self) -> None:
        """A question found no server: the guide answers it."""
        self._app.chat.show_notice("No server: the guide answers. It knows only lokal and local models")
        self.ask_guide()

    def open_file(self, argument: str) -> None:
        """Open a GGUF file with the built-in engine; without a name it is asked for."""
        if argument:
            self._open_gguf(argument)
            return
        from tui.ui.start.files_page import ModelFilesPage

        self._app.show_page(ModelFilesPage(self._model_folders), self._open_chosen)

    def _open_chosen(self, choice: FileChoice | None) -> None:
        """Open the file that was chosen on the page, with the settings that were looked at there, or ask for its path."""
        if choice is None:
            return
        if not choice.path:
            from tui.ui.start.prompt import FilePage

            self._app.show_page(FilePage(), lambda text: self._open_gguf(text) if text else None)
            return
        chosen = {"context_window": choice.context, "cache_type": choice.cache_type}
        changed = {name: value for name, value in chosen.items() if value is not None}
        if changed:
            settings = self._app.state.settings
            self._app.set_settings(replace(settings, overrides={**settings.overrides, **changed}))
        self._open_gguf(choice.path)

    def _open_gguf(self, text: str) -> None:
        path = as_path(text)
        self._app.open_tab("chat")
        self._show_starting()
        self._connections.start_gguf(path, self._app.state, f"/open {text}")

    def _show_starting(self) -> None:
        server = self._app.state.server
        self._app.set_server(
            replace(server, status=ConnectionStatus.STARTING, problem=None, starting=None, loads="")
        )

    def explain(self) -> None:
        """How to start a server, and a line for the address of one elsewhere."""
        from tui.ui.start.prompt import server_page

        app = self._app
        app.show_page(server_page(self._use_address), lambda text: app.open_tab("chat") if text else None)

    async def _use_address(self, text: str) -> None:
        """Connect to a server that was named. Raises LokalError, and then nothing has changed."""
        await self._connections.connect(self._app.state, self._connections.endpoint_named(text))

    def enlarge_window(self, tokens: int) -> None:
        """A larger context window for this run: Ollama takes it with the next question, the built-in engine loads its model
        anew."""
        app = self._app
        app.set_state(app.state.with_window(tokens))
        if app.state.settings.overrides_before is not None:
            self._connections.restart_engine(app.state)
        app.show_notice(f"a window of {human_tokens(tokens)} for this run: reloads the model", "accent")

    # -- what is heard ----------------------------------------------------------------------------------------------

    def hear(self, event: ConnectionEvent) -> None:
        """Show what came of it."""
        app = self._app
        match event:
            case ServerConnected():
                self._hear_connected(event)
            case ServerNotFound():
                self._hear_not_found(event)
            case ServerLoading(who) if who and app.state.connection is not None:
                app.show_notice(f"{who} is still loading its model; lokal waits for it")
            case ServerLoading(who) if who and app.state.server.loads == who:
                pass
            case ServerAppeared(endpoint):
                self._hear_appeared(endpoint)
            case ConnectionWarning(text):
                app.show_notice(text, "warning")
            case ChatReused():
                if event.words:
                    app.chat.show_notice(event.words)
            case EngineThreadsChanged():
                app.chat.show_notice(event.words)
            case ServerLoading() | ContextWindowRead() | EngineSlept():
                self._take(event)

    def _take(self, event: ConnectionEvent) -> None:
        before = self._app.state
        after = state_after(before, event)
        if after is not before:
            self._app.set_state(after)

    def _hear_connected(self, event: ServerConnected) -> None:
        app, state, connection = self._app, self._app.state, event.connection
        if event.asked or event.chosen:
            app.show_notice(_what_was_found(event), "accent")
        self._on_search_ended("a server was found")
        if self._stands_in(state) and not connection.stands_in:
            app.show_notice(f"{connection.place} will answer your next question", "second")
        self._take(event)

    def _hear_not_found(self, event: ServerNotFound) -> None:
        app = self._app
        if app.state.settings.overrides_before is not None:
            way = app.state.key("server.search")
            app.show_notice(f"The larger window did not work; {way} starts as before", "warning")
        returned = bool(event.command) and self._command_line.return_command(event.command)
        if event.asked:
            app.show_notice(f"Looked again: {event.problem.title}", "warning")
        self._on_search_ended("no server was found")
        before = app.state.connection
        if before is not None and (event.kept or before.stands_in):
            problem = event.problem
            if before.stands_in:
                who = "the guide" if before.guide else safe_name(app.state.model, 40)
                app.show_notice(f"{problem.title}; {who} stays", "warning")
            else:
                app.show_notice(sentences(str(problem), f"{before.place} stays connected"), "warning")
        elif app.chat.session is not None and len(app.chat.session.conversation):
            app.show_notice(str(event.problem), "warning")  # an empty chat shows it whole
        self._take(event)
        if returned:  # what is told of it is about the command
            app.chat.notice_bar.tie_to(app.chat.written)

    # -- a server that comes up later -------------------------------------------------------------------------------

    def watch(self, state: ClientState) -> None:
        """A server that comes up is watched for as long as there is none but one that stands in for it."""
        stands_in = self._stands_in(state)
        alone = (state.status is ConnectionStatus.NONE and state.server.may_guide) or stands_in
        if alone and self._watch_timer is None:
            self._watch_timer = self._app.every(WATCH_S, self._connections.look_for_server)
        elif not alone and self._watch_timer is not None:
            self._watch_timer.stop()
            self._watch_timer = None
        if state.connection is not None and not stands_in:
            self._refused = ""
            self._offer(None)

    def _hear_appeared(self, endpoint: Endpoint | None) -> None:
        """It is offered until it is used, refused, or gone; the chat stays as it is."""
        if self._watch_timer is None:
            return
        if endpoint is None:
            self._refused = ""
            self._offer(None)
        elif endpoint.url != self._refused:
            self._offer(endpoint)

    def _offer(self, endpoint: Endpoint | None) -> None:
        if endpoint == self._offered:
            return
        self._offered = endpoint
        bar = self._app.chat.notice_bar
        if endpoint is None:
            bar.offer("")
            return
        label, key = endpoint.kind.label if endpoint.kind else "A server", self._app.state.key
        answers = f"{label} answers now on {endpoint.place}"
        use = key("server.search") or "“Look for servers” in the palette"
        refuse = f", {key('answer.stop')} refuses" if key("answer.stop") else ""
        bar.offer(f"{answers} · {use} uses it{refuse}")
        if self._app.tab != "chat":
            self._app.show_notice(f"{answers} · {use} uses it", "accent")

    def refuse_offer(self) -> None:
        """The person does not want the server that is offered."""
        if self._offered is not None:
            self._refused = self._offered.url
            self._offer(None)

    @staticmethod
    def _stands_in(state: ClientState) -> bool:
        return state.connection is not None and state.connection.stands_in


def _what_was_found(event: ServerConnected) -> str:
    """What a search has come to that the person asked for."""
    if event.refreshed:
        count = len(event.connection.models)
        return f"Asked again: {count or 'no'} model{'' if count == 1 else 's'}"
    if event.chosen:
        return f"{event.connection.place} · {event.model or 'no model'}"
    return f"Looked again: {event.connection.place}, {safe_name(event.model, 60) or 'no model'}"
