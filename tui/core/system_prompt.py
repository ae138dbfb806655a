"""A chat's own system prompt, which takes the place of the preset's. Each answer records the one that it was asked with,
and a chat that is opened goes on with that of its last answer."""

from __future__ import annotations

from collections.abc import Mapping

from tui.core.message import Message, Value

RECORD = "system"
"""The name under which an answer's parameters have it."""


def system_of(answer: Message | None) -> str:
    """The chat's own system prompt that an answer was asked with; empty for none."""
    recorded = answer.parameters.get(RECORD) if answer is not None else None
    return recorded if isinstance(recorded, str) else ""


def recorded(system: str) -> Mapping[str, Value]:
    """What an answer's parameters keep of it."""
    return {RECORD: system} if system else {}
