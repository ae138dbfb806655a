"""What a download has changed of a model that was there."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from tui.core.model_management import ModelDetails
from tui.core.text import human_size

MOST_LINES = 2000
"""Lines of a text that are compared: longer ones are only said to differ, for comparing takes the square of their count."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Something that is other than before. `before` and `after` are for values of one line, `diff` has the lines of a text as
    `diff -u` gives them, without their heads."""

    name: str
    before: str = ""
    after: str = ""
    diff: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelChanges:
    """All that is other than before; nothing, where a model was up to date."""

    fields: tuple[FieldChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields)

    @property
    def words(self) -> str:
        """What changed, in a few words: `changed: weights, template`."""
        return f"changed: {', '.join(field.name for field in self.fields)}" if self.fields else "up to date"


def changes_between(before: ModelDetails, after: ModelDetails) -> ModelChanges:
    """What differs. Two with the same digest are the same, whatever else a server says of them."""
    if before.digest and before.digest == after.digest:
        return ModelChanges()
    found = []
    if before.weights != after.weights:
        found.append(FieldChange("weights", _size(before), _size(after)))
    for name, one, other in (
        ("quantization", before.quantization, after.quantization),
        ("parameters", before.parameters, after.parameters),
        ("context", str(before.context_trained or ""), str(after.context_trained or "")),
        ("capabilities", ", ".join(before.capabilities), ", ".join(after.capabilities)),
    ):
        if one != other:
            found.append(FieldChange(name, one, other))
    for name, old, new in (
        ("template", before.template, after.template),
        ("system prompt", before.system, after.system),
        ("settings", _settings(before), _settings(after)),
        ("licence", before.license, after.license),
    ):
        if old != new:
            found.append(FieldChange(name, diff=_diff(old, new)))
    if not found and before.digest and after.digest:
        found.append(FieldChange("description", before.digest[:12], after.digest[:12]))
    return ModelChanges(tuple(found))


def _size(details: ModelDetails) -> str:
    return human_size(details.size) if details.size is not None else ""


def _settings(details: ModelDetails) -> str:
    return "\n".join(f"{name} {value}" for name, value in details.settings)


def _diff(before: str, after: str) -> tuple[str, ...]:
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MOST_LINES:
        return ()
    lines = list(difflib.unified_diff(old, new, n=2, lineterm=""))
    return tuple(lines[2:])
