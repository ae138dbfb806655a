"""What an answer shows by itself of what is wrong with it: that its text goes round in circles, that it ran into its limit."""

from __future__ import annotations

from tui.core.message import Message, Status

_LEAST, _MOST = 8, 400
"""Characters of what is said again and again."""
_TIMES = 4
_LEAST_IN_ALL = 120
"""So many characters at the end of a text are the same thing again before it counts."""


def loops(text: str) -> bool:
    """Whether a text ends in the same piece of it again and again."""
    tail = text.rstrip()[-_MOST * _TIMES :]
    for length in range(_LEAST, min(_MOST, len(tail) // _TIMES) + 1):
        piece = tail[-length:]
        times = max(_TIMES, -(-_LEAST_IN_ALL // length))
        if len(set(piece)) > 1 and tail.endswith(piece * times):
            return True
    return False


def sign_of(answer: Message) -> str:
    """What is wrong, as the end of “The answer ...”; empty for nothing that shows."""
    if answer.status is not Status.COMPLETE:
        return ""
    if loops(answer.content):
        return "repeats itself"
    if (
        answer.finish_reason == "length"
        and answer.parameters.get("max_tokens") is not None
        and answer.content
    ):
        return f"ran into max_tokens {answer.parameters['max_tokens']}"
    return ""
