"""Answers that are to be JSON: which schema holds in a chat, how an answer fits it, and how that is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.message import Message, Status
from tui.core.schema import RECORD, Schema, from_record
from tui.core.text import safe_line

if TYPE_CHECKING:
    from tui.core.validation import ValidationResult
    from tui.servers.connect import Connection


def schema_of(message: Message | None) -> Schema | None:
    """The schema that an answer was asked for."""
    return from_record(message.parameters.get(RECORD)) if message is not None else None


def verdict_of(message: Message) -> ValidationResult | None:
    """How a whole answer fits its schema; None for one that is not whole, or that was asked for no schema."""
    whole = message.status is Status.COMPLETE and message.finish_reason != "length"
    schema = schema_of(message) if whole and RECORD in message.parameters else None
    if schema is None:
        return None
    from tui.core.validation import check  # most chats never need it

    return check(message.content, schema)


def state_of(schema: Schema | None, ignored_by: str = "") -> str:
    """What holds for the next answers, in words; `ignored_by` is the server that is asked, if it ignores a schema."""
    if schema is None:
        return "Answers are free text; /schema json or /schema FILE holds them to JSON"
    name = safe_line(schema.name, 40)
    if ignored_by:
        what = f"the schema {name}" if schema.text else "that answers are to be JSON"
        return f"{ignored_by} ignores {what}: its answers stay free text; /server names one that does not"
    if not schema.text:
        return "Answers are JSON from the next one on; /schema off ends it"
    unchecked = f"; not checked: {', '.join(schema.unchecked)}" if schema.unchecked else ""
    return f"Answers fit {name} from the next one on{unchecked}"


def ignored_by(connection: Connection | None) -> str:
    """The kind of the server, if it ignores a schema; empty for one that does not, and for none."""
    if connection is None or connection.server.capabilities.structured:
        return ""
    return connection.info.kind.label


def word_for(schema: Schema | None) -> str:
    """What holds, for the instrument line: `json`, or `schema invoice.json`."""
    if schema is None:
        return ""
    return f"schema {safe_line(schema.name, 24)}" if schema.text else "json"
