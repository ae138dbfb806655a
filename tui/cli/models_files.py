"""`lokal models files`: the GGUF files on this machine."""

from __future__ import annotations

import os
import sys

from tui.cli.command_arguments import Models
from tui.cli.models import write_table
from tui.cli.output import say, write_json
from tui.config.settings import Settings
from tui.core.memory_fit import (
    FitVerdict,
    MachineMemory,
    MemoryEstimate,
    estimate_memory,
    judge,
)
from tui.core.model_header import ModelHeader
from tui.core.text import count_of, human_size, human_tokens, local_minute, safe_line
from tui.models.model_files import FoundModels, ModelFile, find_models, places
from tui.paths import Folders, with_tilde
from tui.servers.engine.machine_memory import machine_memory

_PLAIN = ("#", ".")


def list_files(command: Models, settings: Settings, folders: Folders) -> int:
    """Run `lokal models files`; the exit status."""
    found = found_models(settings, folders)
    shown = found.matching(" ".join(command.names))
    machine = machine_memory()
    if command.json:
        write_json([_file_as_object(each, machine) for each in shown])
    elif shown:
        head = ("NAME", "PARAMS", "QUANT", "SIZE", "CONTEXT", "CHANGED", "WHERE", "FITS")
        write_table(head, [_row(each, machine) for each in shown])
        if sys.stderr.isatty():
            say(f"{count_of(len(shown), 'model')}, {human_size(sum(each.size for each in shown))}")
    else:
        say("No GGUF file is like that" if command.names else "There is no GGUF file in the usual places")
    for problem in found.problems:
        say(problem)
    return 0


def found_models(settings: Settings, folders: Folders) -> FoundModels:
    """The models on this machine."""
    return find_models(places(os.environ, folders, settings.model_folders))


def _row(file: ModelFile, machine: MachineMemory | None) -> tuple[str, ...]:
    where = file.place if file.place != "folder" else with_tilde(str(file.path.parent))
    copies = f" (and {len(file.copies)} more)" if file.copies else ""
    context = human_tokens(file.context_trained) if file.context_trained else ""
    fits = safe_line(file.problem, 80) or (_verdict_of(file, machine)[1].words if machine is not None else "")
    changed = local_minute(file.changed_at)[:10]
    name = f"{file.name}{' + projector' if file.projector is not None else ''}"
    return name, file.parameters, file.quantization, human_size(file.size), context, changed, safe_line(where + copies, 80), fits  # fmt: skip


def _verdict_of(file: ModelFile, machine: MachineMemory | None) -> tuple[MemoryEstimate, FitVerdict]:
    estimate = estimate_memory(file.header or ModelHeader({}, size=file.size))
    return estimate, judge(estimate, machine)


def _file_as_object(file: ModelFile, machine: MachineMemory | None) -> dict[str, object]:
    estimate, verdict = _verdict_of(file, machine)
    return {
        "name": file.name, "title": file.title, "place": file.place, "path": str(file.path), "parts": len(file.parts),
        "size": file.size, "parameters": file.parameters, "quantization": file.quantization,
        "context_trained": file.context_trained or None, "licence": file.licence,
        "architecture": safe_line(file.header.architecture, 40) if file.header is not None else "",
        "projector": str(file.projector) if file.projector is not None else None,
        "copies": [str(each) for each in file.copies], "problem": file.problem,
        "total": estimate.total, "verdict": verdict.place,
    }  # fmt: skip
