"""Finding words whatever their case and accents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.finding import folded, place


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Why does nginx", "NGINX", "nginx"),
        ("Zażółć gęślą", "zazolc ges", "Zażółć gęś"),
        ("tiếng Việt đúng", "viet dung", "Việt đúng"),
        ("tie\u0302\u0301ng", "tieng", "tie\u0302\u0301ng"),
        ("Strasse, STRASSE", "straße", "Strasse"),
        ("a/b?", "/b?", "/b?"),
        ("日本語の", "本語", "本語"),
        ("ёлка", "елка", "ёлка"),
    ],
)
def test_found(text: str, query: str, found: str) -> None:
    where = place(text, query)
    assert where is not None
    assert text[slice(*where)] == found


@pytest.mark.parametrize(
    ("text", "query"), [("nginx", "ngnix"), ("", "a"), ("a", ""), ("x" * 30_000 + "y", "y")]
)
def test_not_found(text: str, query: str) -> None:
    assert place(text, query) is None


@given(st.text(max_size=60), st.integers(0, 60), st.integers(1, 20))
def test_a_part_of_a_text_is_found_in_it(text: str, start: int, length: int) -> None:
    part = text[start : start + length]
    if folded(part) and folded(part) in "".join(folded(character) for character in text):
        where = place(text, part)
        assert where is not None
        assert 0 <= where[0] < where[1] <= len(text)
