"""Presets and values on the screen: switching on the fly, editing, saving, `/preset` and `/set`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from tui.core.text import safe_name
from tui.errors import LokalError, UsageError
from tui.ui.context import AppContext, CommandLine
from tui.ui.messages import PresetSaved

if TYPE_CHECKING:
    from tui.chat.preset_commands import PresetCommands

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
        use_model: Callable[[str], None],
        use_persona: Callable[[str], None],
    ) -> None:
        """`use_persona` lets the open chat have one; `use_model` chats with another model from the next answer on. `folder` has a file for each preset; `post` is called by the thread that has written one, too."""
        self._app = app
        self._folder = folder
        self._queue = queue
        self._command_line = command_line
        self._post = post
        self._use_model = use_model
        self._use_persona = use_persona
        self._commands: PresetCommands | None = None
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
        self._use_its_model(preset)

    def _use_its_model(self, preset: Preset) -> None:
        """A preset may name a model, and a persona for the open chat; where the server has not got the model, that is said and the
        one in use stays."""
        if preset.persona:
            self._use_persona(preset.persona)
        connection = self._app.state.connection
        if not preset.model or connection is None or preset.model == self._app.state.model:
            return
        if connection.model(preset.model) is not None:
            self._use_model(preset.model)
        else:
            name, model = safe_name(preset.name, 40), safe_name(preset.model, 60)
            self._app.chat.show_notice(f"{name} names the model {model}, which is not here", "warning")

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
            self.refresh()
            self._command_line.choose("preset", f"{state.preset.name} is in use")
            return
        if argument.split(None, 1)[0].lower() in preset_rules.RESERVED:
            self._start(lambda: self._change(argument))
            return
        name = one_of(argument, [preset.name for preset in state.presets], "preset")
        self._app.chat.show_notice(f"preset {name}", "accent")
        self.use(name)

    def key(self, verb: str) -> None:
        """A key of the Settings tab: what needs a name is begun in the composer."""
        state = self._app.state
        names = [preset.name for preset in state.presets]
        place = names.index(state.preset.name) + 1 if state.preset.name in names else 1
        match verb:
            case "new" | "rename":
                self._command_line.begin(f"/preset {verb} ")
            case "copy":
                self._command_line.begin("/preset save ")
            case "refresh":
                self.refresh()
            case "earlier":
                self._start(lambda: self._change(f"move {max(1, place - 1)}"))
            case "later":
                self._start(lambda: self._change(f"move {place + 1}"))
            case _:
                self._start(lambda: self._change(verb))

    def refresh(self) -> None:
        """Take over what was written into the folder since, or dropped there."""
        self._start(self._look)

    async def _look(self) -> None:
        found = await self._preset_commands().refreshed(lambda: self._app.state.settings)
        if found is not None:
            self._app.set_settings(found)

    # -- changing ---------------------------------------------------------------------------------------------------

    def _preset_commands(self) -> PresetCommands:
        if self._commands is None:
            from tui.chat.preset_commands import PresetCommands
            from tui.config.preset_folder import PresetFolder

            self._commands = PresetCommands(PresetFolder(self._folder))
        return self._commands

    async def _change(self, argument: str) -> None:
        """`/preset` with a word that does something. Raises LokalError."""
        app = self._app
        change = await self._preset_commands().run(argument, app.state.settings)
        if change.settings is not None:
            if not change.settings.unsaved:
                self._edited.discard(change.settings.preset.name)
            app.set_settings(change.settings)
        if len(change.lines) > 1:
            from tui.ui.page import PageScreen

            head, *lines = change.lines
            app.show_page(
                PageScreen(head, lambda _: tuple(((f" {line}", "foreground"),) for line in ("", *lines)))
            )
        else:
            app.chat.show_notice(change.lines[0], "accent")

    def _start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def guarded() -> None:
            try:
                await work()
            except LokalError as error:
                self._app.show_notice(str(error), "warning")

        self._app.chat.tasks.start(guarded, "presets")

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
