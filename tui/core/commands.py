"""Every action a person can take: id, title, help, key.

Bindings, the command palette and the key page (F1) are made from here.
A default key is one that a legacy terminal can send through SSH and tmux; the ids can be bound to other keys in the
config under `[keys]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One action. `where` is where its key works: `everywhere`, `chat`, `composer`, `models` or `settings`.

    `key` is in Textual's notation, empty = none. `shown` = the palette offers it. `short` is the word beside its key
    in the instrument line.
    """

    id: str
    title: str
    help: str
    key: str = ""
    where: str = "everywhere"
    short: str = ""
    shown: bool = True


COMMANDS: tuple[Command, ...] = (
    Command("send", "Send", "Send what is in the composer", "enter", where="composer", short="send", shown=False),
    Command("newline", "New line", "A new line; Alt+Enter and Shift+Enter too, where the terminal has them",
            "ctrl+j", where="composer", short="new line", shown=False),
    Command("history.previous", "Earlier prompt", "In the first line: the prompt before this one", "up",
            where="composer", shown=False),
    Command("history.next", "Later prompt", "In the last line: the prompt after this one", "down",
            where="composer", shown=False),
    Command("answer.stop", "Stop the answer", "Stop at once and keep what came", "escape", "chat", "stop"),
    Command("answer.retry", "Ask again", "Ask the last question again; the answer before stays as a sibling", "f5",
            "chat", "retry"),
    Command("answer.continue", "Continue the answer", "Go on where an answer was stopped or cut", "f6",
            "chat", "continue"),
    Command("reasoning.toggle", "Fold or unfold reasoning", "Show or hide what the model thought", "ctrl+o",
            "chat", "reasoning"),
    Command("scroll.page_up", "Page up", "Back one page", "pageup", where="chat", shown=False),
    Command("scroll.page_down", "Page down", "On one page", "pagedown", where="chat", shown=False),
    Command("scroll.start", "Go to the start", "To the first message", "ctrl+home", where="chat"),
    Command("scroll.end", "Go to the end", "To the newest line, and follow it", "ctrl+g", where="chat", short="end"),
    Command("preset.next", "Next preset", "Switch to the next preset; a running answer keeps its own", "ctrl+t",
            short="preset"),
    *(Command(f"preset.{n}", f"Preset {n}", "Switch to the preset with that number", f"alt+{n}", shown=False)
      for n in range(1, 10)),
    Command("chat.new", "New chat", "Start an empty chat; this one is kept", "ctrl+n", short="new chat"),
    Command("tab.chat", "Chat", "Show the chat", "f2", short="chat"),
    Command("tab.models", "Models", "Show the server's models", "f3", short="models"),
    Command("tab.settings", "Settings", "Show the presets and their parameters", "f4", short="settings"),
    Command("server.search", "Look for servers", "Ask the known addresses again", "f8", short="look again"),
    Command("theme.next", "Next theme", "Switch to the next theme", "f9"),
    Command("help", "Keys", "Show every key", "f1", short="keys"),
    Command("palette", "Command palette", "Find any command by name", "ctrl+p", shown=False),
    Command("quit", "Quit", "Save and leave", "ctrl+q", short="quit"),
    Command("model.use", "Use this model", "Chat with the model under the cursor", "enter", where="models", short="use",
            shown=False),
    Command("model.refresh", "Refresh", "Ask the server for its models again", "r", where="models", short="refresh",
            shown=False),
    Command("preset.save", "Save the preset", "Write the preset to its file", "ctrl+s", where="settings", short="save"),
    Command("preset.revert", "Undo changes", "Back to the preset as it is saved", "ctrl+z", where="settings",
            short="revert"),
    Command("parameter.less", "Less", "One step down", "left", where="settings", shown=False),
    Command("parameter.more", "More", "One step up", "right", where="settings", shown=False),
    Command("parameter.unset", "Server's default", "Do not send this parameter", "x", where="settings",
            short="server's default", shown=False),
)  # fmt: skip

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

_NAMES = {
    "escape": "Esc", "enter": "Enter", "pageup": "PgUp", "pagedown": "PgDn", "up": "↑", "down": "↓",
    "left": "←", "right": "→", "home": "Home", "end": "End", "tab": "Tab", "space": "Space",
}  # fmt: skip


def key_name(key: str) -> str:
    """A key as a person reads it: `ctrl+t` is `Ctrl+T`, `f1` is `F1`."""
    parts = key.split("+")
    return "+".join(_NAMES.get(part, part.capitalize() if len(part) > 1 else part.upper()) for part in parts)


def short_key(key: str) -> str:
    """A key as the instrument line shows it: `ctrl+t` is `^T`."""
    name = key_name(key)
    return name.replace("Ctrl+", "^")


def keymap(overrides: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The key of each command id with the person's `overrides`, and what is wrong with these, in words.

    An unknown id and a key that another command has in the same place are refused; the default then stays. Two
    commands may change places, and an empty key takes a command's key away.
    """
    wrong = [f"keys: there is no command “{id}”" for id in overrides if id not in BY_ID]
    accepted = {id: key for id, key in overrides.items() if id in BY_ID}
    while True:
        keys = {command.id: accepted.get(command.id, command.key) for command in COMMANDS}
        clash = next(
            ((id, other) for id in reversed(accepted) if (other := _owner(keys, id)) is not None), None
        )
        if clash is None:
            return {id: key for id, key in keys.items() if key}, wrong
        id, other = clash
        wrong.append(f"keys: {key_name(accepted.pop(id))} belongs to “{other}” already, so not to “{id}”")


def _owner(keys: Mapping[str, str], id: str) -> str | None:
    """The other command that has the key of `id` in a place where both work."""
    return next(
        (
            other.id
            for other in COMMANDS
            if other.id != id
            and keys[id]
            and keys[other.id] == keys[id]
            and _meet(BY_ID[id].where, other.where)
        ),
        None,
    )


def _meet(where: str, other: str) -> bool:
    """Whether two places are ever open together; the composer is a part of the chat."""
    return where == other or "everywhere" in (where, other) or {where, other} == {"chat", "composer"}
