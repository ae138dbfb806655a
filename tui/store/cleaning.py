"""Chats from a file without what a terminal would act on: escape sequences, control characters, direction marks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from tui.core.conversation import Conversation
from tui.core.message import NO_PARAMETERS, Attachment, Message, Problem, Value
from tui.core.text import safe_block, safe_line, safe_name
from tui.store.rows import WholeChat

_LARGEST = 2**64  # a seed may have 64 bits


def cleaned_chat(chat: WholeChat) -> WholeChat:
    """The chat with its title in a line and all its texts safe to show."""
    before, title = chat.conversation, safe_name(chat.conversation.title)
    leaf = before.leaf
    conversation = Conversation(
        before.id, title, [cleaned(message) for message in before], None if leaf is None else leaf.id
    )
    return WholeChat(conversation, replace(chat.summary, title=title))


def cleaned(message: Message) -> Message:
    """The message with texts that are safe to show; numbers beyond all sense are left out of its parameters."""
    problem = message.problem
    return replace(
        message,
        content=safe_block(message.content),
        reasoning=safe_block(message.reasoning),
        model=safe_name(message.model),
        server=safe_line(message.server),
        preset=safe_line(message.preset),
        finish_reason=safe_line(message.finish_reason),
        parameters=_parameters(message.parameters),
        problem=None
        if problem is None
        else Problem(safe_line(problem.title), safe_block(problem.detail), safe_block(problem.hint)),
        attachments=tuple(
            Attachment(safe_line(file.name), safe_line(file.media_type), file.data)
            for file in message.attachments
        ),
    )


def is_plain(id: str) -> bool:
    """Whether an id can be shown and typed as it is."""
    return bool(id) and id == safe_line(id)


def _parameters(parameters: Mapping[str, Value]) -> Mapping[str, Value]:
    found = {safe_line(name): _value(value) for name, value in parameters.items() if _is_sane(value)}
    return MappingProxyType(found) if found else NO_PARAMETERS


def _value(value: Value) -> Value:
    if isinstance(value, str):
        return safe_block(value)
    return tuple(map(safe_block, value)) if isinstance(value, tuple) else value


def _is_sane(value: Value) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) < _LARGEST
