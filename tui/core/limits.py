"""What of a parameter's value a kind of server takes, where it does not take all that the parameter may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.core.message import Value
from tui.core.text import safe_line

SHOWN = 30
"""Characters of a stop sequence that is named."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What of a value is sent: all of it, a part, or nothing (None). `left_out` says in words what is not, and why."""

    value: Value | None
    left_out: str = ""


Limit = Callable[[Value, int | None], Allowed]
"""Called with a value and with the context window in tokens, None where it is not known."""


def first(most: int) -> Limit:
    """The first `most` of a list of texts."""

    def limit(value: Value, window: int | None) -> Allowed:
        if not isinstance(value, tuple) or len(value) <= most:
            return Allowed(value)
        rest = ", ".join(f"“{safe_line(text, SHOWN)}”" for text in value[most:])
        return Allowed(value[:most], f"stop sequences after the first {most}: {rest}")

    return limit


def within_window(*, equal: bool) -> Limit:
    """No limit of an answer's length that the window could not hold; `equal` = the whole window is no fault."""

    def limit(value: Value, window: int | None) -> Allowed:
        if window is None or not isinstance(value, int) or value < window or (equal and value == window):
            return Allowed(value)
        return Allowed(None, f"max_tokens {value}, as the context window has {window}")

    return limit


def not_zero(name: str, means: str) -> Limit:
    """Anything but 0, which `means` something else there."""

    def limit(value: Value, window: int | None) -> Allowed:
        return Allowed(value) if value != 0 else Allowed(None, f"{name} 0, which means {means} there")

    return limit
