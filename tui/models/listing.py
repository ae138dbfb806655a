"""The list of a server's models: its order, what a person looks for in it, and what all of them take."""

from __future__ import annotations

from collections.abc import Sequence

from tui.core.folding import folded
from tui.core.model import Model
from tui.core.text import count_of, human_size

SORTS = ("name", "size", "changed", "loaded")
"""What a list can be ordered by: names from A to Z, the largest, the newest, or those in memory first."""


def order(model: Model, by: str) -> tuple[object, str]:
    """The key to order models with, `by` one of SORTS."""
    name = model.name.casefold()
    if by == "size":
        return -(model.size or 0), name
    if by == "changed":
        return -(model.changed_at or 0.0), name
    return (not model.loaded if by == "loaded" else 0), name


def listed(models: Sequence[Model], by: str = "", query: str = "") -> tuple[Model, ...]:
    """The models that have every word of `query` in their name, family, size, quantization or in what they can, ordered `by`;
    without it as the server lists them. Those that cannot chat stand last. Case and accents do not matter."""
    words = folded(query).split()
    found = [model for model in models if _has(model, words)]
    if by:
        found.sort(key=lambda model: order(model, by))
    return tuple(sorted(found, key=lambda model: not model.chats))


def _has(model: Model, words: Sequence[str]) -> bool:
    if not words:
        return True
    told = (
        model.name,
        model.family,
        model.parameters,
        model.quantization,
        *model.capabilities,
        *model.aliases,
    )
    text = folded(" ".join(told))
    return all(word in text for word in words)


def totals(models: Sequence[Model], separator: str = ", ") -> str:
    """How many models there are, what they take on the disk and in memory."""
    parts = [count_of(len(models), "model")]
    sizes = [model.size for model in models if model.size is not None]
    if sizes:
        parts.append(f"{human_size(sum(sizes))} on the disk")
    if in_memory := [model.memory for model in models if model.memory is not None]:
        parts.append(f"{human_size(sum(in_memory))} in memory")
    return separator.join(parts)
