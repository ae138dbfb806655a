"""Asking the hub: what a repository has, and pieces of its files.

A file comes from another host, to which the hub redirects. That one is asked by a client of its own that knows no token,
and only over https; a hub on this machine, as tests have one, may redirect to another port of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote, urljoin, urlsplit

from tui.core.endpoint import Endpoint
from tui.core.model_header import ModelHeader
from tui.core.model_names import HubFile, HubReference
from tui.core.text import safe_line, safe_name
from tui.errors import (
    AuthRequired,
    BadReply,
    Interrupted,
    MalformedFile,
    ModelMissing,
    Refused,
    ServerBusy,
    TryLater,
)
from tui.servers.http import http_client
from tui.servers.json_object import JsonObject, TooMuch, read_object

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 5
MOST_PAGES = 50
MOST_FILES = 20_000
MOST_HEADER = 64 << 20
"""Bytes that are asked for to read the header of a file; the vocabulary of real models takes up to 20 MB."""
FIRST_HEADER = 1 << 20
ASK_S = 30.0
SILENCE_S = 60.0
"""How long a download may stand still before it is begun again."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class HubReply:
    """The beginning of a reply with a file or a piece of it: its body begins at byte `start` of a file of `size` bytes (0 = not
    told), whose SHA-256 may be told too. `host` is where it comes from."""

    start: int
    size: int
    sha256: str
    host: str
    response: httpx.Response

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes. Raises Interrupted where it breaks off."""
        from tui.servers.http import transport

        with transport.translated(Endpoint(f"https://{self.host}"), answering=True, began=True):
            async for piece in self.response.aiter_raw():
                yield piece


class HubClient:
    """The hub at `endpoint`. All methods raise ServerError."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    @property
    def host(self) -> str:
        """The host of the hub."""
        return urlsplit(self._endpoint.url).netloc

    async def commit_of(self, wanted: HubReference) -> str:
        """The commit that the revision is at now."""
        if len(wanted.revision) == 40 and set(wanted.revision) <= _HEX:
            return wanted.revision
        told = await self._json(f"/api/models/{wanted.repository}/refs", wanted)
        for kind in ("branches", "tags"):
            for ref in told.items(kind):
                commit = ref.text("targetCommit")
                if ref.text("name") == wanted.revision and len(commit) == 40 and set(commit) <= _HEX:
                    return commit
        raise ModelMissing(
            f"{wanted.repository} has no revision “{safe_name(wanted.revision, 60)}”",
            "",
            "Leave the revision out",
        )

    async def files(self, wanted: HubReference, commit: str) -> tuple[HubFile, ...]:
        """The files of the repository at a commit."""
        found: list[HubFile] = []
        path: str | None = f"/api/models/{wanted.repository}/tree/{commit}?recursive=true"
        for _ in range(MOST_PAGES):
            if path is None or len(found) >= MOST_FILES:
                break
            body, next_url = await self._get(path, wanted)
            told = _object(b'{"files":' + body + b"}")
            for entry in told.items("files"):
                size = entry.count("size")
                if entry.text("type") == "file" and size is not None:
                    sha256 = entry.inner("lfs").text("oid").lower()
                    found.append(HubFile(entry.text("path"), size, sha256 if _is_sha256(sha256) else ""))
            path = self._own_path(next_url)
        return tuple(found[:MOST_FILES])

    async def licence_of(self, wanted: HubReference) -> str:
        """The name of the licence that its card tells; empty where it does not."""
        told = await self._json(f"/api/models/{wanted.repository}", wanted)
        licence = told.inner("cardData").text("license")
        return safe_line(licence, 60)

    async def header(self, wanted: HubReference, commit: str, file: HubFile) -> ModelHeader:
        """The header of a file, of which only so much is fetched. Raises MalformedFile for one that is no model."""
        from pathlib import Path

        from tui.servers.engine.gguf_reader import EndOfData, parse_header

        data, most = b"", FIRST_HEADER
        name = safe_name(file.path, 80)
        while True:
            end = min(most, file.size)
            async with self.open(wanted, commit, file.path, len(data), end) as reply:
                if reply.start != len(data):
                    data = data[: reply.start]
                async for piece in reply.pieces():
                    data += piece[: end - len(data)]
                    if len(data) >= end:
                        break
            try:
                return replace(parse_header(BytesIO(data), len(data)), size=file.size)
            except EndOfData as error:
                if len(data) < end or most >= min(MOST_HEADER, file.size):
                    raise MalformedFile(Path(file.path), f"{name} cannot be used", "It ends in the middle of its header", "Choose another file") from error  # fmt: skip
            except ValueError as error:
                raise MalformedFile(Path(file.path), f"{name} cannot be used", str(error), "Choose another file") from error  # fmt: skip
            most *= 8

    @asynccontextmanager
    async def open(
        self, wanted: HubReference, commit: str, path: str, start: int = 0, end: int | None = None
    ) -> AsyncIterator[HubReply]:
        """A file from byte `start` on, or up to byte `end`. Where the host knows no ranges it begins at its start."""
        from tui.servers.http import transport

        url = f"{self._endpoint.url}/{wanted.repository}/resolve/{commit}/{quote(path)}"
        ranges = (
            {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end is not None else {}
        )
        size, sha256 = 0, ""
        for _ in range(MOST_REDIRECTS + 1):
            endpoint = self._place(url)
            client = await self._client(endpoint)
            with transport.translated(endpoint, answering=True):
                request = client.build_request(
                    "GET", url, headers=ranges, timeout=transport.timeout(SILENCE_S)
                )
                response = await client.send(request, stream=True)
            try:
                size = _number(response.headers.get("x-linked-size", "")) or size
                sha256 = _etag(response.headers.get("x-linked-etag", "")) or sha256
                if 300 <= response.status_code < 400:
                    url = self._redirected(url, response.headers.get("location", ""))
                    continue
                if response.status_code == 416:
                    yield HubReply(size, size, sha256, urlsplit(url).netloc, response)
                    return
                if response.status_code not in (200, 206):
                    raise await self._refusal(response, wanted, path)
                began, whole = _content_range(response)
                yield HubReply(began, size or whole, sha256, urlsplit(url).netloc, response)
                return
            finally:
                await response.aclose()
        raise BadReply(
            "The hub sends from one address to the next without an end", "", "Try again later", 200
        )

    # -- requests ---------------------------------------------------------------------------------------------------

    async def _client(self, endpoint: Endpoint) -> httpx.AsyncClient:
        """The client for an address, which knows the token of that one only."""
        if endpoint.url not in self._clients:
            http_client.check(endpoint)
            self._clients[endpoint.url] = await asyncio.to_thread(_new_client, endpoint)
        return self._clients[endpoint.url]

    def _place(self, url: str) -> Endpoint:
        """The endpoint of an address: the hub itself with its token, or another host without."""
        if _origin(url) == _origin(self._endpoint.url):
            return self._endpoint
        return Endpoint("://".join(_origin(url)))

    def _redirected(self, url: str, location: str) -> str:
        """Where the hub sends on. Raises BadReply for what is not followed."""
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            safe = bool(location) and bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
        except ValueError:
            safe = False
        if safe and (parts.scheme == "https" or _origin(target) == _origin(self._endpoint.url)):
            return target
        if (
            safe
            and parts.scheme == "http"
            and self._endpoint.url.startswith("http:")
            and Endpoint(target).on_this_machine
        ):
            return target
        raise BadReply(
            "The hub sends to an address that is not followed",
            safe_line(location, 120),
            "Only https is followed",
            200,
        )

    def _own_path(self, url: str) -> str | None:
        """What follows the hub's own address; None for another host's."""
        if not url or _origin(url) != _origin(self._endpoint.url):
            return None
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    async def _json(self, path: str, wanted: HubReference) -> JsonObject:
        body, _ = await self._get(path, wanted)
        return _object(body)

    async def _get(self, path: str, wanted: HubReference) -> tuple[bytes, str]:
        """The body at `path`, and the address of the next page."""
        from tui.servers.http import body, transport

        url = self._endpoint.url + path
        for _ in range(MOST_REDIRECTS + 1):
            client = await self._client(self._endpoint)
            with transport.translated(self._endpoint):
                async with (
                    asyncio.timeout(ASK_S),
                    client.stream("GET", url, timeout=transport.timeout(ASK_S)) as response,
                ):
                    if 300 <= response.status_code < 400:  # a repository that was renamed
                        target = self._redirected(url, response.headers.get("location", ""))
                        if _origin(target) == _origin(self._endpoint.url):
                            url = target
                            continue
                    if response.status_code != 200:
                        raise await self._refusal(response, wanted, "")
                    content = await body.limited(response.aiter_bytes())
                    return content, str(response.links.get("next", {}).get("url", ""))
        raise BadReply(
            "The hub sends from one address to the next without an end", "", "Try again later", 200
        )

    async def _refusal(self, response: httpx.Response, wanted: HubReference, path: str) -> Refused:
        """The error that a reply means, by its status and the hub's own `X-Error-Code`."""
        status = response.status_code
        code = str(response.headers.get("x-error-code", ""))
        told = safe_line(self._endpoint.masked(str(response.headers.get("x-error-message", ""))), 200)
        page = f"{self._endpoint.url}/{wanted.repository}"
        if code == "GatedRepo":
            hint = f"Accept its terms at {page}, then set HF_TOKEN to your token from there"
            return AuthRequired(
                f"{wanted.repository} is given only to those who accept its terms", told, hint, status
            )
        if code == "EntryNotFound":
            return ModelMissing(f"{wanted.repository} has no file {safe_name(path, 80)}", told, "Look at its page for the name", status)  # fmt: skip
        if code == "RevisionNotFound":
            return ModelMissing(f"{wanted.repository} has no revision “{safe_name(wanted.revision, 60)}”", told, "Leave the revision out", status)  # fmt: skip
        if code == "RepoNotFound" or status == 404:
            return ModelMissing(
                f"There is no {wanted.repository} on {self.host}", told, "Check the name; a private one needs HF_TOKEN", status
            )  # fmt: skip
        if status in (401, 403):
            hint = (
                "Set HF_TOKEN to a token that may read it" if not self._endpoint.api_key else "Check HF_TOKEN"
            )
            return AuthRequired(
                f"{self.host} does not give {wanted.repository} to everybody", told, hint, status
            )
        if status == 429:
            busy = ServerBusy(
                f"{self.host} wants fewer requests", told, "It is tried again by itself", status
            )
            busy.retry_after_s = http_client.retry_after(
                str(response.headers.get("retry-after", "")), time.time()
            )
            return busy
        if status >= 500:
            return TryLater(f"{self.host} has trouble: status {status}", told, "Try again later", status)
        return BadReply(f"{self.host} answers with status {status}", told, "Try again later", status)


def _new_client(endpoint: Endpoint) -> httpx.AsyncClient:
    http_client.load_httpx()
    from tui.servers.http import transport

    return transport.client(endpoint)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _object(body: bytes) -> JsonObject:
    try:
        found = read_object(body)
    except TooMuch:
        found = None
    if found is None:
        raise BadReply("The hub's reply cannot be read", "It is not JSON", "Check HF_ENDPOINT", 200)
    return found


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= _HEX


def _etag(text: str) -> str:
    value = text.strip().removeprefix("W/").strip('"').lower()
    return value if _is_sha256(value) else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _content_range(response: httpx.Response) -> tuple[int, int]:
    """The first byte of the body, and of how many bytes: `bytes 5-9/10` (RFC 9110, 14.4). Raises Interrupted for a piece that
    does not say which it is."""
    if response.status_code == 200:
        return 0, _number(response.headers.get("content-length", ""))
    headers: Mapping[str, str] = response.headers
    unit, _, rest = headers.get("content-range", "").strip().partition(" ")
    span, _, whole = rest.partition("/")
    first, dash, _ = span.partition("-")
    if unit != "bytes" or not dash or not first.isdigit() or len(first) > 15:
        raise Interrupted("The hub sends a piece without saying which", "", "It is tried again", 200)
    return int(first), _number(whole)
