"""The command line. It imports the screen only to open it, and a server's code only to talk to one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tui import __version__
from tui.errors import EngineError, FileError, LokalError, Refused, ServerError, UsageError

OK, USAGE, UNREACHABLE, REFUSED, INTERRUPTED = 0, 2, 3, 4, 130

_DESCRIPTION = """Chat with a model on this machine, in the terminal.

Without a command lokal opens its screen. It looks for Ollama, llama.cpp, LM Studio, vLLM and text-generation-webui
on this machine and talks to the one it finds, and to nothing else."""

_EPILOG = """examples:
  lokal                                   open the screen
  lokal --gguf model.gguf                 open it on a model file, with the built-in llama.cpp
  lokal --server 192.168.1.5:11434        open it with a server elsewhere
  lokal --preset creative --set top_k=80  open it with other parameters, for this run only
  lokal --resume                          open the last chat again
  git diff | lokal ask "Write a commit message for this"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit status. Errors are written to standard error, never as a traceback."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        return _dispatch(options)
    except LokalError as error:
        complain(error)
        return status_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output had enough (`| head -1`). Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def status_of(error: LokalError) -> int:
    """The exit status that an error ends with."""
    if isinstance(error, Refused):
        return REFUSED
    if isinstance(error, ServerError | EngineError):
        return UNREACHABLE
    return USAGE if isinstance(error, UsageError | FileError) else 1


def complain(error: LokalError) -> None:
    """Say what, why, and what to do, on standard error."""
    print(f"lokal: {error.title}", file=sys.stderr)
    for part in (error.detail, error.hint):
        if part:
            print(f"       {part}", file=sys.stderr)


def _dispatch(options: argparse.Namespace) -> int:
    match options.command:
        case None:
            return _open(options)
        case "ask":
            from tui.cli_ask import ask

            return ask(options)
        case "doctor":
            from tui.cli_doctor import doctor

            return doctor(options)
        case "presets":
            from tui.cli_presets import presets

            return presets(options)
        case _:
            from tui.cli_chats import chats

            return chats(options)


def _open(options: argparse.Namespace) -> int:
    from tui.core.parameters import parse_assignment
    from tui.paths import folders
    from tui.servers.choice import named_server

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "lokal needs a terminal", "", 'To ask from a script or a pipe: lokal ask "your question"'
        )
    places = folders()
    overrides = dict(parse_assignment(text) for text in options.set)
    server = None
    if options.server:
        from tui.config.settings import load_settings

        configured = load_settings(places.settings_file).value.servers
        server = named_server(options.server, configured, os.environ)
    gguf = _readable_gguf(options.gguf)

    from tui.ui.launch import Launch
    from tui.ui.run import run

    return run(Launch(places, server, options.model, options.preset, overrides, gguf, options.resume))


def _readable_gguf(path: Path | None) -> Path | None:
    if path is None:
        return None
    from tui.servers.engine_file import inspect

    inspect(path)
    return path


# -- the grammar ----------------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lokal",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lokal {__version__}")
    _add_target(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="last",
        metavar="CHAT",
        help="open a chat again: the last one, or CHAT (an id)",
    )
    commands = parser.add_subparsers(title="commands", dest="command", metavar="")
    _add_ask(commands)
    doctor = commands.add_parser(
        "doctor",
        help="show the servers, folders and terminal abilities that lokal finds",
        description="Show the servers that answer, with their models; lokal's folders; what this terminal can do.",
    )
    _add_json(doctor)
    _add_presets(commands)
    _add_chats(commands)
    return parser


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        default="",
        metavar="URL",
        help="the server: an address, or a name from the config; no other is asked",
    )
    parser.add_argument("--model", default="", metavar="M", help="the model, as the server names it")
    parser.add_argument(
        "--preset", default="", metavar="P", help="the preset: technical, creative, chatbot or your own"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter, for this run only; repeatable",
    )
    parser.add_argument(
        "--gguf", type=Path, metavar="FILE", help="start the built-in llama.cpp on this model file"
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_ask(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    ask = commands.add_parser(
        "ask",
        help="ask one question and print the answer",
        description="Ask one question. The answer goes to standard output as it comes, everything else to standard "
        "error. What is piped in is given to the model after the question.",
        epilog="exit status: 0 answered, 2 wrong usage, 3 no server, 4 the server refused or broke off, 130 interrupted",
    )
    _add_target(ask)
    ask.add_argument("--system", default=None, metavar="TEXT", help="a system prompt instead of the preset's")
    ask.add_argument("--save", action="store_true", help="keep question and answer as a chat")
    _add_json(ask)
    ask.add_argument("prompt", nargs="*", metavar="PROMPT", help="the question")


def _add_presets(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    presets = commands.add_parser("presets", help="list the presets, or show one")
    actions = presets.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="one line for each preset")
    _add_json(listing)
    show = actions.add_parser("show", help="the values of a preset, and the band each belongs in")
    show.add_argument("name", metavar="NAME")
    _add_json(show)


def _add_chats(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    chats = commands.add_parser("chats", help="list, show and export chats")
    actions = chats.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all chats, the newest first")
    _add_json(listing)
    show = actions.add_parser("show", help="a chat's open branch")
    show.add_argument("id", metavar="ID", help="an id, the start of one, or last")
    _add_json(show)
    export = actions.add_parser("export", help="write a chat to standard output")
    export.add_argument("id", metavar="ID", help="an id, the start of one, or last")
    export.add_argument(
        "--format",
        choices=("md", "json"),
        default="md",
        help="md: the open branch; json: everything (default: md)",
    )
