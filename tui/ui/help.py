"""The key page: every key, where it works, and what it does."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.commands import COMMANDS, Command, key_name
from tui.core.slash import usage
from tui.ui.page import Line, PageScreen, table
from tui.ui.row import wrap_words

PLACES = (
    ("everywhere", "Everywhere"),
    ("composer", "Writing"),
    ("choices", "In a list of ways on"),
    ("messages", "Among the messages"),
    ("fit", "When a question does not fit into the context window"),
    ("chat", "Chat"),
    ("chats", "List of chats"),
    ("compare", "Side by side"),
    ("models", "Models"),
    ("settings", "Settings"),
)
KEY_WIDTH = 12
"""The least width of the column of keys, in cells."""


def key_page(keys: Mapping[str, str], width: int) -> tuple[Line, ...]:
    """The lines as (text, role) parts for `width` cells."""
    lines: list[Line] = []
    column = max([KEY_WIDTH, *(len(key_name(key)) + 4 for key in keys.values())])
    for place, title in PLACES:
        commands = [command for command in COMMANDS if command.where == place and keys.get(command.id)]
        if not commands:
            continue
        lines += [((" " + line, "heading"),) for line in wrap_words(title, max(10, width - 2))]
        rows = []
        for command in _presets_as_one(commands):
            key = key_name(keys[command.id])
            rows.append((f"{key}–9" if command.id == "preset.1" else key, "accent", command.help))
        lines += table(rows, width, column)
        lines.append(())
    lines.append(((" ", "foreground"), ("Slash commands", "heading")))
    lines += table([(usage(command), "accent", command.help) for command in COMMANDS if command.slash], width)
    lines.append(())
    lines += [((" " + line, "muted"),) for line in wrap_words(_TEXT_KEYS, max(10, width - 2))]
    lines.append(())
    lines += [((" " + line, "muted"),) for line in wrap_words(_SLASH, max(10, width - 2))]
    return tuple(lines)


_TEXT_KEYS = (
    "The composer also takes the usual keys of a text field: arrows, Home, End, Ctrl+← and Ctrl+→ by word, "
    "Ctrl+W deletes a word, Ctrl+U the line before the cursor and, pressed again, everything; Ctrl+Z undoes."
)


_SLASH = (
    "While a slash command is written, ↑ and ↓ choose among what may follow and Tab takes it. "
    "A command is one line, only /system and /compare may have more. // at the start sends a text that begins with a "
    "slash; so does a first word with another slash in it, as a path."
)


def _presets_as_one(commands: list[Command]) -> list[Command]:
    numbered = {f"preset.{n}" for n in range(2, 10)}
    return [command for command in commands if command.id not in numbered]


def key_screen(keys: Mapping[str, str]) -> PageScreen:
    """The page over the whole screen."""
    return PageScreen("Keys", lambda width: key_page(keys, width), keys.get("help", ""))
