"""`lokal models rm` of files that lokal has downloaded itself."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tui.cli.command_arguments import Models
from tui.cli.output import say
from tui.core.model_names import is_hub_name, parse_hub_reference
from tui.core.text import human_size, safe_line, safe_name
from tui.errors import FileError, ModelMissing, UsageError
from tui.models.model_files import LOKAL, ModelFile, ModelPlace, find_models
from tui.paths import Folders


def delete_files(command: Models, folders: Folders) -> Models:
    """Delete what is among lokal's own files, after asking; the command with the names that are left, which are a server's.
    Raises LokalError."""
    folder = folders.models
    own = find_models([ModelPlace(LOKAL, folder)]).files
    chosen: dict[Path, ModelFile] = {}
    left = []
    for name in dict.fromkeys(command.names):
        meant = _meant(name, own, folder)
        if not meant and is_hub_name(name):
            raise ModelMissing(f"lokal has not downloaded {safe_name(name, 100)}", "Nothing was deleted", "“lokal models files” lists what there is")  # fmt: skip
        chosen |= {each.path: each for each in meant}
        if not meant:
            left.append(name)
    if chosen and not command.yes and not _is_sure(tuple(chosen.values())):
        say("Nothing was deleted")
        return replace(command, names=())
    for model in chosen.values():
        _delete(model, folder)
        say(f"Deleted: {safe_name(model.name, 80)}, {human_size(model.size)} are free")
    return replace(command, names=tuple(left))


def _meant(name: str, own: Sequence[ModelFile], folder: Path) -> list[ModelFile]:
    """The files that a name means: as the list has it, a path, or a repository, of one quantization or all of it."""
    if is_hub_name(name):
        wanted = parse_hub_reference(name)
        below = folder / wanted.repository
        found = [each for each in own if below in each.path.parents]
        if wanted.file:
            return [each for each in found if below / wanted.file in each.parts]
        quantization = wanted.quantization.casefold()
        return [each for each in found if quantization in ("", each.quantization.casefold())]
    path = Path(name).expanduser().absolute()
    return [each for each in own if name in (each.name, each.path.name) or path in each.parts]


def _is_sure(models: Sequence[ModelFile]) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "lokal models rm asks before it deletes, and nobody is there to answer", "",
            "To delete without being asked: lokal models rm --yes NAME",
        )  # fmt: skip
    for model in models:
        say(f"{safe_line(str(model.path), 200)}, {human_size(model.size)}")
    sys.stderr.write(
        "Delete it forever? [y/N] " if len(models) == 1 else f"Delete all {len(models)} forever? [y/N] "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _delete(model: ModelFile, folder: Path) -> None:
    try:
        for part in model.parts:
            part.unlink()
    except OSError as error:
        raise FileError(
            model.path, f"Cannot delete {safe_line(str(model.path), 200)}", error.strerror or str(error), "Check the rights of the folder"
        ) from error  # fmt: skip
    parent = model.path.parent
    with contextlib.suppress(OSError):  # folders that are empty now
        while parent != folder and folder in parent.parents:
            parent.rmdir()
            parent = parent.parent
