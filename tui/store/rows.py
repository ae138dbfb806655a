"""A message as a row and back: exactly what was given comes out, but for half characters that no file can hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from tui.core.conversation import Conversation
from tui.core.message import (
    NO_PARAMETERS,
    Attachment,
    Message,
    Problem,
    Role,
    Status,
    Timings,
    Usage,
    Value,
)

Cell = str | float | int | bytes | None
"""What SQLite keeps in one cell."""

COLUMNS = (
    "id", "parent", "role", "content", "created_at", "reasoning", "status", "model", "server", "preset",
    "parameters", "usage", "timings", "finish_reason", "problem", "edited",
)  # fmt: skip
"""The columns of a message, in the order of `message_row` and `message_from`."""


@dataclass(frozen=True, slots=True)
class ChatSummary:
    """One line of the list of chats. `message_count` counts all branches; times are seconds since the epoch, UTC."""

    id: str
    title: str
    created_at: float
    updated_at: float
    message_count: int
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class WholeChat:
    """A chat with all its branches, and what the list says of it."""

    conversation: Conversation
    summary: ChatSummary


def storable(text: str) -> str:
    """`text` with halves of surrogate pairs put together, and each half that is left alone replaced by U+FFFD.

    A JSON escape in a server's reply can bring such a half, and UTF-8 has no bytes for it.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def message_row(message: Message) -> tuple[Cell, ...]:
    """The cells of a message, one for each of COLUMNS."""
    return (
        storable(message.id),
        None if message.parent is None else storable(message.parent),
        message.role.value,
        storable(message.content),
        message.created_at,
        storable(message.reasoning),
        message.status.value,
        storable(message.model),
        storable(message.server),
        storable(message.preset),
        _as_json(dict(message.parameters)),
        _as_json(asdict(message.usage)),
        _as_json(asdict(message.timings)),
        storable(message.finish_reason),
        None if message.problem is None else _as_json(asdict(message.problem)),
        int(message.edited),
    )


def message_from(
    row: tuple[Any, ...],
    attachments: tuple[Attachment, ...],
    more_content: str = "",
    more_reasoning: str = "",
) -> Message:
    """The message of a row, with the text that was checkpointed after the row was written.

    Raises ValueError, TypeError or AttributeError for a row that lokal cannot have written.
    """
    (
        id, parent, role, content, created_at, reasoning, status, model, server, preset,
        parameters, usage, timings, finish_reason, problem, edited,
    ) = row  # fmt: skip
    return Message(
        id=id,
        parent=parent,
        role=Role(role),
        content=content + more_content,
        created_at=created_at,
        reasoning=reasoning + more_reasoning,
        status=Status(status),
        model=model,
        server=server,
        preset=preset,
        parameters=_parameters(parameters),
        usage=Usage() if usage == _NO_USAGE else Usage(**json.loads(usage)),
        timings=Timings() if timings == _NO_TIMINGS else Timings(**json.loads(timings)),
        finish_reason=finish_reason,
        problem=None if problem is None else Problem(**json.loads(problem)),
        attachments=attachments,
        edited=bool(edited),
    )


def _as_json(value: Mapping[str, object]) -> str:
    return storable(json.dumps(value, ensure_ascii=False))


# A long chat is opened faster when the empty values of its questions are known without being parsed.
_NO_USAGE, _NO_TIMINGS = _as_json(asdict(Usage())), _as_json(asdict(Timings()))


def _parameters(text: str) -> Mapping[str, Value]:
    if text == "{}":
        return NO_PARAMETERS
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
    return MappingProxyType(values) if values else NO_PARAMETERS
