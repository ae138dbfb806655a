"""How each kind of server is told that an answer is to be JSON, or JSON of a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.core.endpoint import ServerKind
from tui.core.schema import Schema

_ANY_OBJECT: Mapping[str, object] = {"type": "object"}
_NO_NAME = re.compile("[^A-Za-z0-9_-]")


def structure_for(schema: Schema | None, kind: ServerKind) -> Mapping[str, object]:
    """The fields that a request has for it; none without a schema."""
    if schema is None:
        return {}
    if kind is ServerKind.OLLAMA:
        return {"format": schema.root() if schema.text else "json"}
    if schema.text:
        return _format(schema.name, schema.root())
    if kind is ServerKind.LMSTUDIO:  # it refuses json_object
        return _format(schema.name, _ANY_OBJECT)
    return {"response_format": {"type": "json_object"}}


def _format(name: str, schema: Mapping[str, object]) -> Mapping[str, object]:
    named = {"name": _NO_NAME.sub("_", name)[:64], "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": named}}
