"""The one parser of the command line: which options there are, and what is wrong with others, in words."""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tui import __version__
from tui.cli import help as help_texts
from tui.cli.arguments import Screen, Target
from tui.cli.command_arguments import STDIN, Ask, Bench, Chats, Command, Doctor, Presets
from tui.cli.help import MAX_WIDTH
from tui.cli.models_options import add_models, models_command
from tui.errors import UsageError


def parse(arguments: Sequence[str]) -> Command:
    """What the arguments ask for. Raises UsageError; SystemExit after --help and --version."""
    _look_before_the_command(arguments)
    found, unknown = _parser().parse_known_args(arguments)
    said = vars(found)
    command: str | None = said["command"]
    words: list[str] = said.get("prompt", [])
    if command == "ask":
        # argparse takes words for the question only up to the next option; those after it are left over.
        words += [word for word in unknown if not _is_option(word)]
        unknown = [word for word in unknown if _is_option(word)]
    if unknown:
        raise _unknown(unknown[0], command)
    target = _target(said)
    if command is None:
        if said["plain"] and said["profile_start"]:
            raise UsageError("--plain and --profile-start exclude each other", "Plain mode opens no screen")
        if said["color"] and not said["plain"]:
            raise UsageError("--color belongs to --plain", "", "The screen takes its colours from a theme")
        return Screen(target, said["resume"], said["profile_start"], said["plain"], said["color"])
    for name in ("resume", "profile_start", "plain", "color"):
        if said[name]:
            option = name.replace("_", "-")
            raise UsageError(
                f"lokal {command} takes no --{option}", "", "It belongs to lokal without a command"
            )
    if command == "ask":
        if said["guide"] and (target.server or target.model or target.gguf or said["schema"]):
            raise UsageError(
                "--guide asks the guide and nobody else",
                "It takes no --server, --model, --gguf or --schema",
                "Leave one of them out",
            )
        return Ask(
            target,
            " ".join(words),
            said["system"],
            said["save"],
            said["json"],
            said["schema"],
            said["encoding"],
            said["guide"],
            said["persona"],
        )
    if command == "bench":
        return Bench(target, said["depths"] or (), said["runs"], said["tokens"], said["json"])
    if command == "models" and target == Target(target.server):
        return models_command(said, target.server)
    if target != Target():
        given = next(name for name in ("server", "model", "preset", "set", "gguf") if said[name])
        raise UsageError(f"lokal {command} takes no --{given}", "", f"See: lokal {command} --help")
    if command == "doctor":
        return Doctor(said["json"])
    if command == "presets":
        return _presets(said)
    plain = {
        name: said[name] for name in ("id", "json", "format", "archived", "limit", "yes") if name in said
    }
    return Chats(
        action=said["action"],
        words=" ".join(said.get("words", ())),
        ids=tuple(said.get("ids", ())),
        files=tuple(said.get("files", ())),
        **plain,
    )


def _look_before_the_command(arguments: Sequence[str]) -> None:
    """Raise UsageError for an option that there is not: argparse would take the word after it for a command."""
    for argument in arguments:
        if argument in (*COMMANDS, "--"):
            return
        if argument.startswith("--") and argument.partition("=")[0] not in _TOP_OPTIONS:
            raise _unknown(argument, None)


def _is_option(word: str) -> bool:
    return word.startswith("-") and word != "-"


def _target(said: Mapping[str, Any]) -> Target:
    """The options that stand before a command and those after it, as one; the later ones count."""
    here, before = ({name: said.get(name + end) for name in _TARGET} for end in ("_here", ""))
    values = {name: before[name] if here[name] is None else here[name] for name in _TARGET}
    assignments = (*(before["set"] or ()), *(here["set"] or ()))
    target = Target(
        values["server"], values["model"] or "", values["preset"], tuple(assignments), values["gguf"]
    )
    if target.gguf is not None and (target.server or target.model):
        raise UsageError(
            f"--gguf and {'--server' if target.server else '--model'} exclude each other",
            "--gguf starts a server of its own with the model in the file",
            "Leave one of them out",
        )
    return target


_TARGET = ("server", "model", "preset", "set", "gguf")


