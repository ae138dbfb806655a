"""Schemas are read and refused with a reason; answers are held to them, and nothing passes unchecked in silence."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.schema import ANY_JSON, MAX_CHARACTERS, Schema, from_record
from tui.core.schema_parsing import parse
from tui.core.validation import check, indented
from tui.errors import UsageError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

INVOICE = """{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Invoice", "type": "object",
  "required": ["number", "items"],
  "properties": {
    "number": {"type": "string"},
    "state": {"enum": ["open", "paid", null]},
    "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}}
  },
  "additionalProperties": false,
  "$defs": {"item": {"type": "object", "required": ["price"], "properties": {
    "name": {"type": "string", "minLength": 1, "maxLength": 20},
    "price": {"type": "number", "minimum": 0},
    "count": {"type": "integer", "exclusiveMinimum": 0}
  }}}
}"""


def of(schema: object, name: str = "s.json") -> Schema:
    return parse(json.dumps(schema), name)


def faults(schema: object, value: object) -> list[str]:
    return [str(fault) for fault in check(json.dumps(value), of(schema)).faults]


def fits(schema: object, value: object) -> bool:
    return check(json.dumps(value), of(schema)).fits


# -- what does not fit, in words ----------------------------------------------------------------------------------------


def test_an_answer_that_fits() -> None:
    answer = '{"number": "PL17", "state": null, "items": [{"price": 1e2, "count": 2.0}]}'
    verdict = check(answer, parse(INVOICE, "invoice.json"))
    assert verdict.fits
    assert verdict.unchecked == ()


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ('{"items": [{"price": 1}]}', "“number” is missing"),
        ('{"number": "PL1", "items": []}', "at /items: the number of items is to be at least 1, it is 0"),
        ('{"number": "PL1", "items": [{"price": 1}, {"price": "2"}]}', "at /items/1/price: a number is wanted, there is a string"),
        ('{"number": "PL1", "items": [{"price": -1}]}', "at /items/0/price: at least 0 is wanted, there is -1"),
        ('{"number": "PL1", "items": [{"price": 1, "count": 1.5}]}',
         "at /items/0/count: a whole number is wanted, there is a number with a fraction"),
        ('{"number": "PL1", "items": [{"price": 1, "count": true}]}',
         "at /items/0/count: a whole number is wanted, there is true or false"),
        ('{"number": "PL1", "items": [{"price": 1}], "x/y": 1}', "“x/y” is not allowed"),
        ('{"number": "PL1", "items": [{"price": 1}], "state": "lost"}',
         'at /state: one of "open", "paid", null is wanted, there is "lost"'),
        ("[]", "an object is wanted, there is an array"),
        ("", "it is not JSON: it is empty"),
        ("Sure! {}", "it is not JSON: line 1, column 1: expecting value"),
        ("```json\n{}\n```", "it is not JSON: a code fence stands around it"),
        ("{} and more", "it is not JSON alone: something follows in line 1, column 4"),
        ('{"number": NaN}', "it is not JSON: there is no NaN in JSON"),
        ('{"number": "PL', "it is not JSON: line 1, column 12: unterminated string starting at"),
        ("[" * 5000, "it is nested too deep to be read"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(answer: str, fault: str) -> None:
    verdict = check(answer, parse(INVOICE, "invoice.json"))
    assert not verdict.fits
    assert str(verdict.faults[0]) == fault


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"const": {"a": [1]}}, {"a": [1.0]}, {"a": [True]}),
        ({"enum": [1, "1"]}, 1.0, True),
        ({"type": ["string", "null"]}, None, 1),
        ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, 4, 2),
        ({"oneOf": [{"multipleOf": 2}, {"multipleOf": 3}]}, 4, 6),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
        ({"not": {"type": "string"}}, 1, "a"),
        ({"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}}, "ab", 1),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "number"}}, ["a", 1], ["a", "b"]),
        ({"items": [{"type": "string"}], "additionalItems": False}, ["a"], ["a", 1]),
        ({"uniqueItems": True}, [1, True, "1", [1]], [1, 2, 1.0]),
        ({"additionalProperties": {"type": "string"}}, {"a": "b"}, {"a": 1}),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}),
        ({"minProperties": 1, "maxProperties": 1}, {"a": 1}, {}),
        ({"multipleOf": 0.1}, 0.3, 0.35),
        ({"exclusiveMaximum": 1}, 0.5, 1),
        ({"maxItems": 1}, [1], [1, 2]),
        ({"maxLength": 2}, "żó", "żół"),
        ({"properties": {"a": True, "b": False}}, {"a": 1}, {"b": 1}),
        ({"definitions": {"a/b": {"type": "null"}}, "$ref": "#/definitions/a~1b"}, None, 1),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["id"]}, {"id": 1, "next": {"id": 2}}, {"id": 1, "next": {}}),
    ],
)  # fmt: skip
def test_each_keyword(schema: object, good: object, bad: object) -> None:
    assert faults(schema, good) == []
    assert faults(schema, bad)


def test_where_nothing_fits_the_nearest_choice_is_named() -> None:
    schema = {"anyOf": [{"type": "string"}, {"properties": {"a": {"type": "string"}}}]}
    (fault,) = faults(schema, {"a": 1})
    assert fault == "it fits none of 2 choices; the nearest: at /a: a string is wanted, there is a number"


# -- what is not checked ------------------------------------------------------------------------------------------------


def test_what_is_not_checked_is_named() -> None:
    schema = {
        "properties": {
            "mail": {"type": "string", "format": "email", "title": "a remark"},
            "id": {"pattern": "^x", "patternProperties": {"^n": {}}, "additionalProperties": False},
            "far": {"$ref": "https://example.org/schema"},
            "size": {"dependentRequired": {}, "x-order": 1},
        }
    }
    read = of(schema)
    assert read.unchecked == (
        "format email",
        "pattern ^x",
        "patternProperties ^n",
        "$ref https://example.org/schema",
        "dependentRequired",
    )
    verdict = check('{"mail": "no", "id": "a", "far": 1}', read)
    assert verdict.fits
    assert verdict.unchecked == read.unchecked


def test_a_check_that_would_take_too_long_is_given_up_and_passes_nothing() -> None:
    verdict = check(
        "[" * 60 + "]" * 60, of({"items": {"$ref": "#"}, "anyOf": [{"items": {"$ref": "#"}}] * 4})
    )
    assert verdict.given_up
    assert not verdict.fits


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}, {"not": {"$ref": "#"}}]
)
def test_a_schema_that_leads_back_to_itself_ends(schema: object) -> None:
    check("1", of(schema))


def test_any_json() -> None:
    assert all(check(text, ANY_JSON).fits for text in ("1", '"a"', "[]", '{"a": null}', " null "))
    assert not check("a", ANY_JSON).fits


# -- reading a schema ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"), ("{", "Line 1, column 2"), ('{"minLength": 3, "maxLength": 2}', "a minLength above its maxLength"), ("[]", "There is an array"), ("7", "There is a number"),
        ("[" * 100_000, "is not JSON"), ('{"type": "strin"}', "#/type has to be one of object, array"),
        ('{"properties": {"a": {"required": "b"}}}', "#/properties/a/required has to be a list of names"),
        ('{"properties": {"a": 1}}', "#/properties has to be an object of schemas"), ('{"anyOf": []}', "#/anyOf has to be"),
        ('{"$ref": "#/$defs/none"}', "leads nowhere"), ('{"minItems": -1}', "#/minItems"), ('{"multipleOf": 0}', "above 0"),
        ('{"not":' * 200 + "{}" + "}" * 200, "nested more than 100 deep"), ('{"a": NaN}', "is not JSON"),
        ('{"a": "' + "x" * MAX_CHARACTERS + '"}', "too large"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, "bad.json")
    assert says in str(refused.value)
    assert "bad.json" in str(refused.value)


def test_it_comes_back_from_an_answers_parameters() -> None:
    schema = parse(INVOICE, "my invoice.json")
    assert schema.name == "my-invoice.json"
    assert from_record(schema.recorded()) == schema
    assert from_record(ANY_JSON.recorded()) == ANY_JSON
    for foreign in ("", "x", "x {", "x {]", 7, None, True):
        assert from_record(foreign) is None


# -- generated documents ------------------------------------------------------------------------------------------------

NAMES = st.text(string.ascii_lowercase, min_size=1, max_size=3)


@st.composite
def cases(draw: st.DrawFn, depth: int = 2) -> tuple[dict[str, Json], Json]:
    """A schema and a document of it."""
    kinds = ["string", "integer", "number", "boolean", "null", "enum"]
    kind = draw(st.sampled_from(kinds + ["object", "array"] * 3 if depth else kinds))
    match kind:
        case "string":
            text = draw(st.text(max_size=5))
            return {"type": "string", "minLength": 0, "maxLength": 5}, text
        case "integer":
            number = draw(st.integers(-9, 9))
            return {"type": "integer", "minimum": -9, "maximum": 9}, number
        case "number":
            return {"type": "number"}, draw(st.floats(allow_nan=False, allow_infinity=False))
        case "boolean":
            return {"type": "boolean"}, draw(st.booleans())
        case "null":
            return {"type": "null"}, None
        case "enum":
            choices: list[Json] = list(draw(st.lists(NAMES, min_size=1, max_size=3)))
            return {"enum": choices}, draw(st.sampled_from(choices))
        case "array":
            schema, value = draw(cases(depth - 1))
            count = draw(st.integers(1, 3))
            return {"type": "array", "items": schema, "minItems": 1, "maxItems": 3}, [value] * count
    inner = draw(st.dictionaries(NAMES, cases(depth - 1), min_size=1, max_size=3))
    properties: dict[str, Json] = {name: schema for name, (schema, _) in inner.items()}
    required: list[Json] = list(inner)
    wanted: dict[str, Json] = {
        "type": "object", "properties": properties, "required": required, "additionalProperties": False,
    }  # fmt: skip
    return wanted, {name: value for name, (_, value) in inner.items()}


def spoilt(value: Json, data: st.DataObject) -> Json:
    """The document with one thing in it that its schema cannot allow."""
    if isinstance(value, dict):
        name = data.draw(st.sampled_from(sorted(value)))
        match data.draw(st.sampled_from(["gone", "more", "inside"])):
            case "gone":
                return {key: inner for key, inner in value.items() if key != name}
            case "more":
                return {**value, "ZZ": None}
        return {**value, name: spoilt(value[name], data)}
    if isinstance(value, list):
        at = data.draw(st.integers(0, len(value) - 1))
        return [spoilt(inner, data) if place == at else inner for place, inner in enumerate(value)]
    return {"of": "another type"}


@settings(max_examples=60)
@given(cases(), st.data())
def test_documents_of_a_schema_fit_and_spoilt_ones_do_not(
    case: tuple[dict[str, Json], Json], data: st.DataObject
) -> None:
    schema, value = case
    assert fits(schema, value)
    assert not fits(schema, spoilt(value, data))


JSONS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(JSONS, st.sampled_from([None, 0, 3]))
def test_indenting_changes_nothing_but_blanks(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    assert json.loads(indented(text)) == value
    assert indented(indented(text)) == indented(text)


def test_how_it_is_indented() -> None:
    assert indented('{"a":[1.50,{}],"b":"x,{y","c":[]}') == (
        '{\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": "x,{y",\n  "c": []\n}'
    )
