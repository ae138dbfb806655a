"""What a server tells of the model under the cursor, beside the list on a wide screen. It is asked for when the cursor rests, and
only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.strip import Strip
from textual.timer import Timer

from tui.core.model import Model
from tui.core.model_management import ModelDetails
from tui.core.text import safe_line, safe_name
from tui.models.description import description_of
from tui.ui.page import Line
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut_middle, fit, wrap_words

LEAST_COLUMNS = 120
"""The width of the screen from which on it is there."""
WIDTH, MOST_WIDTH = 42, 90
"""Cells of it at the least, so that the list keeps all columns beside it, and at the most."""
REST_S = 0.3
"""How long the cursor rests on a model before the server is asked for it: holding a key down asks for none of those passed."""
MOST_TEXT = 4000
"""Characters of a template, a licence or a Modelfile that are set here; the page of the model has all."""
_EDGE = "│ "


class ModelSide(LineWidget):
    """As much of the details as there is room for; the page of the model shows all of it. `wanted` is called with the model that is to be asked for; what is told of it comes by `show`."""

    DEFAULT_CSS = f"""
    ModelSide {{ width: 35%; min-width: {WIDTH}; max-width: {MOST_WIDTH}; height: 100%; display: none; }}
    """

    def __init__(self, wanted: Callable[[Model], object], key: Callable[[], str]) -> None:
        """`key` is the one that opens the page with all of it, as it is shown; empty for none."""
        super().__init__(id="model-side")
        self._wanted = wanted
        self._key = key
        self._model: Model | None = None
        self._name = ""
        self._details: ModelDetails | None = None
        self._problem = ""
        self._timer: Timer | None = None
        self._lines: tuple[Line, ...] = ()
        self._set_for = 0

    def follow(self, model: Model | None) -> None:
        """The cursor is on that model, or on none. Nothing is asked while this is not on the screen."""
        if not self.display or model == self._model:
            return
        name = model.name if model is not None else ""
        if name != self._name:
            self._name, self._details, self._problem = name, None, ""
        self._model = model
        self.stop_waiting()
        if model is not None:
            self._timer = self.set_timer(REST_S, self._ask)
        self._set_anew()

    def show(self, name: str, details: ModelDetails | None, problem: str = "") -> None:
        """What is told of the model of that name, or why nothing is; of another than the one under the cursor it is too late."""
        if self._name == name:
            self._details, self._problem = details, problem
            self._set_anew()

    def leave(self) -> None:
        """Nobody looks any more, or the list is another one: what is shown is asked for anew when it is next followed."""
        self.stop_waiting()
        self._model = None

    def stop_waiting(self) -> None:
        """Ask for nothing that was to be asked for."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _ask(self) -> None:
        self._timer = None
        if self._model is not None:
            self._wanted(self._model)

    def _set_anew(self) -> None:
        self._set_for = 0
        self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        inner = width - len(_EDGE)
        if self._set_for != width:
            self._set_for, self._lines = width, self._set(inner)
        parts = [self.part(_EDGE, "rule")]
        if y == self.size.height - 1 and len(self._lines) > self.size.height and self._key():
            parts += [
                self.part(f"  {self._key()}", "key"),
                self.part(" shows all of it, and copies it", "muted"),
            ]
        elif y < len(self._lines):
            parts += [self.part(text, role) for text, role in self._lines[y]]
        return fit(parts, width, self.base())

    def _set(self, width: int) -> tuple[Line, ...]:
        """The lines, in so many cells."""
        if not self._name:
            return ()
        head: Line = ((cut_middle(safe_name(self._name), width - 1), "second"),)
        if self._problem:
            told = wrap_words(safe_line(self._problem, 600), max(10, width - 2))
            return head, *(((f" {line}", "muted"),) for line in told)
        if self._details is None:
            return (head,)
        from tui.ui.models.details_page import page_lines

        parts = tuple(replace(part, text=part.text[:MOST_TEXT]) for part in description_of(self._details))
        return head, *page_lines(parts, width)
