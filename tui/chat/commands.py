"""Which commands a front end has: what each does, and why one cannot be done just now, or never there.

The commands themselves are declared in `tui.core.commands`; a front end makes one registry and fills it once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.core.commands import BY_ID, Command
from tui.errors import UsageError

Handler = Callable[[str], object]
"""Does a command, with the argument that was typed after it. Raises LokalError where it cannot."""
WhyNot = Callable[[], str]
"""Why a command cannot be done just now; empty = it can."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RegisteredCommand:
    """A command with its one handler; `why_not` is asked before the handler is called."""

    command: Command
    handler: Handler
    why_not: WhyNot


class CommandRegistry:
    """One a front end. Every id is added once."""

    def __init__(self) -> None:
        self._commands: dict[str, RegisteredCommand] = {}

    def add(self, id: str, handler: Handler, why_not: WhyNot | None = None) -> None:
        """Let `handler` do the command of that id. Raises ValueError for an id that is not declared, or added already."""
        if id not in BY_ID:
            raise ValueError(f"there is no command {id}")
        if id in self._commands:
            raise ValueError(f"{id} has a handler already")
        self._commands[id] = RegisteredCommand(BY_ID[id], handler, why_not or _always)

    def refuse(self, id: str, why_not: str) -> None:
        """Say of a command why this front end never does it."""

        def handler(_: str) -> None:
            raise UsageError(why_not)

        self.add(id, handler, lambda: why_not)

    def __contains__(self, id: object) -> bool:
        return id in self._commands

    def why_not(self, id: str) -> str:
        """Why the command cannot be done just now; empty = it can."""
        registered = self._commands.get(id)
        if registered is None:
            return f"“{BY_ID[id].title}” cannot be done here"
        return registered.why_not()

    def handler(self, id: str) -> Handler:
        """What does the command. Raises KeyError for one that has no handler."""
        return self._commands[id].handler

    def run(self, id: str, argument: str = "") -> None:
        """Do it. Raises UsageError with the reason where it cannot be done, and what its handler raises."""
        if reason := self.why_not(id):
            raise UsageError(reason)
        self._commands[id].handler(argument)


def _always() -> str:
    return ""
