"""The commands that open a comparison; what it takes is loaded when one is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.chat.commands import CommandRegistry

if TYPE_CHECKING:
    from tui.ui.app import LokalApp


def add_commands(registry: CommandRegistry, app: LokalApp) -> None:
    """`/compare` and `/ladder`."""

    def compare(argument: str) -> None:
        from tui.ui.compare.start import start

        start(app, argument)

    def climb(argument: str) -> None:
        from tui.ui.compare.start import start_ladder

        start_ladder(app, argument)

    registry.add("compare", compare)
    registry.add("ladder", climb)
