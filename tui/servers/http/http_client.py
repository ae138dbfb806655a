"""HTTP as the servers use it: small JSON requests with a short time limit, and answers that stream for an hour."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tui.core.endpoint import Endpoint
from tui.core.secrets import masked_json
from tui.errors import AuthRequired, Unreachable
from tui.servers.json_object import JsonObject, parse_object

if TYPE_CHECKING:
    import httpx

    from tui.servers.http.body import Allowance

DAY_S = 86_400.0
ASK_S = 10.0
"""Seconds that a small request may take; a server that swaps answers slowly."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reply:
    """A reply that was read as a whole. `media_type` is lower case and without parameters, `server` its Server header,
    `retry_after_s` are the seconds after which the server wants to be asked again, None where it says nothing,
    `location` where it sends on to, `challenge` the first word of what it asks a person to prove, in lower case."""

    status: int
    media_type: str
    server: str
    body: bytes
    retry_after_s: float | None = None
    location: str = ""
    challenge: str = ""

    def fields(self) -> JsonObject:
        """The JSON object in the body, empty if there is none."""
        return parse_object(self.body) or JsonObject()


class StreamingResponse:
    """An answer whose headers have come and whose body is still to be read. Its owner closes it."""

    def __init__(self, endpoint: Endpoint, response: httpx.Response) -> None:
        self._endpoint = endpoint
        self._response = response
        self.status = response.status_code
        self.media_type = _media_type(response)
        self.retry_after_s = retry_after(response.headers.get("retry-after", ""), time.time())
        self.location = response.headers.get("location", "")
        self.challenge = _challenge(response)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises Interrupted if it breaks off."""
        from tui.servers.http import transport

        transport.gather_reads(self._endpoint, self._response)
        with transport.translated(self._endpoint, answering=True, began=True):
            async for chunk in self._response.aiter_bytes():
                yield chunk

    async def whole(self) -> bytes:
        """All of the body, for an error or an answer that does not stream. Raises BadReply if it is too long."""
        from tui.servers.http import body, transport

        with transport.translated(self._endpoint, answering=True, began=True):
            return await body.limited(self._response.aiter_bytes())

    async def aclose(self) -> None:
        """Close the connection; a server that still writes notices and stops."""
        await self._response.aclose()


class HttpClient:
    """Requests to one endpoint. The client is made at the first of them. All methods raise ServerError."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: httpx.AsyncClient | None = None

    async def get(
        self,
        path: str,
        timeout_s: float = ASK_S,
        limit: int | None = None,
        allowance: Allowance | None = None,
    ) -> Reply:
        """GET `path`, within `timeout_s` in all, of at most `limit` bytes and within an `allowance` that it has together
        with others. A reply with an error status is a reply."""
        client = await self.prepare()
        from tui.servers.http import body, transport

        limits = transport.timeout(timeout_s, min(timeout_s, transport.CONNECT_S))
        with transport.translated(self._endpoint):
            async with (
                asyncio.timeout(timeout_s),
                client.stream("GET", self._endpoint.url + path, timeout=limits) as response,
            ):
                with transport.translated(self._endpoint, began=True):
                    read = body.limited(response.aiter_bytes(), limit or body.MAX_BODY, allowance)
                    content = await read
        return self._reply(response, content)

    async def post(self, path: str, body: Mapping[str, object]) -> StreamingResponse:
        """POST `body` as JSON and wait for the headers of the answer. Neither they nor what follows has a time limit: a
        processor may read a long prompt for hours without a word. A machine that is gone is noticed all the same."""
        return await self._open("POST", path, body)

    async def follow(self, path: str) -> StreamingResponse:
        """GET `path`, a stream that has no time limit, and wait for its headers."""
        return await self._open("GET", path, None)

    async def _open(self, method: str, path: str, body: Mapping[str, object] | None) -> StreamingResponse:
        client = await self.prepare()
        from tui.servers.http import transport

        with transport.translated(self._endpoint, answering=True):
            request = self._request(client, path, body, transport.timeout(None), method)
            return StreamingResponse(self._endpoint, await client.send(request, stream=True))

    async def ask(
        self,
        path: str,
        fields: Mapping[str, object] | Sequence[object] | None,
        timeout_s: float | None = ASK_S,
        method: str = "POST",
    ) -> Reply:
        """Send `fields` as JSON, or no body, and read the reply, within `timeout_s` in all (None = however long it takes). A
        reply with an error status is a reply."""
        client = await self.prepare()
        from tui.servers.http import body, transport

        connect_s = transport.CONNECT_S if timeout_s is None else min(timeout_s, transport.CONNECT_S)
        limits = transport.timeout(timeout_s, connect_s)
        with transport.translated(self._endpoint):
            async with asyncio.timeout(timeout_s):
                response = await client.send(self._request(client, path, fields, limits, method), stream=True)
                try:
                    with transport.translated(self._endpoint, began=True):
                        content = await body.limited(response.aiter_bytes())
                finally:
                    await response.aclose()
        return self._reply(response, content)

    async def upload(self, path: str, pieces: AsyncIterator[bytes], size: int) -> Reply:
        """POST the `size` bytes that come from `pieces`, however long it takes, and read the reply."""
        client = await self.prepare()
        from tui.servers.http import body, transport

        with transport.translated(self._endpoint):
            async with client.stream(
                "POST",
                self._endpoint.url + path,
                content=pieces,
                headers={"Content-Length": str(size)},
                timeout=transport.timeout(None),
            ) as response:
                content = await body.limited(response.aiter_bytes())
        return self._reply(response, content)

    def _reply(self, response: httpx.Response, body: bytes) -> Reply:
        """The reply without what was sent to prove who asks, which names and messages in it could otherwise carry to the
        screen and the disk."""
        for secret in self._endpoint.secrets:
            body = masked_json(body, secret)
        return Reply(
            response.status_code,
            _media_type(response),
            response.headers.get("server", ""),
            body,
            retry_after(response.headers.get("retry-after", ""), time.time()),
            response.headers.get("location", ""),
            _challenge(response),
        )

    def _request(
        self,
        client: httpx.AsyncClient,
        path: str,
        body: Mapping[str, object] | Sequence[object] | None,
        timeout: httpx.Timeout,
        method: str,
    ) -> httpx.Request:
        sent = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False)
        return client.build_request(
            method,
            self._endpoint.url + path,
            content=None if sent is None else sent.encode("utf-8", "replace"),
            headers={} if sent is None else {"Content-Type": "application/json"},
            timeout=timeout,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def prepare(self) -> httpx.AsyncClient:
        """The client, made in a thread the first time: httpx and certificates take long to load. Raises ServerError."""
        if self._client is None:
            check(self._endpoint)
            client = await asyncio.to_thread(_new_client, self._endpoint)
            self._client = self._client or client
        return self._client


def prepare_httpx() -> None:
    """To be called before httpx is imported for the first time. Where click is installed httpx loads its own command line,
    with 3 MB of what that needs; and httpcore looks at each request for sniffio on the whole path of Python's modules, only to
    learn that this is asyncio. None in its place is to Python as if a module were not there."""
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]


