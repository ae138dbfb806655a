"""A command's key in another layout is the one in its place."""

from __future__ import annotations

import pytest

from tui.core.keyboard import latin


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("йцукен", "qwerty"), ("ЙЦУКЕН", "QWERTY"), ("ячсмитьбю", "zxcvbnm,."), ("хъжэё", "[];'`"), ("ХЪ", "{}"),
        ("іїєґ", "s]'`"), ("ў", "o"), ("ςερτυθιοπ", "wertyuiop"), ("ασδφ", "asdf"), ("ΑΣ", "AS"), ("קראט", "erty"),
        ("ضصثق", "qwer"), ("ㅂㅈㄷㄱ", "qwer"), ("łöñơ", "łöñơ"), ("a[1C", "a[1C"), ("中👍", "中👍"), ("", ""),
    ],
)  # fmt: skip
def test_the_key_that_a_letter_stands_on(written: str, place: str) -> None:
    assert "".join(latin(letter) for letter in written) == place


def test_a_word_is_no_key() -> None:
    assert latin("escape") == "escape"
    assert latin("ctrl+т") == "ctrl+т"
