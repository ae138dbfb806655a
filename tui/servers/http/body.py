"""The bodies of replies: how much of one is read, and how one is expanded that a proxy has compressed unasked.

Whoever answers may be no model server, or mean harm: a megabyte that is compressed can become a gigabyte, and a body may
never end. What comes is handed on in small pieces, between which everything else goes on.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx

MAX_BODY = 16_000_000
"""Bytes of a reply that is read as a whole; a list of models or an error is a few kB, and what JSON makes of a byte may
take thirty."""
MAX_SMALL = 64_000
"""Bytes of a reply that another library reads, which makes an object of whatever is in it: of 16 MB in half a minute. A
model in memory takes some 500."""
PIECE = 1 << 14
"""The most bytes that a compressed body is expanded into at a time: a few milliseconds of reading."""
MAX_EXPANSION = 100
"""How many times its size a compressed body may become once it is longer than MAX_BODY; text becomes 3 to 40 times."""


class BodyTooLong(Exception):
    """A reply is longer than `limit` bytes."""

    def __init__(self, limit: int = MAX_BODY) -> None:
        super().__init__(limit)
        self.limit = limit


class Allowance:
    """How many bytes several replies together may still have. Not to be shared by servers: one could use up another's."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._left = size

    def take(self, count: int) -> None:
        """Raises BodyTooLong when there is not so much left."""
        self._left -= count
        if self._left < 0:
            raise BodyTooLong(self._size)


async def limited(
    chunks: AsyncIterator[bytes], limit: int = MAX_BODY, allowance: Allowance | None = None
) -> bytes:
    """All of a body. Raises BodyTooLong."""
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            raise BodyTooLong(limit)
        if allowance is not None:
            allowance.take(len(chunk))
        body += chunk
    return bytes(body)


async def expand(response: httpx.Response) -> None:
    """An httpx event hook that takes the expanding of a compressed body out of httpx's hands, which expands all of what
    has come at once."""
    named = str(response.headers.pop("content-encoding", "")).lower().split(",")
    codings = [coding.strip() for coding in named if coding.strip() not in ("", "identity")]
    if codings:
        response.stream = _Expanded(response.stream, codings)


async def limit_body(response: httpx.Response) -> None:
    """An httpx event hook that reads a reply of MAX_SMALL bytes at the most, for clients of another library."""
    response.stream = _Limited(response.stream)


class _Limited(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_SMALL:
                raise BodyTooLong(MAX_SMALL)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Expanded(httpx.AsyncByteStream):
    """Codings are named in the order in which they were applied (RFC 9110, 8.4). Raises httpx.DecodingError."""

    def __init__(self, stream: httpx.SyncByteStream | httpx.AsyncByteStream, codings: list[str]) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)
        self._stream = stream
        self._codings = codings

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if len(self._codings) > 1 or self._codings[0] not in _KNOWN:
            raise httpx.DecodingError(
                f"It is compressed as {', '.join(self._codings)}, which was not asked for"
            )
        inflater = _Inflater()
        came = size = 0
        async for chunk in self._stream:
            came += len(chunk)
            for piece in inflater.pieces(chunk):
                size += len(piece)
                if size > MAX_BODY and size > came * MAX_EXPANSION:
                    raise BodyTooLong
                yield piece
                await asyncio.sleep(0)  # nothing else would run while what has come is expanded

    async def aclose(self) -> None:
        await self._stream.aclose()


_KNOWN = ("gzip", "x-gzip", "deflate")


class _Inflater:
    """Expands gzip, of one part or several, and deflate, with its header or, as some servers send it, without."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._began = False
        self._over = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` becomes, at most PIECE bytes at a time. Raises httpx.DecodingError."""
        while data and not self._over:
            try:
                piece = self._inflating.decompress(data, PIECE)
            except zlib.error as error:
                if self._began:
                    raise httpx.DecodingError(str(error)) from error
                self._began, self._inflating = True, zlib.decompressobj(-zlib.MAX_WBITS)
                continue
            self._began = True
            data = self._inflating.unconsumed_tail
            if piece:
                yield piece
            if self._inflating.eof:
                data = self._inflating.unused_data
                self._over = not data.startswith(b"\x1f\x8b")
                self._inflating = zlib.decompressobj(zlib.MAX_WBITS | 32)
