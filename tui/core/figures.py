"""The figures of an answer, and of several together: tokens, seconds, rates. None = no server said it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tui.core.message import Message, Role


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Of `answers` answers. Tokens: those of the prompts (`prompt` includes `cached`) and of the answers (`completion`)
    are sums, `used` is what was in use of the context window when a server said it last. `first_token_s` is a mean, `total_s` a
    sum; the rates are over all answers that tell theirs."""

    answers: int = 0
    prompt: int | None = None
    cached: int | None = None
    completion: int | None = None
    used: int | None = None
    first_token_s: float | None = None
    total_s: float | None = None
    prompt_tokens_per_s: float | None = None
    tokens_per_s: float | None = None


def figures_of(answer: Message) -> AnswerFigures:
    """Those of one answer."""
    usage, timings = answer.usage, answer.timings
    return AnswerFigures(
        1,
        usage.prompt,
        usage.cached,
        usage.completion,
        usage.total,
        timings.first_token_s,
        timings.total_s,
        timings.prompt_tokens_per_s,
        timings.tokens_per_s,
    )


def figures_of_all(messages: Iterable[Message]) -> AnswerFigures:
    """Those of all answers among `messages`, in their order."""
    each = [figures_of(message) for message in messages if message.role is Role.ASSISTANT]
    if not each:
        return AnswerFigures()
    waits = _known([one.first_token_s for one in each])
    spans = _known([one.total_s for one in each])
    return AnswerFigures(
        len(each),
        _sum([one.prompt for one in each]),
        _sum([one.cached for one in each]),
        _sum([one.completion for one in each]),
        next((one.used for one in reversed(each) if one.used is not None), None),
        sum(waits) / len(waits) if waits else None,
        sum(spans) if spans else None,
        _rate([(one.prompt, one.prompt_tokens_per_s) for one in each]),
        _rate([(one.completion, one.tokens_per_s) for one in each]),
    )


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _rate(measured: Sequence[tuple[int | None, float | None]]) -> float | None:
    """All tokens by all the time that they took."""
    known = [(tokens, rate) for tokens, rate in measured if tokens and rate]
    return (
        sum(tokens for tokens, _ in known) / sum(tokens / rate for tokens, rate in known) if known else None
    )
