"""A loopback server that says exactly the bytes it is given: recorded replies, or made-up ones, whole or broken."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

WIRE = Path(__file__).parents[1] / "fixtures" / "wire"


@dataclass(frozen=True, slots=True)
class CannedResponse:
    """One reply. `raw` is all of it: status line, headers, body.

    `piece` is how many bytes are written at a time, 0 = all at once. After `stop_after` bytes (None = at the end) the
    reply stops: with `stall` the connection then stays open until the client closes it, else it is closed, and with
    `reset` it is reset. `held` = not a byte comes before the server's `release` is set; with `pause_at` that many come
    before, the others after. `pace_s` are the seconds between two pieces.
    """

    raw: bytes
    piece: int = 0
    stop_after: int | None = None
    stall: bool = False
    reset: bool = False
    held: bool = False
    pause_at: int | None = None
    pace_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, object]:
        """The body, which must be a JSON object."""
        value = json.loads(self.body)
        assert isinstance(value, dict)
        return value


@dataclass(slots=True)
class Replay:
    """The running server. A path (with its query) has one reply for ever, or several of which each is used once and the
    last one stays. What has no reply gets `other`."""

    url: str
    replies: dict[str, list[CannedResponse]] = field(default_factory=dict)
    other: CannedResponse = field(default_factory=lambda: text(404, "404 page not found"))
    seen: list[Seen] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    arrivals: dict[str, asyncio.Event] = field(default_factory=dict)

    def on(self, path: str, *replies: CannedResponse) -> Replay:
        """Answer `path` with these."""
        self.replies[path] = list(replies)
        return self

    def arrival(self, path: str) -> asyncio.Event:
        """Set once somebody has asked for `path`."""
        return self.arrivals.setdefault(path, asyncio.Event())

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [request.path for request in self.seen]

    def last(self, path: str) -> Seen:
        """The last request for `path`."""
        return [request for request in self.seen if request.path == path][-1]

    def reply_to(self, path: str) -> CannedResponse:
        """The reply that is due."""
        replies = self.replies.get(path)
        if not replies:
            return self.other
        return replies.pop(0) if len(replies) > 1 else replies[0]


@asynccontextmanager
async def replay(host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Replay]:
    """A server on a free port of the loopback address `host`, with `tls` on an https URL. `left` is set when a client
    closes a connection before its reply has ended, and `release` lets replies begin that are held."""
    running = Replay("")
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _serve(running, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            running.left.set()
        except asyncio.CancelledError:
            return  # the test is over; asyncio would otherwise report it as an error of the server
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, host, 0, ssl=tls)
    place = f"[{host}]" if ":" in host else host
    running.url = f"http{'s' if tls else ''}://{place}:{server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(running: Replay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    running.seen.append(Seen(method, path, headers, body))
    running.arrival(path).set()
    reply = running.reply_to(path)
    gone = asyncio.ensure_future(reader.read(1))  # a client that closes its connection is the end of this
    try:
        if reply.held and not await _first(running.release, gone):
            running.left.set()
            return
        data = reply.raw if reply.stop_after is None else reply.raw[: reply.stop_after]
        size = reply.piece or len(data) or 1
        ends = {*range(size, len(data), size), len(data)}
        if reply.pause_at is not None and not reply.piece:
            ends.add(reply.pause_at)
        start = 0
        for end in sorted(ends):
            paused = reply.pause_at is not None and start >= reply.pause_at
            if gone.done() or (paused and not await _first(running.release, gone)):
                running.left.set()
                return
            writer.write(data[start:end])
            start = end
            await writer.drain()
            await asyncio.sleep(reply.pace_s)
        if reply.stall:
            await gone
            running.left.set()
        elif reply.reset:
            writer.transport.abort()
        elif writer.can_write_eof():
            writer.write_eof()
            await gone
    finally:
        gone.cancel()
        await asyncio.wait({gone})


async def _first(event: asyncio.Event, gone: asyncio.Future[bytes]) -> bool:
    """Whether the event came before the client went."""
    waiting = asyncio.ensure_future(event.wait())
    both: set[asyncio.Future[Any]] = {waiting, gone}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        return waiting.done()
    finally:
        waiting.cancel()


def recorded(name: str, piece: int = 0) -> CannedResponse:
    """A recorded reply, for example `ollama/chat-stream`."""
    return CannedResponse((WIRE / f"{name}.response.http").read_bytes(), piece)


def body_of(name: str) -> bytes:
    """The body of a recorded reply, without its chunks' framing."""
    head, _, body = (WIRE / f"{name}.response.http").read_bytes().partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    plain = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            break
        plain += rest[:length]
        body = rest[length + 2 :]
    return plain


def chunks_of(name: str) -> list[dict[str, object]]:
    """The JSON objects of a recorded stream of server-sent events, in their order."""
    datas = [line[6:] for line in body_of(name).splitlines() if line.startswith(b"data: {")]
    return [json.loads(data) for data in datas]


def reply(
    status: int,
    body: bytes,
    media_type: str,
    headers: Mapping[str, str] | None = None,
    *,
    length: bool = True,
) -> CannedResponse:
    """A made-up reply; without `length` the end of the connection is the end of the body."""
    lines = [f"HTTP/1.1 {status} Made Up", f"Content-Type: {media_type}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return CannedResponse("\r\n".join([*lines, "", ""]).encode() + body)


def text(status: int, body: str) -> CannedResponse:
    """A plain text."""
    return reply(status, body.encode(), "text/plain; charset=utf-8")


def as_json(status: int, value: object, headers: Mapping[str, str] | None = None) -> CannedResponse:
    """A JSON document."""
    return reply(status, json.dumps(value, ensure_ascii=False).encode(), "application/json", headers)


def chunked(parts: Iterable[bytes], media_type: str, *, ended: bool = True) -> CannedResponse:
    """A stream with chunked framing; without its end if not `ended`."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    body = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts if part)
    return CannedResponse(head + body + (b"0\r\n\r\n" if ended else b""))


def ndjson(records: Sequence[object], *, ended: bool = True) -> CannedResponse:
    """Ollama's framing."""
    lines = [(json.dumps(record, ensure_ascii=False) + "\n").encode() for record in records]
    return chunked(lines, "application/x-ndjson", ended=ended)


def sse(records: Sequence[object], *, ended: bool = True) -> CannedResponse:
    """Server-sent events; a string goes out as it is, anything else as JSON."""
    events = [
        f"data: {record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)}\n\n".encode()
        for record in records
    ]
    return chunked(events, "text/event-stream", ended=ended)


def stalling(canned: CannedResponse) -> CannedResponse:
    """The same, and then silence instead of the end."""
    return replace(canned, stall=True)


def pausing(before: CannedResponse, whole: CannedResponse) -> CannedResponse:
    """`whole`, of which only what it has in common with `before` comes before the server's `release` is set."""
    assert whole.raw.startswith(before.raw)
    return replace(whole, pause_at=len(before.raw))


def held(canned: CannedResponse) -> CannedResponse:
    """The same, but not a byte before the server's `release` is set."""
    return replace(canned, held=True)
