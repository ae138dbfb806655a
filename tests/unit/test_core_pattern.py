"""Patterns of a schema say what Python's `re` says, and never take long."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tui.core.pattern import Pattern, Unmatchable
from tui.core.work import Exhausted, WorkBudget

PLENTY = 1_000_000

ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "[ab]",
        "[^a]",
        r"\d",
        ".",
        "(a|b)",
        "(?:ab|c)",
        r"\w",
        r"[a-c0-9_]",
        r"\.",
        "1",
        "(a*b?)",
        r"\s",
    ]
)
PARTS = st.tuples(ATOMS, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{0,}", "*?", "+?"])).map(
    "".join
)
PATTERNS = st.tuples(
    st.sampled_from(["", "^", r"\b"]),
    st.lists(st.one_of(PARTS, PARTS, st.just("|")), min_size=1, max_size=5).map("".join),
    st.sampled_from(["", "$", r"\B"]),
).map("".join)


def found(source: str, text: str) -> bool:
    return Pattern(source).is_in(text, WorkBudget(PLENTY))


@given(PATTERNS, st.text("abc1_ .", max_size=8))
def test_it_finds_what_re_finds(source: str, text: str) -> None:
    # In `re`, unlike in ECMA-262, `$` also matches before a line break at the end; there is none in these texts. And
    # before Python 3.14 `\\B` does not match in an empty text.
    assume(text or r"\B" not in source)
    assert found(source, text) is (re.search(source, text, re.ASCII) is not None)


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        (r"^[A-Z]{2}\d{6}$", "AB123456", True), (r"^[A-Z]{2}\d{6}$", "AB12345", False), ("^$", "", True),
        (r"^\u0041\x42$", "AB", True), (r"^[\d.-]+$", "-1.5", True), (r"^[^\d]+$", "a1", False), ("a{", "a{", True),
        (r"^(?<year>\d{4})-(?:0[1-9]|1[0-2])$", "2026-11", True), (r"^.$", "\n", False), (r"\/", "/", True),
        ("^ż+$", "żż", True), ("x{2,}", "xxx", True), ("", "anything", True), ("[]]", "]", False), (r"\S", " ", False),
    ],
)  # fmt: skip
def test_what_matches(source: str, text: str, expected: bool) -> None:
    assert found(source, text) is expected


@pytest.mark.parametrize(
    "source",
    ["(", ")", "a)", "*", "a**", "[", "[b-a]", r"\1", "(?=a)", "(?!a)", "(?<=a)", r"\p{L}", "a{3,2}", "\\", r"\u00", "^*",
     "(a{90}){90}", "((){99999}){99999}", "(" + "()" * 1000 + "){99999}", "a{99999}", "a{9999999999}", "(" * 2000 + ")" * 2000],
)  # fmt: skip
def test_what_cannot_be_matched_is_refused(source: str) -> None:
    with pytest.raises(Unmatchable):
        Pattern(source)


@given(st.text("()[]{}|*+?^$\\-,.123abdwx", max_size=12))
def test_no_source_does_harm(source: str) -> None:
    try:
        found(source, "aab12")
    except Unmatchable:
        return


@pytest.mark.parametrize("source", ["^(a+)+$", "^(a|a)*$", "(a*)*b", "^(a|aa)+$"])
def test_what_takes_re_for_ever_ends(source: str) -> None:
    assert not found(source, "a" * 3000 + "!")


def test_a_budget_is_kept() -> None:
    with pytest.raises(Exhausted):
        Pattern("(a?){50}b").is_in("a" * 5000, WorkBudget(10_000))


def test_what_is_passed_over_without_a_character_is_charged_too() -> None:
    with pytest.raises(Exhausted):
        Pattern("(?:a?){600}b").is_in("a" * 2000, WorkBudget(300_000))


def test_writing_a_pattern_out_is_charged() -> None:
    with pytest.raises(Exhausted):
        Pattern("a{1000}", WorkBudget(500))
