"""Themes: files that give each role of the screen a style. Which role is drawn where is for the UI to say.

    title = "My theme"
    dark = true
    [roles]
    background = "#101214"
    heading = "bold #d8dce2"
    cursor_line = "reverse"

A theme is checked whole when it is read: one that could not be drawn is left out, with a problem that says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tui.config import toml
from tui.config.loaded import Loaded
from tui.config.names import check_name, toml_files
from tui.errors import FileError, LokalError, UsageError

PLAIN_ROLES = ("background", "foreground")
"""Roles that are a colour and nothing else."""

ROLES = (
    *PLAIN_ROLES,
    *("accent", "second", "muted", "rule", "warning", "error", "success"),
    *("cursor_line", "selection", "heading", "strong_code", "link", "quote"),
    *("keyword", "string", "number", "comment", "name", "type", "operator", "punctuation"),
)
"""Every role, all of them needed. `accent` is the person, `second` the model, `cursor_line` the row under the cursor
of a list, `strong_code` code within a sentence; the last eight are the kinds of word in program text."""

AUTO = "auto"
"""No theme but a wish: the UI asks the terminal and takes a dark or a light one."""

DARK, LIGHT, TERMINAL = "lokal-dark", "lokal-light", "terminal"
"""The themes that `auto` chooses from."""

ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike")
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLORS = (*_HUES, *(f"bright_{hue}" for hue in _HUES))
_HEX = re.compile(r"#[0-9a-f]{6}")
_COLOR_HELP = f"#rrggbb, default, or one of {', '.join(_HUES)}, each with bright_ before it too"


@dataclass(frozen=True, slots=True)
class StyleSpec:
    """A style in words. A colour is `#rrggbb` in small letters, `default` (the terminal's own), one of ANSI_COLORS,
    or "" for that of what lies below."""

    color: str = ""
    background: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


@dataclass(frozen=True, slots=True)
class ThemeSpec:
    """A theme that was checked: each of ROLES is there and `parse_style` takes it."""

    name: str
    title: str
    dark: bool
    roles: Mapping[str, str]

    def style(self, role: str) -> StyleSpec:
        """The style of one of ROLES."""
        return parse_style(self.roles[role])


def parse_style(text: str) -> StyleSpec:
    """The style that `text` means: attributes, then a colour, then `on` and a background; each may be left out,
    but not all. Raises UsageError."""
    words = text.lower().split()
    attributes = []
    while words and words[0] in ATTRIBUTES:
        attributes.append(words.pop(0))
    color = words.pop(0) if words and words[0] != "on" else ""
    background = ""
    if len(words) == 2 and words[0] == "on":
        background = words[1]
        words = []
    colors = [part for part in (color, background) if part]
    if words or not (attributes or colors) or not all(map(_is_color, colors)):
        raise UsageError(
            f"“{text}” is no style",
            f"It takes {', '.join(ATTRIBUTES)}, then a colour, then “on” and a colour; a colour is {_COLOR_HELP}",
            'Write it like "bold #80c0ff" or "reverse"',
        )
    return StyleSpec(color, background, **dict.fromkeys(attributes, True))


def shipped_folder() -> Path:
    """Where the themes that ship lie: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "_themes"
    return installed if installed.is_dir() else package.parent / "themes"


def load_themes(user_folder: Path) -> Loaded[Mapping[str, ThemeSpec]]:
    """The themes that ship, then the person's own, by name; one of the person's replaces one of the same name."""
    themes: dict[str, ThemeSpec] = {}
    problems: list[LokalError] = []
    for folder, needed in ((shipped_folder(), True), (user_folder, False)):
        try:
            files = list(toml_files(folder))
        except OSError as error:
            if needed or not isinstance(error, FileNotFoundError):
                problems.append(
                    FileError(folder, f"Cannot read the themes in {folder}", error.strerror or str(error))
                )
            continue
        for path in files:
            try:
                theme = read_theme(path, problems)
            except LokalError as error:
                problems.append(error)
            else:
                themes[theme.name] = theme
    return Loaded(MappingProxyType(themes), tuple(problems))


def ordered_names(specs: Mapping[str, ThemeSpec]) -> tuple[str, ...]:
    """The names of the themes in the order in which a person goes through them, lokal's own first."""
    own = [name for name in (DARK, LIGHT, "high-contrast", TERMINAL) if name in specs]
    return (*own, *sorted(name for name in specs if name not in own))


def read_theme(path: Path, problems: list[LokalError]) -> ThemeSpec:
    """The theme in a file. What has no effect in it is added to `problems`; raises FileError for the first thing
    that keeps it from being drawn."""
    left_out = "The theme is left out"
    try:
        name = check_name(path.stem, "theme")
    except UsageError as error:
        raise FileError(path, f"{path}: {error.title}", error.detail, "Rename the file") from error
    if name == AUTO:
        raise FileError(path, f"{path}: no theme can be named auto", "auto chooses among them", left_out)
    table = toml.read_table(path)
    roles = table.table("roles")
    problems += table.unknown(("title", "dark", "roles"))
    problems += roles.unknown(ROLES, "role")
    missing = [role for role in ROLES if role not in roles]
    if missing:
        raise FileError(
            path, f"{path}: the role {roles.prefix}{missing[0]} is missing", _missing(missing), left_out
        )
    if "dark" not in table:
        raise FileError(path, f"{path}: dark is missing", "It takes true or false", left_out)
    for role in ROLES:
        _check(roles, role, left_out)
    return ThemeSpec(
        name,
        table.text("title") or name,
        table.flag("dark"),
        MappingProxyType({role: " ".join(roles.text(role).lower().split()) for role in ROLES}),
    )


def _check(roles: toml.Table, role: str, left_out: str) -> None:
    text = roles.values[role]
    if role in PLAIN_ROLES and not (isinstance(text, str) and _is_color(text.lower())):
        raise roles.wrong(role, f"a colour: {_COLOR_HELP}", left_out)
    try:
        parse_style(roles.text(role))
    except UsageError as error:
        raise roles.wrong(role, error.detail.removeprefix("It takes "), left_out) from error


def _missing(roles: list[str]) -> str:
    others = ", ".join(roles[1:])
    return f"So are {others}; a theme has every role" if others else "A theme has every role"


def _is_color(text: str) -> bool:
    return text == "default" or text in ANSI_COLORS or _HEX.fullmatch(text) is not None
