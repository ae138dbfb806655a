"""The sum of what a model takes as lines with bars, the same on the command line and on the screen."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.memory_fit import OVERHEAD, FitPlace, FitVerdict, MemoryEstimate
from tui.core.text import human_size, human_tokens

LABEL = 11
FULL, EMPTY = "▓", "░"


@dataclass(frozen=True, slots=True)
class SumLine:
    """A line of the sum: what, how many bytes, what share of all that is free, and a few words."""

    label: str
    size: int
    share: float
    words: str = ""


def sum_lines(estimate: MemoryEstimate, verdict: FitVerdict) -> tuple[SumLine, ...]:
    """Weights, KV cache, compute and all of it; their shares are of what is free, or of the whole sum where nothing is known
    of the machine."""
    whole = verdict.available or estimate.total or 1
    window = f"{human_tokens(estimate.context)} tokens, {estimate.cache_type}"
    lines = [SumLine("weights", estimate.weights, estimate.weights / whole)]
    if estimate.kv_known:
        lines.append(SumLine("KV cache", estimate.kv_cache, estimate.kv_cache / whole, window))
        lines.append(SumLine("compute", estimate.compute, estimate.compute / whole))
    if verdict.place is not FitPlace.GPU:
        lines.append(SumLine("program", OVERHEAD, OVERHEAD / whole))
    free = f"of {human_size(verdict.available)} free" if verdict.available is not None else ""
    lines.append(SumLine("together", verdict.needed, verdict.needed / whole, free))
    return tuple(lines)


def bar_of(share: float, width: int, signs: tuple[str, str] = (FULL, EMPTY)) -> str:
    """A bar of `width` cells; what is there at all fills at least one."""
    filled = min(width, max(1 if share > 0 else 0, round(share * width)))
    return signs[0] * filled + signs[1] * (width - filled)


def as_lines(
    estimate: MemoryEstimate, verdict: FitVerdict, width: int, signs: tuple[str, str] = (FULL, EMPTY)
) -> tuple[str, ...]:
    """The sum and the verdict in lines of at most `width` columns."""
    bar = max(4, min(30, width - LABEL - 12 - 24))
    lines = []
    for line in sum_lines(estimate, verdict):
        size = f"{estimate.mark if line.label in ('KV cache', 'compute', 'together') else ''}{human_size(line.size)}"
        lines.append(
            f"{line.label:<{LABEL}}{bar_of(line.share, bar, signs)} {size:>9}  {line.words}".rstrip()[:width]
        )
    return (*lines, "", verdict_line(estimate, verdict)[:width])


def verdict_line(estimate: MemoryEstimate, verdict: FitVerdict) -> str:
    """Whether it fits, in a sentence."""
    if verdict.place is FitPlace.UNKNOWN:
        return "fits? unknown: the server is on another machine, and its memory is not told"
    beyond = ""
    if estimate.context_trained and estimate.context > estimate.context_trained:
        beyond = f"; it was made for {human_tokens(estimate.context_trained)} tokens"
    rough = "" if estimate.kv_known else "; the weights alone, for nothing else is told of it"
    if not verdict.fits:
        return f"does not fit: {verdict.words.removeprefix('no: ')}{rough}"
    return f"fits: {verdict.words}{beyond}{rough}"
