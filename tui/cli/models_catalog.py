"""`lokal models catalog`: models that are known by name, filtered by need, licence, and what this machine can hold."""

from __future__ import annotations

import shutil
import sys
from dataclasses import asdict

from tui.cli.command_arguments import Models
from tui.cli.models import table_lines
from tui.cli.output import say, write, write_json
from tui.core.text import cut_at_word
from tui.models.catalogue import (
    CatalogueEntry,
    filtered,
    least_memory,
    licence_permits,
    load_catalogue,
)
from tui.servers.engine.machine_memory import machine_memory


def catalog(command: Models) -> int:
    """Run it; the exit status."""
    machine = machine_memory()
    room = None if machine is None else max(machine.available, machine.on_cards)
    found = filtered(
        load_catalogue(),
        need=" ".join((*command.names, command.need)),
        licence=command.licence,
        room=room if command.fits else None,
    )
    if command.json:
        write_json([_as_object(each, room) for each in found])
        return 0
    if not found:
        say("No model of the catalogue is like that")
        return 0
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
    head = ("MODEL", "PARAMETERS", "CONTEXT", "FITS", "GOOD AT", "GET IT")
    rows = [_row(each, room) for each in found]
    write("\n".join(line[:width].rstrip() for line in table_lines(head, rows)) + "\n")
    permitted = {each.licence: licence_permits(each.licence) for each in found}
    lines = [f"{licence}: {permits}" for licence, permits in permitted.items() if permits]
    write("\n" + "\n".join(lines) + "\n" if lines else "")
    return 0


def _row(entry: CatalogueEntry, room: int | None) -> tuple[str, ...]:
    return (
        entry.title,
        cut_at_word(entry.parameters, 20),
        f"{entry.context // 1000}k" if entry.context else "",
        _fits(entry, room),
        cut_at_word(entry.good_at, 40),
        entry.get_it,
    )


def _fits(entry: CatalogueEntry, room: int | None) -> str:
    least = least_memory(entry)
    if least is None or room is None:
        return ""
    return "yes" if least <= room else "no"


def _as_object(entry: CatalogueEntry, room: int | None) -> dict[str, object]:
    least = least_memory(entry)
    return {
        **asdict(entry), "permits": licence_permits(entry.licence), "memory": least,
        "fits": None if least is None or room is None else least <= room,
    }  # fmt: skip
