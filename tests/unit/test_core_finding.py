"""Finding words whatever their case and accents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.finding import place
from tui.core.folding import folded


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
        ("қўшиқ ва oʻzbek", "кушик", "қўшиқ"),
        ("oʻzbek tili", "ozbek", "oʻzbek"),
        ("it's here", "its", "it's"),
        ("they said 'now'", "'now", "now"),
        ("cœur, þing", "coeur", "cœur"),
        ("안녕하세요", "녕하", "녕하"),
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
