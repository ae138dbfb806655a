"""The app's part that manages models. It loads what that takes when the tab is first used, or where downloads are left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tui.ui.context import AppContext
from tui.ui.messages import PaneMessage

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.core.endpoint import Endpoint
    from tui.servers.connect import Connection
    from tui.ui.models.controller import ModelsController
    from tui.ui.models.pane import ModelsPane
    from tui.ui.services import Services


class ModelsPart:
    """One for each app."""

    def __init__(
        self,
        app: AppContext,
        services: Services,
        folder: Path,
        configured: Sequence[Endpoint],
        panes: Callable[[], Iterable[Widget]],
    ) -> None:
        """`configured` are the servers of the config; `folder` is where downloads are kept that are not done; `panes` has the tab, once it was opened."""
        self._app = app
        self._services = services
        self._folder = folder
        self._configured = configured
        self._panes = panes
        self._controller: ModelsController | None = None
        self._connection: Connection | None = None

    @property
    def words(self) -> str:
        """The downloads, for the status bar; empty for none."""
        return self._controller.words if self._controller is not None else ""

    def server_changed(self, connection: Connection | None) -> None:
        """The server that is in use now; downloads to it that were not done go on."""
        if connection is self._connection:
            return
        self._connection = connection
        if self._controller is not None:
            self._controller.server_changed(connection)
        elif connection is not None and self._folder.exists():
            self._make()

    def hear(self, event: PaneMessage) -> None:
        """A key of the tab."""
        (self._controller or self._make()).hear(event)

    def _make(self) -> ModelsController:
        from tui.ui.models.controller import ModelsController

        services = self._services
        made = ModelsController(
            self._app, services.connections, services.tasks, self._folder, self._configured, self._pane
        )
        self._controller = made
        services.at_end.append(made.close)
        made.server_changed(self._connection)
        return made

    def _pane(self) -> ModelsPane | None:
        return cast("ModelsPane | None", next(iter(self._panes()), None))
