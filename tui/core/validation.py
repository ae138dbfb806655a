"""Whether an answer is JSON and fits its schema; where it does not, and why, in words.

A check does a bounded amount of work. What it could not get to is said, never passed.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from tui.core.jsonvalue import key_of, shown
from tui.core.schema import Schema
from tui.core.schema_parsing import kind_of, resolve
from tui.core.text import safe_line
from tui.core.work import Exhausted, WorkBudget

MAX_STEPS = 300_000
"""Work for one answer, in steps of about a microsecond."""
MAX_FAULTS = 20
"""Where a check ends, and each choice of several: more would not be read."""
_INDENT = "  "
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_KINDS: Mapping[str, str] = {
    "object": "an object", "array": "an array", "string": "a string", "number": "a number",
    "integer": "a whole number", "boolean": "true or false", "null": "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ValidationIssue:
    """Something that does not fit. `at` is where, as a JSON pointer: `/items/2/price`; empty for the whole."""

    at: str
    why: str

    def __str__(self) -> str:
        return f"at {safe_line(self.at, 120)}: {self.why}" if self.at else self.why


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What a check came to. `is_json` without `fits` has faults against the schema; without `is_json` the one fault
    says why it is no JSON. `unchecked` is what of the schema was not looked at; with `given_up` the check took too long.
    """

    is_json: bool
    faults: tuple[ValidationIssue, ...] = ()
    unchecked: tuple[str, ...] = ()
    given_up: bool = False

    @property
    def fits(self) -> bool:
        """Whether nothing speaks against the answer."""
        return self.is_json and not self.faults and not self.given_up


@lru_cache(maxsize=256)
def check(text: str, schema: Schema) -> ValidationResult:
    """Hold a whole answer against a schema."""
    try:
        value = json.loads(text, parse_constant=_refused)
    except json.JSONDecodeError as error:
        return ValidationResult(False, (_no_json(text, error),))
    except RecursionError:
        return ValidationResult(False, (ValidationIssue("", "it is nested too deep to be read"),))
    except ValueError as error:
        return ValidationResult(False, (ValidationIssue("", safe_line(str(error), 100)),))
    if not schema.text:
        return ValidationResult(True)
    root = schema.root()
    try:
        faults = _Checking(root).faults(value, root, "")
    except (Exhausted, RecursionError):
        return ValidationResult(True, (), schema.unchecked, given_up=True)
    return ValidationResult(True, tuple(faults), schema.unchecked)


def indented(text: str) -> str:
    """JSON text set out in lines, every number and string as it was written."""
    pieces: list[str] = []
    depth = 0
    before = ""
    for match in _TOKEN.finditer(text):
        token = match[0]
        is_end, after_start = token in ("}", "]"), before in ("{", "[")
        depth -= is_end
        if before == "," or is_end != after_start:
            pieces.append("\n" + _INDENT * depth)
        pieces.append(": " if token == ":" else token)
        depth += token in ("{", "[")
        before = token
    return "".join(pieces)


def _refused(name: str) -> None:
    raise ValueError(f"it is not JSON: there is no {name} in JSON")


def _no_json(text: str, error: json.JSONDecodeError) -> ValidationIssue:
    if not text.strip():
        return ValidationIssue("", "it is not JSON: it is empty")
    if text.lstrip().startswith("```"):
        return ValidationIssue("", "it is not JSON: a code fence stands around it")
    if error.msg == "Extra data":
        return ValidationIssue(
            "", f"it is not JSON alone: something follows in line {error.lineno}, column {error.colno}"
        )
    return ValidationIssue(
        "",
        f"it is not JSON: line {error.lineno}, column {error.colno}: {error.msg[:1].lower()}{error.msg[1:]}",
    )


def _is_type(value: object, name: object) -> bool:
    match name:
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "string":
            return isinstance(value, str)
        case "array":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


