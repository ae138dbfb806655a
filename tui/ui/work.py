"""What takes its time, done beside the screen."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from textual.dom import DOMNode
from textual.worker import Worker

Work = Callable[[], Coroutine[Any, Any, None]]
"""Something to begin. Not a coroutine: one whose worker is cancelled before it begins would complain on the terminal
that nobody has awaited it."""


def begin(node: DOMNode, work: Work, group: str, *, exclusive: bool = False, name: str = "") -> Worker[None]:
    """Let a worker of `node` do it; it ends with `node`. With `exclusive` the others of its `group` are cancelled. An
    error in it does not end lokal. `name` is for the log, if not the group."""
    typed = cast("Callable[[], Coroutine[None, None, None]]", work)
    return node.run_worker(
        typed, group=group, exclusive=exclusive, exit_on_error=False, description=name or group
    )
