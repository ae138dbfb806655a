"""Presets and values on the screen: switching on the fly, editing, saving, `/preset` and `/set`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.message import Message

from tui.chat.commands import CommandRegistry
from tui.chat.parameter_words import assigned
from tui.chat.write_queue import WriteQueue
from tui.config import presets as preset_files
from tui.core import presets as preset_rules
from tui.core.message import Value
from tui.core.parameters import find
from tui.core.presets import Preset
from tui.core.slash import one_of
from tui.errors import UsageError
from tui.ui.context import AppContext, CommandLine
from tui.ui.messages import PresetSaved

NOTHING = "-"
"""In the place of values: take away what was set for this run."""
NUMBERED = 9
"""How many presets have a key of their own."""


class PresetController:
    """One for each app."""

    def __init__(
        self,
        app: AppContext,
        folder: Path,
        queue: WriteQueue,
        command_line: CommandLine,
        post: Callable[[Message], object],
    ) -> None:
        """`folder` has a file for each preset; `post` is called by the thread that has written one, too."""
        self._app = app
        self._folder = folder
        self._queue = queue
        self._command_line = command_line
        self._post = post
        self._edited: set[str] = set()
        """The names of the presets that were changed and not saved."""

    def add_commands(self, registry: CommandRegistry) -> None:
        """What a person can do about presets and values."""
        registry.add("preset.use", self._choose)
        registry.add("preset.next", lambda _: self.use_next())
        registry.add("preset.save", lambda _: self.save())
        registry.add("preset.revert", lambda _: self.revert())
        registry.add("parameter.set", self._set)
        for number in range(1, NUMBERED + 1):
            registry.add(f"preset.{number}", partial(self._use_number, number))

    # -- switching --------------------------------------------------------------------------------------------------

    def use(self, name: str) -> None:
        """Switch; a running answer keeps the preset it was asked with."""
        app, state = self._app, self._app.state
        preset = next((preset for preset in state.presets if preset.name == name), None)
        if preset is None:
            return
        if state.settings.unsaved and preset.name != state.preset.name:
            app.chat.show_notice(
                f"The changes to {state.preset.name} are not saved; they last until lokal ends"
            )
        elif app.chat.controller.chat.doing:
            app.chat.show_notice(f"The next answer uses {name}", "accent")
        app.set_settings(replace(state.settings.chosen(preset), unsaved=preset.name in self._edited))

    def use_next(self) -> None:
        """Switch to the one after it. Raises UsageError where there is no other."""
        presets, name = self._app.state.presets, self._app.state.preset.name
        if len(presets) == 1:
            raise UsageError(f"{name} is the only preset")
        self.use(preset_rules.after(presets, name).name)

    def _use_number(self, number: int, _: str) -> None:
        presets = self._app.state.presets
        if number <= len(presets):
            self.use(presets[number - 1].name)
        else:
            self._app.chat.show_notice(f"There is no preset number {number}")

    def _choose(self, argument: str) -> None:
        state = self._app.state
        if not argument:
            self._command_line.choose("preset", f"{state.preset.name} is in use")
            return
        name = one_of(argument, [preset.name for preset in state.presets], "preset")
        self._app.chat.show_notice(f"preset {name}", "accent")
        self.use(name)

    # -- changing ---------------------------------------------------------------------------------------------------

    def edited(self, preset: Preset) -> None:
        """A value was changed in the form."""
        self._edited.add(preset.name)
        self._app.set_settings(self._app.state.settings.with_edited(preset))

    def save(self) -> None:
        """Write the preset in use to its file. Raises UsageError for one that a model has brought."""
        preset = self._app.state.preset
        if self._app.state.settings.usual_preset is not None:
            raise UsageError(f"{preset.name} is the model's own preset", "", "Choose one of yours to save it")

        def write() -> None:
            preset_files.save_preset(self._folder, preset)
            self._post(PresetSaved(preset, preset_files.preset_file(self._folder, preset.name)))

        self._queue.submit(write)

    def saved(self, preset: Preset, path: Path) -> None:
        """The file is written."""
        state = self._app.state
        if preset in state.presets:
            self._edited.discard(preset.name)
        if preset == state.preset:
            self._app.set_settings(replace(state.settings, unsaved=False))
        self._app.show_notice(f"Saved {path}")

    def revert(self) -> None:
        """Take the preset in use as its file has it."""
        state = self._app.state
        if not state.settings.unsaved:
            self._app.show_notice(f"{state.preset.name} is as it is saved: there is nothing to undo")
            return
        saved = preset_files.load_presets(self._folder).value
        preset = next((preset for preset in saved if preset.name == state.preset.name), None)
        if preset is not None:
            self._edited.discard(preset.name)
            self._app.set_settings(state.settings.with_preset(preset))

    # -- values for this run ----------------------------------------------------------------------------------------

    def _set(self, argument: str) -> None:
        from tui.ui.setting import explain_parameter, set_page

        state = self._app.state
        if not argument:
            self._app.show_page(set_page(state))
        elif argument == NOTHING:
            self._override({}, "What was set for this run is removed; the preset is used")
        elif "=" not in argument:
            self._app.show_page(explain_parameter(find(argument), state))
        else:
            self._override(*assigned(argument, state))

    def _override(self, overrides: Mapping[str, Value | None], words: str) -> None:
        self._app.set_settings(replace(self._app.state.settings, overrides=overrides))
        self._app.show_notice(words, "accent")
