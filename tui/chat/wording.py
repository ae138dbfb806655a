"""What an answer is doing, in words that every front end uses."""

from __future__ import annotations

from tui.core.events import Phase, Progress
from tui.core.generation import Generation
from tui.core.text import human_size


def phase_words(generation: Generation) -> str:
    """What an answer is doing right now: `reading the prompt 61 %`, `answering  41 tok/s`; and that nothing has come for
    long, which may be a long prompt, or a server that hangs."""
    words, minutes = _phase_words(generation), generation.silent_minutes
    return f"{words} · no word for {minutes} min" if words and minutes else words


def _phase_words(generation: Generation) -> str:
    match generation.phase:
        case Phase.CONNECTING:
            return "connecting"
        case Phase.WAITING if generation.progress is not None:
            return f"busy, asked again in {generation.progress.total - generation.progress.done} s"
        case Phase.LOADING:
            return "loading the model" + _how_far(generation.progress)
        case Phase.PREFILL:
            return "reading the prompt" + _how_far(generation.progress)
        case Phase.STREAMING:
            word = "thinking" if generation.thinking else "answering"
            rate = generation.tokens_per_s()
            return word if rate is None else f"{word}  {rate_words(rate)}"
        case _:
            return ""


def _how_far(progress: Progress | None) -> str:
    if progress is None or progress.fraction is None:
        return ""
    if progress.unit == "bytes":
        return f" {human_size(progress.done)} of {human_size(progress.total)}"
    return f" {progress.fraction * 100:.0f} %"


def rate_words(tokens_per_s: float) -> str:
    """`41 tok/s`, `4.1 tok/s`."""
    return f"{tokens_per_s:.0f} tok/s" if tokens_per_s >= 10 else f"{tokens_per_s:.1f} tok/s"
