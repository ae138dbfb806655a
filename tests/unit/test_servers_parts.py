"""The small parts: reading JSON, error texts, what loads when, where to look for servers."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from unicodedata import category
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.endpoint import Endpoint, ServerKind
from tui.core.text import human_time
from tui.errors import AuthRequired, ModelMissing, Refused, ServerBusy, StillLoading, UsageError
from tui.servers.answer import TextSanitizer, plain_number
from tui.servers.detect import candidates
from tui.servers.errors import Asked, ServerErrorBody, complaint_in, refused
from tui.servers.http.http_client import retry_after
from tui.servers.json_object import JsonObject, parse_object
from tui.servers.kinds.ollama import full_name
from tui.servers.kinds.ollama_host import ollama_host
from tui.servers.registry import server_for

LOCAL = "http://127.0.0.1"


def test_httpx_is_not_loaded_before_a_server_is_asked() -> None:
    code = """
import sys
import tui.servers, tui.servers.base, tui.servers.registry, tui.servers.detect
from tui.core.endpoint import Endpoint, ServerKind
servers = [tui.servers.registry.server_for(Endpoint("http://127.0.0.1:1", kind)) for kind in ServerKind]
tui.servers.detect.candidates({}, ())
print(sorted({"httpx", "ollama", "pydantic", "textual", "rich", "sqlite3"} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr


def test_httpx_comes_without_its_own_command_line() -> None:
    code = """
import asyncio, sys
from tui.core.endpoint import Endpoint
from tui.servers.http.http_client import HttpClient

asyncio.run(HttpClient(Endpoint("http://127.0.0.1:1")).prepare())
import ollama
print(*sorted(name for name in sys.modules if sys.modules[name]))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    loaded = set(done.stdout.split())
    assert {"httpx", "ollama"} <= loaded, done.stderr
    assert not {"click", "rich.progress", "pygments.lexers", "httpx._main"} & loaded


def test_a_server_of_unknown_kind_is_not_connected() -> None:
    with pytest.raises(UsageError):
        server_for(Endpoint(f"{LOCAL}:1"))
    for kind in ServerKind:
        server = server_for(Endpoint(f"{LOCAL}:1", kind))
        assert server.kind is kind
        assert server.endpoint.kind is kind


def test_the_key_is_in_no_text() -> None:
    endpoint = Endpoint(f"{LOCAL}:1", ServerKind.VLLM, "secret")
    assert "secret" not in repr(server_for(endpoint)) + repr(Asked(endpoint, ServerKind.VLLM)) + repr(
        endpoint
    )


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("", None), ("  ", None), ('""', None),
        ("1.2.3.4", "http://1.2.3.4:11434"), ("myhost", "http://myhost:11434"), ("[::1]", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"), ("1.2.3.4:5000", "http://1.2.3.4:5000"), (":5000", f"{LOCAL}:5000"),
        ("http://h", "http://h"), ("https://h", "https://h"), ("https://h:1/prefix/", "https://h:1/prefix"),
        ("h:99999", "http://h:11434"), ("h:abc", "http://h:11434"), ("0.0.0.0", f"{LOCAL}:11434"),
        ("0.0.0.0:8080", f"{LOCAL}:8080"), ("::", "http://[::1]:11434"), (" 'localhost' ", f"{LOCAL}:11434"),
        ("ollama.com", "https://ollama.com"), ("ftp://h", None), ("a b", None),
    ],
)  # fmt: skip
def test_ollama_host(value: str, url: str | None) -> None:
    assert ollama_host(value) == url


@given(st.text(max_size=30))
def test_ollama_host_never_fails(value: str) -> None:
    url = ollama_host(value)
    if url is not None:
        parts = urlsplit(url)
        assert parts.scheme in ("http", "https")
        assert parts.hostname
        assert parts.port is None or 0 < parts.port < 65536


def test_candidates() -> None:
    usual = [f"{LOCAL}:{port}" for port in (11434, 9931, 8080, 1234, 8000, 5000)]
    assert [endpoint.url for endpoint in candidates({}, ())] == usual
    mine = Endpoint(f"{LOCAL}:8000", ServerKind.VLLM, "k", "big")
    far = Endpoint("http://far:80")
    found = candidates({"OLLAMA_HOST": "http://far"}, (mine, far, Endpoint("http://localhost:1234")))
    assert found[:3] == (mine, far, Endpoint("http://localhost:1234"))
    assert [e.url for e in found[3:]] == [usual[0], usual[1], usual[2], usual[5]]
    assert candidates({"OLLAMA_HOST": "box"}, ())[0].url == "http://box:11434"


def test_fields_take_what_is_there() -> None:
    fields = parse_object('\ufeff{"s":"a\\ud800","n":1.5,"b":true,"i":7,"neg":-1,"big":1e999,"nan":NaN,"o":{"x":1},'
                          '"l":[{"y":2},3,"t"],"raw":"a\tb","z":null}')  # fmt: skip
    assert fields is not None
    assert fields.text("s") == "a\ufffd"
    assert fields.text("raw") == "a\tb"
    assert (fields.text("n"), fields.text("none")) == ("", "")
    assert (fields.number("n"), fields.number("b"), fields.number("big"), fields.number("nan")) == (
        1.5,
        None,
        None,
        None,
    )
    assert (fields.count("i"), fields.count("neg"), fields.count("s")) == (7, None, None)
    assert fields.flag("b")
    assert not fields.flag("i")
    assert fields.inner("o").count("x") == 1
    assert not fields.inner("l")
    assert [item.count("y") for item in fields.items("l")] == [2]
    assert fields.texts("l") == ("t",)
    assert (fields.as_json("o"), fields.as_json("s"), fields.as_json("z")) == ('{"x": 1}', "a\ufffd", "")
    assert "z" in fields
    assert JsonObject().items("l") == ()


@given(
    st.one_of(
        st.binary(max_size=200),
        st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5)
        .map(json.dumps)
        .map(str.encode),
        st.dictionaries(st.text(max_size=5), st.integers(), max_size=3).map(json.dumps).map(str.encode),
    )
)
def test_what_json_calls_an_object_is_one_and_nothing_else(data: bytes) -> None:
    try:
        read = json.loads(data.decode("utf-8-sig", "replace"), strict=False)
    except (ValueError, RecursionError):
        read = None
    found = parse_object(data)
    assert (found is not None) is isinstance(read, dict)
    if found is not None:
        assert all(key in found for key in read)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"error":"boom"}', "boom"),
        ('{"error":{"message":"boom","type":"t","code":400}}', "boom"),
        ('{"error":{"error":{"message":"boom"}}}', "boom"),
        ('{"error":"{\\"error\\":{\\"message\\":\\"boom\\"}}"}', "boom"),
        ('{"error":{"message":"{\\"error\\":\\"boom\\"}"}}', "boom"),
        ('{"error":"{not json"}', "{not json"),
        ('{"detail":"boom"}', "boom"),
        ('{"detail":[{"loc":["body","x"],"msg":"bad","type":"t"},{"msg":"worse"}]}', "x: bad; worse"),
        ('{"object":"error","message":"boom"}', "boom"),
        ('{"error":"unauthorized","signin_url":"https://ollama.com/connect?x"}', "unauthorized: https://ollama.com/connect?x"),
        ("boom\n\x1b[31mred", "boom red"),
        ("<!DOCTYPE html><html><head><title>502 Bad\nGateway</title>", "502 Bad Gateway"),
        ("", ""), ("{}", ""), ("[]", "[]"), ("null", "null"),
    ],
)  # fmt: skip
def test_complaints(body: str, text: str) -> None:
    assert complaint_in(body).text == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
       | st.dictionaries(st.sampled_from(["error", "message", "detail", "type", "code", "n_ctx"]), inner, max_size=4)),
       st.integers(100, 599), st.sampled_from(list(ServerKind)))  # fmt: skip
def test_any_complaint_becomes_an_error_that_can_be_shown(
    value: object, status: int, kind: ServerKind
) -> None:
    error = refused(
        complaint_in(json.dumps(value)), status, Asked(Endpoint(f"{LOCAL}:1", kind), kind, "m\x1b")
    )
    assert error.title
    assert not [c for c in str(error) if category(c) in ("Cc", "Cs") and c != "\n"]
    assert len(str(error)) < 2000


def refusal(text: str, status: int, kind: ServerKind = ServerKind.OLLAMA, key: str = "") -> Refused:
    error = refused(ServerErrorBody(text), status, Asked(Endpoint(f"{LOCAL}:1", kind, key), kind, "llama3"))
    assert isinstance(error, Refused)
    return error


def test_hints_can_be_acted_on() -> None:
    assert "ollama pull llama3" in refusal("model 'llama3' not found", 404).hint
    assert isinstance(refusal("model 'llama3' not found", 404), ModelMissing)
    assert "ollama signin" in refusal("unauthorized", 401).hint
    vllm = refusal("Unauthorized", 401, ServerKind.VLLM)
    assert isinstance(vllm, AuthRequired)
    assert "[[servers]]" in vllm.hint
    assert "does not accept" in refusal("Unauthorized", 401, ServerKind.VLLM, "k").title
    assert "Host: localhost" in refusal("", 403).hint
    assert not isinstance(refusal("", 403), AuthRequired)
    assert isinstance(refusal("Loading model", 503, ServerKind.LLAMACPP), StillLoading)
    assert isinstance(refusal("server busy, please try again", 503), ServerBusy)
    assert "smaller model" in refusal("model requires more system memory (9 GiB) than is available", 500).hint
    assert "lms load" in refusal("No models loaded. Please load a model", 400, ServerKind.LMSTUDIO).hint


def test_names_are_compared_as_ollama_does() -> None:
    assert full_name("Llama3") == full_name("registry.ollama.ai/library/llama3:latest") == "llama3:latest"
    assert full_name("hf.co/User/Repo") == "hf.co/user/repo:latest"
    assert full_name("a:7b") != full_name("a")


def test_numbers_of_parameters() -> None:
    assert [plain_number(n) for n in (7, 378_400, 9_181_184, 3_210_000_000, 70_000_000_000, 1_000_000_000_000)] == [
        "7", "378K", "9.18M", "3.21B", "70B", "1T"
    ]  # fmt: skip


@given(st.text(alphabet="a\r\n\x1b[]\u0085", max_size=20), st.lists(st.integers(0, 20), max_size=5))
def test_line_ends_do_not_depend_on_the_cut(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(at for at in cuts if at <= len(text)), len(text)]
    clean = TextSanitizer()
    pieces = "".join(clean.take(text[a:b]) for a, b in pairwise(edges))
    assert "\x1b" not in pieces
    assert "\r" not in pieces
    if "\x1b" not in text:
        assert pieces == TextSanitizer().take(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), (" 120 ", 120.0), ("Thu, 01 Jan 1970 00:01:00 GMT", 60.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-1", None), ("soon", None), ("", None), ("9" * 400, None), ("Fri, 31 Dec 9999 23:59:59 GMT", None), ("٣", None),
    ],
)  # fmt: skip
def test_when_a_server_wants_to_be_asked_again(text: str, seconds: float | None) -> None:
    assert retry_after(text, 0.0) == seconds


def test_a_time_to_wait_in_words() -> None:
    assert [human_time(seconds) for seconds in (0, 0.2, 90, 91, 5400, 5401)] == [
        "0 s", "1 s", "90 s", "2 min", "90 min", "2 h",
    ]  # fmt: skip
