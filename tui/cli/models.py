"""`lokal models`: the server that is meant, and what is only told or done at once: list, show, ps, load, unload."""

from __future__ import annotations

import difflib
import math
import os
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from tui.cli.command_arguments import Models
from tui.cli.output import ProgressLine, say, write, write_json
from tui.cli.signals import run
from tui.config.settings import Settings
from tui.config.startup import load_configuration
from tui.core.model import Model
from tui.core.model_actions import ModelAction
from tui.core.model_management import LoadOptions, RunningModel
from tui.core.secrets import KEY_VARIABLE
from tui.core.text import (
    finite,
    human_size,
    human_time,
    human_tokens,
    safe_block,
    safe_line,
    safe_name,
)
from tui.errors import ModelMissing, Refused
from tui.models.description import as_text, description_of
from tui.models.listing import order, totals
from tui.paths import Folders, folders
from tui.servers.base import Server
from tui.servers.connect import choose, named_server


def models(command: Models) -> int:
    """Run `lokal models`. Raises LokalError, and what `run` raises for what ends it early."""
    places = folders()
    config = load_configuration(places, themes=False)
    for problem in config.problems:
        say(str(problem))
    if command.action in ("files", "fit"):
        if command.action == "files":
            from tui.cli.models_files import list_files as act
        else:
            from tui.cli.models_fit import fit as act
        return act(command, config.settings, places)
    if command.action == "modelfile":
        from tui.cli.models_modelfile import modelfile

        return modelfile(command, places)
    if command.action == "catalog":
        from tui.cli.models_catalog import catalog

        return catalog(command)
    if command.action == "rm":
        from tui.cli.models_delete import delete_files

        command = delete_files(command, places)
        if not command.names:
            return 0
    if command.action in ("pull", "update"):
        from tui.cli.models_pull import pull

        return pull(command, config.settings, places)
    return run(manage(command, config.settings, places))


async def connected(command: Models, settings: Settings) -> Server:
    """The server whose models are meant. Raises ServerError, UsageError."""
    text = settings.server if command.server is None else command.server
    key = os.environ.get(KEY_VARIABLE, "") if command.server is not None else ""
    endpoint = named_server(text, settings.servers, key) if text else None
    connection = await choose(endpoint, settings.servers, os.environ)
    if sys.stderr.isatty():
        say(connection.place)
    return connection.server


async def manage(command: Models, settings: Settings, places: Folders) -> int:
    """Do all but downloads; the exit status. Raises LokalError."""
    server = await connected(command, settings)
    try:
        try:
            await _act(command, server, places)
        except ModelMissing as error:
            raise await _with_nearest(error, command, server) from error
    finally:
        await server.aclose()
    return 0


async def _act(command: Models, server: Server, places: Folders) -> None:
    manager = server.model_manager
    match command.action:
        case "list":
            _list(await manager.models(), command)
        case "show":
            details = await manager.details(command.names[0])
            write_json(_json_of(asdict(details))) if command.json else write(
                safe_block(as_text(details.name, description_of(details)))
            )
        case "ps":
            await _ps(server, command)
        case "load":
            await _load(command, server)
        case "unload":
            await _unload(command, server)
        case _:
            from tui.cli.models_change import change

            await change(command, server, places)


# -- list -----------------------------------------------------------------------------------------------------------


def _list(found: Sequence[Model], command: Models) -> None:
    ordered = sorted(found, key=lambda model: order(model, command.sort)) if command.sort else list(found)
    if command.json:
        write_json([_json_of(_as_object(model)) for model in ordered])
        return
    if not ordered:
        say("The server has no models")
        return
    write_table(("NAME", "PARAMS", "QUANT", "SIZE", "CONTEXT", "STATE", "CAN"), map(_row, ordered))
    if sys.stderr.isatty():
        say(totals(ordered))


def write_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A table in columns."""
    write("\n".join(table_lines(head, rows)) + "\n")


def table_lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a table."""
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in table]


