"""What a person does with presets: making, copying, renaming, describing, deleting, resetting and ordering them.

Each preset is a file of the folder; their order is in a hidden file beside them, a name a line. What changes a file changes
nothing else in it: comments and keys that lokal does not know stay. All methods block, and raise UsageError for what cannot be
meant, FileError for what cannot be written; nothing is lost then.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from tui import atomic, files
from tui.config.presets import (
    ORDER_FILE,
    delete_preset,
    load_presets,
    make_presets,
    preset_file,
    save_preset,
)
from tui.core.message import Value
from tui.core.parameters import REGISTRY
from tui.core.presets import RESERVED, SHIPPED, Preset, find
from tui.core.text import safe_name
from tui.errors import FileError, UsageError


@dataclass(frozen=True, slots=True)
class DeletedPreset:
    """A preset that is no more, with the bytes of its file, so that it can be brought back."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter, or `system`, `model`, `persona` or `description`, in which two presets differ; None = it is not sent."""

    name: str
    first: Value | None
    second: Value | None


class PresetFolder:
    """The presets of one person."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def presets(self) -> tuple[Preset, ...]:
        """All that can be read, in their order."""
        return load_presets(self._folder).value

    def signature(self) -> tuple[object, ...]:
        """Changes when a file of the folder does: it was written, dropped there or taken away. Never raises."""
        with contextlib.suppress(OSError):
            entries = [(entry.name, entry.stat()) for entry in os.scandir(self._folder)]
            return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in entries))
        return ()

    # -- one preset -------------------------------------------------------------------------------------------------

    def new(self, preset: Preset) -> Path:
        """Write a preset that there is not yet; its file."""
        self._require_free(preset.name)
        make_presets(self._folder)
        save_preset(self._folder, preset)
        return preset_file(self._folder, preset.name)

    def copy(self, source: str, name: str) -> Preset:
        """The same preset under another name, with its comments."""
        preset = find(self.presets(), source)
        self._require_free(name)
        make_presets(self._folder)
        path, new = preset_file(self._folder, source), preset_file(self._folder, name)
        with contextlib.suppress(FileNotFoundError):
            atomic.write_bytes(new, self._bytes(path))
        copied = replace(preset, name=name)
        save_preset(self._folder, copied)
        return copied

    def rename(self, source: str, name: str) -> Preset:
        """Give a preset another name; it keeps its place."""
        preset = find(self.presets(), source)
        self._require_free(name)
        make_presets(self._folder)
        order = [name if one.name == source else one.name for one in self.presets()]
        path, new = preset_file(self._folder, source), preset_file(self._folder, name)
        try:
            path.rename(new)
        except OSError as error:
            raise FileError(path, f"Cannot rename {path}", error.strerror or str(error)) from error
        self._write_order(order)
        return replace(preset, name=name)

    def describe(self, name: str, description: str) -> Preset:
        """Say what a preset is for."""
        return self.save(replace(find(self.presets(), name), description=description.strip()))

    def save(self, preset: Preset) -> Preset:
        """Write a preset as it is now."""
        make_presets(self._folder)
        save_preset(self._folder, preset)
        return preset

    def delete(self, name: str) -> DeletedPreset:
        """Delete a preset; what it takes to bring it back. The last one stays."""
        presets = self.presets()
        find(presets, name)
        if len(presets) == 1:
            raise UsageError(f"“{safe_name(name, 60)}” is the only preset", "", "Make another one before")
        make_presets(self._folder)
        content = self._bytes(preset_file(self._folder, name))
        delete_preset(self._folder, name)
        return DeletedPreset(name, content)

    def restore(self, deleted: DeletedPreset) -> None:
        """Bring a deleted preset back, byte for byte."""
        self._require_free(deleted.name)
        atomic.write_bytes(preset_file(self._folder, deleted.name), deleted.content)

    def reset(self, name: str) -> Preset:
        """Give a preset that ships the values it ships with."""
        shipped = next((one for one in SHIPPED if one.name == name), None)
        if shipped is None:
            names = ", ".join(one.name for one in SHIPPED)
            raise UsageError(f"“{safe_name(name, 60)}” does not ship with lokal", "", f"These do: {names}")
        return self.save(shipped)

    # -- their order ------------------------------------------------------------------------------------------------

    def move(self, name: str, place: int) -> tuple[str, ...]:
        """Put a preset at that place, counted from 1; the names in their new order."""
        names = [preset.name for preset in self.presets()]
        find(self.presets(), name)
        names.remove(name)
        names.insert(max(0, min(place - 1, len(names))), name)
        make_presets(self._folder)
        self._write_order(names)
        return tuple(names)

    def _write_order(self, names: Sequence[str]) -> None:
        atomic.write_text(self._folder / ORDER_FILE, "".join(f"{name}\n" for name in names))

    # -- helpers ----------------------------------------------------------------------------------------------------

    def _require_free(self, name: str) -> None:
        path = preset_file(self._folder, name)  # which judges the name
        if name.casefold() in RESERVED:
            raise UsageError(
                f"A preset cannot be named “{name}”",
                "/preset has another use for that word",
                "Take another name",
            )
        taken = {preset.name.casefold() for preset in self.presets()}
        if name.casefold() in taken or os.path.lexists(path):
            raise UsageError(f"There is a preset “{safe_name(name, 60)}” already", "", "Take another name")

    def _bytes(self, path: Path) -> bytes:
        try:
            return files.read_bytes(path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise FileError(path, f"Cannot read {path}", error.strerror or str(error)) from error


def differences(first: Preset, second: Preset) -> tuple[Difference, ...]:
    """In what two presets differ: parameters in the order of the registry, then what else they name."""
    found = [
        Difference(parameter.name, first.values.get(parameter.name), second.values.get(parameter.name))
        for parameter in REGISTRY
    ]
    found += [
        Difference(name, getattr(first, name) or None, getattr(second, name) or None)
        for name in ("system", "model", "persona", "description")
    ]
    return tuple(one for one in found if one.first != one.second)


def with_values(preset: Preset, values: Mapping[str, Value | None]) -> Preset:
    """The preset with these values in the place of its own; None takes one out."""
    merged = {**preset.values, **values}
    return replace(
        preset, values=MappingProxyType({name: value for name, value in merged.items() if value is not None})
    )
