"""A JSON schema read from text and looked through once.

What of JSON Schema lokal checks is in `KEYWORDS`. What a schema says beyond that is named in `Schema.unchecked`, so
that nobody takes an answer for checked that is not.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping

from tui.core.schema import MAX_CHARACTERS, Schema
from tui.core.text import safe_line
from tui.errors import UsageError

MAX_DEPTH = 100
_MAX_INDEX_DIGITS = 6
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")

_REMARKS = frozenset(
    ("$schema", "$id", "$comment", "$anchor", "title", "description", "default", "examples", "deprecated",
     "readOnly", "writeOnly")
)  # fmt: skip


def parse(text: str, name: str) -> Schema:
    """The schema in the JSON `text`. Raises UsageError for what is no JSON object or no schema."""
    shown = safe_line(name, 60)
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"{shown} is too large for a schema",
            f"It has {len(text):,} characters; {MAX_CHARACTERS:,} are the limit",
            "A server would take minutes over it",
        )
    try:
        root = json.loads(text.removeprefix("\ufeff"), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"Line {error.lineno}, column {error.colno}: {error.msg}"
        raise UsageError(f"{shown} is not JSON", where, "A schema is a JSON object") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown} is not JSON", safe_line(str(error), 100)) from error
    if not isinstance(root, dict):
        what = kind_of(root)
        raise UsageError(f"{shown} is no schema", f"There is {what}", "A schema is a JSON object")
    reader = _SchemaReader(root, shown)
    reader.read(root, "#", 0)
    try:
        compact = json.dumps(root, separators=(",", ":"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{shown} is no schema", "It is nested too deep", "") from error
    return Schema(_word(name), compact, tuple(dict.fromkeys(reader.unchecked)))


def kind_of(value: object) -> str:
    """What a JSON value is, in words: `a string`."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def resolve(root: Mapping[str, object], reference: str) -> object:
    """What a reference within the schema points at. Raises KeyError."""
    value: object = root
    if not reference.startswith("#"):
        raise KeyError(reference)
    for part in reference[1:].split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and (index := _index(key)) is not None and index < len(value):
            value = value[index]
        else:
            raise KeyError(reference)
    if reference[1:2] not in ("", "/"):
        raise KeyError(reference)
    return value


def _index(key: str) -> int | None:
    """A place in a list."""
    return int(key) if key.isdecimal() and len(key) <= _MAX_INDEX_DIGITS else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _word(name: str) -> str:
    """A name without blanks, so that it ends where the schema begins in a record."""
    return "-".join(safe_line(name, 60).split()) or "schema"


# -- looking a schema through ---------------------------------------------------------------------------------------


def _is_schema(value: object) -> bool:
    return isinstance(value, dict | bool)


