"""Which function runs which command. Each is imported when it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tui.cli.command_arguments import Ask, Bench, Chats, Doctor, Models, Presets, Subcommand


def dispatch(command: Subcommand) -> int:
    """Run a command; the exit status. Raises LokalError."""
    match command:
        case Ask():
            from tui.cli.ask import ask

            return _until_terminated(partial(ask, command))
        case Bench():
            from tui.cli.bench import bench

            return _until_terminated(partial(bench, command))
        case Doctor():
            from tui.cli.doctor import doctor

            return doctor(command)
        case Presets():
            from tui.cli.presets import presets

            return presets(command)
        case Chats():
            from tui.cli.chats import chats

            return chats(command)
        case Models():
            from tui.cli.models import models

            return _until_terminated(partial(models, command))


def _until_terminated(run: Callable[[], int]) -> int:
    """The exit status of `run`, or that of the signal which ended it."""
    from tui.cli.signals import Terminated

    try:
        return run()
    except Terminated as ending:
        return ending.status
