"""Opening the app: make the presets, choose the theme, run, and leave everything in order on every way out."""

from __future__ import annotations

import os
from dataclasses import replace

from tui import files
from tui.config.presets import make_presets
from tui.config.startup import Configuration, StartOptions
from tui.config.themes import AUTO, TERMINAL
from tui.early_frame import EarlyFrame, terminal_restorer
from tui.end_signals import EndSignals
from tui.errors import FileError
from tui.startup_profile import StartupProfile
from tui.ui import compat, theme
from tui.ui.app import LokalApp
from tui.ui.terminal import probe


def run(
    options: StartOptions,
    config: Configuration,
    early_frame: EarlyFrame | None = None,
    profile: StartupProfile | None = None,
) -> int:
    """Run lokal until the person leaves; the exit status."""
    try:
        make_presets(options.folders.presets)
    except FileError as error:
        config = replace(config, problems=(*config.problems, error))
    name = config.theme if config.theme != AUTO else _automatic(options, config, early_frame)
    if profile is not None:
        profile.mark("the theme is chosen")
    for size in ("COLUMNS", "LINES"):
        # Where they are exported Textual believes them before the terminal, and does not follow when it is resized.
        os.environ.pop(size, None)
    compat.teach_keys()
    compat.hasten_escape(os.environ)
    compat.hasten_updates()
    app = LokalApp(options, config, name, early_frame, profile)
    signals = app.end_signals = (
        early_frame.signals if early_frame is not None else EndSignals(terminal_restorer())
    )
    try:
        app.run(mouse=False)
    finally:
        signals.ending()  # what is still to be written is written, whatever comes
        app.services.end()
    return 128 + signals.number if signals.number else app.exit_status


def _automatic(options: StartOptions, config: Configuration, early_frame: EarlyFrame | None) -> str:
    """Dark or light as the terminal is; its own colours where it cannot say or has no others.

    The terminal's word is waited for only the first time: later the theme of last time is taken, and changed in the
    running app if the terminal says otherwise.
    """
    if not probe.has_truecolor():
        return TERMINAL
    try:
        kept = files.read_bytes(options.folders.auto_theme).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        kept = ""
    if kept in config.themes:
        return kept
    if early_frame is None:
        return theme.resolve_auto(probe.background(), truecolor=True)
    background, read = probe.read_background(0)
    early_frame.typed += read
    return theme.resolve_auto(background, truecolor=True)
