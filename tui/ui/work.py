"""What takes its time, done beside the screen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast

from textual.dom import DOMNode
from textual.worker import Worker

from tui.chat.tasks import mistake
from tui.errors import LokalError
from tui.ui.messages import Trouble

Work = Callable[[], Coroutine[Any, Any, None]]
"""Something to begin. Not a coroutine: one whose worker is cancelled before it begins would complain on the terminal
that nobody has awaited it."""
Ended = Callable[[LokalError], None]
"""Told of the mistake by which work has ended, so that nothing goes on waiting for it."""


def begin(
    node: DOMNode,
    work: Work,
    group: str,
    *,
    exclusive: bool = False,
    name: str = "",
    ended: Ended | None = None,
) -> Worker[None]:
    """Let a worker of `node` do it; it ends with `node`. With `exclusive` the others of its `group` are cancelled. An
    error in it does not end lokal: `ended` hears of it, or the person. `name` is for the log, if not the group."""
    guarded = partial(_guarded, work, ended or (lambda mistake: _say(node, mistake)))
    typed = cast("Callable[[], Coroutine[None, None, None]]", guarded)
    return node.run_worker(
        typed, group=group, exclusive=exclusive, exit_on_error=False, description=name or group
    )


async def _guarded(work: Work, ended: Ended) -> None:
    try:
        await work()
    except Exception as error:  # noqa: BLE001  # the root of all workers: a mistake is said, not swallowed
        ended(mistake(error))


def _say(node: DOMNode, error: LokalError) -> None:
    node.app.post_message(Trouble(error))
