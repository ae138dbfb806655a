"""How long a server keeps a model in memory after a request, as people write it: `30m`, `1h30m`, `0`, `forever`.

Ollama takes a number of seconds or a duration with units, and a negative one for ever (api/types.go). A number alone is
taken for seconds here too.
"""

from __future__ import annotations

import re

FOREVER = "forever"
AT_ONCE = "0"
"""Not at all: the model is unloaded as soon as it has answered."""
FORM = f"a time such as 30m or 1h30m, {AT_ONCE} for not at all, or {FOREVER}"
EXAMPLES = ("30m", AT_ONCE, FOREVER)
MOST_S = 100 * 365 * 86_400
"""The longest time in seconds: more is `forever`, and does not fit into Ollama's count of nanoseconds."""

_FOREVER_WORDS = frozenset({FOREVER, "for ever", "always", "-1", "no limit", "unlimited", "inf"})
_UNITS = {"d": 86_400, "h": 3600, "m": 60, "min": 60, "s": 1}
_PART = re.compile(r"(\d{1,12})\s*(d|h|min|m|s)\s*")


def normal_time(text: str) -> str | None:
    """The time that a person's `text` means, in the shortest form that Ollama reads, `forever` or `0`; None if it is none."""
    typed = text.strip().lower()
    if typed in _FOREVER_WORDS:
        return FOREVER
    if typed.isascii() and typed.isdigit():
        typed += "s"
    seconds = end = 0
    for part in _PART.finditer(typed):
        if part.start() != end:
            return None
        seconds += int(part[1]) * _UNITS[part[2]]
        end = part.end()
    if not typed or end != len(typed):
        return None
    return FOREVER if seconds > MOST_S else _written(seconds)


def as_field(value: str) -> str | int:
    """The JSON value that Ollama takes for it."""
    return {FOREVER: -1, AT_ONCE: 0}.get(value, value)


def _written(seconds: int) -> str:
    if seconds == 0:
        return AT_ONCE
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "h"), (rest // 60, "m"), (rest % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)