class _Checking:
    """One check. The schema's own form was checked when it was read."""

    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._budget = WorkBudget(MAX_STEPS)
        self._following: set[tuple[str, str]] = set()
        self._keys: dict[int, frozenset[object]] = {}
        self._targets: dict[str, object] = {}

    def faults(self, value: object, schema: object, at: str) -> list[ValidationIssue]:
        """Why `value` does not fit, the first MAX_FAULTS of it. Raises Exhausted."""
        self._budget.spend(3 + len(at) // 500)
        if schema is True:
            return []
        if not isinstance(schema, dict):
            return [ValidationIssue(at, "nothing is allowed here")]
        wrong_type = list(self._type(value, schema, at))
        if wrong_type:
            return wrong_type  # all else would only repeat it
        found = list(islice(self._all(value, schema, at), MAX_FAULTS))
        self._budget.spend(10 * len(found))
        return found

    def _all(self, value: object, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        yield from self._value(value, schema, at)
        yield from self._combined(value, schema, at)
        match value:
            case dict():
                yield from self._object(value, schema, at)
            case list():
                yield from self._array(value, schema, at)
            case str():
                yield from self._string(value, schema, at)
            case int() | float() if not isinstance(value, bool):
                yield from self._number(value, schema, at)

    def _keys_of(self, choices: Sequence[object], owner: object) -> frozenset[object]:
        """The keys of an `enum` or `const`, made once a check. `owner` is an object of the schema that stays."""
        if id(owner) not in self._keys:
            self._keys[id(owner)] = frozenset(key_of(choice, self._budget) for choice in choices)
        return self._keys[id(owner)]

    def _type(self, value: object, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        wanted = schema.get("type")
        names = wanted if isinstance(wanted, list) else [wanted] if wanted is not None else []
        self._budget.spend(len(names))
        if names and not any(_is_type(value, name) for name in names):
            words = " or ".join(_KINDS[str(name)] for name in dict.fromkeys(names))
            what = (
                "a number with a fraction"
                if isinstance(value, float) and names == ["integer"]
                else kind_of(value)
            )
            yield ValidationIssue(at, f"{words} is wanted, there is {what}")

    def _value(self, value: object, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        choices = schema.get("enum")
        if isinstance(choices, list) and key_of(value, self._budget) not in self._keys_of(choices, choices):
            names = ", ".join(shown(choice) for choice in choices[:6])
            more = f" and {len(choices) - 6} more" if len(choices) > 6 else ""
            yield ValidationIssue(at, f"one of {names}{more} is wanted, there is {shown(value)}")
        if "const" in schema and key_of(value, self._budget) not in self._keys_of([schema["const"]], schema):
            yield ValidationIssue(at, f"{shown(schema['const'])} is wanted, there is {shown(value)}")

    def _combined(self, value: object, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            yield from self._referred(value, reference, at)
        for each in _schemas(schema.get("allOf")):
            yield from self.faults(value, each, at)
        for keyword in ("anyOf", "oneOf"):
            choices = _schemas(schema.get(keyword))
            tried = [self.faults(value, each, at) for each in choices]
            fitting = sum(not found for found in tried)
            if tried and not fitting:
                nearest = max(tried, key=lambda found: (max(len(fault.at) for fault in found), -len(found)))
                yield ValidationIssue(
                    at, f"it fits none of {len(tried)} choices; the nearest: {safe_line(str(nearest[0]))}"
                )
            elif keyword == "oneOf" and fitting > 1:
                yield ValidationIssue(at, f"it fits {fitting} choices where one is wanted")
        if "not" in schema and not self.faults(value, schema["not"], at):
            yield ValidationIssue(at, "it is what it must not be")
        if "if" in schema:
            branch = "else" if self.faults(value, schema["if"], at) else "then"
            yield from self.faults(value, schema.get(branch, True), at)

    def _referred(self, value: object, reference: str, at: str) -> list[ValidationIssue]:
        here = reference, at
        if here in self._following:
            return []  # it leads back to itself without a step into the answer: it says nothing
        self._following.add(here)
        try:
            if reference not in self._targets:
                self._targets[reference] = resolve(self._root, reference)
            return self.faults(value, self._targets[reference], at)
        finally:
            self._following.discard(here)

    def _object(
        self, value: Mapping[str, object], schema: Mapping[str, object], at: str
    ) -> Iterator[ValidationIssue]:
        required = schema.get("required")
        for name in required if isinstance(required, list) else ():
            self._budget.spend()
            if name not in value:
                yield ValidationIssue(at, f"“{safe_line(name, 60)}” is missing")
        yield from _counted(len(value), schema, "Properties", at, "properties")
        properties, patterns = _named(schema.get("properties")), _named(schema.get("patternProperties"))
        for name, inner in value.items():
            self._budget.spend(1 + (len(at) + len(name)) // 500)
            place = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
            if "propertyNames" in schema:
                yield from self.faults(name, schema["propertyNames"], place)
            known = name in properties
            if known:
                yield from self.faults(inner, properties[name], place)
            # Where there are patterns it may be one of these: no fault that might be none.
            if not known and not patterns and "additionalProperties" in schema:
                if schema["additionalProperties"] is False:
                    yield ValidationIssue(at, f"“{safe_line(name, 60)}” is not allowed")
                else:
                    yield from self.faults(inner, schema["additionalProperties"], place)

    def _array(
        self, value: Sequence[object], schema: Mapping[str, object], at: str
    ) -> Iterator[ValidationIssue]:
        yield from _counted(len(value), schema, "Items", at, "items")
        items = schema.get("items", True)
        first = _schemas(items if isinstance(items, list) else schema.get("prefixItems"))
        rest = schema.get("additionalItems", True) if isinstance(items, list) else items
        for index, inner in enumerate(value):
            yield from self.faults(inner, first[index] if index < len(first) else rest, f"{at}/{index}")
        if schema.get("uniqueItems") is True:
            seen: dict[object, int] = {}
            for index, inner in enumerate(value):
                before = seen.setdefault(key_of(inner, self._budget), index)
                if before != index:
                    yield ValidationIssue(f"{at}/{index}", f"it is the same as item {before}")

    def _string(self, value: str, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        yield from _counted(len(value), schema, "Length", at, "characters")

    def _number(self, value: float, schema: Mapping[str, object], at: str) -> Iterator[ValidationIssue]:
        for keyword, words, fits in _BOUNDS:
            bound = schema.get(keyword)
            if isinstance(bound, int | float) and not fits(value, bound):
                yield ValidationIssue(at, f"{words} {shown(bound)} is wanted, there is {shown(value)}")
        step = schema.get("multipleOf")
        if step is None:
            return
        from fractions import Fraction  # takes long to load, and few schemas need it

        measurable = isinstance(value, int) or math.isfinite(value)  # 1e999 is JSON, and beyond a float
        if measurable and isinstance(step, int | float) and Fraction(str(value)) % Fraction(str(step)):
            yield ValidationIssue(at, f"a multiple of {shown(step)} is wanted, there is {shown(value)}")


_BOUNDS: tuple[tuple[str, str, Callable[[float, float], bool]], ...] = (
    ("minimum", "at least", lambda value, bound: value >= bound),
    ("maximum", "at most", lambda value, bound: value <= bound),
    ("exclusiveMinimum", "more than", lambda value, bound: value > bound),
    ("exclusiveMaximum", "less than", lambda value, bound: value < bound),
)


def _counted(
    count: int, schema: Mapping[str, object], what: str, at: str, words: str
) -> Iterator[ValidationIssue]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if isinstance(least, int | float) and count < least:
        yield ValidationIssue(at, f"the number of {words} is to be at least {least}, it is {count}")
    if isinstance(most, int | float) and count > most:
        yield ValidationIssue(at, f"the number of {words} is to be at most {most}, it is {count}")


def _schemas(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _named(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
