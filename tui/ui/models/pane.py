"""The Models tab: what the server has, and which of it is in use."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.strip import Strip

from tui.core.text import human_size, human_tokens, safe_line, safe_name
from tui.ui.desk import Desk
from tui.ui.line import LineWidget
from tui.ui.models.table import ModelTable
from tui.ui.row import Part, cut_middle, fit


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

    def render_line(self, y: int) -> Strip:
        """Textual's line API."""
        parts: list[Part] = [self.part(" ")]
        if y < len(self._lines):
            text, role = self._lines[y]
            text = text if y else cut_middle(text, self.size.width - 2)
            parts.append(self.part(text, role))
        return fit(parts, self.size.width, self.base())


class ModelsPane(Vertical):
    """The list, and what is known of the model under the cursor."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(id="models")
        self._desk = desk

    def compose(self) -> ComposeResult:
        yield ModelTable()
        yield Details()

    def on_mount(self) -> None:
        """Fill the list."""
        self._fill()

    @property
    def table(self) -> ModelTable:
        """The list."""
        return self.query_one(ModelTable)

    def set_desk(self, desk: Desk) -> None:
        """Show the desk's server."""
        self._desk = desk
        if self.is_mounted:
            self._fill()

    def on_model_table_moved(self) -> None:
        """Another model is to be described."""
        self._describe()

    def _fill(self) -> None:
        connection = self._desk.connection
        self.table.show_models(connection.models if connection else (), self._desk.model)
        self.table.show_message(() if connection and connection.models else self._why_none())
        self._describe()

    def _describe(self) -> None:
        self.query_one(Details).show(self._lines())

    def _why_none(self) -> tuple[tuple[str, str], ...]:
        desk, connection = self._desk, self._desk.connection
        again = (f"{desk.key('server.search')} looks again", "muted")
        if connection is not None:
            pull = "ollama pull llama3.2:3b" if connection.info.kind == "ollama" else "Load one there"
            return ((f"{connection.place} has no models yet.", "warning"), (pull, "strong_code"), again)
        if desk.problem is None:
            return (("Looking for a model server …", "foreground"),)
        more = tuple((text, "foreground") for text in (desk.problem.detail, desk.problem.hint) if text)
        return ((desk.problem.title, "warning"), *more, again)

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
