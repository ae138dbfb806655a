"""Whether there is the memory for a model, looked at before the engine loads it.

The weights are mapped from the file: where they have no room the system reads them again and again, which is slow but ends
nothing. The KV cache and the buffers have to be there: where they have no room the system ends the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tui.core.memory_fit import CONTEXTS, LoadSettings, MemoryEstimate, estimate_memory
from tui.core.message import Value
from tui.core.text import human_size, human_tokens, safe_line
from tui.errors import EngineError, FileError, sentences
from tui.servers.engine import fit_line, machine
from tui.servers.engine.gguf_file import parts_of
from tui.servers.engine.gguf_reader import read_header
from tui.servers.engine.machine_memory import machine_memory

SURE_SHARE = 4
"""A file that takes less than this part of the memory is not looked at, where the context window is the usual one."""
USUAL_CONTEXT = 16_384


def check_memory(gguf: Path, values: Mapping[str, Value], context: int, root: Path = machine.ROOT) -> str:
    """What is to be expected of a model that is loaded all the same, empty for nothing worth a word. Blocks: not at all where the
    model is small and the context window usual, else for up to seconds. Raises EngineError where the engine would not live."""
    memory = machine_memory(root)
    try:
        parts = parts_of(gguf)
        size = sum(part.stat().st_size for part in parts)
    except (OSError, FileError):  # said when it is loaded
        return ""
    if memory is None or memory.cards or (size * SURE_SHARE < memory.available and context <= USUAL_CONTEXT):
        return ""
    cache_type = str(values.get("cache_type", "f16"))
    estimate = _estimate(parts, context, cache_type)
    if estimate is None:
        return ""
    whose = "this machine" if not memory.limited else "the control group of lokal"
    free = f"{human_size(memory.available)} of memory {'is' if memory.available < 2e9 else 'are'} free on {whose}"
    needed = estimate.kv_cache + estimate.compute
    if needed > memory.available:
        raise EngineError(
            f"{safe_line(gguf.name, 80)} cannot be loaded with a context window of {human_tokens(context)}",
            f"Its cache and buffers alone take {estimate.mark}{human_size(needed)}; {free}",
            _smaller(parts, cache_type, memory.available, context),
        )
    if estimate.total > memory.available:
        return sentences(
            f"{safe_line(gguf.name, 80)} takes {estimate.mark}{human_size(estimate.total)}; {free}",
            "It will be very slow: a smaller quantization or model helps",
        )
    return ""


def _estimate(parts: tuple[Path, ...], context: int, cache_type: str) -> MemoryEstimate | None:
    """What the engine says itself, where it can be asked; else what follows from the header."""
    try:
        headers = [read_header(part) for part in parts]
    except FileError:
        return None
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    whole = replace(headers[0], tensors=tensors, size=sum(header.size for header in headers))
    estimate = estimate_memory(whole, LoadSettings(context, cache_type))
    if not estimate.kv_known:
        return None
    told = fit_line.fit_line(str(parts[0]), estimate.context, cache_type)
    if told is None:
        return estimate
    weights, kv_cache, compute = told
    return replace(estimate, weights=weights, kv_cache=kv_cache, compute=compute, exact=True)


def _smaller(parts: tuple[Path, ...], cache_type: str, available: int, context: int) -> str:
    """The largest context window that has room, as something to do."""
    for tokens in reversed([one for one in CONTEXTS if one < context]):
        estimate = _estimate(parts, tokens, cache_type)
        if estimate is not None and estimate.kv_cache + estimate.compute < available:
            return f"context_window={tokens} has room: /set context_window={tokens}, or --set"
    return "Choose a smaller model, or end other programs"