def _row(model: Model) -> tuple[str, ...]:
    trained = human_tokens(model.context_trained) if model.context_trained else ""
    window = human_tokens(model.context_loaded) if model.context_loaded else ""
    context = f"{window} of {trained}" if window and trained else window or trained
    can = ", ".join("chat" if word == "completion" else word for word in model.capabilities)
    size = human_size(model.size) if model.size is not None else ""
    state = safe_line(model.note, 60) or str(model.state or "")
    return safe_line(model.name), model.parameters, model.quantization, size, context, state, can


def _as_object(model: Model) -> dict[str, object]:
    told = asdict(model)
    for key in ("loaded", "thinks", "status", "elsewhere"):
        del told[key]
    return {**told, "state": model.state, "chats": model.chats}


def _json_of(told: dict[str, object]) -> dict[str, object]:
    """The same with times as text, as a program reads them."""
    from tui.store.export import iso_time

    for key in ("changed_at", "expires_at"):
        if isinstance(seconds := told.get(key), float):
            told[key] = iso_time(seconds) if math.isfinite(seconds) else "never"
    return {key: finite(value) for key, value in told.items()}


# -- show -----------------------------------------------------------------------------------------------------------


# -- memory ---------------------------------------------------------------------------------------------------------


async def _ps(server: Server, command: Models) -> None:
    running = await server.model_manager.running()
    if command.json:
        write_json([_json_of({**asdict(each), "ram": each.ram}) for each in running])
        return
    if not running:
        reason = (await server.model_manager.actions()).why_not(ModelAction.SHOW_MEMORY)
        say(reason or "No model is in memory")
        return
    now = time.time()
    write_table(
        ("NAME", "MEMORY", "ON GPU", "CONTEXT", "UNTIL"), (_running_row(each, now) for each in running)
    )


def _running_row(each: RunningModel, now: float) -> tuple[str, ...]:
    share = f"{each.vram / each.memory:.0%}" if each.memory and each.vram is not None else ""
    return (
        each.name,
        human_size(each.memory) if each.memory is not None else "",
        share,
        human_tokens(each.context_window) if each.context_window else "",
        each.state or until(each.expires_at, now),
    )


def until(expires_at: float | None, now: float) -> str:
    """When a model is unloaded, in words."""
    if expires_at is None:
        return ""
    if math.isinf(expires_at):
        return "it is unloaded"
    return f"{human_time(expires_at - now)} from now" if expires_at > now else "now"


async def _load(command: Models, server: Server) -> None:
    name, line = command.names[0], ProgressLine()
    try:
        words = f"loading {safe_name(name, 60)}"
        line.show(words)
        options = LoadOptions(command.context, command.keep_alive, command.arguments)
        await server.model_manager.load(name, options, lambda share: line.show(f"{words}  {share:.0%}"))
    finally:
        line.clear()
    say(f"{safe_name(name, 80)} is in memory")


async def _unload(command: Models, server: Server) -> None:
    manager = server.model_manager
    names = command.names or tuple(each.name for each in await manager.running())
    if not names:
        actions = await manager.actions()
        if not actions.can(ModelAction.UNLOAD):
            label = server.profile.label
            raise Refused(f"{label} cannot {ModelAction.UNLOAD}", actions.why_not(ModelAction.UNLOAD))
        say("No model is in memory")
    for name in names:
        await manager.unload(name)
        say(f"{safe_name(name, 80)} is no longer in memory")


async def _with_nearest(error: ModelMissing, command: Models, server: Server) -> ModelMissing:
    """The error, with names that the server does have and that are like what was typed."""
    names = [model.name for model in await server.model_manager.models()]
    for name in command.names:
        close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if close and name not in names:
            near = ", ".join(safe_name(each, 80) for each in close)
            return ModelMissing(error.title, error.detail, f"It has {near}", error.status)
    return error
