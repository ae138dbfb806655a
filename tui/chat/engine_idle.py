"""An engine that nobody uses gives its memory back: it is ended after a while, and the next question starts it again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.chat.tasks import TaskRunner

if TYPE_CHECKING:
    from tui.servers.engine.embedded import EmbeddedServer


class EngineIdle:
    """One for each engine that runs. There is one timer, which wakes lokal once in `idle_s` seconds at the most; 0 = the engine
    never sleeps."""

    def __init__(self, server: EmbeddedServer, idle_s: float, tasks: TaskRunner) -> None:
        self._server = server
        self._idle_s = idle_s
        self._tasks = tasks
        self._alarm: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch it from now on; at once, also one that was watched."""
        self.close()
        if self._idle_s > 0:
            self._arm(self._idle_s)

    def close(self) -> None:
        """Watch it no longer."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _arm(self, delay_s: float) -> None:
        self._alarm = asyncio.get_running_loop().call_later(delay_s, self._look)

    def _look(self) -> None:
        self._alarm = None
        left_s = self._idle_s - self._server.idle_s()
        if left_s > 0:
            self._arm(left_s)
        else:
            self._tasks.start(self._sleep, "engine-idle")

    async def _sleep(self) -> None:
        if not await self._server.sleep(self._idle_s):
            self._arm(self._idle_s)
