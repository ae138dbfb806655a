"""Addresses of servers, as people write them."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.endpoint import Endpoint, ServerKind, parse_endpoint, parse_url
from tui.core.secrets import MASK
from tui.errors import UsageError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://host:8000/v1/", "http://host:8000"),
        ("http://host:8000/llm/v1", "http://host:8000/llm"),
        ("http://host/v1/v1", "http://host"),
        ("https://Example.ORG", "https://example.org"),
        ("192.168.1.5:8080", "http://192.168.1.5:8080"),
        ("localhost:1234", "http://127.0.0.1:1234"),
        ("0.0.0.0:11434", "http://127.0.0.1:11434"),
        (":5000", "http://127.0.0.1:5000"),
        ("[::]:8080", "http://[::1]:8080"),
        ("http://[fe80::1]:8080", "http://[fe80::1]:8080"),
        (" 'http://host:1' ", "http://host:1"),
        ("http://host:1/?q#f", "http://host:1"),
        ("35839", "http://127.0.0.1:35839"),
        ("::1", "http://[::1]"),
        ("::1:11434", "http://[::1]:11434"),
        (":::8080", "http://[::1]:8080"),
        ("http://::1:8080/", "http://[::1]:8080"),
        ("fe80::1%eth0", "http://[fe80::1%eth0]"),
        ("*:8080", "http://127.0.0.1:8080"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("ann:pw@host:1", "http://host:1"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    assert parse_url(text) == url


def test_the_usual_port_is_for_an_address_without_a_scheme() -> None:
    assert parse_url("host", 11434) == "http://host:11434"
    assert parse_url("host:80", 11434) == "http://host:80"
    assert parse_url("http://host", 11434) == "http://host"


@pytest.mark.parametrize(
    "text", ["", " ", "ftp://host", "http://", "https://", "http:", "a b", "host:port", "host:99999", "http://[::1", "::1:x", "0", "70000", "2130706433"]
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(text)
    assert "http://127.0.0.1:11434" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("http://host:1", []),
        ("127.0.0.1:1234", []),
        ("localhost:1234", ["http://[::1]:1234"]),
        (":1234", ["http://[::1]:1234"]),
        ("http://host/api", ["http://host"]),
        ("http://host/ollama/api/chat", ["http://host/ollama"]),
        ("http://host/v1/chat/completions", ["http://host"]),
        ("http://host/a/api/v1/chat/completions", ["http://host/a/api", "http://host/a"]),
        ("http://host/api/v0/models", ["http://host/api/v0", "http://host"]),
        ("http://host/apis/rapid", []),
        ("http://localhost:1/api", ["http://127.0.0.1:1", "http://[::1]:1/api", "http://[::1]:1"]),
    ],
)
def test_where_else_a_server_may_be(text: str, others: list[str]) -> None:
    assert list(parse_endpoint(text).other_urls) == others


@pytest.mark.parametrize(
    ("text", "login", "basic"),
    [
        ("http://ann:s3cret@host", "ann:s3cret", "YW5uOnMzY3JldA=="),
        ("ann:p%40ss%2F@host:1", "ann:p@ss/", "YW5uOnBAc3Mv"),
        ("http://ann:p@ss@host", "ann:p@ss", "YW5uOnBAc3M="),
        ("http://анна:пароль@host", "анна:пароль", "0LDQvdC90LA60L/QsNGA0L7Qu9GM"),
        ("http://token@host", "token", "dG9rZW46"),
        ("http://host", "", ""),
    ],
)
def test_a_name_and_a_password_before_the_host(text: str, login: str, basic: str) -> None:
    endpoint = parse_endpoint(text)
    assert (endpoint.login, endpoint.basic) == (login, basic)
    assert "@" not in endpoint.url + endpoint.address + endpoint.place
    assert not any(secret in repr(endpoint) for secret in endpoint.secrets)


def test_a_password_with_a_slash_is_explained_and_not_shown() -> None:
    with pytest.raises(UsageError, match="%2F") as caught:
        parse_endpoint("http://ann:s3c/ret@host")
    assert "s3c" not in str(caught.value)


def test_whatever_proves_who_asks_is_masked() -> None:
    headers = (
        ("X-Team", "teamtoken-1"),
        ("Authorization", "Bearer bearertoken-2"),
        ("Host", "localhost:11434"),
    )
    endpoint = Endpoint("http://host", api_key="sk-key-000003", login="ann:passphrase-4", headers=headers)
    said = "teamtoken-1 bearertoken-2 sk-key-000003 passphrase-4 " + endpoint.basic
    assert endpoint.masked(said) == " ".join([MASK] * 5)
    assert endpoint.masked("ann at localhost:11434, Bearer") == "ann at localhost:11434, Bearer"
    basic = Endpoint("http://host", headers=(("Proxy-Authorization", f"Basic {endpoint.basic}"),))
    assert basic.masked("passphrase-4") == MASK
    assert not any(secret in repr(endpoint) for secret in endpoint.secrets)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("a1.:/[]@v?#%0 \x00", max_size=20)))
def test_an_address_is_either_refused_in_words_or_stays_what_it_is(text: str) -> None:
    refused = ""
    url = "http://refused"
    try:
        url = parse_url(text)
    except UsageError as error:
        refused = str(error)
    assert not any(unicodedata.category(each) == "Cc" for each in refused)
    assert all(each.isprintable() and not each.isspace() for each in url)
    assert url.startswith(("http://", "https://"))
    assert not urlsplit(url).path.endswith(("/", "/v1"))
    assert parse_url(url) == url


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://127.0.0.1:11434", "this machine"),
        ("http://127.9.0.1:11434", "this machine"),
        ("http://[::1]:8080", "this machine"),
        ("http://192.168.1.5:8080", "192.168.1.5:8080"),
        ("http://127.example.org:8080", "127.example.org:8080"),
        ("http://127.0.0.1.example.org", "127.0.0.1.example.org"),
        ("http://user:secret@host:1", "host:1"),
    ],
)
def test_only_a_loopback_address_is_this_machine(url: str, place: str) -> None:
    endpoint = Endpoint(url)
    assert endpoint.place == place
    assert endpoint.on_this_machine is (place == "this machine")


def test_a_key_is_not_shown_and_kinds_have_names() -> None:
    assert "hunter2" not in repr(Endpoint("http://host", api_key="hunter2"))
    assert all(kind.label for kind in ServerKind)
