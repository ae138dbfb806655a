"""The app where no server answers: the guide, a model file from disk, a server's address; and a server that comes up
later, which is offered and never taken unasked."""

from __future__ import annotations

from dataclasses import replace

from textual import on
from textual.timer import Timer

from tui.chat.chat_files import as_path
from tui.chat.state import ConnectionStatus
from tui.core.endpoint import Endpoint
from tui.core.text import safe_name
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.view import ChatView
from tui.ui.desk_app import DeskApp
from tui.ui.messages import Connected, ModelsRefreshWanted, NotConnected, ServerAppeared
from tui.ui.state import ScreenState

WATCH_S = 15.0
"""How often the usual places on this machine are looked at while there is no server but the guide."""


class Newcomer(DeskApp):
    """What is done while there is no server. Subclasses put the screen together."""

    _watch_timer: Timer | None = None
    _offered: Endpoint | None = None
    _refused = ""

    def set_state(self, state: ScreenState) -> None:
        """A server that comes up is watched for as long as there is none."""
        super().set_state(state)
        with_guide = state.connection is not None and state.connection.guide
        alone = (state.status is ConnectionStatus.NONE and state.server.may_guide) or with_guide
        if alone and self._watch_timer is None:
            self._watch_timer = self.set_interval(WATCH_S, self.services.look_for_server)
        elif not alone and self._watch_timer is not None:
            self._watch_timer.stop()
            self._watch_timer = None
        if state.connection is not None and not with_guide:
            self._refused = ""
            self._offer(None)

    @on(ServerAppeared)
    def _handle_server_appeared(self, event: ServerAppeared) -> None:
        """It is offered until it is used, refused, or gone; the chat stays as it is."""
        if self._watch_timer is None:
            return
        if event.endpoint is None:
            self._refused = ""
            self._offer(None)
        elif event.endpoint.url != self._refused:
            self._offer(event.endpoint)

    def _offer(self, endpoint: Endpoint | None) -> None:
        if endpoint == self._offered:
            return
        self._offered = endpoint
        if endpoint is None:
            self.chat.notice_bar.offer("")
            return
        label, key = endpoint.kind.label if endpoint.kind else "A server", self.state.key
        answers = f"{label} answers now on {endpoint.place}"
        use = key("server.search") or "“Look for servers” in the palette"
        refuse = f", {key('answer.stop')} refuses" if key("answer.stop") else ""
        self.chat.notice_bar.offer(f"{answers} · {use} uses it{refuse}")
        if self.tabs.current != "chat":
            self.tell(f"{answers} · {use} uses it", "accent")

    @on(ChatView.OfferRefused)
    def _refuse_offer(self, event: ChatView.OfferRefused) -> None:
        event.stop()
        if self._offered is not None:
            self._refused = self._offered.url
            self._offer(None)

    # -- looking again ----------------------------------------------------------------------------------------------

    def look_again(self) -> None:
        """The person asks for servers: use the one that is offered, or look for any. What comes of it is said."""
        if self.state.status is ConnectionStatus.SEARCHING:
            self.tell("lokal is looking for a server already")
            return
        offered = self._offered
        self._offer(None)
        self.search(offered, asked=True)

    @on(ModelsRefreshWanted)
    def _handle_models_pane_refresh_wanted(self) -> None:
        """Ask the server for its models again; where there is none, one is looked for."""
        if self.state.connection is None:
            self.look_again()
        else:
            self.services.refresh_models(self.state, asked=True)

    @on(Connected)
    def _say_what_was_found(self, event: Connected) -> None:
        connection = event.connection
        if not event.asked:
            return
        if event.refreshed:
            count = len(connection.models)
            said = f"Asked again: {count or 'no'} model{'' if count == 1 else 's'}"
        else:
            said = f"Looked again: {connection.place}, {safe_name(event.model, 60) or 'no model'}"
        self.tell(said, "accent")

    @on(NotConnected)
    def _say_that_none_was_found(self, event: NotConnected) -> None:
        if event.asked:
            self.tell(f"Looked again: {event.problem.title}", "warning")

    # -- the ways on ------------------------------------------------------------------------------------------------

    def ask_guide(self) -> None:
        """Talk to the guide from now on."""
        if self.state.connection is not None and self.state.connection.guide:
            self.tell("This is the guide already; it knows only lokal")
            return
        self.open_tab("chat")
        self.set_state(
            self.state.with_server(
                replace(
                    self.state.server, status=ConnectionStatus.STARTING, problem=None, starting=None, loads=""
                )
            )
        )
        self.services.start_guide()

    @on(ChatView.GuideWanted)
    def _guide_wanted(self, event: ChatView.GuideWanted) -> None:
        """A question found no server."""
        event.stop()
        self.chat.tell("No server: the guide answers. It knows only lokal and local models")
        self.ask_guide()

    def open_file(self, argument: str) -> None:
        """Open a GGUF file with the built-in engine; without a name it is asked for."""
        if argument:
            self._open_gguf(argument, f"/open {argument}")
            return
        from tui.ui.start.prompt import FilePage

        def opened(text: str | None) -> None:
            if text:
                self._open_gguf(text, f"/open {text}")

        self.push_screen(FilePage(), opened)

    def _open_gguf(self, text: str, command: str) -> None:
        path = as_path(text)
        self.open_tab("chat")
        self.set_state(
            self.state.with_server(
                replace(
                    self.state.server, status=ConnectionStatus.STARTING, problem=None, starting=None, loads=""
                )
            )
        )
        self.services.start_gguf(path, self.state, command)

    def explain_servers(self) -> None:
        """How to start one, and a line for the address of one elsewhere."""
        from tui.ui.start.prompt import server_page

        self.push_screen(server_page(self._use_address), lambda text: self.open_tab("chat") if text else None)

    async def _use_address(self, text: str) -> None:
        """Connect to a server that was named. Raises LokalError, and then nothing has changed."""
        endpoint = self.services.endpoint_named(text)
        await self.services.chat_files.connect(self.state, endpoint, instead_of_search=True)

    @on(DecisionPrompt.Made)
    def _take_way_on(self, event: DecisionPrompt.Made) -> None:
        """One of the ways on, of whatever list."""
        event.stop()
        self.run_command(event.command_id)
        self.chat.leave_choice()

    def run_command(self, id: str, argument: str = "") -> None:
        """Do what a command's id stands for."""
        raise NotImplementedError
