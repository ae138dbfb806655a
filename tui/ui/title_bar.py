"""The title bar: the tabs at the left, the place at the right."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.strip import Strip

from tui.chat.state import ConnectionStatus
from tui.ui.state import ScreenState
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.row import cut_middle, parts_width, spread

GAP = 2
LEAST_PLACE, LEAST_MODEL = 12, 24
"""Cells in which a place and a model still say something."""


class TitleBar(LineWidget):
    """Shows which tab is open and where lokal is connected."""

    def __init__(self, tabs: Sequence[str]) -> None:
        """`tabs` are their titles."""
        super().__init__(id="title-bar")
        self._tabs = tabs
        self._active = tabs[0]
        self._place = ""
        self._model = ""

    def show(self, active: str, place: str, model: str) -> None:
        """Change what is shown; nothing is repainted if nothing changed."""
        if (active, place, model) != (self._active, self._place, self._model):
            self._active, self._place, self._model = active, place, model
            self.refresh()

    def line(self, width: int) -> Strip:
        left = [self.part(" lokal ", "muted")]
        for tab in self._tabs:
            left += [self.part("  "), self.part(tab, "tab_open" if tab == self._active else "tab")]
        place, model = _shortened(self._place, self._model, width - parts_width(left) - GAP - 1)
        right = [self.part(place, "muted")]
        if model:
            right += [self.part(" · " if place else "", "muted"), self.part(model, "second")]
        return spread(left, [*right, self.part(" ")], width, self.base(), gap=GAP)


def _shortened(place: str, model: str, room: int) -> tuple[str, str]:
    """Both so that they fit with a ` · ` between them: the place gives way first, and goes where it would say nothing."""
    if not model:
        return cut_middle(place, room), ""
    if cell_len(place) + 3 + cell_len(model) <= room:
        return place, model
    left = room - 3 - cell_len(model)
    if left >= LEAST_PLACE:
        return cut_middle(place, left), model
    if room >= LEAST_PLACE + 3 + LEAST_MODEL:
        return cut_middle(place, LEAST_PLACE), cut_middle(model, room - 3 - LEAST_PLACE)
    return "", cut_middle(model, room)


def place_of(state: ScreenState) -> str:
    """Where lokal is connected, or what it does about that, in words."""
    if state.connection is not None:
        return state.connection.place
    starting = f"{state.server.loads} is loading" if state.server.loads else "starting the engine"
    return {
        ConnectionStatus.SEARCHING: "looking for a server",
        ConnectionStatus.STARTING: starting,
        ConnectionStatus.NONE: "no server",
    }.get(state.status, "")
