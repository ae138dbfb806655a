"""Secrets are kept out of what is shown and of what other programs are given."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.secrets import (
    LEAST,
    MASK,
    PART,
    credential_in,
    masked,
    masked_json,
    names_login,
    without_keys,
    without_login,
)

KEY = "sk-proj-ABCdef0123456789"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"Incorrect API key: {KEY}.", f"Incorrect API key: {MASK}."),
        (f"{KEY}{KEY}", MASK),
        (KEY.lower(), MASK),
        ("begins with sk-proj-ABCd, ends with 23456789!", f"begins with {MASK}, ends with {MASK}!"),
        ("nothing of it: sk-proj, 0123", "nothing of it: sk-proj, 0123"),
        ("", ""),
    ],
)
def test_a_key_and_its_longer_parts_are_masked(text: str, shown: str) -> None:
    assert masked(text, f" {KEY}\n") == shown


@given(st.text(max_size=40), st.text(min_size=LEAST, max_size=60), st.text(max_size=40))
def test_no_key_survives(before: str, key: str, after: str) -> None:
    key = key.strip()
    if len(key) >= LEAST and key.lower() not in MASK.lower():
        shown = masked(before + key + after, key)
        assert len(shown.replace(MASK, "")) <= len(before) + len(after)
        if len(key) >= PART and not set(key) <= set(before + after + MASK):
            assert key not in shown


def test_a_short_key_is_in_every_other_word() -> None:
    assert masked("ollama", "oll") == "ollama"
    assert masked("the password hunter2 is wrong", "hunter2") == f"the password {MASK} is wrong"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("ftp://user:SECRET@host:1/x", "ftp://…@host:1/x"),
        ("user:SECRET@host", "…@host"),
        ("http://user:SE/C@R ET@host", "http://…@host"),
        ("http://host:8080", "http://host:8080"),
    ],
)
def test_a_login_in_an_address_is_not_shown(address: str, shown: str) -> None:
    assert without_login(address) == shown


def test_other_programs_do_not_get_the_keys() -> None:
    environ = {"HOME": "/h", "LOKAL_API_KEY": "a", "LAB_KEY": "lab secret ", "PAGER": "less", "EMPTY": ""}
    assert without_keys(environ, ["lab secret", "", "less"]) == {"HOME": "/h", "PAGER": "less", "EMPTY": ""}
    assert without_keys(environ) == {
        name: value for name, value in environ.items() if name != "LOKAL_API_KEY"
    }


ODD_KEY = 'sk-Pr0j/ab+CD="9876&zy\\XW'


@pytest.mark.parametrize("before", ["", "a", "bb", "Bearer "])
def test_a_key_is_known_in_base64_wherever_it_begins(before: str) -> None:
    whole = base64.b64encode(f"{before}{ODD_KEY} tail".encode()).decode()
    for text in (whole, whole.replace("+", "-").replace("/", "_")):
        shown = masked(f"got {text}!", ODD_KEY)
        assert MASK in shown
        assert len(shown) - len(f"got {MASK}!") <= len(before) * 4 / 3 + 12
    assert masked(base64.b64encode(b"nothing of the kind").decode(), ODD_KEY) != MASK


def test_a_key_is_known_in_an_address() -> None:
    assert masked(f"GET /x?key={quote(ODD_KEY, safe='')}&y", ODD_KEY) == f"GET /x?key={MASK}&y"
    assert masked(f"GET /x?key={quote(ODD_KEY, safe='').lower()}", ODD_KEY) == f"GET /x?key={MASK}"


def test_a_key_is_known_in_json_however_it_is_escaped() -> None:
    inside = json.dumps(ODD_KEY)[1:-1]
    spelled = "".join(f"\\u{ord(character):04x}" for character in ODD_KEY)
    for written in (inside, inside.replace("/", "\\/"), spelled):
        body = f'{{"name": "m {written}", "said": "\\"\\\\u0041\\n"}}'.encode()
        assert json.loads(body)["name"] == f"m {ODD_KEY}"
        told = json.loads(masked_json(body, f"{ODD_KEY}\n"))
        assert told == {"name": f"m {MASK}", "said": '"\\u0041\n'}
    untouched = b'{"name": "\\u0041\\/"}'
    assert masked_json(untouched, ODD_KEY) == untouched


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("/server http://ann:pw@host", True),
        ("  /server ann:pw@host:1", True),
        ("/server http://host:1", False),
        ("Mail ann@example.org", False),
        ("/compare a@b c", False),
    ],
)
def test_a_line_with_a_login_is_known(line: str, names: bool) -> None:
    assert names_login(line) is names


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("plain-token", ["plain-token"]),
        ("Bearer abc", ["abc"]),
        ("Basic YW5uOnMzY3JldA==", ["YW5uOnMzY3JldA==", "s3cret"]),
        ("Basic not base64!", ["not base64!"]),
        ("a=1; b=2", ["a=1; b=2"]),
    ],
)
def test_what_of_a_header_is_secret(value: str, secret: list[str]) -> None:
    assert credential_in(value) == secret
