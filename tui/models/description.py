"""All that a server tells of one model, in named parts that every front end shows in its own way."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.model_management import Facts, ModelDetails
from tui.core.text import human_size, local_minute

MODELFILE = "Modelfile"


@dataclass(frozen=True, slots=True)
class DescriptionPart:
    """A title, empty for the first part, with facts or a text."""

    title: str
    facts: Facts = ()
    text: str = ""


def description_of(details: ModelDetails) -> tuple[DescriptionPart, ...]:
    """The parts that the server tells something in."""
    parts = (
        DescriptionPart("", tuple((name, value) for name, value in _figures(details) if value)),
        DescriptionPart("settings", details.settings),
        DescriptionPart("projector", details.projector),
        DescriptionPart("also told", details.facts),
        DescriptionPart("system prompt", text=details.system.strip()),
        DescriptionPart("template", text=details.template.strip()),
        DescriptionPart("licence", text=details.license.strip()),
        DescriptionPart(MODELFILE, text=details.modelfile.strip()),
    )
    return tuple(part for part in parts if part.facts or part.text)


def _figures(details: ModelDetails) -> Facts:
    changed = details.changed_at
    return (
        ("family", details.family),
        ("parameters", details.parameters),
        ("quantization", details.quantization),
        ("format", details.format),
        ("size", human_size(details.size) if details.size is not None else ""),
        ("layers", _count(details.layers)),
        ("heads", _heads(details)),
        ("embedding length", _count(details.embedding_length)),
        ("context", _count(details.context_trained)),
        ("loaded with", _count(details.context_loaded)),
        ("can", ", ".join(details.capabilities)),
        ("changed", local_minute(changed) if changed is not None else ""),
        ("digest", details.digest),
        ("path", details.path),
        *(
            ("adapter", f"{one.name}{'' if one.scale is None else f', scale {one.scale:g}'}")
            for one in details.adapters
        ),
    )


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _heads(details: ModelDetails) -> str:
    if details.heads is None:
        return ""
    shared = f", {details.kv_heads:,} for keys and values" if details.kv_heads else ""
    return f"{details.heads:,}{shared}"


def as_text(name: str, parts: tuple[DescriptionPart, ...]) -> str:
    """The description as plain text, to be copied or printed."""
    lines = [name]
    for part in parts:
        if part.title:
            lines += ["", part.title]
        for label, value in part.facts:
            first, *others = value.splitlines() or [""]
            lines += [f"  {label:<{max(LABEL, len(label) + 1)}}{first}", *(f"    {line}" for line in others)]
        lines += [f"  {line}".rstrip() for line in part.text.splitlines()]
    return "\n".join(lines) + "\n"


LABEL = 18
"""Columns of the names before values."""
