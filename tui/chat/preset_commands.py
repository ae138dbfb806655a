"""`/preset` with more than a name: making, saving, renaming, deleting and comparing presets, for every front end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tui import files
from tui.chat.state import ModelSettings
from tui.config.preset_folder import DeletedPreset, PresetFolder, differences, with_values
from tui.core.message import Value
from tui.core.parameters import BY_NAME
from tui.core.presets import RESERVED, Preset, find
from tui.core.text import safe_line, safe_name
from tui.errors import UsageError

USAGE = "/preset NAME uses one; /preset save [NAME], new NAME, copy NAME, drop, rename NAME, describe TEXT, delete, undo, reset, move N, diff NAME"


@dataclass(frozen=True, slots=True)
class PresetChange:
    """What came of it: the settings that hold now, None = as they were, and what is to be said, a line each."""

    settings: ModelSettings | None
    lines: tuple[str, ...]


def is_command(argument: str) -> bool:
    """Whether the argument of `/preset` is one of these, and no name."""
    return argument.split(None, 1)[0].lower() in RESERVED if argument.strip() else False


class PresetCommands:
    """One a front end: it remembers what was deleted last."""

    def __init__(self, folder: PresetFolder) -> None:
        self._folder = folder
        self._deleted: list[DeletedPreset] = []
        self._seen = folder.signature()

    async def run(self, argument: str, settings: ModelSettings) -> PresetChange:
        """Do it. Raises UsageError, FileError."""
        verb, *rest = argument.split(None, 1)
        text = rest[0].strip() if rest else ""
        change = await files.in_thread(lambda: self._change(verb.lower(), text, settings))
        self._seen = self._folder.signature()
        return change

    async def refreshed(self, settings: Callable[[], ModelSettings]) -> ModelSettings | None:
        """The settings with what was written into the folder, or dropped there, since; None where nothing was. `settings` says
        what holds then: reading takes its time, and a value may be changed meanwhile."""
        signature = await files.in_thread(self._folder.signature)
        if signature == self._seen:
            return None
        self._seen = signature
        presets = await files.in_thread(self._folder.presets)
        now = settings()
        return self._with(now, presets, now.preset.name)

    def _change(self, verb: str, text: str, settings: ModelSettings) -> PresetChange:
        does: dict[str, Callable[[str, ModelSettings], PresetChange]] = {
            "save": self._save, "new": self._new, "copy": self._copy, "drop": self._drop, "rename": self._rename,
            "describe": self._describe, "delete": self._delete, "undo": self._undo, "reset": self._reset,
            "move": self._move, "diff": self._differ,
        }  # fmt: skip
        return does[verb](text, settings)

    def _save(self, name: str, settings: ModelSettings) -> PresetChange:
        """The values in use: into the preset, or another one."""
        whole = with_values(settings.preset, settings.overrides)
        if not name:
            self._require_own(settings)
            self._folder.save(whole)
            return self._now(settings, whole.name, f"Saved to {safe_name(whole.name, 60)}")
        self._folder.new(replace(whole, name=name))
        return self._now(settings, name, f"Saved as {safe_name(name, 60)}, which is in use now")

    def _new(self, name: str, settings: ModelSettings) -> PresetChange:
        _require(name, "How is it to be called?", "/preset new NAME")
        self._folder.new(Preset(name))
        return self._now(
            settings, name, f"{safe_name(name, 60)} is in use: all values are the server's. F4 sets them"
        )

    def _copy(self, name: str, settings: ModelSettings) -> PresetChange:
        _require(name, "How is the copy to be called?", "/preset copy NAME")
        self._folder.copy(settings.preset.name, name)
        return self._now(
            settings,
            name,
            f"{safe_name(name, 60)} is in use, a copy of {safe_name(settings.preset.name, 60)}",
        )

    def _drop(self, _: str, settings: ModelSettings) -> PresetChange:
        return self._now(
            settings, settings.preset.name, f"{safe_name(settings.preset.name, 60)} is as it is saved"
        )

    def _rename(self, name: str, settings: ModelSettings) -> PresetChange:
        _require(name, "How is it to be called?", "/preset rename NAME")
        self._require_own(settings)
        self._folder.rename(settings.preset.name, name)
        words = f"{safe_name(settings.preset.name, 60)} is now {safe_name(name, 60)}"
        return PresetChange(self._with(settings, self._folder.presets(), name), (words,))

    def _describe(self, text: str, settings: ModelSettings) -> PresetChange:
        self._require_own(settings)
        self._folder.describe(settings.preset.name, text)
        settings = replace(settings, preset=replace(settings.preset, description=text))
        return PresetChange(
            self._with(settings, self._folder.presets(), settings.preset.name), ("Described",)
        )

    def _delete(self, name: str, settings: ModelSettings) -> PresetChange:
        gone = name or settings.preset.name
        self._deleted.append(self._folder.delete(gone))
        presets = self._folder.presets()
        chosen = settings.preset.name if gone != settings.preset.name else presets[0].name
        words = f"{safe_name(gone, 60)} is deleted; /preset undo brings it back"
        return PresetChange(
            self._with(settings, presets, chosen, fresh=gone == settings.preset.name), (words,)
        )

    def _undo(self, _: str, settings: ModelSettings) -> PresetChange:
        if not self._deleted:
            raise UsageError("No preset was deleted in this run")
        self._folder.restore(self._deleted[-1])
        name = self._deleted.pop().name
        return self._now(settings, name, f"{safe_name(name, 60)} is back, and in use")

    def _reset(self, name: str, settings: ModelSettings) -> PresetChange:
        name = name or settings.preset.name
        self._folder.reset(name)
        return self._now(settings, name, f"{safe_name(name, 60)} is as it ships")

    def _move(self, text: str, settings: ModelSettings) -> PresetChange:
        if not (text.isascii() and text.isdigit()):
            raise UsageError("To which place?", "", "/preset move 1 puts it first, where Alt+1 is")
        names = self._folder.move(settings.preset.name, int(text[:4]))
        words = ", ".join(f"{number} {safe_name(name, 30)}" for number, name in enumerate(names, 1))
        return PresetChange(self._with(settings, self._folder.presets(), settings.preset.name), (words,))

    def _differ(self, name: str, settings: ModelSettings) -> PresetChange:
        """The preset in use, with what was changed, beside another one or itself as it is saved."""
        mine = with_values(settings.preset, settings.overrides)
        other = find(self._folder.presets(), name or settings.preset.name)
        found = differences(mine, other)
        if not found:
            return PresetChange(
                None, (f"They do not differ: {safe_name(mine.name, 60)} and {safe_name(other.name, 60)}",)
            )
        head = f"{safe_name(mine.name, 40)} now → {safe_name(other.name, 40)}{'' if name else ' as saved'}"
        return PresetChange(
            None,
            (
                head,
                *(
                    f"{one.name}: {_value(one.name, one.first)} → {_value(one.name, one.second)}"
                    for one in found
                ),
            ),
        )

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _now(self, settings: ModelSettings, name: str, words: str) -> PresetChange:
        """That preset is in use as it is saved, without values of this run."""
        settings = replace(settings, overrides={})
        return PresetChange(self._with(settings, self._folder.presets(), name, fresh=True), (words,))

    def _with(
        self, settings: ModelSettings, presets: tuple[Preset, ...], name: str, *, fresh: bool = False
    ) -> ModelSettings:
        """The settings with these presets and that one in use; unless `fresh`, with what was changed in it and not saved."""
        chosen = next((one for one in presets if one.name == name), presets[0])
        if not fresh and settings.unsaved and chosen.name == name:
            chosen = replace(settings.preset, name=name)
            presets = tuple(chosen if one.name == name else one for one in presets)
        unsaved = settings.unsaved and not fresh
        return replace(settings.chosen(chosen), presets=presets, unsaved=unsaved)

    def _require_own(self, settings: ModelSettings) -> None:
        if settings.usual_preset is not None:
            name = safe_name(settings.preset.name, 60)
            raise UsageError(
                f"{name} is the model's own preset", "", "/preset save NAME makes one of yours of it"
            )


def _require(name: str, question: str, hint: str) -> None:
    if not name:
        raise UsageError(question, "", hint)


def _value(name: str, value: Value | None) -> str:
    if name in BY_NAME:
        return safe_line(BY_NAME[name].format(value), 60)
    return safe_line(str(value), 60) if value is not None else "none"
