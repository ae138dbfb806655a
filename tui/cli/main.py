"""The entry point of the command line: runs a command, and turns whatever ends it into an exit status and a message.

The screen is imported only to open it, and a server's code only to talk to one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.cli import output
from tui.cli.arguments import Screen, Target
from tui.errors import EngineError, FileError, LokalError, Refused, ServerError, UsageError
from tui.startup_profile import StartupProfile

if TYPE_CHECKING:
    from tui.cli.command_arguments import Command
    from tui.early_frame import EarlyFrame

OK, FAILED, USAGE, UNREACHABLE, REFUSED, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""The exit statuses; 128 + n after signal n."""


def main(
    arguments: Sequence[str] | None = None,
    early_frame: EarlyFrame | None = None,
    profile: StartupProfile | None = None,
) -> int:
    """Run a command line; the exit status. Errors are written to standard error, never as a traceback.

    `early_frame` is what holds the terminal until the screen is there; `profile` has run since the program's start.
    """
    output.prepare()
    try:
        return _run(arguments, early_frame, profile or StartupProfile())
    except BrokenPipeError:  # whoever read the output had enough (`| head -1`)
        output.abandon()
        return OK


def _run(arguments: Sequence[str] | None, early_frame: EarlyFrame | None, profile: StartupProfile) -> int:
    try:
        command = _command(arguments)
        if isinstance(command, Screen):
            return _open(command, early_frame, profile)
        from tui.cli.dispatch import dispatch

        return dispatch(command)
    except LokalError as error:
        if early_frame is not None:
            early_frame.restore_terminal()  # or the message would go with it
        output.complain(error)
        return status_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as leaving:  # argparse, after --help and --version
        sys.stdout.flush()
        return leaving.code if isinstance(leaving.code, int) else OK


def _command(arguments: Sequence[str] | None) -> Command:
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        return Screen(Target())  # what most starts are: argparse is not loaded for it
    from tui.cli.parser import parse

    return parse(given)


def status_of(error: LokalError) -> int:
    """The exit status that an error ends with."""
    if isinstance(error, Refused):
        return REFUSED
    if isinstance(error, ServerError | EngineError):
        return UNREACHABLE
    return USAGE if isinstance(error, UsageError | FileError) else FAILED


def _open(command: Screen, early_frame: EarlyFrame | None, profile: StartupProfile) -> int:
    """Open the screen or plain mode, after all that can be wrong on the command line was looked at."""
    from tui.config.settings import is_set
    from tui.config.startup import StartOptions, load_configuration
    from tui.core.parameters import parse_assignment
    from tui.paths import folders

    target, places = command.target, folders()
    overrides = dict(parse_assignment(text) for text in target.assignments)
    config = load_configuration(places, target.preset or "")
    server = None
    if target.server is not None:
        from tui.core.secrets import KEY_VARIABLE
        from tui.servers.connect import named_server

        server = named_server(target.server, config.settings.servers, os.environ.get(KEY_VARIABLE, ""))
    if target.gguf is not None:
        from tui.servers.engine.gguf_file import inspect

        inspect(target.gguf)
    options = StartOptions(
        places,
        server,
        target.model,
        overrides,
        target.gguf,
        command.resume,
        preset_chosen=target.preset is not None or is_set(places.settings_file, "preset"),
    )
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if command.plain or (on_terminal and not command.profile and _is_dumb(os.environ)):
        from tui.cli.plain import plain

        return plain(options, config, color=command.color)
    if not on_terminal:
        raise UsageError(
            "lokal needs a terminal",
            "",
            'To ask from a script or a pipe: lokal ask "your question", or lokal --plain for a line each',
        )

    profile.mark("the command line, settings, presets and themes are read")
    if early_frame is not None:
        early_frame.ask_background()
    from tui.ui.run import run

    profile.mark("Textual and lokal's screen are imported")

    status = run(options, config, early_frame, profile if command.profile else None)
    if command.profile:
        print(profile.report(), file=sys.stderr)
    return status


def _is_dumb(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that it cannot move its cursor; on Windows none says what it is."""
    if sys.platform == "win32" and "TERM" not in environ:
        return False
    return environ.get("TERM", "") in ("", "dumb", "unknown")
