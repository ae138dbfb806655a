"""Opening the app: read the person's files, choose the theme, run, and leave everything in order on every way out."""

from __future__ import annotations

import os
from collections.abc import Mapping

from tui import files
from tui.config.presets import load_presets
from tui.config.settings import load_settings
from tui.config.themes import ThemeSpec, load_themes
from tui.core.presets import find as find_preset
from tui.early_frame import EarlyFrame, terminal_restorer
from tui.end_signals import EndSignals
from tui.errors import LokalError, UsageError
from tui.startup_profile import StartupProfile
from tui.ui import compat, theme
from tui.ui.app import LokalApp
from tui.ui.launch import Launch
from tui.ui.terminal import probe


def run(launch: Launch, early_frame: EarlyFrame | None = None, profile: StartupProfile | None = None) -> int:
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
        name = _automatic(launch, early_frame, specs.value)
    if profile is not None:
        profile.mark("settings, presets and themes are read")
    for size in ("COLUMNS", "LINES"):
        # Where they are exported Textual believes them before the terminal, and does not follow when it is resized.
        os.environ.pop(size, None)
    compat.teach_keys()
    compat.hasten_escape(os.environ)
    compat.hasten_updates()
    app = LokalApp(
        launch, settings.value, presets.value, specs.value, name, tuple(problems), early_frame, profile
    )
    signals = app.end_signals = (
        early_frame.signals if early_frame is not None else EndSignals(terminal_restorer())
    )
    try:
        app.run(mouse=False)
    finally:
        signals.ending()  # what is still to be written is written, whatever comes
        app.backstage.end()
    return 128 + signals.number if signals.number else app.exit_status


def _automatic(launch: Launch, early_frame: EarlyFrame | None, specs: Mapping[str, ThemeSpec]) -> str:
    """Dark or light as the terminal is; its own colours where it cannot say or has no others.

    The terminal's word is waited for only the first time: later the theme of last time is taken, and changed in the
    running app if the terminal says otherwise.
    """
    if not probe.has_truecolor():
        return theme.TERMINAL
    try:
        kept = files.read_bytes(launch.folders.auto_theme).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    if kept in specs:
        return kept
    if early_frame is None:
        return theme.resolve_auto(probe.background(), truecolor=True)
    background, read = probe.read_background(0)
    early_frame.typed += read
    return theme.resolve_auto(background, truecolor=True)
