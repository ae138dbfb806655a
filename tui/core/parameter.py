"""The type of a parameter: what it may hold, how text becomes a value, and where each server wants it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tui.core.endpoint import ServerKind
from tui.core.limits import Limit
from tui.core.message import Value
from tui.core.text import safe_line
from tui.errors import UsageError

NO_LIMIT = -1
"""The value of a parameter that limits something, where it is not to; people write it so for most servers."""
_NO_LIMIT_WORDS = frozenset({"-1", "no limit", "unlimited", "inf", "infinite"})

WireFields = Mapping[str, object]
"""JSON fields by path: `{"options.top_k": 40}` is `{"options": {"top_k": 40}}`."""


@dataclass(frozen=True, slots=True)
class WireMapping:
    """How one kind of server takes a parameter. `reloads` = another value makes the server load the model anew; `limit`
    says what of a value it takes, where that is not all."""

    encode: Callable[[Value], WireFields]
    reloads: bool = False
    limit: Limit | None = None


def unless_unlimited(path: str, limit: Limit | None = None) -> WireMapping:
    """The value at `path`, but nothing for NO_LIMIT: where the server has no limit unless it is told one, and takes no
    number that means none."""
    return WireMapping(lambda value: {} if value == NO_LIMIT else {path: value}, limit=limit)


def wire_path(path: str, *, reloads: bool = False, limit: Limit | None = None) -> WireMapping:
    """The value as it is, at `path`; a tuple becomes a list."""
    return WireMapping(
        lambda value: {path: list(value) if isinstance(value, tuple) else value}, reloads, limit
    )


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of generation, declared once.

    `kind` is float, int, str, or tuple (a list of strings); `choices` limits a str. `lo` and `hi` are the bounds
    that are enforced, both included; `first` is where stepping from the server's default begins, if not at the low end
    of the `usual` range; with `unlimited` NO_LIMIT is taken too, and with `off` -1 means that value, as
    some servers have it. `usual` is the range that a slider spans and `step` one key press on it.
    `wire` has an entry for each kind of server that takes the parameter per request; `engine_flag` is the
    llama-server flag with which the embedded engine is started, for what can only be set when a model is loaded, or
    several with a blank between, which all take the value. `automatic` is the value that is the same as none.
    `normalise` gives a str in the one form in which it is kept, None for one that cannot be; `form` says in words which can,
    and `examples` are offered where it is typed.
    """

    name: str
    kind: type
    title: str
    help: str
    group: str
    lo: float = -math.inf
    hi: float = math.inf
    step: float = 1
    usual: tuple[float, float] | None = None
    low_effect: str = ""
    high_effect: str = ""
    when_to_change: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    wire: Mapping[ServerKind, WireMapping] = field(default_factory=dict)
    engine_flag: str = ""
    automatic: Value | None = None
    unlimited: bool = False
    off: int | None = None
    first: float | None = None
    normalise: Callable[[str], str | None] | None = None
    form: str = ""
    examples: tuple[str, ...] = ()

    def parse(self, text: str) -> Value | None:
        """The value that a person's `text` means; empty, `default` or `none` = None, not sent. Raises UsageError.

        Texts of a list are a JSON list, `["a", "b"]`, or separated by commas; among these `\\n`, `\\t`, `\\s` and `\\,` stand for a line break, a tab, a
        blank at an end and a comma.
        """
        stripped = text.strip()
        if stripped.lower() in ("", "default", "none"):
            return None
        if self.unlimited and stripped.lower() in _NO_LIMIT_WORDS:
            return NO_LIMIT
        if self.kind is tuple:
            if stripped.startswith("[") and (listed := self._listed(stripped)) is not None:
                return listed or None
            parts = (_unescape(part.strip()) for part in re.findall(r"(?:\\.|[^\\,]|\\$)+", stripped))
            return tuple(part for part in parts if part) or None
        if self.kind is str:
            return self.check(stripped)
        number = (
            stripped.replace(",", ".") if self.kind is float else stripped.replace("_", "").replace(" ", "")
        )
        try:
            return self.check(self.kind(number))
        except ValueError as error:
            raise self._wrong(stripped) from error

    def check(self, value: object) -> Value:
        """`value` as this parameter holds it. A whole float is taken for an int; a bool is no number. Raises UsageError."""
        if self.kind is tuple:
            if isinstance(value, str):
                value = (value,)
            if isinstance(value, list | tuple) and all(isinstance(part, str) and part for part in value):
                return tuple(value)
            raise self._wrong(value)
        if self.kind is str:
            if self.normalise is not None:
                written = value if isinstance(value, str) else str(value) if type(value) is int else ""
                if (normal := self.normalise(written)) is None:
                    raise self._wrong(value)
                return normal
            if isinstance(value, str) and (not self.choices or value in self.choices):
                return value
            raise self._wrong(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(value)
        if value == -1 and self.unlimited:
            return NO_LIMIT
        if value == -1 and self.off is not None:
            return self.off
        if not self.lo <= value <= self.hi or (isinstance(value, float) and not math.isfinite(value)):
            raise self._wrong(value)
        if self.kind is int:
            if int(value) != value:
                raise self._wrong(value)
            return int(value)
        return float(value)

    def format(self, value: Value | None) -> str:
        """A value as a person reads and types it."""
        if value is None:
            return "default"
        if isinstance(value, tuple):
            text = ", ".join(map(_escape, value))
            # What begins like a JSON list would be read as one.
            return json.dumps(value, ensure_ascii=False) if _LISTED.match(text) else text
        if self.unlimited and value == NO_LIMIT:
            return "no limit"
        if isinstance(value, float):
            return f"{value:.6g}"
        return str(value)

    def bounds(self) -> str:
        """What is allowed, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.form:
            return self.form
        if self.kind is tuple:
            return 'text, several separated by commas or as a list: ["a", "b"]'
        if self.kind is str:
            return "text"
        what = "a whole number" if self.kind is int else "a number"
        lo, hi = f"{self.lo:.10g}", f"{self.hi:.10g}"
        if math.isfinite(self.lo) and math.isfinite(self.hi):
            return f"{what} from {lo} to {hi}{', or -1: no limit' if self.unlimited else ''}"
        return f"{what} of at least {lo}" if math.isfinite(self.lo) else what

    def _listed(self, text: str) -> tuple[str, ...] | None:
        """The texts of a JSON list; None for what is none: `[1]` may be where an answer is to end. Raises UsageError for
        one that was begun and is not whole."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            if _LISTED.match(text):
                raise self._wrong(text) from error
            return None
        if isinstance(found, list) and all(isinstance(part, str) for part in found):
            return tuple(part for part in found if part)
        return None

    def _wrong(self, value: object) -> UsageError:
        return UsageError(
            f"{self.name} cannot be {safe_line(repr(value), 80)}",
            f"It takes {self.bounds()}",
            "Leave it out for the server's default",
        )


_LISTED = re.compile(r'\[\s*["\]]')
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", ",": "\\,"}
_MEANINGS = {escape[1]: meaning for meaning, escape in _ESCAPES.items()} | {"s": " "}


def _escape(text: str) -> str:
    """A text of a list as it is typed; a blank at its ends is `\\s`, since blanks around a comma mean nothing."""
    typed = "".join(_ESCAPES.get(character, character) for character in text)
    return re.sub("^ | $", r"\\s", typed)


def _unescape(typed: str) -> str:
    """What a typed text of a list means; a backslash before any other character is itself."""
    return re.sub(r"\\([\\ntrs,])", lambda match: _MEANINGS[match[1]], typed)


def nest(fields: WireFields) -> dict[str, object]:
    """Dotted paths as nested JSON objects."""
    body: dict[str, object] = {}
    for path, value in fields.items():
        *outer, last = path.split(".")
        target = body
        for key in outer:
            inner = target.setdefault(key, {})
            if not isinstance(inner, dict):
                raise TypeError(f"{path} runs through a value")
            target = inner
        target[last] = value
    return body
