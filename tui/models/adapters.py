"""How strongly the LoRA adapters of a model are applied, as a person types it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tui.core.model_management import Adapter
from tui.core.text import count_of, safe_line, safe_name
from tui.errors import UsageError

MOST_SCALE = 100.0
"""Far more than any adapter bears; 1 is what it was trained for."""


def file_name(adapter: Adapter) -> str:
    """What an adapter is called: its file, without the folder."""
    return safe_name(adapter.name.replace("\\", "/").rpartition("/")[2] or adapter.name, 60)


def scales_text(adapters: Sequence[Adapter]) -> str:
    """The scales as they can be typed: `1 0.5`."""
    return " ".join(f"{1.0 if one.scale is None else one.scale:g}" for one in adapters)


def parse_scales(typed: str, count: int) -> tuple[float, ...]:
    """The scales of `count` adapters, in their order. Raises UsageError."""
    words = typed.replace(";", " ").split()
    if len(words) != count:
        raise UsageError(
            f"There {'is' if count == 1 else 'are'} {count_of(count, 'adapter')}, and {count_of(len(words), 'number')} "
            f"{'was' if len(words) == 1 else 'were'} typed",
            "",
            "One number an adapter, in their order: 1 is as it was trained, 0 is off",
        )  # fmt: skip
    return tuple(map(_scale, words))


def _scale(word: str) -> float:
    try:
        scale = float(word.replace(",", "."))
    except ValueError:
        scale = math.nan
    if not abs(scale) <= MOST_SCALE:  # which NaN is not either
        raise UsageError(
            f"“{safe_line(word, 30)}” is no scale",
            "",
            f"A number up to {MOST_SCALE:g}: 1 is as trained, 0 is off",
        )
    return scale


def scales_words(adapters: Sequence[Adapter], scales: Sequence[float]) -> str:
    """`style.gguf 0.5, terse.gguf off`."""
    pairs = zip(adapters, scales, strict=True)
    return ", ".join(f"{file_name(one)} {f'{scale:g}' if scale else 'off'}" for one, scale in pairs)
