"""httpx: how a client is built for an endpoint, and what its errors mean. Imported when a server is first asked,
after `http_client.prepare_httpx`, since httpx takes longer to load than the first frame may take to appear."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from tui.core.endpoint import Endpoint
from tui.core.text import human_size, safe_line
from tui.errors import BadReply, Interrupted, NotAModelServer, ServerError, Unreachable
from tui.servers.http.body import BodyTooLong, expand
from tui.servers.registry import profile_of

CONNECT_S = 5.0
WRITE_S = 60.0


def client(endpoint: Endpoint) -> httpx.AsyncClient:
    """A client for this endpoint only. No proxy and no .netrc from the environment, no redirects, so that a key goes
    nowhere else; a connection of its own for every request, so that closing it stops exactly that answer and no
    request meets a connection that has gone stale."""
    return httpx.AsyncClient(
        transport=transport(endpoint),
        trust_env=False,
        follow_redirects=False,
        headers=headers(endpoint),
        event_hooks={"request": [_only_to(endpoint)] if endpoint.process else [], "response": [expand]},
    )


def _only_to(endpoint: Endpoint) -> Callable[[httpx.Request], Awaitable[None]]:
    """A hook that lets nothing out to a port of the built-in engine on which another process listens. httpcore calls
    `trace` before it connects and before it sends (httpx, "Request extensions"); what is raised there ends the request.
    """
    from tui.servers.engine import port_listener

    port = urlsplit(endpoint.url).port or 0

    async def trace(event: str, _: Mapping[str, object]) -> None:
        if event not in ("connection.connect_tcp.started", "http11.send_request_headers.started"):
            return
        if not await asyncio.to_thread(port_listener.listens, endpoint.process, port):
            raise httpx.ConnectError("The built-in engine is gone")

    async def watch(request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "trace": trace}

    return watch


def transport(endpoint: Endpoint) -> httpx.AsyncHTTPTransport:
    """The transport under `client`, for whoever builds a client of another library. Raises ServerError."""
    try:
        return httpx.AsyncHTTPTransport(
            verify=_tls(endpoint),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            uds=endpoint.socket or None,
            socket_options=None if endpoint.socket else _keepalive(),  # those are of TCP
        )
    except ssl.SSLError as error:  # httpx makes a context for http too
        from tui.servers.http.certificates import unusable

        raise unusable(error) from error


def _tls(endpoint: Endpoint) -> ssl.SSLContext | bool:
    # An http URL needs no certificates, and loading them costs some 90 ms; nothing follows a redirect to https.
    if not endpoint.url.startswith("https:"):
        return False
    from tui.servers.http.certificates import tls_context

    return tls_context(os.environ, endpoint.ca_file)


def _keepalive() -> list[tuple[int, int, int]]:
    # A machine that vanished is noticed after about two minutes, although a model may think for an hour in silence.
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, seconds_or_count in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        option = getattr(socket, name, None)
        if option is not None:
            options.append((socket.IPPROTO_TCP, option, seconds_or_count))
    return options


def headers(endpoint: Endpoint) -> dict[str, str]:
    """What goes with every request. Uncompressed, since a proxy that compresses a stream also holds it back. What the
    person has written as a header wins over a key, and a key over a name and a password in the address."""
    sent = {"accept-encoding": ("Accept-Encoding", "identity"), "user-agent": ("User-Agent", "lokal")}
    if endpoint.login:
        sent["authorization"] = "Authorization", f"Basic {endpoint.basic}"
    if key := endpoint.api_key.strip():
        sent["authorization"] = "Authorization", f"Bearer {key}"
    sent |= {name.lower(): (name, value) for name, value in endpoint.headers}
    return dict(sent.values())


def authorization(endpoint: Endpoint) -> Callable[[httpx.Request], httpx.Request]:
    """For clients of another library: takes out whatever key that library found in the environment and puts in this
    endpoint's own, if it has one."""

    def authorize(request: httpx.Request) -> httpx.Request:
        request.headers.pop("Authorization", None)
        request.headers.update(headers(endpoint))
        return request

    return authorize


def timeout(read_s: float | None, connect_s: float = CONNECT_S) -> httpx.Timeout:
    """`read_s` is the longest silence in seconds, None = any; waiting for a free connection does not happen."""
    return httpx.Timeout(connect=connect_s, read=read_s, write=WRITE_S, pool=None)


GATHER_S = 0.01
ENGINE_GATHER_S = 0.2
FIRST_READS = 12
"""So many reads are never put off by more than GATHER_S: the first words are waited for."""


