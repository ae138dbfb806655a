"""Finding what a person types in what was said, whatever its case and accents: `zazolc` finds `Zażółć`."""

from __future__ import annotations

import unicodedata

from tui.core.folding import folded

_LOOKED_AT = 20_000
"""Characters at the start of a text in which something is looked for: a paste of megabytes is no place to find words."""


def folded_start(text: str) -> str:
    """As much of a text as is looked at, folded."""
    return folded(text[:_LOOKED_AT])


def place(text: str, query: str) -> tuple[int, int] | None:
    """Where `query` is in `text`: start and end of the characters that it stands for, None if it is not there."""
    text, wanted = text[:_LOOKED_AT], folded(query)
    if not wanted:
        return None
    if text.isascii() and "'" not in text:
        start = text.lower().find(wanted)
        return None if start < 0 else (start, start + len(wanted))
    letters: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        came_to = folded(character)
        letters.append(came_to)
        origin += [at] * len(came_to)
    start = "".join(letters).find(wanted)
    if start < 0:
        return None
    end = origin[start + len(wanted) - 1] + 1
    while end < len(text) and unicodedata.category(text[end]) == "Mn":
        end += 1
    return origin[start], end
