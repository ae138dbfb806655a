"""Parameter presets: the three that ship, with the band that each of their values belongs in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tui.core.message import NO_PARAMETERS, Value
from tui.errors import UsageError

ValueRange = tuple[float, float]

RESERVED = frozenset(
    {"save", "new", "drop", "copy", "rename", "describe", "delete", "undo", "reset", "move", "diff"}
)
"""Words that `/preset` does something by, so that no preset can be named so."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of parameter values. A parameter that is not in `values` is not sent.

    `system` is a system prompt that goes with it, empty for none; `description` says what it is for. `model` is the model that is
    used with it, where the server has it, and `persona` the name of the examples that are sent with it; empty = none.
    """

    name: str
    values: Mapping[str, Value] = field(default_factory=lambda: NO_PARAMETERS)
    description: str = ""
    system: str = ""
    model: str = ""
    persona: str = ""

    def with_value(self, name: str, value: Value | None) -> Preset:
        """The preset with one value set, or taken out (None)."""
        values = {key: old for key, old in self.values.items() if key != name}
        if value is not None:
            values[name] = value
        return replace(self, values=MappingProxyType(values))


# Bands from the owner's table of the three presets; a shipped value is the middle of its band.
_RECOMMENDED: Mapping[str, Mapping[str, ValueRange]] = {
    "technical": {
        "temperature": (0.3, 0.5), "top_p": (0.7, 0.9), "top_k": (20, 40), "max_tokens": (512, 512),
        "repeat_penalty": (1.1, 1.3),
    },
    "creative": {
        "temperature": (0.7, 1.0), "top_p": (0.9, 1.0), "top_k": (40, 60), "max_tokens": (1024, 1024),
        "repeat_penalty": (1.1, 1.3),
    },
    "chatbot": {
        "temperature": (0.5, 0.7), "top_p": (0.8, 0.95), "top_k": (30, 50), "max_tokens": (768, 768),
        "repeat_penalty": (1.1, 1.3),
    },
}  # fmt: skip
_DESCRIPTIONS = {
    "technical": "exact and short: facts, code, commands, summaries",
    "creative": "varied and longer: verse, stories, ideas",
    "chatbot": "in between: everyday conversation",
}
_WHOLE = frozenset({"top_k", "max_tokens"})


def recommended_range(preset: str, parameter: str) -> ValueRange | None:
    """The band that a value belongs in, for a preset that ships; None for any other."""
    return _RECOMMENDED.get(preset, {}).get(parameter)


def _middle(name: str, bounds: ValueRange) -> Value:
    middle = (bounds[0] + bounds[1]) / 2
    return int(middle) if name in _WHOLE else round(middle, 4)


SHIPPED: tuple[Preset, ...] = tuple(
    Preset(
        name,
        MappingProxyType({parameter: _middle(parameter, bounds) for parameter, bounds in bands.items()}),
        _DESCRIPTIONS[name],
    )
    for name, bands in _RECOMMENDED.items()
)


def find(presets: Sequence[Preset], name: str) -> Preset:
    """The preset of that name. Raises UsageError that lists those there are."""
    for preset in presets:
        if preset.name == name:
            return preset
    known = ", ".join(preset.name for preset in presets)
    raise UsageError(f"There is no preset “{name}”", "", f"There are: {known}")


def after(presets: Sequence[Preset], name: str) -> Preset:
    """The preset that follows `name`, the first after the last."""
    names = [preset.name for preset in presets]
    return presets[(names.index(name) + 1) % len(presets)] if name in names else presets[0]
