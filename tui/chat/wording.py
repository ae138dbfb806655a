"""What an answer is doing, and how it ended, in words that every front end uses."""

from __future__ import annotations

from tui.core.endings import remark
from tui.core.events import Phase, Progress
from tui.core.generation import Generation
from tui.core.message import Message, Status
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
        case Phase.LOADING | Phase.PREFILL:
            return progress_words(generation.phase, generation.progress)
        case Phase.STREAMING:
            word = "thinking" if generation.thinking else "answering"
            rate = generation.tokens_per_s()
            return word if rate is None else f"{word}  {rate_words(rate)}"
        case _:
            return ""


def progress_words(phase: Phase, progress: Progress | None) -> str:
    """What a model does before its first word, and how far it is: `loading the model`, `reading the prompt 61 %`."""
    return ("loading the model" if phase is Phase.LOADING else "reading the prompt") + _how_far(progress)


def _how_far(progress: Progress | None) -> str:
    if progress is None or progress.fraction is None:
        return ""
    if progress.unit == "bytes":
        return f" {human_size(progress.done)} of {human_size(progress.total)}"
    return f" {progress.fraction * 100:.0f} %"


def rate_words(tokens_per_s: float) -> str:
    """`41 tok/s`, `4.1 tok/s`."""
    return f"{tokens_per_s:.0f} tok/s" if tokens_per_s >= 10 else f"{tokens_per_s:.1f} tok/s"


def ending_words(message: Message, retry: str, go_on: str) -> str:
    """What is to be said under an answer: why it is not whole, and what helps; empty for nothing. `retry` and `go_on` are
    how a person asks again and continues."""
    ways = f"{go_on} continues · {retry} asks again" if message.resumable else f"{retry} asks again"
    match message.status:
        case Status.FAILED:
            return f"{problem_words(message)}\n{ways}"
        case Status.INTERRUPTED:
            why = "Interrupted: lokal ended before the answer did"
            return f"{problem_words(message) if message.problem else why}\n{ways}"
        case Status.STOPPED:
            return f"{message.problem.title if message.problem is not None else 'stopped by you'} · {ways}"
        case Status.COMPLETE if message.finish_reason == "length":
            if not message.content.strip() and message.reasoning:
                return _cut_in_thought(message)
            return f"{cut_words(message)} · {go_on} continues"
        case Status.COMPLETE if said := remark(message.finish_reason):
            return f"{said} · {ways}"
        case Status.COMPLETE if not message.content.strip() and not message.reasoning:
            return f"The model answered nothing · {retry} asks again"
        case _:
            return ""


def cut_words(message: Message) -> str:
    """Where an answer was cut."""
    limit = message.cut_at
    return f"cut at {limit} tokens" if limit else "cut at the end of the context window"


def _cut_in_thought(message: Message) -> str:
    if message.cut_at:
        return "The limit was reached while thinking: raise max_tokens or switch thinking off"
    return "The context window was full while thinking: take a larger one or switch thinking off"


def problem_words(message: Message) -> str:
    """Why an answer failed, a line for each part."""
    if message.problem is None:
        return "The answer failed"
    parts = (message.problem.title, message.problem.detail, message.problem.hint)
    return "\n".join(part for part in parts if part)
