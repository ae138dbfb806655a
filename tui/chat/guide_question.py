"""A question that the guide is asked this once, beside whatever else answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.outbox import Told
from tui.chat.reasons import why_not_change
from tui.chat.state import ClientState, ConnectionStatus, ServerState
from tui.errors import LokalError, UsageError

if TYPE_CHECKING:
    from tui.chat.connections import ServerConnections
    from tui.chat.controller import ChatController
    from tui.chat.tasks import TaskRunner
    from tui.servers.connect import Connection


class GuideQuestion:
    """One a front end. It starts the guide's engine for a question, and ends it when the answer is there."""

    def __init__(
        self,
        connections: ServerConnections,
        tasks: TaskRunner,
        post: Callable[[Callable[[], None]], None],
        controller: Callable[[], ChatController],
    ) -> None:
        """`post` does something where the front end handles what a person does; `controller` is that of the open chat."""
        self._connections = connections
        self._tasks = tasks
        self._post = post
        self._controller = controller
        self._guide: Connection | None = None

    def ask(self, question: str, then: Told) -> None:
        """Ask it as soon as the guide is there; `then` is told how that went (None = it is asked)."""
        self._tasks.start(partial(self._start, question, then), "guide-beside", exclusive=True)

    async def _start(self, question: str, then: Told) -> None:
        try:
            guide = await self._connections.engines.start_guide()
        except LokalError as error:
            self._connections.engines.end_guide()
            self._post(partial(then, error))
        else:
            self._post(partial(self._started, guide, question, then))

    def _started(self, guide: Connection, question: str, then: Told) -> None:
        controller = self._controller()
        self._guide = guide
        if why_not := why_not_change(controller):  # something else was asked meanwhile
            self.end()
            then(UsageError(why_not))
            return
        controller.ask(question, state=_with_guide(controller.chat.state, guide))
        then(None)

    def end(self) -> None:
        """The answer has ended: a guide that was asked is no longer needed."""
        guide, self._guide = self._guide, None
        if guide is not None:
            self._tasks.start(guide.server.aclose, "guide-beside")
            self._connections.engines.end_guide()


def _with_guide(state: ClientState, guide: Connection) -> ClientState:
    settings = state.settings.with_own_preset(None)  # one that a model has brought is not for the guide
    settings = replace(settings, model=guide.models[0].name, window=None)
    return state.with_server(ServerState(ConnectionStatus.CONNECTED, guide)).with_settings(settings)
