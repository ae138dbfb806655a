"""Schemas and answers that are made to take long: a check ends soon, and a recorded schema never keeps a chat shut."""

from __future__ import annotations

import json

import pytest

from tui.core.schema import Schema, from_record
from tui.core.schema_parsing import parse
from tui.core.validation import MAX_FAULTS, ValidationResult, check
from tui.errors import UsageError


def verdict(schema: object, value: object) -> ValidationResult:
    return check(json.dumps(value), parse(json.dumps(schema), "s.json"))


def test_a_long_const_is_looked_at_once() -> None:
    found = verdict({"items": {"const": [0] * 50_000}}, [[1]] * 5000)
    assert not found.given_up
    assert len(found.faults) == MAX_FAULTS
    assert found.faults[0].why.startswith("[0, 0, ")


def test_the_values_that_are_held_against_a_const_are_charged() -> None:
    assert verdict({"anyOf": [{"const": 1}] * 2000}, [0] * 5000).given_up


def test_a_check_ends_at_enough_faults() -> None:
    names = [f"name{number}" for number in range(2000)]
    found = verdict({"items": {"required": names}}, [{}] * 2000)
    assert not found.given_up
    assert len(found.faults) == MAX_FAULTS


def test_required_names_are_charged() -> None:
    names = [f"name{number}" for number in range(2000)]
    assert verdict({"items": {"required": names}}, [dict.fromkeys(names, 0)] * 200).given_up


def test_large_numbers_of_one_hash_are_told_apart() -> None:
    values = [number * (2**61 - 1) for number in range(1, 2000)]
    assert verdict({"uniqueItems": True}, values).fits
    assert not verdict({"uniqueItems": True}, [*values, float(2**62), 2**62]).fits


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref":"#/allOf/' + "9" * 5000 + '","allOf":[{}]}',
        '{"$ref":"#/allOf/1","allOf":[{}]}',
        '{"const":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"const":' + "9" * 5000 + "}",
        '{"pattern":"((){99999}){99999}"',
    ],
    ids=["digits", "nowhere", "deep", "number", "cut"],
)
def test_a_recorded_schema_that_cannot_be_used_is_none(schema: str) -> None:
    with pytest.raises(UsageError):
        parse(schema, "bad.json")
    assert from_record(f"bad.json {schema}") is None


def test_a_place_in_a_list_can_be_referred_to() -> None:
    schema = {"$ref": "#/allOf/0", "allOf": [{"type": "string"}]}
    assert isinstance(parse(json.dumps(schema), "s"), Schema)
    assert not verdict(schema, 1).fits
