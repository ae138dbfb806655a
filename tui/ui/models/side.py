"""What the server tells of the model under the cursor, beside the list where the screen is wide."""

from __future__ import annotations

from textual.strip import Strip

from tui.core.model_management import ModelDetails
from tui.core.text import safe_name
from tui.models.description import description_of
from tui.ui.models.details_page import page_lines
from tui.ui.page import Line
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut_middle, fit

LEAST_COLUMNS = 120
"""Cells of a screen from which on there is room for it."""
WIDTH = 46
REST_S = 0.3
"""How long the cursor rests on a model before the server is asked for it, in seconds."""


class ModelSide(LineWidget):
    """As much of the details as there is room for; the page shows all of it."""

    DEFAULT_CSS = f"ModelSide {{ width: {WIDTH}; height: 100%; display: none; }}"

    def __init__(self) -> None:
        super().__init__(id="model-side")
        self._details: ModelDetails | None = None
        self._lines: tuple[Line, ...] = ()
        self._key = ""

    @property
    def model(self) -> str:
        """The name of the model that is described; empty for none."""
        return self._details.name if self._details is not None else ""

    def show(self, details: ModelDetails | None, key: str) -> None:
        """Describe a model; `key` is the one that opens the page with all of it."""
        if (details, key) != (self._details, self._key):
            self._details, self._key = details, key
            self._lines = page_lines(description_of(details), WIDTH - 3) if details is not None else ()
            self.refresh()

    def line_at(self, y: int, width: int) -> Strip:
        rule = self.part("│ ", "rule")
        if not y:
            name = cut_middle(safe_name(self.model), width - 3)
            return fit([rule, self.part(name, "second")], width, self.base())
        is_last = y == self.size.height - 1 and len(self._lines) > self.size.height - 1
        if is_last and self._key:
            parts = [self.part(self._key, "key"), self.part(" shows the rest", "muted")]
            return fit([rule, *parts], width, self.base())
        line = self._lines[y - 1] if y <= len(self._lines) else ()
        return fit([rule, *(self.part(text, role) for text, role in line)], width, self.base())
