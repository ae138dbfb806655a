"""`lokal models rm|cp|create`: what changes the models that the server has."""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

from tui import files
from tui.cli.command_arguments import STDIN, Models
from tui.cli.input import MOST_TEXT, read_input
from tui.cli.models_pull import PullLine
from tui.cli.output import say
from tui.config.presets import load_presets
from tui.core.model import Model
from tui.core.model_actions import ModelAction
from tui.core.modelfile import Modelfile, decode_modelfile, parse_modelfile
from tui.core.modelfile_preset import settings_of
from tui.core.presets import find
from tui.core.text import human_size, safe_name
from tui.errors import FileError, ModelMissing, Refused, UsageError
from tui.paths import Folders
from tui.servers.base import Server

BIG = 10_000_000_000
"""Bytes from which on a model's name has to be typed before it is deleted: it takes long to download again."""


async def change(command: Models, server: Server, places: Folders) -> None:
    """Do it. Raises LokalError."""
    match command.action:
        case "rm":
            await _delete(command, server)
        case "cp":
            await server.model_manager.copy(*command.names)
            say(
                f"{safe_name(command.names[1], 80)} is {safe_name(command.names[0], 80)} too; it takes no room"
            )
        case _:
            await _create(command, server, places)


async def _delete(command: Models, server: Server) -> None:
    manager = server.model_manager
    actions = await manager.actions()
    if not actions.can(ModelAction.DELETE):
        raise Refused(
            f"{server.profile.label} cannot {ModelAction.DELETE}", actions.why_not(ModelAction.DELETE)
        )
    listed = {model.name: model for model in await manager.models()}
    chosen = [_found(name, listed, server) for name in dict.fromkeys(command.names)]
    if not command.yes and not await _is_sure(chosen, server):
        say("Nothing was deleted")
        return
    for model in chosen:
        await manager.delete(model.name)
        say(f"Deleted: {safe_name(model.name, 80)}")


def _found(name: str, listed: dict[str, Model], server: Server) -> Model:
    for candidate in (name, f"{name}:latest"):
        if candidate in listed:
            return listed[candidate]
    raise ModelMissing(f"{server.profile.label} has no model “{safe_name(name, 120)}”", "Nothing was deleted")


async def _is_sure(chosen: list[Model], server: Server) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "lokal models rm asks before it deletes, and nobody is there to answer",
            "",
            "To delete without being asked: lokal models rm --yes NAME",
        )
    effect = await server.model_manager.effect_of_deleting([model.name for model in chosen])
    for model in chosen:
        size = f", {human_size(model.size)}" if model.size is not None else ""
        say(f"{safe_name(model.name, 80)}{size}{', in memory' if model.loaded else ''}")
    if effect.shared_with:
        names = ", ".join(safe_name(name, 60) for name in effect.shared_with[:5])
        say(f"The same weights are those of {names}: they stay")
    if effect.frees is not None:
        say(f"This frees {human_size(effect.frees)}")
    for model in chosen:
        question = f"To delete {safe_name(model.name, 80)} type its name: "
        matters = model.loaded or (model.size or 0) > BIG
        if matters and await _answer(question) != model.name.lower():
            return False
    many = "it" if len(chosen) == 1 else f"all {len(chosen)}"
    return await _answer(f"Delete {many} forever? [y/N] ") in ("y", "yes")


async def _answer(question: str) -> str:
    """What a person types, in lower case; a signal ends the waiting."""
    sys.stderr.write(question)
    sys.stderr.flush()
    line: str = await files.in_thread(sys.stdin.readline)
    return line.strip().lower()


async def _create(command: Models, server: Server, places: Folders) -> None:
    modelfile, folder = _modelfile(command, server, places)
    if modelfile.outdated:
        say(f"Left out, Ollama no longer has them: {', '.join(modelfile.outdated)}")
    name, line = command.names[0], PullLine()
    try:
        async with aclosing(server.model_manager.create(name, modelfile, command.quantize, folder)) as making:
            async for progress in making:
                line.show(progress.status, progress, None, None)
    finally:
        line.clear()
    say(f"{safe_name(name, 80)} is made")


def _modelfile(command: Models, server: Server, places: Folders) -> tuple[Modelfile, Path]:
    """What the model is to be made from, and the folder that its paths begin at. Raises LokalError."""
    if command.file is not None:
        if command.file == STDIN:
            return parse_modelfile(decode_modelfile(read_input(MOST_TEXT))), Path()
        try:
            data = files.read_named(command.file)
        except OSError as error:
            what = getattr(error, "what", "") or error.strerror or str(error)
            raise FileError(command.file, f"Cannot read {command.file}", what, "Check the path") from error
        return parse_modelfile(decode_modelfile(data)), command.file.parent
    made = Modelfile(command.source, system=command.system)
    if command.preset is None:
        return made, Path()
    preset = find(load_presets(places.presets).value, command.preset)
    system = preset.system.strip() if command.system is None else command.system
    return replace(made, system=system or None, parameters=settings_of(preset.values)), Path()