# -- what argparse is told ------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as lokal says everything; `epilogue` is made only when help is shown."""

    epilogue: Callable[[], str] | None = None

    def __init__(self, **more: Any) -> None:
        super().__init__(formatter_class=_formatter, add_help=False, allow_abbrev=False, **more)
        self.add_argument("-h", "--help", action="help", help="show this help")

    def error(self, message: str) -> NoReturn:
        raise _explained(message, self.prog)

    def format_help(self) -> str:
        if self.epilogue is not None:
            self.epilog = self.epilogue()
        return super().format_help()


_Commands = argparse._SubParsersAction  # the type of what `add_subparsers` gives has no public name


def _formatter(prog: str) -> argparse.HelpFormatter:
    width = min(MAX_WIDTH, shutil.get_terminal_size().columns - 2)
    return argparse.RawDescriptionHelpFormatter(prog, max_help_position=21, width=width)


def _parser() -> _Parser:
    parser = _Parser(
        prog="lokal", usage=help_texts.TOP_USAGE, description=help_texts.TOP, epilog=help_texts.EXAMPLES
    )
    parser.add_argument(
        "--version", action="version", version=f"lokal {__version__}", help="show the version"
    )
    _add_target(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="last",
        metavar="CHAT",
        help="open a chat again: the last one, or CHAT (its id, or the start of it)",
    )
    parser.add_argument(
        "--profile-start",
        action="store_true",
        help="open the screen, leave, and say where the time went",
    )
    parser.add_argument("--plain", action="store_true", help=help_texts.PLAIN)
    parser.add_argument("--color", action="store_true", help="with --plain: who speaks in bold")
    commands = parser.add_subparsers(
        prog="lokal", dest="command", metavar="COMMAND", help=argparse.SUPPRESS, parser_class=_Parser
    )
    _add_ask(commands)
    _add_bench(commands)
    _add_json(commands.add_parser("doctor", description=help_texts.DOCTOR))
    _add_presets(commands)
    _add_chats(commands)
    add_models(commands.add_parser("models", description=help_texts.MODELS), _filled)
    return parser


def _add_target(parser: _Parser, end: str = "") -> None:
    """The options that stand for a Target; `end` keeps those of a command apart from those before it."""
    for name, metavar, text in (
        ("server", "URL", "ask this server and no other: an address, or its name in the config"),
        ("model", "M", "the model, as the server names it"),
        ("preset", "P", "technical, creative, chatbot or one of your own"),
    ):
        parser.add_argument(f"--{name}", dest=name + end, type=_filled, metavar=metavar, help=text)
    parser.add_argument(
        "--set",
        dest=f"set{end}",
        action="append",
        metavar="NAME=VALUE",
        help="a parameter, for this run only, such as top_k=40; repeatable",
    )
    parser.add_argument(
        "--gguf",
        dest=f"gguf{end}",
        type=Path,
        metavar="FILE",
        help="start the built-in llama.cpp with the model in this file",
    )


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("needs a value that is not empty")
    return text


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_ask(commands: _Commands[_Parser]) -> None:
    ask = commands.add_parser("ask", usage=help_texts.ASK_USAGE, description=help_texts.ASK)
    ask.epilogue = help_texts.ask_epilogue
    _add_target(ask, "_here")
    ask.add_argument("--system", metavar="TEXT", help="a system prompt instead of the preset's")
    ask.add_argument(
        "--persona", metavar="NAME", help="answer as the examples of a persona do: its name, or a file"
    )
    ask.add_argument(
        "--schema",
        type=_filled,
        metavar="FILE",
        help="JSON that fits the JSON schema in FILE, or any: --schema json",
    )
    ask.add_argument(
        "--encoding",
        type=_filled,
        metavar="NAME",
        help="of what is piped in, such as cp1251 (default: UTF-8)",
    )
    ask.add_argument("--guide", action="store_true", help=help_texts.GUIDE)
    ask.add_argument("--save", action="store_true", help="keep question and answer as a chat")
    ask.add_argument("--json", action="store_true", help="print one JSON object when the answer is there")
    ask.add_argument("prompt", nargs="*", metavar="PROMPT", help=argparse.SUPPRESS)