def _are_schemas(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


def _named_schemas(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_number(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole or (isinstance(value, float) and math.isfinite(value))


def _is_count(value: object) -> bool:
    return _is_number(value) and isinstance(value, int | float) and value >= 0 and value == int(value)


def _is_type(value: object) -> bool:
    return (
        value in TYPES
        if isinstance(value, str)
        else isinstance(value, list) and all(isinstance(each, str) and each in TYPES for each in value)
    )


_COUNT = (_is_count, "a number of 0 or more")
_NUMBER = (_is_number, "a number")
_SCHEMA = (_is_schema, "a schema")
_LIST = (_are_schemas, "a list of schemas")
_NAMED = (_named_schemas, "an object of schemas")
_ANYTHING: tuple[Callable[[object], bool], str] = (lambda _: True, "")

KEYWORDS: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "type": (_is_type, "one of " + ", ".join(TYPES) + ", or a list of these"),
    "enum": (lambda value: isinstance(value, list), "a list"),
    "const": _ANYTHING,
    "properties": _NAMED, "patternProperties": _NAMED, "additionalProperties": _SCHEMA, "propertyNames": _SCHEMA,
    "required": (lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value), "a list of names"),
    "minProperties": _COUNT, "maxProperties": _COUNT,
    "items": (lambda value: _is_schema(value) or (isinstance(value, list) and all(map(_is_schema, value))), "a schema"),
    "prefixItems": _LIST, "additionalItems": _SCHEMA, "minItems": _COUNT, "maxItems": _COUNT,
    "uniqueItems": (lambda value: isinstance(value, bool), "true or false"),
    "minimum": _NUMBER, "maximum": _NUMBER, "exclusiveMinimum": _NUMBER, "exclusiveMaximum": _NUMBER,
    "multipleOf": (lambda value: _is_number(value) and isinstance(value, int | float) and value > 0, "a number above 0"),
    "minLength": _COUNT, "maxLength": _COUNT,
    "pattern": (lambda value: isinstance(value, str), "a text"),
    "anyOf": _LIST, "oneOf": _LIST, "allOf": _LIST, "not": _SCHEMA, "if": _SCHEMA, "then": _SCHEMA, "else": _SCHEMA,
    "$ref": (lambda value: isinstance(value, str), "a text"), "$defs": _NAMED, "definitions": _NAMED,
}  # fmt: skip
"""What is known, each with what its value has to be. All of it is checked but `pattern` and `patternProperties`, whose
regular expressions are ECMAScript's, and may take forever: what they would decide counts as right."""

_PAIRS = (
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minimum", "maximum"),
)


class _SchemaReader:
    """Walks through a schema: what is wrong is raised, what is not checked is noted."""

    def __init__(self, root: Mapping[str, object], name: str) -> None:
        self._root = root
        self._name = name
        self.unchecked: list[str] = []

    def read(self, schema: Mapping[str, object], where: str, depth: int) -> None:
        """Raises UsageError."""
        if depth > MAX_DEPTH:
            raise self._wrong(where, f"is nested more than {MAX_DEPTH} deep")
        for keyword, value in schema.items():
            known = KEYWORDS.get(keyword)
            if known is None:
                if keyword not in _REMARKS and not keyword.startswith("x-"):
                    self.unchecked.append(
                        safe_line(f"{keyword} {value}" if keyword == "format" else keyword, 60)
                    )
                continue
            fits, wanted = known
            if not fits(value):
                raise self._wrong(f"{where}/{keyword}", f"has to be {wanted}")
            if keyword == "$ref":
                self._look_up(str(value), f"{where}/{keyword}")
            elif keyword == "pattern":
                self.unchecked.append(safe_line(f"pattern {value}", 60))
            elif keyword == "patternProperties" and isinstance(value, dict):
                self.unchecked.extend(safe_line(f"patternProperties {source}", 60) for source in value)
        for least, most in _PAIRS:
            low, high = schema.get(least), schema.get(most)
            if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
                # Nothing would fit, and there is a llama-server that dies of it (b11549).
                raise self._wrong(where, f"has a {least} above its {most}")
        for inner, place in subschemas(schema):
            self.read(inner, f"{where}/{place}", depth + 1)

    def _look_up(self, reference: str, where: str) -> None:
        if not reference.startswith("#"):
            self.unchecked.append(safe_line(f"$ref {reference}", 60))
            return
        try:
            found = resolve(self._root, reference)
        except KeyError:
            found = None
        if not _is_schema(found):
            raise self._wrong(where, f"leads nowhere: {safe_line(reference, 60)}")

    def _wrong(self, where: str, what: str) -> UsageError:
        return UsageError(f"{self._name} is no schema that can be used", f"{safe_line(where, 120)} {what}")


def subschemas(schema: Mapping[str, object]) -> Iterator[tuple[Mapping[str, object], str]]:
    """The schemas directly in a schema, with the place of each."""
    for keyword, value in schema.items():
        shape = KEYWORDS.get(keyword, _ANYTHING)
        if isinstance(value, dict) and shape is _NAMED:
            yield from ((each, f"{keyword}/{key}") for key, each in value.items() if isinstance(each, dict))
        elif isinstance(value, dict) and (shape is _SCHEMA or keyword == "items"):
            yield value, keyword
        elif isinstance(value, list) and (shape is _LIST or keyword == "items"):
            yield from ((each, f"{keyword}/{at}") for at, each in enumerate(value) if isinstance(each, dict))
