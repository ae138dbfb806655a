"""`lokal models files` and `lokal models fit`: models without a server, and whether they would run here."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tui.cli.command_arguments import Models
from tui.cli.models import connected, write_table
from tui.cli.output import say, write, write_json
from tui.cli.signals import run
from tui.config.settings import Settings
from tui.core.memory_fit import (
    OVERHEAD,
    FitVerdict,
    LoadSettings,
    MachineMemory,
    MemoryEstimate,
    estimate_memory,
    judge,
)
from tui.core.model_header import ModelHeader
from tui.core.text import count_of, human_size, human_tokens, local_minute, safe_line, safe_name
from tui.errors import FileError, ModelMissing, ServerError, Unreachable
from tui.models.fit_text import as_lines
from tui.models.model_files import FoundModels, ModelFile, find_models, places
from tui.paths import Folders, with_tilde
from tui.servers.engine.machine_memory import machine_memory

_PLAIN = ("#", ".")


def list_files(command: Models, settings: Settings, folders: Folders) -> int:
    """Run `lokal models files`; the exit status."""
    found = _found(settings, folders)
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


def _found(settings: Settings, folders: Folders) -> FoundModels:
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


# -- fit ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FitSubject:
    """A model of which it is asked whether it fits: what it is called, what is known of it, and its file where that is on this
    machine. `here` = it would run on this machine."""

    name: str
    header: ModelHeader
    path: Path | None = None
    here: bool = True


def fit(command: Models, settings: Settings, folders: Folders) -> int:
    """Run `lokal models fit`; the exit status. Raises LokalError."""
    subject = _subject(command, settings, folders)
    wanted = LoadSettings(command.context, command.cache_type)
    estimate = _exact(subject, wanted, estimate_memory(subject.header, wanted))
    machine = machine_memory() if subject.here else None
    verdict = judge(estimate, machine)
    if command.json:
        write_json(fit_as_object(subject.name, estimate, verdict))
        return 0
    header = subject.header
    about = ", ".join(
        part
        for part in (
            header.quantization,
            count_of(len(estimate.layers), "layer") if estimate.layers else "",
            f"made for {human_tokens(estimate.context_trained)} tokens" if estimate.context_trained else "",
        )
        if part
    )
    signs = {} if (sys.stdout.encoding or "").lower().startswith("utf") else {"signs": _PLAIN}
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    lines = as_lines(estimate, verdict, max(50, width), **signs)
    write("\n".join([safe_name(subject.name, 120) + (f": {about}" if about else ""), "", *lines]) + "\n")
    return 0


def fit_as_object(name: str, estimate: MemoryEstimate, verdict: FitVerdict) -> dict[str, object]:
    """What a program reads; all sizes are bytes."""
    return {
        "name": name, "weights": estimate.weights, "kv_cache": estimate.kv_cache if estimate.kv_known else None,
        "compute": estimate.compute if estimate.kv_known else None, "total": estimate.total, "overhead": OVERHEAD,
        "available": verdict.available, "verdict": verdict.place, "words": verdict.words, "context": estimate.context,
        "cache_type": estimate.cache_type, "exact": estimate.exact, "layers": verdict.layers or None,
        "gpu_layers": verdict.on_gpu,
    }  # fmt: skip


def _exact(subject: FitSubject, wanted: LoadSettings, estimate: MemoryEstimate) -> MemoryEstimate:
    """What the engine itself says, where it is installed and has the file; else the estimate."""
    from dataclasses import replace

    from tui.servers.engine.fit_line import fit_line

    if subject.path is None:
        return estimate
    told = fit_line(str(subject.path), estimate.context, wanted.cache_type)
    if told is None:
        return estimate
    weights, kv_cache, compute = told
    return replace(estimate, weights=weights, kv_cache=kv_cache, compute=compute, exact=True, kv_known=True)


def _subject(command: Models, settings: Settings, folders: Folders) -> FitSubject:
    text = command.names[0]
    path = Path(text).expanduser()
    if text.lower().endswith(".gguf") or path.is_file():
        return _of_file(path)
    if command.server is None:
        named = [each for each in _found(settings, folders).files if text in (each.name, each.path.name)]
        if named:
            return _of_file(named[0].path)
    try:
        return run(subject_of_server(command, settings))
    except Unreachable as error:
        raise ModelMissing(
            f"No server answers, and no file on this machine is called “{safe_name(text, 80)}”", error.title,
            "“lokal models files” lists the files; a file can be named by its path",
        ) from error  # fmt: skip


def _of_file(path: Path) -> FitSubject:
    from dataclasses import replace

    from tui.servers.engine.gguf_file import parts_of
    from tui.servers.engine.gguf_reader import read_header

    headers = [read_header(part) for part in parts_of(path)]
    if not headers:
        raise FileError(
            path, f"There is no file {safe_line(str(path), 200)}", "", "Check the path of the GGUF file"
        )
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    size = sum(header.size for header in headers)
    return FitSubject(path.name, replace(headers[0], tensors=tensors, size=size), path)


async def subject_of_server(command: Models, settings: Settings) -> FitSubject:
    """What the server tells of its model. Raises ServerError."""
    server = await connected(command, settings)
    name = command.names[0]
    try:
        header = await server.model_manager.header(name)
        if not header.size and not header.tensors:
            raise ModelMissing(
                f"{server.profile.label} does not tell the size of “{safe_name(name, 80)}”", "",
                "Name its GGUF file: lokal models fit FILE",
            )  # fmt: skip
        return FitSubject(name, header, None, server.endpoint.on_this_machine)
    except ServerError:
        raise
    finally:
        await server.aclose()
