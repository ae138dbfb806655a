"""What an answer is to be: any JSON, or JSON of a schema, which `tui.core.schema_parsing` has looked through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from tui.errors import UsageError

MAX_CHARACTERS = 200_000
"""The longest schema: it is kept with each answer that it was asked for."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What answers are held to. `name` is shown to people; `text` is the JSON of the schema, empty for any JSON.

    `unchecked` are the parts that lokal does not check, in words.
    """

    name: str
    text: str = ""
    unchecked: tuple[str, ...] = ()

    def root(self) -> Mapping[str, object]:
        """The schema as JSON, for a server; empty for any JSON."""
        root: Mapping[str, object] = json.loads(self.text or "{}")
        return root

    def recorded(self) -> str:
        """The schema in one text, as an answer's parameters keep it."""
        return f"{self.name} {self.text}".strip()


ANY_JSON = Schema("json")
RECORD = "schema"
"""Under this name an answer's parameters keep the schema that it was asked for, as `Schema.recorded` writes it."""


@lru_cache(maxsize=32)
def from_record(record: object) -> Schema | None:
    """The schema that `Schema.recorded` wrote; None for anything else, and for one that cannot be used."""
    if not isinstance(record, str) or not record:
        return None
    name, brace, rest = record.partition(" {")
    if not brace:
        return ANY_JSON if record == ANY_JSON.name else None
    from tui.core.schema_parsing import parse  # only where there is a schema

    try:
        return parse("{" + rest, name)
    except (UsageError, ValueError, RecursionError):  # whatever a file brings, its chat opens
        return None