def load_httpx() -> None:
    """Load what every request needs. It takes a tenth of a second, so that whoever waits for something else does it meanwhile,
    in a thread; it need not be called."""
    prepare_httpx()
    import httpcore  # noqa: F401  # httpx itself does so with its first client

    from tui.servers.http import transport  # noqa: F401

    for name in ("anyio._backends._asyncio", "httpcore._backends.anyio"):  # loaded with the first connection
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _new_client(endpoint: Endpoint) -> httpx.AsyncClient:
    load_httpx()
    from tui.servers.http import transport

    return transport.client(endpoint)


def check(endpoint: Endpoint) -> None:
    """Raise AuthRequired for a key that no HTTP header can carry, Unreachable for an address that is none."""
    key = endpoint.api_key.strip()
    if not (key.isascii() and key.isprintable()):
        raise AuthRequired(
            "The API key cannot be sent",
            "It has characters that an HTTP header cannot carry",
            "Copy it again",
        )
    try:
        parts = urlsplit(endpoint.url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Unreachable(
            f"{endpoint.url} is no server address",
            "",
            "Write it like http://127.0.0.1:11434 or 192.168.1.5:8080",
        )


def retry_after(text: str, now: float) -> float | None:
    """The seconds that a Retry-After header means, which has seconds or a date (RFC 9110, 10.2.3); None for anything
    else and for more than a day."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        from email.utils import parsedate_to_datetime

        try:
            seconds = max(0.0, parsedate_to_datetime(text).timestamp() - now)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return seconds if seconds <= DAY_S else None


def _challenge(response: httpx.Response) -> str:
    """The scheme that a 401 asks for (RFC 9110, 11.6.1): basic, bearer, negotiate."""
    return str(response.headers.get("www-authenticate", "")).partition(" ")[0].strip(" ,").lower()[:20]


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
