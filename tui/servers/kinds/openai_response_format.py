"""How a server with OpenAI's API is told that an answer is to be JSON, or JSON of a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.core.schema import Schema

_ANY_OBJECT: Mapping[str, object] = {"type": "object"}
_NO_NAME = re.compile("[^A-Za-z0-9_-]")


def response_format(schema: Schema | None, *, takes_json_object: bool = True) -> Mapping[str, object]:
    """The fields that a request has for it; none without a schema. JSON of any form is asked for as a `json_object`, or,
    of a server that does not take that, by a schema that all objects have."""
    if schema is None:
        return {}
    if not schema.text and takes_json_object:
        return {"response_format": {"type": "json_object"}}
    named = {
        "name": _NO_NAME.sub("_", schema.name)[:64],
        "schema": schema.root() if schema.text else _ANY_OBJECT,
    }
    return {"response_format": {"type": "json_schema", "json_schema": named}}
