"""What may be written after /compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.compare import LEAST, MOST, ColumnRequest, ComparisonRequest, parse
from tui.errors import UsageError

PRESETS = ("technical", "creative", "chatbot")
MODELS = ("llama3.2:3b", "qwen2.5:7b", "qwen2.5:14b")


def compare(text: str) -> ComparisonRequest:
    return parse(text, PRESETS, "creative", MODELS)


def pairs(text: str) -> list[tuple[str, str, str]]:
    return [(column.preset, column.model, column.server) for column in compare(text).columns]


@pytest.mark.parametrize(
    ("text", "columns", "prompt"),
    [
        ("", [("creative", "", ""), ("chatbot", "", "")], ""),
        (": Why?", [("creative", "", ""), ("chatbot", "", "")], "Why?"),
        ("technical", [("creative", "", ""), ("technical", "", "")], ""),
        ("tech creat: Why: so?", [("technical", "", ""), ("creative", "", "")], "Why: so?"),
        ("technical technical technical:\none\ntwo", [("technical", "", "")] * 3, "one\ntwo"),
        ("technical creative:", [("technical", "", ""), ("creative", "", "")], ""),
        ("llama3.2 qwen2.5:7b: Hi", [("creative", "llama3.2:3b", ""), ("creative", "qwen2.5:7b", "")], "Hi"),
        ("model=llama3.2:3b preset=chatbot", [("creative", "llama3.2:3b", ""), ("chatbot", "", "")], ""),
        ("chatbot@qwen2.5:14b tech@llama", [("chatbot", "qwen2.5:14b", ""), ("technical", "llama3.2:3b", "")], ""),
        ("technical technical on lab", [("technical", "", ""), ("technical", "", "lab")], ""),
        ("creative tech@phi4:q8@x on http://10.0.0.7:8080: Go",
         [("creative", "", ""), ("technical", "phi4:q8@x", "http://10.0.0.7:8080")], "Go"),
        ("phi4 on lab creative", [("creative", "phi4", "lab"), ("creative", "", "")], ""),
    ],
)  # fmt: skip
def test_what_it_means(text: str, columns: list[tuple[str, str, str]], prompt: str) -> None:
    assert pairs(text) == columns
    assert compare(text).prompt == prompt


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("creatve chatbot", "Did you mean creative?"), ("Why is it so?", "A question comes after a colon"),
        ("model=phi4", "no model “phi4”"), ("model=", "Which model?"), ("preset=x", "no preset “x”"),
        ("qwen chatbot", "Say which: qwen2.5:7b, qwen2.5:14b"), ("on lab", "follows the column"),
        ("creative on", "On which server?"), ("chatbot " * 5, "5 columns do not fit"), ("@llama", "no preset or model"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        compare(text)
    assert says in str(refused.value)


def test_the_first_preset_follows_the_last() -> None:
    assert parse("", PRESETS, "chatbot", ()).columns == (ColumnRequest("chatbot"), ColumnRequest("technical"))
    assert parse("", ("own",), "own", ()).columns == (ColumnRequest("own"), ColumnRequest("own"))
    assert parse("x@llama3 model=phi4", ("x",), "x", ()).columns == (
        ColumnRequest("x", "llama3"),
        ColumnRequest("x", "phi4"),
    )


WORDS = st.sampled_from(
    ["technical", "creat", "on", "lab", ":", "llama", "model=", "@", "a@b", "x=y", "why", "", "\n"]
)


@given(st.lists(WORDS | st.text(max_size=4), max_size=8).map(" ".join))
def test_nothing_that_is_typed_does_harm(text: str) -> None:
    try:
        comparison = compare(text)
    except UsageError:
        return
    assert LEAST <= len(comparison.columns) <= MOST
    assert all(column.preset in PRESETS for column in comparison.columns)
