"""Reading JSON that somebody else wrote: typed, tolerant of what is missing or of another type, never raising."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MOST_ITEMS = 10_000

_NOTHING: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class JsonObject:
    """One JSON object as it came. Falsy when it is empty or was none."""

    values: Mapping[str, object] = field(default_factory=lambda: _NOTHING)

    def __bool__(self) -> bool:
        return bool(self.values)

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def text(self, key: str) -> str:
        """The string at `key`, empty for anything else. Lone surrogates, which no encoding can write, become U+FFFD."""
        value = self.values.get(key)
        return whole_characters(value) if isinstance(value, str) else ""

    def number(self, key: str) -> float | None:
        """The finite number at `key`."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None

    def count(self, key: str) -> int | None:
        """The number at `key` as a count; None if there is none or it is negative."""
        number = self.number(key)
        return int(number) if number is not None and number >= 0 else None

    def flag(self, key: str) -> bool:
        """Whether `key` is true."""
        return self.values.get(key) is True

    def inner(self, key: str) -> JsonObject:
        """The object at `key`, empty for anything else."""
        return _fields(self.values.get(key))

    def items(self, key: str) -> tuple[JsonObject, ...]:
        """The objects in the list at `key`, of which no server has more than MOST_ITEMS: to show a million models would
        take minutes."""
        value = self.values.get(key)
        return (
            tuple(_fields(item) for item in value[:MOST_ITEMS] if isinstance(item, dict))
            if isinstance(value, list)
            else ()
        )

    def texts(self, key: str) -> tuple[str, ...]:
        """The strings in the list at `key`."""
        value = self.values.get(key)
        if not isinstance(value, list):
            return ()
        return tuple(whole_characters(item) for item in value if isinstance(item, str))

    def numbers(self, key: str) -> tuple[int, ...]:
        """The whole numbers in the list at `key`; none where anything else is in it."""
        value = self.values.get(key)
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            return ()
        return tuple(value)

    def length(self, key: str) -> int | None:
        """How many items the list at `key` has; None if there is no list."""
        value = self.values.get(key)
        return len(value) if isinstance(value, list) else None

    def as_json(self, key: str) -> str:
        """What is at `key`, as JSON text; a string stays as it is, nothing is empty."""
        value = self.values.get(key)
        if value is None:
            return ""
        if isinstance(value, str):
            return whole_characters(value)
        try:
            return whole_characters(json.dumps(value, ensure_ascii=False))
        except RecursionError:  # it could just be read
            return ""


def _fields(value: object) -> JsonObject:
    return JsonObject(value) if isinstance(value, dict) else JsonObject()


class TooMuch(Exception):
    """JSON that is nested too deep, or has more values than any server says: reading it would fill the memory."""


_LONG = 1_000_000
_MOST_VALUES = 1_000_000


def parse_object(data: str | bytes) -> JsonObject | None:
    """The JSON object that `data` holds; None if it holds none, or too much."""
    try:
        return read_object(data)
    except TooMuch:
        return None


def read_object(data: str | bytes) -> JsonObject | None:
    """The JSON object that `data` holds; None if it holds none. Control characters in strings are let through, and so
    is a byte order mark; bytes that are not UTF-8 become U+FFFD. Raises TooMuch."""
    text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    if len(text) > _LONG and sum(map(text.count, ",[{")) > _MOST_VALUES:
        raise TooMuch("It has too many values")
    try:
        value = json.loads(text.removeprefix("\ufeff"), strict=False)
    except ValueError:
        return None
    except RecursionError as error:
        raise TooMuch("Its JSON is nested too deep") from error
    return JsonObject(value) if isinstance(value, dict) else None


def whole_characters(text: str) -> str:
    """`text` with lone surrogates replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