def gather_reads(endpoint: Endpoint, response: httpx.Response) -> None:
    """Let a stream that comes in faster than a hundred reads a second be read a hundred times a second; that of the built-in
    engine, which has the same processor, five times.

    Each read costs some 0.2 ms, however little it brings; a fast server sends a token in each packet. The frame that
    shows the text is two or three times as far away. `network_stream` is httpcore's, the one that the connection reads from.
    """
    stream = response.extensions.get("network_stream")
    if stream is None:
        return
    read_on = stream.read
    clock = asyncio.get_running_loop().time
    later_s = ENGINE_GATHER_S if endpoint.built_in else GATHER_S
    read_at, reads = 0.0, 0

    async def read(max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        nonlocal read_at, reads
        reads += 1
        pause_s = later_s if reads > FIRST_READS else GATHER_S
        if clock() - read_at < pause_s:
            await asyncio.sleep(pause_s)
        data: bytes = await read_on(max_bytes, timeout)
        read_at = clock()
        return data

    stream.read = read


@contextmanager
def translated(endpoint: Endpoint, *, answering: bool = False, began: bool = False) -> Iterator[None]:
    """Turn what httpx raises into a ServerError. `answering` = an answer was asked for, so that silence and a lost
    connection mean that it broke off rather than that nobody is there; `began` = the headers of a reply have come, so
    that it is an HTTP server that answers."""
    try:
        yield
    except (
        httpx.HTTPError,
        httpx.InvalidURL,
        httpx.StreamError,
        BodyTooLong,
        OSError,
        UnicodeError,
    ) as error:
        raise _meaning(error, endpoint, answering, began) from error


def _meaning(error: Exception, endpoint: Endpoint, answering: bool, began: bool) -> ServerError:
    text = safe_line(endpoint.masked(str(error)))
    match error:
        case BodyTooLong(limit=limit):
            return BadReply(
                "The server sent too much", f"Its reply is longer than {human_size(limit)}",
                "Is this address really a model server?", 200,
            )  # fmt: skip
        case httpx.DecodingError() | httpx.TooManyRedirects() | httpx.LocalProtocolError():
            return BadReply("The server's reply cannot be read", text, "Check the address", 200)
        case httpx.RemoteProtocolError() if began and answering:
            return interrupted("The connection was lost, or a part of what came, before the server was done")
        case httpx.RemoteProtocolError() if began:
            return BadReply("The server's reply broke off", text, "Try again", 200)
        case httpx.RemoteProtocolError() if _TLS_ALERT in text and endpoint.url.startswith("http:"):
            return wants_https(endpoint)
        case httpx.RemoteProtocolError() if not any(word in text for word in ("peer closed", "disconnected")):
            return NotAModelServer(
                f"No HTTP server answers at {endpoint.address}", text, "Check the port and http or https"
            )
        case UnicodeError():  # a label of a host name that is empty or has more than 63 letters
            return unreachable(endpoint, "No host can have this name")
        case httpx.ConnectError() if (wrong := distrusted(error)) is not None:
            return Unreachable(
                f"The certificate of {endpoint.address} is not trusted", *_distrust(wrong, endpoint)
            )
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return unreachable(endpoint, endpoint.masked(why(error)))
        case httpx.TimeoutException() | TimeoutError() if answering:
            return Interrupted(
                "The server fell silent", "Nothing came for too long, so the connection was closed",
                "What came is kept; the server may be overloaded", 200,
            )  # fmt: skip
        case httpx.TimeoutException() | TimeoutError():
            return unreachable(endpoint, "It took the connection but does not answer")
        case _ if answering:
            return interrupted("The connection was lost before the server had said that it was done")
        case _:
            return unreachable(endpoint, "It closed the connection without an answer")


def interrupted(detail: str) -> Interrupted:
    """The answer ended without its end."""
    return Interrupted("The answer broke off", detail, "What came is kept; ask again or continue it", 200)


def unreachable(endpoint: Endpoint, why: str) -> Unreachable:
    """Nobody answers at this endpoint; `why` is a sentence."""
    if endpoint.built_in:
        return Unreachable("The built-in engine does not answer", why, "Ask again: it is started again")
    hint = _RUNNING if endpoint.kind is None else profile_of(endpoint.kind).hints.start
    return Unreachable(f"No server answers at {endpoint.address}", why, hint)


_RUNNING = "Is it running, and is the address right?"


def why(error: BaseException) -> str:
    """The reason at the bottom of a failed connection, in words."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case ConnectionRefusedError() | FileNotFoundError():  # the latter of a Unix socket
                return "The connection was refused: nothing listens there"
            case socket.gaierror():
                return "The host name is not known"
            case ssl.SSLError():
                return _of_tls(cause)
            case httpx.ConnectTimeout():
                return "It cannot be reached: no connection in time"
            case _:
                cause = cause.__cause__ or cause.__context__
    return safe_line(str(error))


_TLS_ALERT = r"\x15\x03"
"""How a TLS record that says that something is wrong begins, where httpx quotes it as a line that is no HTTP."""


def wants_https(endpoint: Endpoint) -> NotAModelServer:
    """Plain HTTP was sent to a port where TLS is spoken."""
    return NotAModelServer(
        f"What answers at {endpoint.address} speaks TLS, not plain HTTP",
        "",
        f"Try https: https:{endpoint.url.partition(':')[2]}",
    )


def _of_tls(error: ssl.SSLError) -> str:
    """Why no TLS connection came about, for whatever reason but the certificate."""
    reason = (error.reason or "").replace("_", " ").lower()
    if "certificate required" in reason:
        return "It wants a certificate of whoever connects, and lokal has none to show"
    if "wrong version number" in reason or "http request" in reason or "record layer" in reason:
        return "It does not speak TLS: try http instead of https"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "It closed the connection where TLS begins: it may speak plain http"
    return safe_line(f"No secure connection came about: {reason or error}")


def distrusted(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """What is wrong with a certificate, if that is the cause of `error`."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    return cause


def _distrust(error: ssl.SSLCertVerificationError, endpoint: Endpoint) -> tuple[str, str]:
    """Why a certificate is not trusted, and what to do about it."""
    told = safe_line(error.verify_message)
    lower = told.lower()
    if "mismatch" in lower:
        return told, "Use the host name that stands in the certificate"
    if "expired" in lower or "not yet valid" in lower:
        return told, "Renew it on the server, and check the clock of this machine"
    if endpoint.ca_file:
        return (
            told,
            "The file of ca_file does not vouch for it: put the server's own certificate there, or its authority's",
        )
    return told, (
        'If you know this server: save its certificate as a PEM file and name that in the config, ca_file = "..." under '
        "[[servers]], or in the variable SSL_CERT_FILE"
    )
