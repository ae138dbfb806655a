"""The top line: the tabs at the left, the place at the right."""

from __future__ import annotations

from textual.strip import Strip

from tui.ui.line import LineWidget
from tui.ui.row import spread

TABS = ("Chat", "Models", "Settings")


class TopLine(LineWidget):
    """Shows which tab is open and where lokal is connected."""

    def __init__(self) -> None:
        super().__init__(id="topline")
        self._active = TABS[0]
        self._place = ""
        self._model = ""

    def show(self, active: str, place: str, model: str) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if (active, place, model) != (self._active, self._place, self._model):
            self._active, self._place, self._model = active, place, model
            self.refresh()

    def line(self, width: int) -> Strip:
        left = [self.part(" lokal ", "muted")]
        for tab in TABS:
            left += [self.part("  "), self.part(tab, "tab_open" if tab == self._active else "tab")]
        right = [self.part(self._place, "muted")]
        if self._model:
            right += [self.part(" · ", "muted"), self.part(self._model, "second")]
        return spread(left, [*right, self.part(" ")], width, self.base(), gap=2)
