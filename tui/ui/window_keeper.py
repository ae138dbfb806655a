"""The app where a larger context window is wanted: Ollama takes it with the next question, the built-in engine loads its
model anew."""

from __future__ import annotations

from dataclasses import replace

from textual import on

from tui.chat.state import ConnectionStatus, ServerState
from tui.core.message import Value
from tui.core.text import human_tokens
from tui.ui.chat.view import ChatView
from tui.ui.desk_app import DeskApp
from tui.ui.messages import Connected, NotConnected

PARAMETER = "context_window"


class WindowKeeper(DeskApp):
    """What is done about the window. Mixed into the app."""

    _before: dict[str, Value | None] | None = None
    """What was set for this run before the engine began to load its model with a larger window."""

    @on(ChatView.WindowWanted)
    def _enlarge_window(self, event: ChatView.WindowWanted) -> None:
        """For this run; the question that waits is sent when the model is there."""
        state = self.state
        before = dict(state.overrides)
        wanted = state.with_settings(
            replace(state.settings, overrides={**before, PARAMETER: event.tokens}, window=None)
        )
        if state.connection is not None and state.connection.embedded:
            self._before = before
            self.set_state(wanted.with_server(ServerState(ConnectionStatus.STARTING)))
            self.services.restart_engine(self.state)
        else:
            self.set_state(wanted)
        self.chat.controller.go_on()
        self.tell(f"a window of {human_tokens(event.tokens)} for this run: reloads the model", "accent")

    @on(Connected)
    def _handle_connected(self, event: Connected) -> None:
        """The engine has it."""
        self._before = None

    @on(NotConnected)
    def _handle_not_connected(self, event: NotConnected) -> None:
        """The engine could not load its model so: the next start is as it was before."""
        if self._before is not None:
            self.state = self.state.with_settings(replace(self.state.settings, overrides=self._before))
            self._before = None
            self.tell(
                f"The larger window did not work; {self.state.key('server.search')} starts as before",
                "warning",
            )
