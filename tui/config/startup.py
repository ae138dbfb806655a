"""What a start of lokal begins with: what the command line asks for, and the person's files.

The files are read and judged here once, for the screen and for the commands alike: a mistake in one of them costs only
what it concerns, and is among `Configuration.problems`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tui.config.presets import load_presets
from tui.config.settings import Settings, load_settings
from tui.config.themes import AUTO, ThemeSpec, load_themes, ordered_names
from tui.core.commands import keymap
from tui.core.endpoint import Endpoint
from tui.core.message import Value
from tui.core.presets import Preset, find
from tui.core.text import safe_line
from tui.errors import LokalError, UsageError
from tui.paths import Folders


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StartOptions:
    """What the command line asks for. `overrides` hold for this run only; None in it = the server's default.

    `resume` is a chat's id, the start of one, or `last`; None = a new chat, unless an answer was interrupted.
    `preset_chosen` = the command line or the settings name the preset; a model may bring one of its own where they do not.
    """

    folders: Folders
    server: Endpoint | None = None
    model: str = ""
    overrides: Mapping[str, Value | None] = field(default_factory=dict)
    gguf: Path | None = None
    resume: str | None = None
    preset_chosen: bool = True


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Configuration:
    """The person's files, all of it usable.

    `preset` is the one to begin with, `theme` the name of one of `themes` or AUTO, `keys` the key of each command that has
    one, by its id. `problems` are to be told to the person.
    """

    settings: Settings
    presets: tuple[Preset, ...]
    preset: Preset
    themes: Mapping[str, ThemeSpec]
    theme: str
    keys: Mapping[str, str]
    problems: tuple[LokalError, ...] = ()


def load_configuration(folders: Folders, preset: str = "", *, themes: bool = True) -> Configuration:
    """Read the person's files; nothing is written. `themes` = whether they are wanted: without a screen they are neither
    read nor judged.

    `preset` is the one that was asked for, empty = that of the settings. Raises UsageError where there is none of that
    name; for one that only the settings name another is taken, which is a problem among the others.
    """
    settings, presets = load_settings(folders.settings_file), load_presets(folders.presets)
    problems = [*settings.problems, *presets.problems]
    if preset:
        chosen = find(presets.value, preset)
    else:
        try:
            chosen = find(presets.value, settings.value.preset)
        except UsageError as error:
            chosen = presets.value[0]
            problems.append(UsageError(error.title, f"{chosen.name} is used", error.hint))
    specs: Mapping[str, ThemeSpec] = MappingProxyType({})
    theme = AUTO
    if themes:
        loaded = load_themes(folders.themes)
        specs = loaded.value
        problems += loaded.problems
        theme = settings.value.theme
        if theme != AUTO and theme not in specs:
            known = ", ".join([AUTO, *ordered_names(specs)])
            problems.append(
                UsageError(f"There is no theme “{safe_line(theme, 60)}”", "", f"There are: {known}")
            )
            theme = AUTO
    # What is wrong with the person's keys is among the problems of the settings, which hold only those that take effect.
    keys, _ = keymap(settings.value.keys)
    return Configuration(
        settings.value, presets.value, chosen, specs, theme, MappingProxyType(keys), tuple(problems)
    )
