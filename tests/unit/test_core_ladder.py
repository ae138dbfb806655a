"""What may be written after /ladder, and how answers are compared."""

from __future__ import annotations

import pytest

from tui.core.ladder import difference, parse
from tui.errors import UsageError


def rungs(text: str) -> list[dict[str, object]]:
    return [dict(column.values) for column in parse(text, "technical").columns]


def test_each_value_is_a_column_and_all_have_one_seed() -> None:
    assert rungs("temperature 0.1 0,7, 1.2") == [
        {"temperature": value, "seed": 1} for value in (0.1, 0.7, 1.2)
    ]
    assert rungs("seed 1 2") == [{"seed": 1}, {"seed": 2}]
    asked = parse("top_k 1 20: Why: so?", "technical", seed=7)
    assert asked.prompt == "Why: so?"
    assert [dict(column.values) for column in asked.columns] == [
        {"top_k": 1, "seed": 7},
        {"top_k": 20, "seed": 7},
    ]


def test_without_values_the_usual_range_is_climbed() -> None:
    assert [rung["temperature"] for rung in rungs("temperature")] == [0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Of which parameter"),
        (": Why?", "Of which parameter"),
        ("temprature 1 2", "temperature"),
        ("stop a b", "cannot be climbed"),
        ("threads 1 2", "cannot be climbed"),
        ("temperature 0.5", "2 to 4 different values, not 1"),
        ("temperature 0.5 0.5", "not 1"),
        ("temperature 0.1 0.2 0.3 0.4 0.5", "not 5"),
        ("temperature 0.5 3", "temperature"),
        ("temperature 0.5 nan", "temperature"),
        ("temperature 0.5 1e999", "temperature"),
    ],
)
def test_what_cannot_be_climbed_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text, "technical")
    assert says in str(refused.value)


def test_answers_are_compared_by_their_words() -> None:
    assert difference("It is blue.", None) == "3 words"
    assert difference("Blue it is!", "It is blue.") == "3 words, 100 % of them in the first too"
    assert difference("It is BLUE", "It is blue.") == "3 words, the same as the first"
    assert difference("It is red, red.", "It is blue.") == "4 words, 50 % of them in the first too"
    assert difference("", "It is blue.") == "0 words"
