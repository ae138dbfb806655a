"""Slash commands: what a text in the composer means, what is wrong with it, and how it may go on.

A text is a command if it starts with a slash and a word. A command is one line; only one that takes prose may have more.
`//` at the start is a slash that is meant. A first word with another slash in it is a path, and sent, unless it begins as
a command does: `/retry/continue` are two that were glued together. So are several lines that begin with no command's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tui.core.commands import BY_SLASH, COMMANDS, Command
from tui.core.message import Value
from tui.core.parameters import BY_NAME, REGISTRY
from tui.core.paste_folds import plain
from tui.core.text import safe_line, safe_name
from tui.errors import UsageError

FORCE = "!"
"""After a command's name: do it although something is lost by it. Its argument then begins with this."""
_FORCED = frozenset({"chat.export"})
_PROSE = frozenset({"system.set", "compare"})
"""Commands whose argument may have several lines."""


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command as it was typed, with what followed its name."""

    command: Command
    argument: str = ""


def parse(text: str) -> ParsedCommand | str:
    """The command that `text` is, or the question that is to be sent. Raises UsageError for a command that there is not,
    for one that lacks what it needs, for one that takes nothing and was given something, and for one with more lines
    under it, which would be lost."""
    if not text.startswith("/"):
        return text
    if text.startswith("//"):
        return text[1:]
    lines = text.strip().splitlines()
    word, argument = _split(lines[0][1:])
    if word.lower() == "compare:":  # the colon that a question follows
        word, argument = word[:-1], f": {argument}"
    forced = word.endswith(FORCE)
    name = word.removesuffix(FORCE).lower()
    command = BY_SLASH.get(name)
    if (glued := _begins_as_command(word)) is not None:
        raise UsageError(
            f"There is no command /{safe_line(word, 60)}",
            "",
            f"/{glued} is one; // at the start sends it as text",
        )
    if len(lines) > 1:
        if command is None or (forced and command.id not in _FORCED):
            return text
        if command.id not in _PROSE:
            raise UsageError(
                f"/{name} is one line, and there is more", "", "// at the start sends it as text"
            )
        argument = "\n".join([argument, *lines[1:]]).strip()
    if "/" in word or (not word and argument):
        return text
    if command is None or (forced and command.id not in _FORCED):
        raise UsageError(f"There is no command /{safe_line(word, 30)}", "", _instead(name))
    if argument and not command.argument:
        raise UsageError(f"/{name} takes nothing after it", "", "// at the start sends it as text")
    if not argument and needs_argument(command):
        raise UsageError(f"/{name} wants {command.argument}", command.help)
    return ParsedCommand(command, f"{FORCE} {argument}".strip() if forced else argument)


def _begins_as_command(word: str) -> str | None:
    """The command's name that stands before the second slash of a line's first word; None = there is none."""
    head, slash, _ = word.partition("/")
    name = head.removesuffix(":").removesuffix(FORCE).lower()
    return name if slash and name in BY_SLASH else None


def as_written(marked: str) -> str:
    """What is written for a question to be sent as that text: with a second slash where one would be a command."""
    if not marked.startswith("/"):
        return marked
    text = plain(marked)
    try:
        same = parse(text) == text
    except UsageError:
        same = False
    return marked if same else f"/{marked}"


def _split(line: str) -> tuple[str, str]:
    """The word that a line begins with, empty if it begins with a blank, and the rest."""
    parts = line.split(None, 1)
    if not parts or line[0].isspace():
        return "", line.strip()
    return parts[0], parts[1].strip() if len(parts) > 1 else ""


def is_forced(argument: str) -> tuple[bool, str]:
    """Whether a command is to be done in any case, and the rest of its argument."""
    forced = argument == FORCE or argument.startswith(f"{FORCE} ")
    return forced, argument.removeprefix(FORCE).strip() if forced else argument


def _instead(name: str) -> str:
    from difflib import SequenceMatcher  # some milliseconds, and only for a mistake

    def likeness(known: str) -> float:
        # Of a word that is mistyped the first letter is mostly right.
        return SequenceMatcher(None, name[:40], known).ratio() + (0.25 if name[:1] == known[0] else 0)

    near = max(BY_SLASH, key=likeness)
    return (
        f"Did you mean /{near}? // sends it as text"
        if likeness(near) > 0.5
        else "/help lists them; // sends it as text"
    )


def needs_argument(command: Command) -> bool:
    """Whether the command cannot be done without something behind its name."""
    return bool(command.argument) and not command.argument.startswith("[")


def usage(command: Command) -> str:
    """`/preset [NAME]`."""
    return f"/{command.slash} {command.argument}".strip()


def one_of(name: str, names: Sequence[str], what: str) -> str:
    """The one of `names` that a person means: it, or the only one that begins so, in whatever case. Raises UsageError,
    naming those that come close."""
    if name in names:
        return name
    key = name.casefold()
    for fits in (str.__eq__, str.startswith):
        found = [other for other in names if fits(other.casefold(), key)]
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(
                f"More than one {what} begins with “{_short(name)}”", "", f"Say which: {_list(found)}"
            )
    near = [other for other in names if key in other.casefold()]
    hint = f"Did you mean {_list(near)}?" if near else f"There are: {_list(names)}" if names else ""
    raise UsageError(f"There is no {what} “{_short(name)}”", "", hint)


def _short(name: str) -> str:
    return safe_name(name, 60)


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(safe_name(name, 60) for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


# -- how it may go on ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CompletionItem:
    """One way to go on: `text` takes the place of what is being typed. `label` is shown for it, if not the text itself.
    `is_whole` = it can be done as it is, although more may follow."""

    text: str
    help: str = ""
    label: str = ""
    is_whole: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether something may follow: an argument, a value, a file in the folder."""
        return self.text.endswith((" ", "=", "/"))

    @property
    def waits(self) -> bool:
        """Whether something must follow."""
        return self.goes_on and not self.is_whole


