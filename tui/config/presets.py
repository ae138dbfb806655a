"""Presets on disk: one TOML file each, its name the file's.

    description = "exact and short"
    system = ""
    [parameters]
    temperature = 0.4

A preset in use is a `core.presets.Preset`; a parameter that the file does not have is not sent.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import MappingProxyType

from tui import atomic, files
from tui.config import toml
from tui.config.loaded import Loaded, recover
from tui.config.names import check_name, toml_files
from tui.core import parameters
from tui.core.message import Value
from tui.core.presets import SHIPPED, Preset
from tui.errors import FileError, LokalError, UsageError
from tui.private_files import make_private_folder

_KEYS = ("description", "system", "model", "persona", "parameters")
ORDER_FILE = ".order"
"""The names of presets in the order that the person has put them in, a name a line."""
_MOST_ORDER = 1 << 16
_SHIPPED = {preset.name: preset for preset in SHIPPED}


def preset_file(folder: Path, name: str) -> Path:
    """The file of the preset `name`. Raises UsageError for a name that cannot be a file's."""
    return folder / f"{check_name(name)}.toml"


def load_presets(folder: Path) -> Loaded[tuple[Preset, ...]]:
    """The presets of the folder, never none: those that ship first, in their own order, then the others by name.

    A folder that is not there yet stands for the presets that ship. One of these that was deleted stays deleted, unless no
    preset would be left; one whose file cannot be read keeps the values that it ships with.
    """
    if not os.path.lexists(folder):
        return Loaded(SHIPPED)
    problems: list[LokalError] = []
    try:
        paths = list(toml_files(folder))
    except OSError as error:
        return Loaded(SHIPPED, (_unusable(folder, error),))
    presets = {}
    for path in paths:
        try:
            presets[path.stem] = _read(path, problems)
        except LokalError as error:
            problems.append(error)
            if path.stem in _SHIPPED:
                presets[path.stem] = _SHIPPED[path.stem]
    usual = [name for name in _SHIPPED if name in presets]
    usual += sorted((name for name in presets if name not in _SHIPPED), key=str.casefold)
    wanted = [name for name in dict.fromkeys(_order(folder)) if name in presets]
    order = [*wanted, *(name for name in usual if name not in wanted)]
    return Loaded(tuple(presets[name] for name in order) or SHIPPED, tuple(problems))


def _order(folder: Path) -> list[str]:
    """The names in the person's order; none where nothing was ordered, or it cannot be read."""
    try:
        return files.read_bytes(folder / ORDER_FILE, _MOST_ORDER).decode("utf-8", "replace").splitlines()
    except (OSError, files.TooLarge):
        return []


def make_presets(folder: Path) -> None:
    """Make the folder with the presets that ship, unless there is one. Raises FileError."""
    if os.path.lexists(folder):
        return
    try:
        _make_folder(folder)
    except OSError as error:
        raise _unusable(folder, error) from error


def save_preset(folder: Path, preset: Preset) -> None:
    """Write a preset to its file. What lokal does not know in the file stays, and so do comments.

    Raises MalformedFile, without writing, where the file is no TOML, FileError where it cannot be written, and
    UsageError for a name that cannot be a file's.
    """
    from tui.config import edit  # with the TOML writer, which a start does not need

    path = preset_file(folder, preset.name)
    text = old = toml.read_text(path, missing_ok=True)
    table = toml.parse(path, text)
    for key, words in (
        ("description", preset.description), ("system", preset.system), ("model", preset.model), ("persona", preset.persona),
    ):  # fmt: skip
        if words != table.values.get(key, ""):
            text = edit.assign(text, "", key, words or (None if key in ("model", "persona") else words))
    inner = table.values.get("parameters")
    written = toml.Table(path, inner if isinstance(inner, dict) else {})
    for key in written:
        canonical = _canonical(key)
        if canonical is not None and (canonical != key or canonical not in preset.values):
            text = edit.assign(text, "parameters", key, None)
    for key, value in preset.values.items():
        if key not in written or _as_held(key, written[key]) != value:
            text = edit.assign(text, "parameters", key, list(value) if isinstance(value, tuple) else value)
    if text != old or not path.exists():
        atomic.write_text(path, text)


def delete_preset(folder: Path, name: str) -> None:
    """Delete the preset's file. Raises UsageError where there is none, FileError where it cannot be deleted."""
    path = preset_file(folder, name)
    try:
        path.unlink()
    except FileNotFoundError as error:
        raise UsageError(f"There is no preset “{name}” in {folder}") from error
    except OSError as error:
        raise FileError(path, f"Cannot delete {path}", error.strerror or str(error)) from error


def _unusable(folder: Path, error: OSError) -> FileError:
    return FileError(
        folder,
        f"The presets in {folder} cannot be used",
        error.strerror or str(error),
        "Those that ship with lokal are used; changes to them cannot be saved",
    )


def _make_folder(folder: Path) -> None:
    """Make the folder with the presets that ship, all of it or nothing; another lokal may do so at the same time."""
    make_private_folder(folder.parent)
    import shutil
    import tempfile

    workshop = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        workshop.chmod(0o700)  # a umask may have taken from it
        for preset in SHIPPED:
            save_preset(workshop, preset)
        try:
            workshop.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    except FileError as error:
        raise OSError(str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(workshop)


def _read(path: Path, problems: list[LokalError]) -> Preset:
    """The preset in a file; what is wrong inside it is added to `problems` and costs only itself."""
    try:
        name = check_name(path.stem)
    except UsageError as error:
        raise FileError(path, f"{path}: {error.title}", error.detail, "Rename the file") from error
    table = toml.read_table(path)
    problems += table.unknown(_KEYS)
    description = recover(lambda: table.text("description"), "", problems)
    system = recover(lambda: table.text("system"), "", problems)
    model = recover(lambda: table.text("model"), "", problems)
    persona = recover(lambda: table.text("persona"), "", problems)
    inner = recover(lambda: table.table("parameters"), toml.Table(path), problems)
    values: dict[str, Value] = {}
    for key in inner:
        try:
            parameter = parameters.find(key)
            if parameter.name in values:
                raise UsageError(f"{key} is {parameter.name}, which is there already", "", "Keep one of them")
            values[parameter.name] = parameter.check(inner[key])
        except UsageError as error:
            problems.append(
                FileError(path, f"{path}: {error.title}", error.detail or "It has no effect", error.hint)
            )
    return Preset(name, MappingProxyType(values), description, system, model, persona)


def _canonical(key: str) -> str | None:
    try:
        return parameters.find(key).name
    except UsageError:
        return None


def _as_held(key: str, value: object) -> Value | None:
    try:
        return parameters.find(key).check(value)
    except UsageError:
        return None