def _add_bench(commands: _Commands[_Parser]) -> None:
    bench = commands.add_parser(
        "bench", usage=help_texts.BENCH_USAGE, description=help_texts.BENCH, epilog=help_texts.BENCH_EXAMPLES
    )
    _add_target(bench, "_here")
    bench.add_argument(
        "--depths",
        type=_depths,
        metavar="N,N",
        help="tokens of the prompts, such as 128,4096 (default: 128,1024,4096)",
    )
    bench.add_argument("--runs", type=_few, default=3, metavar="N", help="measure each depth so often (3)")
    bench.add_argument("--tokens", type=_count, default=64, metavar="N", help="tokens of an answer (64)")
    _add_json(bench)


def _add_presets(commands: _Commands[_Parser]) -> None:
    presets = commands.add_parser("presets", description=help_texts.PRESETS)
    presets.epilogue = help_texts.presets_epilogue
    actions = presets.add_subparsers(dest="action", metavar="ACTION", required=True)
    _add_json(actions.add_parser("list", help="one line for each preset"))
    show = actions.add_parser("show", help="the values of a preset, and the band each belongs in")
    show.add_argument("name", metavar="NAME", help="as “lokal presets list” names it")
    _add_json(show)
    new = actions.add_parser("new", help="make a preset, or with --from of another one")
    new.add_argument("name", metavar="NAME", help="what it is to be called")
    new.add_argument(
        "--from", dest="source", default="", metavar="NAME", help="begin with the values of that preset"
    )
    new.add_argument(
        "--set",
        dest="values",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter; may be repeated",
    )
    for key, help_text in (
        ("description", "what it is for"), ("system", "a system prompt that goes with it"), ("model", "a model that is used with it"),
    ):  # fmt: skip
        new.add_argument(
            "--its-model" if key == "model" else f"--{key}", dest=f"its_{key}", metavar="TEXT", help=help_text
        )
    for action, help_text in (("copy", "the same values under another name"), ("rename", "give a preset another name"),
                              ("diff", "in what two presets differ")):  # fmt: skip
        one = actions.add_parser(action, help=help_text)
        one.add_argument("name", metavar="NAME")
        one.add_argument("other", metavar="NEW" if action != "diff" else "OTHER")
    actions.add_parser("edit", help="open its file in $VISUAL or $EDITOR").add_argument(
        "name", metavar="NAME"
    )
    rm = actions.add_parser("rm", help="delete a preset; asks first")
    rm.add_argument("name", metavar="NAME")
    rm.add_argument("--yes", action="store_true", help="do not ask")


def _presets(said: Mapping[str, Any]) -> Presets:
    texts = tuple(
        (key, said[f"its_{key}"])
        for key in ("description", "system", "model")
        if said.get(f"its_{key}") is not None
    )
    return Presets(
        said.get("name"), said.get("json", False), said["action"], said.get("other") or said.get("source", ""),
        tuple(said.get("values", ())), texts, said.get("yes", False),
    )  # fmt: skip


def _add_chats(commands: _Commands[_Parser]) -> None:
    chats = commands.add_parser("chats", description=help_texts.CHATS)
    actions = chats.add_subparsers(dest="action", metavar="ACTION", required=True)
    listed = actions.add_parser("list", help="all chats: pinned ones (*), then the one used last")
    listed.add_argument("--archived", action="store_true", help="those that were put away instead")
    _add_json(listed)
    which = "its id, the start of it, or last"
    show = actions.add_parser("show", help="the messages of a chat along its open branch")
    show.add_argument("id", metavar="ID", help=which)
    _add_json(show)
    export = actions.add_parser("export", help="write a chat to standard output")
    export.add_argument("id", metavar="ID", help=which)
    export.add_argument(
        "--format",
        choices=("md", "json"),
        default="md",
        help="md: the open branch (default); json: everything",
    )
    search = actions.add_parser(
        "search", description=help_texts.CHATS_SEARCH, help="the messages that have all these words"
    )
    search.add_argument("words", nargs="+", metavar="TEXT", help='words, or the start of them; "a phrase"')
    search.add_argument("--limit", type=_count, default=20, metavar="N", help="at most so many (20)")
    _add_json(search)
    rename = actions.add_parser("rename", help="give a chat another title")
    rename.add_argument("id", metavar="ID", help=which)
    rename.add_argument("words", nargs="+", metavar="TITLE", help="the new title")
    delete = actions.add_parser(
        "rm", description=help_texts.CHATS_RM, help="delete chats forever; asks first"
    )
    delete.add_argument("ids", nargs="+", metavar="ID", help=which)
    delete.add_argument("--yes", action="store_true", help="do not ask")
    imported = actions.add_parser(
        "import", description=help_texts.CHATS_IMPORT, help="import chats that were exported"
    )
    imported.add_argument(
        "files", nargs="+", type=_source, metavar="FILE", help="an exported file; - is standard input"
    )


