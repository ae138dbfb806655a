"""The environment: what of it matters to lokal's own connections, and that nothing else does."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi
import pytest

from tests.support.dialects import HELLO, Dialect, hear, under_test
from tests.support.replay import as_json
from tui.core.endpoint import Endpoint, ServerKind
from tui.errors import ServerError
from tui.servers.detect import find
from tui.servers.http import transport
from tui.servers.http.certificates import tls_context
from tui.servers.kinds.ollama import OllamaServer
from tui.servers.kinds.ollama_host import ollama_host, ollama_host_problem
from tui.servers.kinds.ollama_package import is_free_of_wishes, new_client

OLLAMA = Dialect(ServerKind.OLLAMA)
MEANT_FOR_OTHERS = {
    "ALL_PROXY": "socks5://127.0.0.1:1080",
    "HTTP_PROXY": "proxy:abc",
    "https_proxy": "http://[::1",
    "no_proxy": "localhost,fe80::/10",
    "SSL_CERT_FILE": "/nowhere/ca.pem",
    "SSL_CERT_DIR": "/dev/zero",
    "SSLKEYLOGFILE": "/nowhere/keys",
    "OLLAMA_API_KEY": "ключ",
    "OLLAMA_HOST": '"http://[::1"',
}


@pytest.mark.parametrize("name", [*MEANT_FOR_OTHERS, "all at once"])
async def test_an_ollama_is_asked_whatever_the_environment_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in MEANT_FOR_OTHERS.items():
        if name in (variable, "all at once"):
            monkeypatch.setenv(variable, value)
    assert new_client(Endpoint("http://127.0.0.1:1"), os.environ, 1.0) is None
    async with under_test(OLLAMA) as tested:
        tested.replay.on("/api/tags", as_json(200, {"models": [{"name": "chat:latest"}]}))
        loaded = {"name": "chat:latest", "model": "chat:latest", "size": 7, "context_length": 4096}
        tested.replay.on("/api/ps", as_json(200, {"models": [loaded]}))
        (model,) = await tested.server.models()
        assert (model.loaded, model.context_loaded, model.memory) == (True, 4096, 7)
        tested.answers(tested.dialect.stream(tested.dialect.text("Yes."), *tested.dialect.end()))
        assert (await hear(tested.server.chat(HELLO))).text == "Yes."
        assert all("authorization" not in request.headers for request in tested.replay.seen)


async def test_without_wishes_the_package_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if not is_free_of_wishes({name: ""})]:
        monkeypatch.delenv(name)
    async with under_test(OLLAMA) as tested:
        tested.replay.on("/api/tags", as_json(200, {"models": [{"name": "chat:latest"}]}))
        tested.replay.on("/api/ps", as_json(200, {"models": [{"model": "chat:latest", "context_length": 8}]}))
        (model,) = await tested.server.models()
        assert model.context_loaded == 8
        assert "ollama-python" not in tested.replay.last("/api/ps").headers["user-agent"]
        assert isinstance(tested.server, OllamaServer)
        assert tested.server.uses_package


def test_a_wrong_file_of_certificates_is_said_for_https_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, text = tmp_path / "pipe", tmp_path / "text"
    os.mkfifo(pipe)
    text.write_text("no certificates at all")
    for wrong in (tmp_path / "missing.pem", pipe, text, tmp_path, Path("/dev/zero")):
        monkeypatch.setenv("SSL_CERT_FILE", str(wrong))
        with pytest.raises(ServerError, match="SSL_CERT_FILE") as raised:
            transport.client(Endpoint("https://127.0.0.1:1"))
        assert str(wrong) in raised.value.detail
        transport.client(Endpoint("http://127.0.0.1:1"))


def test_the_file_of_certificates_is_used_beside_the_others(tmp_path: Path) -> None:
    usual = tls_context({}).get_ca_certs()
    assert usual
    one = tmp_path / "one.pem"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END")[0]
    one.write_text(f"# комментарий\n{first}-----END CERTIFICATE-----\n", encoding="utf-8")
    context = tls_context({"SSL_CERT_FILE": str(one)})
    assert {str(each) for each in usual} <= {str(each) for each in context.get_ca_certs()}
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_where_openssl_itself_fails_it_is_said(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(protocol: int) -> ssl.SSLContext:
        raise ssl.SSLError(1, "library has no ciphers")

    monkeypatch.setattr(ssl, "SSLContext", fail)
    with pytest.raises(ServerError, match="OpenSSL cannot be used") as raised:
        transport.client(Endpoint(f"{scheme}://127.0.0.1:1"))
    assert "no ciphers" in raised.value.detail


def test_secrets_of_connections_are_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert tls_context(os.environ).keylog_filename is None
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    "value", ["::::bad", "ftp://user:SECRET@h", "a b", "http://[::1", "http://\x1b[31mx"]
)
def test_an_ollama_host_that_makes_no_sense_is_said(value: str) -> None:
    assert ollama_host(value) is None
    problem = ollama_host_problem({"OLLAMA_HOST": value})
    assert problem is not None
    assert "OLLAMA_HOST is no address" in problem.title
    assert "SECRET" not in str(problem)
    assert "\x1b" not in str(problem)


def test_an_impossible_port_is_said_and_what_is_asked_instead() -> None:
    problem = ollama_host_problem({"OLLAMA_HOST": "http://x:abc"})
    assert problem is not None
    assert "http://x is asked" in problem.detail
    for fine in ("", '""', "0.0.0.0", "::1", "box:8000", '"http://box"'):
        assert ollama_host_problem({"OLLAMA_HOST": fine}) is None, fine


async def test_a_host_that_cannot_be_is_only_not_found() -> None:
    impossible = [
        Endpoint(f"http://{host}:1") for host in ("a" * 70, "a..b", "%zz", "[fe80::1%lo]", "\u3002")
    ]
    assert await find(impossible, 30) == ()
