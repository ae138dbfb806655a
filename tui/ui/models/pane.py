"""The Models tab: what the server has, and which of it is in use."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.strip import Strip

from tui.chat.decision import Decision
from tui.chat.state import ConnectionStatus
from tui.core.text import human_size, human_tokens, safe_line, safe_name
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.welcome import welcome
from tui.ui.messages import ModelsLeft, ModelsRefreshWanted
from tui.ui.models.table import ModelTable
from tui.ui.start.panel import ways_on, ways_to_models
from tui.ui.state import ScreenState
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_list import LineList
from tui.ui.widgets.row import Part, cut_middle, fit


class Details(LineWidget):
    """Two lines about the model under the cursor."""

    DEFAULT_CSS = "Details { height: 2; }"

    def __init__(self) -> None:
        super().__init__(id="model-details")
        self._lines: tuple[tuple[str, str], ...] = ()

    def show(self, lines: tuple[tuple[str, str], ...]) -> None:
        """Up to two (text, role) lines."""
        if lines != self._lines:
            self._lines = lines
            self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        parts: list[Part] = [self.part(" ")]
        if y < len(self._lines):
            text, role = self._lines[y]
            text = text if y else cut_middle(text, width - 2)
            parts.append(self.part(text, role))
        return fit(parts, width, self.base())


class ModelsPane(Vertical):
    """The list, and what is known of the model under the cursor; where there is no model, the ways to one."""

    OWN_COMMANDS: ClassVar = frozenset({"models.leave"})
    """The commands whose keys it reads itself, while it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "refresh_models", id="model.refresh", show=False),
        Binding("escape", "leave", id="models.leave", show=False),
    ]

    def __init__(self, state: ScreenState) -> None:
        super().__init__(id="models")
        self._state = state

    def compose(self) -> ComposeResult:
        yield ModelTable()
        yield Details()
        yield DecisionPrompt("models-choice", self._state.keys)

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    @property
    def table(self) -> ModelTable:
        """The list."""
        return self.query_one(ModelTable)

    @property
    def choice(self) -> DecisionPrompt:
        """The ways on, where there is no model."""
        return self.query_one(DecisionPrompt)

    def set_state(self, state: ScreenState) -> None:
        """Show the state's server."""
        self._state = state
        if self.is_mounted:
            self._fill()

    @on(LineList.Moved)
    def _handle_model_table_moved(self) -> None:
        """Another model is to be described."""
        self._describe()

    def action_refresh_models(self) -> None:
        """Ask again."""
        self.post_message(ModelsRefreshWanted())

    def action_leave(self) -> None:
        """Back to the chat."""
        self.post_message(ModelsLeft())

    def _fill(self) -> None:
        connection = self._state.connection
        table, choice, focused = self.table, self.choice, self.screen.focused
        table.show_models(connection.models if connection else (), self._state.model)
        table.show_message(self._waiting())
        dilemma = self._ways_on()
        choice.show(dilemma)
        for widget in (table, self.query_one(Details)):
            widget.display = dilemma is None
        if focused in (table, choice):
            self.screen.set_focus(table if dilemma is None else choice)
        self._describe()

    def _describe(self) -> None:
        self.query_one(Details).show(self._lines())

    def _waiting(self) -> tuple[tuple[str, str], ...]:
        """What is said while a server is looked for, or its model is loaded."""
        if self._state.status not in (ConnectionStatus.SEARCHING, ConnectionStatus.STARTING):
            return ()
        lines = welcome(self._state, self.size.width)
        return tuple(("".join(text for text, _ in line), "foreground") for line in lines[:1])

    def _ways_on(self) -> Decision | None:
        """What can be done where there is no model; None where there are some, or it is not known yet."""
        state, connection = self._state, self._state.connection
        if connection is None:
            return ways_on(state, writing=False) if state.status is ConnectionStatus.NONE else None
        if connection.models:
            return None
        command = connection.server.profile.hints.model_command
        return ways_to_models(connection.place, f"{command} gets one" if command else "Load one there")

    def _lines(self) -> tuple[tuple[str, str], ...]:
        model = self.table.current
        if model is None:
            return ()
        about = [part for part in (safe_line(model.family, 30), ", ".join(model.capabilities)) if part]
        if model.memory:
            about.append(f"{human_size(model.memory)} of memory")
        if model.context_trained:
            about.append(f"made for {human_tokens(model.context_trained)} tokens of context")
        return (
            (safe_name(model.name), "second"),
            (safe_line(model.note, 300), "error") if model.note else (" · ".join(about), "muted"),
        )