def _source(text: str) -> Path:
    """A file; one that is named `-` is written as `./-`."""
    path = Path(text)
    return path if text == "-" or path != STDIN else Path.cwd() / path


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 10_000):
        raise argparse.ArgumentTypeError("needs a number from 1 to 10000")
    return int(text)


def _few(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:4]) <= 100):
        raise argparse.ArgumentTypeError("needs a number from 1 to 100")
    return int(text)


def _depths(text: str) -> tuple[int, ...]:
    found = [part.strip() for part in text.split(",")]
    if len(found) > MOST_DEPTHS or not all(
        part.isascii() and part.isdigit() and 16 <= int(part[:8]) <= 1_000_000 for part in found
    ):
        raise argparse.ArgumentTypeError(
            f"needs up to {MOST_DEPTHS} numbers from 16 to 1000000, such as 128,4096"
        )
    return tuple(sorted({int(part) for part in found}))


MOST_DEPTHS = 16
"""How many depths one measurement may have."""

# -- what is wrong, in words ----------------------------------------------------------------------------------------

COMMANDS = ("ask", "bench", "doctor", "presets", "chats", "models")
"""All commands; `tui.early_frame` knows them too, for none of them opens the screen."""
_TOP_OPTIONS = (
    *(f"--{name}" for name in _TARGET),
    "--help",
    "--version",
    "--resume",
    "--profile-start",
    "--plain",
    "--color",
)
_OPTIONS = (
    *_TOP_OPTIONS,
    "--json",
    "--system",
    "--persona",
    "--schema",
    "--encoding",
    "--guide",
    "--save",
    "--format",
    "--archived",
    "--limit",
    "--yes",
    "--depths",
    "--runs",
    "--tokens",
    *("--all", "--arg", "--context", "--file", "--from", "--keep-alive", "--quantize", "--sort"),
)


def _unknown(argument: str, command: str | None) -> UsageError:
    prog = f"lokal {command}" if command else "lokal"
    if not _is_option(argument):
        return UsageError(f"{prog} has no use for “{argument}”", "", f"See: {prog} --help")
    import difflib  # only for a mistake

    option = argument.partition("=")[0]
    close = difflib.get_close_matches(option, _OPTIONS, n=1, cutoff=0.7)
    if close == [option]:
        return UsageError(f"{prog} takes no {option}", "", f"See: {prog} --help")
    hint = f"Did you mean {close[0]}?" if close else f"See: {prog} --help"
    return UsageError(f"{prog} has no option {option}", "", hint)


def _explained(message: str, prog: str) -> UsageError:
    """argparse's own complaints as ours."""
    import difflib

    see = f"See: {prog} --help"
    choice = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)$", message, re.DOTALL)
    if choice and prog == "lokal":
        close = difflib.get_close_matches(choice[1], COMMANDS, n=1)
        hint = f"Did you mean lokal {close[0]}?" if close else f'To ask a question: lokal ask "{choice[1]}"'
        return UsageError(f"There is no command “{choice[1]}”", f"There are: {', '.join(COMMANDS)}", hint)
    if choice:
        return UsageError(f"{prog} cannot be “{choice[1]}”", f"It takes one of {choice[2]}", see)
    if missing := re.search(r"arguments are required: (.*)$", message):
        return UsageError(f"{prog} needs {missing[1]}", "", see)
    if bare := re.search(r"argument (\S+): expected (?:one|at least one) argument", message):
        return UsageError(f"{bare[1].split('/')[-1]} needs a value", "", see)
    return UsageError(message.removeprefix("argument ").replace(": needs", " needs"), "", see)
