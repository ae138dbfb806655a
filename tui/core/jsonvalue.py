"""JSON values of any size: their beginnings in words, and what makes two of them equal."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from tui.core.text import safe_line
from tui.core.work import WorkBudget

_SHOWN = 40
_EXACT = 2**53


def shown(value: object) -> str:
    """The beginning of a value as JSON."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > 8 * _SHOWN:
            break
    return safe_line(text, _SHOWN)


def key_of(value: object, budget: WorkBudget) -> object:
    """What is equal for equal JSON: 1 and 1.0 are, 1 and true are not. Raises Exhausted."""
    budget.spend()
    match value:
        case bool():
            return ("bool", value)
        case dict():
            return frozenset((name, key_of(inner, budget)) for name, inner in value.items())
        case list():
            return tuple([key_of(inner, budget) for inner in value])
        case int() | float() if abs(value) > _EXACT and math.isfinite(
            value if isinstance(value, float) else 0
        ):
            # As text: numbers of one remainder share one hash, and a set of them takes the square of their count.
            return ("large", hex(int(value)))
        case _:
            return value


def _pieces(value: object) -> Iterator[str]:
    match value:
        case str():
            yield json.dumps(value[: 8 * _SHOWN], ensure_ascii=False)
        case list():
            yield "["
            for number, inner in enumerate(value):
                yield ", " if number else ""
                yield from _pieces(inner)
            yield "]"
        case dict():
            yield "{"
            for number, (name, inner) in enumerate(value.items()):
                yield f"{', ' if number else ''}{json.dumps(name[: 8 * _SHOWN], ensure_ascii=False)}: "
                yield from _pieces(inner)
            yield "}"
        case _:
            yield json.dumps(value)
