"""The key page: every key, where it works, and what it does. It begins with the place that one is in, and what is typed is
looked for in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tui.core.commands import COMMANDS, Command, key_name
from tui.core.folding import folded
from tui.core.keyboard import latin
from tui.core.slash import usage
from tui.core.text import safe_line
from tui.ui.help_notes import notes
from tui.ui.page import Line, PageScreen, table
from tui.ui.widgets.row import wrap_words

PLACES = (
    ("everywhere", "Everywhere"),
    ("composer", "Writing"),
    ("choices", "In a list of choices"),
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


@dataclass(frozen=True, slots=True)
class HelpRow:
    """A key or a command, and what it does; `also` are further words by which it is found."""

    name: str
    text: str
    also: str = ""


@dataclass(frozen=True, slots=True)
class HelpSection:
    """The rows of one place, and what else is to be said there. `named` = its rows begin with longer names than keys have."""

    title: str
    rows: tuple[HelpRow, ...] = ()
    notes: tuple[str, ...] = ()
    named: bool = False


_UNNAMED: Mapping[str, tuple[HelpRow, ...]] = {
    "composer": (
        HelpRow("Home End", "Go to the start and to the end of the line"),
        HelpRow("Ctrl+← Ctrl+→", "Move by word"),
        HelpRow("Ctrl+W", "Delete the word before the cursor"),
        HelpRow("Ctrl+U", "Delete to the start of the line; again: delete everything"),
        HelpRow("Ctrl+Z", "Undo what was written or deleted"),
    ),
    "models": (HelpRow("↑ ↓ Home End", "Go to another model; PgUp and PgDn go by a page"),),
    "settings": (
        HelpRow("↑ ↓ Home End", "Go to another parameter; PgUp and PgDn go by a page"),
        HelpRow("0–9", "Type a value; Enter edits the one there is, and takes what is typed"),
    ),
}
"""Keys that belong to no command, by place."""


def sections(keys: Mapping[str, str], here: Sequence[str] = ()) -> list[HelpSection]:
    """All that there is to say, the places that one is in (`here`) first, the nearest of them at the top."""
    titles = dict(PLACES)
    order = [*here, *(place for place in titles if place not in here)]
    found: list[HelpSection] = []
    for place in order:
        commands = [command for command in COMMANDS if command.where == place and keys.get(command.id)]
        rows = tuple(_row(command, keys) for command in _presets_as_one(commands)) + _UNNAMED.get(place, ())
        if rows:
            is_here = place in here and not found
            title = titles[place] + (" · you are here" if is_here else "")
            found.append(HelpSection(title, rows))
    others = [command for command in COMMANDS if not command.slash and not keys.get(command.id)]
    rows = tuple(HelpRow(command.title, command.help) for command in others if command.where != "fit")
    palette = key_name(keys.get("palette", ""))
    found.append(HelpSection(f"By name{f', in the palette: {palette}' if palette else ''}", rows, named=True))
    rows = tuple(HelpRow(command.title, command.help) for command in others if command.where == "fit")
    found.append(HelpSection("Ways on for a question that does not fit", rows, named=True))
    found += [HelpSection(f"{titles[place]}: good to know", notes=notes(place, keys)) for place in order]
    commands = [command for command in COMMANDS if command.slash]
    rows = tuple(
        HelpRow(usage(command), command.help, f"{command.title} {key_name(keys.get(command.id, ''))}")
        for command in commands
    )
    found.append(HelpSection("Slash commands", rows, notes("slash", keys), named=True))
    return [section for section in found if section.rows or section.notes]


def _row(command: Command, keys: Mapping[str, str]) -> HelpRow:
    key = key_name(keys[command.id])
    others = (
        f"Shift+{key}" if len(key) == 1 and key.isupper() else key.replace("Ctrl+", "^")
    )  # as other programs write it
    also = f"{command.title} {others} {'/' if command.slash else ''}{command.slash}"
    return HelpRow(f"{key}–9" if command.id == "preset.1" else key, command.help, also)


def _presets_as_one(commands: list[Command]) -> list[Command]:
    numbered = {f"preset.{n}" for n in range(2, 10)}
    return [command for command in commands if command.id not in numbered]


def column_of(page: Sequence[HelpSection]) -> int:
    """The width of the column of keys, in cells. Commands with their arguments are longer, and have one of their own."""
    names = [row.name for section in page if not section.named for row in section.rows]
    return max([KEY_WIDTH, *(len(name) + 4 for name in names)])


def lines_of(page: Sequence[HelpSection], width: int, column: int = KEY_WIDTH) -> tuple[Line, ...]:
    """The lines as (text, role) parts for `width` cells, of which the `column` of keys takes its part."""
    lines: list[Line] = []
    for section in page:
        if lines:
            lines.append(())
        lines += [((" " + line, "heading"),) for line in wrap_words(section.title, max(10, width - 2))]
        rows = [(row.name, "accent", row.text) for row in section.rows]
        lines += table(rows, width, KEY_WIDTH if section.named else column)
        for note in section.notes:
            lines.append(())
            lines += [((" " + line, "muted"),) for line in wrap_words(note, max(10, width - 2))]
    return tuple(lines)


def rows_with(page: Sequence[HelpSection], query: str) -> list[HelpSection]:
    """What of it has all words of the query; what was typed in another layout is read as in a Latin one."""
    for words in (query, "".join(map(latin, query))):
        found = _rows_with(page, folded(words).split())
        if found:
            return found
    return []


def _rows_with(page: Sequence[HelpSection], words: Sequence[str]) -> list[HelpSection]:
    def fits(*texts: str) -> bool:
        text = folded(" ".join(texts))
        return all(word in text for word in words)

    found = []
    for section in page:
        rows = tuple(row for row in section.rows if fits(section.title, row.name, row.text, row.also))
        said = tuple(note for note in section.notes if fits(section.title, note))
        if rows or said:
            found.append(replace(section, rows=rows, notes=said))
    return found


def searched_page(title: str, page: Sequence[HelpSection], key: str) -> PageScreen:
    """A page over the whole screen in which what is typed is looked for; `key` is the one that opens and closes it."""

    column = column_of(page)

    def finding(query: str, width: int) -> tuple[Line, ...]:
        found = rows_with(page, query)
        if found:
            return lines_of(found, width, column)
        said = f"Nothing here has “{safe_line(query, 60)}”"
        return ((), *(((f" {line}", "warning"),) for line in wrap_words(said, max(10, width - 2))))

    return PageScreen(title, lambda width: lines_of(page, width, column), key, finding)


def key_screen(keys: Mapping[str, str], here: Sequence[str] = ()) -> PageScreen:
    """The page of all keys, from the places `here` on."""
    return searched_page("Keys", sections(keys, here), keys.get("help", ""))
