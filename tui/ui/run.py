"""Opening the app: read the person's files, choose the theme, run, and leave everything in order on every way out."""

from __future__ import annotations

import os

from tui.config.presets import load_presets
from tui.config.settings import load_settings
from tui.config.themes import load_themes
from tui.core.presets import find as find_preset
from tui.errors import LokalError, UsageError
from tui.ui import compat, theme
from tui.ui.app import LokalApp
from tui.ui.launch import Launch


def run(launch: Launch) -> int:
    """Run lokal until the person leaves; the exit status. Raises UsageError for an unknown preset."""
    settings = load_settings(launch.folders.settings_file)
    presets = load_presets(launch.folders.presets)
    specs = load_themes(launch.folders.themes)
    problems: list[LokalError] = [*settings.problems, *presets.problems, *specs.problems]
    if launch.preset:
        find_preset(presets.value, launch.preset)
    elif settings.value.preset not in [preset.name for preset in presets.value]:
        try:
            find_preset(presets.value, settings.value.preset)
        except UsageError as error:
            problems.append(error)
    name = settings.value.theme
    if name != "auto" and name not in specs.value:
        known = ", ".join(["auto", *theme.names(specs.value)])
        problems.append(UsageError(f"There is no theme “{name}”", "", f"There are: {known}"))
        name = "auto"
    if name == "auto":
        name = _automatic()
    compat.teach_keys()
    compat.hasten_escape(os.environ)
    app = LokalApp(launch, settings.value, presets.value, specs.value, name, tuple(problems))
    try:
        app.run(mouse=False)
    finally:
        app.backstage.end()
    return app.return_code or 0


def _automatic() -> str:
    """Dark or light as the terminal is; its own colours where it cannot say or has no others."""
    from tui.ui.terminal import probe

    truecolor = probe.describe(os.environ).colours == "truecolor"
    return theme.resolve_auto(probe.background() if truecolor else None, truecolor=truecolor)
