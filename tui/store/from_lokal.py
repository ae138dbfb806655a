"""Reading lokal's own export back: the very same chat, branches, parameters and attachments included."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from dataclasses import fields
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
)
from tui.core.message import Value as Parameter
from tui.store.export import FORMAT, VERSION
from tui.store.parsing import Unfit, Value
from tui.store.rows import ChatSummary, WholeChat


def is_lokal(raw: Any) -> bool:
    """Whether a value is a chat as lokal exports it; the first release did not say so in it."""
    return isinstance(raw, dict) and (
        raw.get("format") == FORMAT or ("format" not in raw and "open_leaf" in raw and "messages" in raw)
    )


def read(chat: Value) -> WholeChat:
    """The chat. Raises Unfit."""
    version = chat["version"].raw
    if version != VERSION and "format" in chat.members():
        raise Unfit(f"the export has version {version!r}, this lokal reads {VERSION}; a newer lokal wrote it")
    id, title = chat["id"].text(), chat["title"].text()
    messages = [_message(message) for message in chat["messages"].items()]
    open_leaf = None if chat["open_leaf"].raw is None else chat["open_leaf"].text()
    try:
        conversation = Conversation(id, title, messages, open_leaf)
    except ValueError as error:
        raise Unfit(str(error)) from error
    created_at = _seconds(chat)
    summary = ChatSummary(
        id,
        title,
        created_at,
        chat["updated_s"].seconds(chat["updated_at"].moment(created_at)),
        len(conversation),
        chat["pinned"].raw is True,
        chat["archived"].raw is True,
    )
    return WholeChat(conversation, summary)


def _message(value: Value) -> Message:
    parent = value["parent"]
    return Message(
        id=value["id"].text(),
        parent=None if parent.raw is None else parent.text(),
        role=_one_of(Role, value["role"]),
        content=value["content"].text(),
        created_at=_seconds(value),
        reasoning=value["reasoning"].text(""),
        status=_one_of(Status, value["status"]),
        model=value["model"].text(""),
        server=value["server"].text(""),
        preset=value["preset"].text(""),
        parameters=_parameters(value["parameters"]),
        usage=Usage(**{field.name: value["usage"][field.name].count() for field in fields(Usage)}),
        timings=Timings(**{field.name: _timing(value["timings"][field.name]) for field in fields(Timings)}),
        finish_reason=value["finish_reason"].text(""),
        problem=_problem(value["problem"]),
        attachments=tuple(_attachment(file) for file in value["attachments"].items()),
        edited=value["edited"].raw is True,
    )


def _one_of(kind: Any, value: Value) -> Any:
    try:
        return kind(value.text())
    except ValueError as error:
        raise value.unfit(f"is none of {', '.join(kind)}") from error


def _seconds(value: Value) -> float:
    return value["created_s"].seconds(value["created_at"].moment(0.0))


def _timing(value: Value) -> float | None:
    number = value.number(math.nan)
    return None if math.isnan(number) else number


def _parameters(value: Value) -> Mapping[str, Parameter]:
    found: dict[str, Parameter] = {}
    for name, each in value.objects().items():
        if isinstance(each.raw, list):
            found[name] = tuple(item.text() for item in each.items())
        elif isinstance(each.raw, bool | int | float | str):
            found[name] = each.raw
        elif each.raw is not None:
            raise each.unfit("is no value of a parameter")
    return MappingProxyType(found) if found else NO_PARAMETERS


def _problem(value: Value) -> Problem | None:
    if value.raw is None:
        return None
    return Problem(value["title"].text(), value["detail"].text(""), value["hint"].text(""))


def _attachment(value: Value) -> Attachment:
    try:
        data = base64.b64decode(value["data"].text(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise value["data"].unfit("is not base64") from error
    return Attachment(value["name"].text(), value["media_type"].text(), data)
