"""What `/ladder` asks for: one question at several values of one parameter, so that it is seen what the parameter does.

/ladder temperature 0.1 0.7 1.2                  the last question again
/ladder top_k 1 20 100: Name an animal.          a question of its own, after a colon and a blank
/ladder temperature                              values are chosen from the parameter's usual range
"""

from __future__ import annotations

import re
from collections import Counter

from tui.core.compare import LEAST, MOST, ColumnRequest, ComparisonRequest, split_prompt
from tui.core.message import Value
from tui.core.parameter import Parameter
from tui.core.parameters import find
from tui.core.text import count_of
from tui.errors import UsageError

EXAMPLE = "Write it like: /ladder temperature 0.1 0.7 1.2: Why is the sky blue?"
SEED = 1
"""All columns begin with the same random numbers: what differs comes of the parameter."""


def parse(argument: str, open_preset: str, seed: Value | None = None) -> ComparisonRequest:
    """What the text after `/ladder` means. `seed` is the one that is set already. Raises UsageError."""
    words, prompt = split_prompt(argument)
    name, *texts = words.split() or [""]
    if not name:
        raise UsageError("Of which parameter?", "", EXAMPLE)
    parameter = find(name)
    reloads = any(mapping.reloads for mapping in parameter.wire.values())
    if parameter.kind not in (int, float) or not parameter.wire or reloads:
        raise UsageError(
            f"{parameter.name} cannot be climbed", "A ladder has numbers that go with a question", EXAMPLE
        )
    values = _values(parameter, texts)
    same = () if parameter.name == "seed" else (("seed", SEED if seed is None else seed),)
    columns = tuple(ColumnRequest(open_preset, values=((parameter.name, value), *same)) for value in values)
    return ComparisonRequest(columns, prompt)


def _values(parameter: Parameter, texts: list[str]) -> list[Value]:
    if not texts:
        low, high = parameter.usual or (parameter.lo, parameter.hi)
        texts = [str(parameter.kind(max(parameter.lo, low + (high - low) * step / 3))) for step in range(4)]
    values: list[Value] = []
    for text in texts:
        value = parameter.parse(text.rstrip(","))
        if value is not None and value not in values:
            values.append(value)
    if not LEAST <= len(values) <= MOST:
        raise UsageError(
            f"A ladder has {LEAST} to {MOST} different values, not {len(values)}",
            "A question comes after a colon" if len(values) > MOST else "",
            EXAMPLE,
        )
    return values


def difference(text: str, first: str | None) -> str:
    """How an answer compares with the first one: `52 words, 63 % of them in the first too`; `first` None = it is that."""
    words = _words(text)
    count = count_of(len(words), "word")
    if first is None or not words:
        return count
    shared = sum((Counter(words) & Counter(_words(first))).values())
    if words == _words(first):
        return f"{count}, the same as the first"
    return f"{count}, {round(100 * shared / len(words))} % of them in the first too"


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