@dataclass(frozen=True, slots=True)
class Completion:
    """The ways to go on from `start`, counted in characters of the line. `sure` = there are no others, so that the first
    one may be taken although nobody has chosen it."""

    start: int
    choices: tuple[CompletionItem, ...]
    sure: bool = False


@dataclass(frozen=True, slots=True)
class FileWanted:
    """A file name stands at `start`, of which this much is `typed`; `first` are ways that are no files. Files are those
    whose names end with one of `endings`, empty = any."""

    start: int
    typed: str
    first: tuple[CompletionItem, ...] = ()
    endings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionSource:
    """The names that there are just now. `missing` are the ids of commands that cannot be done; `values` what the
    parameters are set to."""

    presets: tuple[CompletionItem, ...] = ()
    models: tuple[CompletionItem, ...] = ()
    servers: tuple[CompletionItem, ...] = ()
    themes: tuple[CompletionItem, ...] = ()
    missing: frozenset[str] = frozenset()
    values: Mapping[str, Value] = field(default_factory=dict)


def complete(line: str, names: CompletionSource) -> Completion | FileWanted | None:
    """How a `line` with the cursor at its end may go on; None = it is no slash command, or nothing is known of it."""
    if not line.startswith("/") or line.startswith("//"):
        return None
    word, blank, rest = line[1:].partition(" ")
    if not blank:
        return _names(word, names)
    command = BY_SLASH.get(word.lower().removesuffix(FORCE))
    if command is None or command.id in names.missing:
        return None
    typed = rest.lstrip(" ")
    start = len(line) - len(typed)
    if "FILE" in command.argument:
        return FileWanted(
            start, typed, _fitting(typed, _BESIDE_FILES.get(command.id, ())), _ENDINGS.get(command.id, ())
        )
    arguments = _ARGUMENTS.get(command.id)
    if arguments is None:
        return None
    choices = arguments(typed, names)
    if command.id in _MANY:
        last = typed.rpartition(" ")[2]
        start += len(typed) - len(last)
    return Completion(start, choices) if choices else None


