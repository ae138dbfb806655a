"""The text in a message: a string as a rule, but some servers send a list of parts, or objects, and some have reasoning
among them."""

from __future__ import annotations

from dataclasses import dataclass

from tui.servers.json_object import JsonObject, whole_characters

REASONING_FIELDS = (
    "reasoning_content", "reasoning", "reasoning_text", "thinking", "reasoning_details", "thinking_blocks",
)  # fmt: skip
"""Where servers put reasoning, the usual place first. One that has several says the same in each."""

_REASONING = frozenset(REASONING_FIELDS)
_KEYS = ("text", "content", *REASONING_FIELDS, "summary", "refusal")
_THOUGHTS = ("think", "reason", "thought")
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class ContentPart:
    """A piece of text, or of reasoning."""

    text: str
    reasoning: bool = False


def reasoning_of(message: JsonObject) -> str:
    """The reasoning that a message has beside its content."""
    values = message.values
    if _REASONING.isdisjoint(values):
        return ""
    return next((text for key in REASONING_FIELDS if (text := _text_in(values.get(key)))), "")


def parts_of(message: JsonObject) -> list[ContentPart]:
    """What the content of a message says, or why the model refuses to say anything."""
    content = message.values.get("content")
    if isinstance(content, str):
        return [ContentPart(whole_characters(content))] if content else _refusal(message)
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return _refusal(message)
    parts = [
        ContentPart(text, isinstance(part, dict) and _is_thought(part))
        for part in content
        if (text := _text_in(part))
    ]
    return parts or _refusal(message)


def _refusal(message: JsonObject) -> list[ContentPart]:
    text = message.text("refusal")
    return [ContentPart(text)] if text else []


def _is_thought(part: dict[object, object]) -> bool:
    kind = part.get("type")
    return (isinstance(kind, str) and any(word in kind.lower() for word in _THOUGHTS)) or part.get(
        "thought"
    ) is True


def _text_in(value: object, depth: int = 0) -> str:
    """The text of a part: a string, an object that has it under one of the usual names, or a list of such."""
    if isinstance(value, str):
        return whole_characters(value)
    if depth > _DEEPEST:
        return ""
    if isinstance(value, list):
        return "".join(_text_in(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return next((text for key in _KEYS if (text := _text_in(value.get(key), depth + 1))), "")
    return ""
