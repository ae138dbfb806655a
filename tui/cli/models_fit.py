"""`lokal models fit`: whether a model would run here, as a sum; of a server, a file, or Hugging Face."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tui.cli.command_arguments import Models
from tui.cli.models import connected, table_lines
from tui.cli.models_files import found_models
from tui.cli.output import write, write_json
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
from tui.core.model_names import HubModel, is_hub_name, parse_hub_reference, quantization_help
from tui.core.text import count_of, human_size, human_tokens, safe_line, safe_name
from tui.errors import FileError, ModelMissing, Unreachable
from tui.models.fit_text import as_lines
from tui.models.hub_offer import offer_of, with_weights
from tui.paths import Folders
from tui.servers.engine.machine_memory import machine_memory

_PLAIN = ("#", ".")
_BAR = ("▓", "░")


@dataclass(frozen=True, slots=True)
class FitSubject:
    """A model of which it is asked whether it fits: what it is called, what is known of it, and its file where that is on this
    machine. `here` = it would run on this machine. Of a repository on Hugging Face all quantizations are `offered`, under its
    `licence`."""

    name: str
    header: ModelHeader
    path: Path | None = None
    here: bool = True
    offered: tuple[HubModel, ...] = ()
    licence: str = ""


def fit(command: Models, settings: Settings, folders: Folders) -> int:
    """Run `lokal models fit`; the exit status. Raises LokalError."""
    subject = _subject(command, settings, folders)
    wanted = LoadSettings(command.context, command.cache_type)
    estimate = _exact(subject, wanted, estimate_memory(subject.header, wanted))
    machine = machine_memory() if subject.here else None
    verdict = judge(estimate, machine, _measured_rate(subject, folders) if subject.here else None)
    if command.json:
        told = fit_as_object(subject.name, estimate, verdict)
        if subject.offered:
            told |= {
                "licence": subject.licence,
                "quantizations": [_offered_as_object(each, estimate, machine) for each in subject.offered],
            }
        write_json(told)
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
    signs = _BAR if (sys.stdout.encoding or "").lower().startswith("utf") else _PLAIN
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    lines = [safe_name(subject.name, 120) + (f": {about}" if about else "")]
    lines += ["", *as_lines(estimate, verdict, max(50, width), signs)]
    if subject.offered:
        rows = [_offered_row(each, estimate, machine) for each in subject.offered]
        lines += ["", *table_lines(("QUANT", "SIZE", "FITS", ""), rows)]
        lines += ["", f"licence: {subject.licence or 'not told'}"]
    write("\n".join(lines) + "\n")
    return 0


def _measured_rate(subject: FitSubject, folders: Folders) -> float | None:
    """Tokens a second that `lokal bench` last measured for a model of that name on this machine, the longest conversation
    counted; None where it was not."""
    from tui.chat.rate_record import RateRecord
    from tui.servers.engine.machine import description

    names, here = {subject.name, Path(subject.name).stem}, description()
    for benchmark in reversed(RateRecord(folders.rates).load().benchmarks):
        if benchmark.subject.model in names and benchmark.subject.machine == here:
            rates = [
                each.answer_rate.tokens_per_s for each in benchmark.depths if each.answer_rate is not None
            ]
            return min(rates, default=None)
    return None


def _offered_row(model: HubModel, estimate: MemoryEstimate, machine: MachineMemory | None) -> tuple[str, ...]:
    verdict = judge(with_weights(estimate, model.size), machine)
    name = model.quantization or safe_name(model.name, 40)
    return name, human_size(model.size), verdict.words, quantization_help(model.quantization)


def _offered_as_object(
    model: HubModel, estimate: MemoryEstimate, machine: MachineMemory | None
) -> dict[str, object]:
    verdict = judge(with_weights(estimate, model.size), machine)
    return {
        "name": safe_name(model.name, 200), "quantization": model.quantization, "size": model.size,
        "verdict": verdict.place, "words": verdict.words,
    }  # fmt: skip


def fit_as_object(name: str, estimate: MemoryEstimate, verdict: FitVerdict) -> dict[str, object]:
    """What a program reads; all sizes are bytes."""
    return {
        "name": name, "weights": estimate.weights, "kv_cache": estimate.kv_cache if estimate.kv_known else None,
        "compute": estimate.compute if estimate.kv_known else None, "total": estimate.total, "overhead": OVERHEAD,
        "available": verdict.available, "verdict": verdict.place, "words": verdict.words, "context": estimate.context,
        "cache_type": estimate.cache_type, "exact": estimate.exact, "layers": verdict.layers or None,
        "gpu_layers": verdict.on_gpu, "tokens_per_s": verdict.rate,
    }  # fmt: skip


def _exact(subject: FitSubject, wanted: LoadSettings, estimate: MemoryEstimate) -> MemoryEstimate:
    """What the engine itself says, where it is installed and has the file; else the estimate."""
    if subject.path is None:
        return estimate
    from tui.servers.engine.fit_line import fit_line

    told = fit_line(str(subject.path), estimate.context, wanted.cache_type)
    if told is None:
        return estimate
    weights, kv_cache, compute = told
    return replace(estimate, weights=weights, kv_cache=kv_cache, compute=compute, exact=True, kv_known=True)


def _subject(command: Models, settings: Settings, folders: Folders) -> FitSubject:
    text = command.names[0]
    if is_hub_name(text):
        return run(_of_hub(text))
    path = Path(text).expanduser()
    if text.lower().endswith(".gguf") or path.is_file():
        return _of_file(path)
    if command.server is None:
        named = [
            each for each in found_models(settings, folders).files if text in (each.name, each.path.name)
        ]
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
    finally:
        await server.aclose()


async def _of_hub(name: str) -> FitSubject:
    """What the header of the file says that would be downloaded, and which other ones there are. Raises LokalError."""
    reference = parse_hub_reference(name)
    offer = await offer_of(os.environ, reference)
    found = offer.repository
    called = replace(reference, quantization=found.chosen.quantization or reference.quantization).name
    return FitSubject(called, offer.header, offered=found.models, licence=offer.licence)
