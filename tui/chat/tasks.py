"""Work that takes its time, done beside whoever asked for it: every task of the chat client is started and guarded here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tui.core.text import safe_line
from tui.errors import LokalError

Work = Callable[[], Coroutine[Any, Any, None]]
"""Something to begin. Not a coroutine: one whose task is cancelled before it begins would complain on the terminal that
nobody has awaited it."""
OnMistake = Callable[[LokalError], None]
"""Told of the mistake by which work has ended, so that nothing goes on waiting for it."""


def mistake(error: Exception) -> LokalError:
    """What lokal did not foresee, as something to be said."""
    what = f"{type(error).__name__}: {safe_line(str(error), 200)}"
    return LokalError("lokal made a mistake", what, "Please report this")


class TaskRunner:
    """Starts tasks by the name of their group, and ends them by it. An error in one does not end the program: it is told."""

    def __init__(self, on_mistake: OnMistake) -> None:
        """`on_mistake` hears of an error in a task that has nobody of its own to hear of it."""
        self._on_mistake = on_mistake
        self._tasks: dict[asyncio.Task[None], str] = {}

    def start(
        self, work: Work, group: str, *, exclusive: bool = False, on_mistake: OnMistake | None = None
    ) -> asyncio.Task[None]:
        """Start it. With `exclusive` the others of its group are cancelled first."""
        if exclusive:
            self.cancel(group)
        task = asyncio.get_running_loop().create_task(
            self._guarded(work, on_mistake or self._on_mistake), name=group
        )
        self._tasks[task] = group
        task.add_done_callback(lambda done: self._tasks.pop(done, None))
        return task

    async def _guarded(self, work: Work, on_mistake: OnMistake) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001  # the root of all tasks: a mistake is said, not swallowed
            on_mistake(mistake(error))

    def runs(self, group: str) -> bool:
        """Whether a task of that group goes on."""
        return group in self._tasks.values()

    def cancel(self, group: str) -> None:
        """End the tasks of a group. One that cancels its own group is not ended by that."""
        for task, of in list(self._tasks.items()):
            if of == group and task is not asyncio.current_task():
                task.cancel()

    def close(self) -> None:
        """End all of them."""
        for task in list(self._tasks):
            task.cancel()
