"""Servers behind proxies, on other loopback addresses, under TLS, and what is no model server at all."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.dialects import DIALECTS, HELLO, Dialect, hear, under_test
from tests.support.replay import CannedResponse, Replay, as_json, recorded, replay, reply, text
from tui.core.endpoint import Endpoint, ServerKind, parse_endpoint
from tui.errors import AuthRequired, BadReply, NotAModelServer, Refused, ServerBusy, ServerError, Unreachable
from tui.servers.detect import find, reach, recognise
from tui.servers.registry import server_for

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
BASIC = {"WWW-Authenticate": 'Basic realm="Restricted"'}
NGINX_401 = b"<html><head><title>401 Authorization Required</title></head><body></body></html>"


def ollama(running: Replay, prefix: str = "") -> Replay:
    running.on(f"{prefix}/api/version", recorded("ollama/version"))
    running.on(f"{prefix}/api/tags", as_json(200, {"models": [{"name": "m"}]}))
    running.on(f"{prefix}/api/ps", as_json(200, {"models": []}))
    return running


def page(status: int, title: str, **headers: str) -> CannedResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(status, f"<html><title>{title}</title></html>".encode(), "text/html", named)


async def what_is_said_of(other: CannedResponse, **given: object) -> ServerError:
    async with replay() as running:
        running.other = other
        with pytest.raises(ServerError) as raised:
            await recognise(replace(Endpoint(running.url), **given), timeout=60)  # type: ignore[arg-type]
        return raised.value


# -- who asks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.kind))
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"login": "ann:s3cret"}, "Basic YW5uOnMzY3JldA=="),
        ({"login": "ann:s3cret", "api_key": "k"}, "Bearer k"),
        ({"login": "a:b", "api_key": "k", "headers": (("authorization", "Token t"),)}, "Token t"),
    ],
)
async def test_a_header_wins_over_a_key_and_a_key_over_the_address(
    dialect: Dialect, given: dict[str, object], sent: str
) -> None:
    async with under_test(dialect) as tested:
        ollama(tested.replay)
        endpoint = replace(tested.server.endpoint, **given)  # type: ignore[arg-type]
        server = server_for(endpoint)
        await server.models()
        await hear(server.chat(HELLO))
        await server.aclose()
        await recognise(endpoint, timeout=60)
        assert {seen.headers.get("authorization") for seen in tested.replay.seen} == {sent}
        assert dialect.path in tested.replay.paths()


async def test_headers_go_with_every_request_and_are_masked_where_they_come_back() -> None:
    headers = (("Host", "localhost"), ("X-Team", "teamtoken-123"))
    async with replay() as running:
        ollama(running).on("/api/chat", as_json(500, {"error": "no teamtoken-123 here"}))
        running.on("/api/tags", as_json(200, {"models": [{"name": "teamtoken-123"}]}))
        server = server_for(Endpoint(running.url, ServerKind.OLLAMA, headers=headers))
        assert "teamtoken" not in repr(await server.models())
        heard = await hear(server.chat(HELLO))
        await server.aclose()
    assert "teamtoken" not in str(heard.error)
    assert {(seen.headers["host"], seen.headers["x-team"]) for seen in running.seen} == {
        ("localhost", "teamtoken-123")
    }


@pytest.mark.parametrize(
    ("other", "given", "words"),
    [
        (reply(401, NGINX_401, "text/html", BASIC), {}, "A proxy at .* wants to know who asks.*401.*name:password@host"),
        (reply(401, b"401 Unauthorized", "text/plain", BASIC), {}, "A proxy at .* wants to know who asks"),
        (reply(401, NGINX_401, "text/html", BASIC), {"login": "ann:wrong-pass"}, "does not accept the name and the password"),
        (reply(401, NGINX_401, "text/html", BASIC), {"kind": ServerKind.OLLAMA}, "A proxy at"),
        (page(403, "403 Forbidden"), {}, "does not let lokal in.*Status 403"),
        (as_json(401, {"detail": "Not authenticated"}), {}, "What answers at .* wants an API key.*LOKAL_API_KEY"),
        (as_json(401, {"detail": "no"}), {"api_key": "k"}, "does not accept the API key"),
    ],
)  # fmt: skip
async def test_who_wants_to_know_is_said(other: CannedResponse, given: dict[str, object], words: str) -> None:
    error = await what_is_said_of(other, **given)
    assert isinstance(error, AuthRequired)
    assert re.search(words, str(error))
    assert "cloud" not in str(error)
    assert "wrong-pass" not in str(error)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: str(dialect.kind))
async def test_a_proxy_that_refuses_in_mid_chat(dialect: Dialect) -> None:
    async with under_test(dialect) as tested:
        for refusal in (
            reply(401, NGINX_401, "text/html", BASIC),
            page(403, "Forbidden"),
            page(407, "Proxy"),
        ):
            tested.answers(refusal)
            error = (await hear(tested.server.chat(HELLO))).error
            assert isinstance(error, AuthRequired)
            assert error.title.startswith("A proxy at")
        tested.answers(reply(301, b"", "", {"Location": "https://u:pw@llm.example.org/chat?token=abc"}))
        error = (await hear(tested.server.chat(HELLO))).error
        assert isinstance(error, BadReply)
        assert "llm.example.org/chat" in error.title
        assert "301" in error.detail
        assert "token" not in str(error)
        assert "pw" not in str(error)


async def test_ollamas_cloud_is_told_from_what_is_before_ollama() -> None:
    dialect = Dialect(ServerKind.OLLAMA)
    async with under_test(dialect) as tested:
        tested.answers(as_json(401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect?x"}))
        assert "ollama signin" in (await hear(tested.server.chat(HELLO))).error.hint
        tested.answers(as_json(401, {"message": "No API key found in request"}))
        error = (await hear(tested.server.chat(HELLO))).error
        assert "before Ollama wants an API key" in error.title
        assert "LOKAL_API_KEY" in error.hint


async def test_ollama_that_does_not_know_the_host_name() -> None:
    error = await what_is_said_of(reply(403, b"", ""))
    assert isinstance(error, Refused)
    assert not isinstance(error, AuthRequired)
    assert 'Host = "localhost"' in error.hint


# -- what answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "kind", "words"),
    [
        (page(502, "502 Bad Gateway"), Refused, "says 502 Bad Gateway.*A proxy answers"),
        (text(502, "upstream is away"), Refused, "says 502 Bad Gateway.*upstream is away"),
        (page(504, "504 Gateway Time-out"), Refused, "says 504"),
        (page(503, "Maintenance"), ServerBusy, "says 503.*Maintenance.*try again"),
        (as_json(429, {"error": "slow down"}), ServerBusy, "says 429 Too Many Requests.*slow down"),
        (text(500, "boom\x1b[31m"), Refused, "says 500 Internal Server Error.*boom"),
        (text(599, ""), Refused, "says 599"),
        (page(200, "Router login"), NotAModelServer, "A web page answers.*Router login"),
        (page(404, "Not Found"), NotAModelServer, "A web page answers.*Status 404: Not Found"),
        (text(404, "no"), NotAModelServer, "status 404"),
        (page(302, "Found", Location="https://llm.example.org/v1/models"), BadReply,
         "sends on to https://llm.example.org.*302.*Use that address: https://llm.example.org"),
        (page(303, "See", Location="/login?next=/v1/models&t=abc"), BadReply, "sends on to /login.*303.*signs in"),
        (page(400, "400 The plain HTTP request was sent to HTTPS port"), NotAModelServer, "Try https: https://127"),
        (text(400, "Client sent an HTTP request to an HTTPS server."), NotAModelServer, "Try https: https://127"),
    ],
)  # fmt: skip
async def test_the_status_and_the_target_are_said(
    other: CannedResponse, kind: type[ServerError], words: str
) -> None:
    error = await what_is_said_of(other)
    assert type(error) is kind
    assert re.search(words, str(error))
    assert str(error).isprintable()
    assert "abc" not in str(error)


def open_webui(running: Replay) -> None:
    running.other = page(200, "Open WebUI")
    running.on("/api/version", as_json(200, {"version": "0.6.30", "deployment_id": ""}))
    running.on("/health", as_json(200, {"status": True}))


async def test_open_webui_is_no_ollama() -> None:
    async with replay() as running:
        open_webui(running)
        with pytest.raises(NotAModelServer, match="Open WebUI answers") as raised:
            await recognise(Endpoint(running.url), timeout=60)
        assert f"{running.url}/ollama" in raised.value.hint
        assert "11434" in raised.value.hint
        problems: list[ServerError] = []
        assert await find([Endpoint(running.url)], 60, problems) == ()
        assert [problem.title for problem in problems] == [raised.value.title]
        ollama(running, "/ollama")
        assert (await recognise(Endpoint(f"{running.url}/ollama"), timeout=60)).kind is ServerKind.OLLAMA
        running.on("/ollama/api/version", as_json(401, {"detail": "Not authenticated"}))
        with pytest.raises(AuthRequired):
            await recognise(Endpoint(f"{running.url}/ollama"), timeout=60)


async def test_a_llama_server_does_not_answer_below_a_path_that_it_has_not() -> None:
    async with replay() as running:
        running.other = recorded("llama-server/single/not-found")
        with pytest.raises(NotAModelServer, match=r"llama\.cpp"):
            await recognise(Endpoint(f"{running.url}/v1/chat/completions"), timeout=60)


# -- where it is --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "path", "reached"),
    [
        ("", "/api/chat", ""), ("", "/api", ""), ("", "/v1/chat/completions", ""), ("/api", "/api", "/api"),
        ("/ollama", "/ollama/api/tags", "/ollama"), ("/api", "/api/api/chat", "/api"),
    ],
)  # fmt: skip
async def test_a_pasted_address_is_asked_as_it_is_and_then_without_its_ending(
    prefix: str, path: str, reached: str
) -> None:
    async with replay() as running:
        ollama(running, prefix)
        found = await reach(parse_endpoint(running.url + path), timeout=60)
        assert found.endpoint.url == running.url + reached


async def test_an_address_that_is_none_in_any_form_is_told_as_it_was_given() -> None:
    async with replay() as running:
        with pytest.raises(NotAModelServer) as raised:
            await reach(parse_endpoint(f"{running.url}/api/chat"), timeout=60)
        assert f"{running.url}/api/chat" in raised.value.title
        running.on("/v1/models", page(502, "Bad Gateway"))
        with pytest.raises(Refused, match="502"):
            await reach(parse_endpoint(f"{running.url}/api/chat"), timeout=60)


def _has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 loopback address")
async def test_localhost_is_also_the_ipv6_one() -> None:
    async with replay("::1") as running:
        ollama(running)
        port = running.url.rpartition(":")[2]
        for address in (f"localhost:{port}", port, f"http://localhost:{port}/api/chat", f"::1:{port}"):
            assert (await reach(parse_endpoint(address), timeout=60)).endpoint.url == running.url
        with pytest.raises(Unreachable):
            await reach(parse_endpoint(f"127.0.0.1:{port}"), timeout=60)
        found = await find([Endpoint(running.url), parse_endpoint(f"localhost:{port}")], timeout=60)
        assert [one.endpoint.url for one in found] == [running.url], "one server is found once"


def tls_of_a_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    return context


async def test_a_certificate_is_trusted_by_the_config_or_by_a_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    async with replay(tls=tls_of_a_server()) as running:
        ollama(running)
        endpoint = Endpoint(running.url)
        with pytest.raises(Unreachable, match="is not trusted") as raised:
            await recognise(endpoint, timeout=60)
        assert "ca_file" in raised.value.hint
        assert "SSL_CERT_FILE" in raised.value.hint
        trusting = replace(endpoint, ca_file=str(TLS / "cert.pem"))
        assert (await recognise(trusting, timeout=60)).kind is ServerKind.OLLAMA
        with pytest.raises(ServerError, match="ca_file cannot be read") as unread:
            await recognise(replace(endpoint, ca_file="/nowhere/secret-name.pem"), timeout=60)
        assert "secret-name" not in str(unread.value)
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
        assert (await recognise(endpoint, timeout=60)).kind is ServerKind.OLLAMA
        with pytest.raises(NotAModelServer) as plain:
            await recognise(Endpoint(running.url.replace("https", "http")), timeout=60)
        assert plain.value.hint == f"Try https: {running.url}"


async def test_a_certificate_of_another_host_is_told_as_that() -> None:
    async with replay("127.0.0.2", tls_of_a_server()) as running:
        trusting = Endpoint(running.url, ca_file=str(TLS / "cert.pem"))
        with pytest.raises(Unreachable, match="mismatch") as raised:
            await recognise(trusting, timeout=60)
        assert "host name that stands in the certificate" in raised.value.hint