def _names(word: str, names: CompletionSource) -> Completion | None:
    key = word.lower()
    found = [
        command
        for command in COMMANDS
        if command.slash and command.slash.startswith(key) and command.id not in names.missing
    ]
    found.sort(key=lambda command: command.slash != key)
    choices = tuple(
        CompletionItem(
            f"/{command.slash} " if command.argument else f"/{command.slash}",
            command.help,
            usage(command),
            is_whole=not needs_argument(command),
        )
        for command in found
    )
    return Completion(0, choices, sure=True) if choices else None


def _fitting(typed: str, choices: Sequence[CompletionItem]) -> tuple[CompletionItem, ...]:
    """Those that begin with what is typed, then those that have it somewhere, if it is more than a letter. None that is
    typed already: to it there is nothing to add."""
    key = typed.casefold()
    begin = [choice for choice in choices if choice.text.casefold().startswith(key)]
    within = [choice for choice in choices if len(key) > 1 and key in choice.text.casefold()]
    return tuple(choice for choice in dict.fromkeys((*begin, *within)) if choice.text != typed)


def _parameters(typed: str, names: CompletionSource) -> tuple[CompletionItem, ...]:
    name, equals, _ = typed.partition("=")
    if not equals:
        return _fitting(
            typed,
            [
                CompletionItem(
                    f"{parameter.name}=",
                    parameter.help,
                    f"{parameter.name}={parameter.format(names.values.get(parameter.name))}",
                )
                for parameter in REGISTRY
            ],
        )
    parameter = BY_NAME.get(name.strip().lower())
    if parameter is None:
        return ()
    now = names.values.get(parameter.name)
    choices = [CompletionItem(f"{name}={choice}", "") for choice in parameter.choices or parameter.examples]
    if not parameter.choices and now is not None:
        choices = [CompletionItem(f"{name}={parameter.format(now)}", f"as it is now; {parameter.bounds()}")]
    choices.append(CompletionItem(f"{name}=default", "not sent: what the server does by itself"))
    return tuple(choice for choice in choices if choice.text.startswith(typed) and choice.text != typed)


def _commands(typed: str, names: CompletionSource) -> tuple[CompletionItem, ...]:
    choices = [
        CompletionItem(command.slash, command.help)
        for command in COMMANDS
        if command.slash and command.id not in names.missing
    ]
    return _fitting(
        typed, choices + [CompletionItem(parameter.name, parameter.help) for parameter in REGISTRY]
    )


def _columns(typed: str, names: CompletionSource) -> tuple[CompletionItem, ...]:
    last = typed.rpartition(" ")[2]
    models = [CompletionItem(f"model={choice.text}", choice.help) for choice in names.models]
    return _fitting(last, [*names.presets, *models])


_MANY = frozenset({"compare"})
"""Commands that take several names, of which the last one is completed."""
_ARGUMENTS: Mapping[str, Callable[[str, CompletionSource], tuple[CompletionItem, ...]]] = {
    "preset.use": lambda typed, names: _fitting(typed, names.presets),
    "model.choose": lambda typed, names: _fitting(typed, names.models),
    "server.use": lambda typed, names: _fitting(typed, names.servers),
    "theme.use": lambda typed, names: _fitting(typed, names.themes),
    "parameter.set": _parameters,
    "help": _commands,
    "compare": _columns,
    "system.set": lambda typed, _: (
        (CompletionItem("-", "removes this chat's system prompt"),) if not typed else ()
    ),
    "copy": lambda typed, _: _fitting(typed, (CompletionItem("all", "the whole chat as Markdown"),)),
}
_BESIDE_FILES: Mapping[str, tuple[CompletionItem, ...]] = {
    "schema": (CompletionItem("json", "any JSON"), CompletionItem("off", "answers as they come")),
}
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "gguf.open": (".gguf",),
    "schema": (".json",),
    "chat.export": (".md", ".json"),
    "chat.import": (".json", ".txt", ".md"),
}
