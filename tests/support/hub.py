"""A hub on this machine that answers as Hugging Face does: refs, tree, and files that another host gives.

Two servers: the hub, which redirects with `X-Linked-Etag` and `X-Linked-Size`, and the host of the files, which knows ranges.
What either is to do wrong is said by `HubFaults`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
REPOSITORY = "org/tiny-GGUF"


@dataclass(slots=True)
class HubFaults:
    """What goes wrong. The next `statuses` requests for a file's address on the hub get a status, with its code and headers;
    the file's host sends only `cut` bytes of the next replies, knows no `ranges`, sends `damaged` bytes, `shifted` pieces, or
    `surplus` bytes more; `told_sha256` is what the hub says instead of the hash. `location` is where it redirects instead."""

    statuses: list[tuple[int, str, str]] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)
    ranges: bool = True
    damaged: bool = False
    shifted: int = 0
    surplus: int = 0
    told_sha256: str = ""
    linked_sha256: str = ""
    location: str = ""
    stall_at: int | None = None
    pages: int = 1


@dataclass(frozen=True, slots=True)
class HubRequest:
    """A request: which server it came to, the path, the headers in lower case."""

    host: str
    path: str
    headers: dict[str, str]


@dataclass(slots=True)
class Hub:
    """The running hub with the `files` of its one repository."""

    files: dict[str, bytes]
    url: str = ""
    files_url: str = ""
    faults: HubFaults = field(default_factory=HubFaults)
    seen: list[HubRequest] = field(default_factory=list)
    sent: int = 0
    stalled: asyncio.Event = field(default_factory=asyncio.Event)

    def asked(self, host: str) -> list[HubRequest]:
        """The requests to `hub` or `files`."""
        return [request for request in self.seen if request.host == host]

    def sha256(self, path: str) -> str:
        """The hash that the hub tells of a file."""
        return self.faults.told_sha256 or hashlib.sha256(self.files[path]).hexdigest()


@asynccontextmanager
async def hub(files: dict[str, bytes]) -> AsyncIterator[Hub]:
    """A hub whose repository `org/tiny-GGUF` has these files."""
    running = Hub(files)
    tasks: set[asyncio.Task[None]] = set()

    def serving(
        answer: Callable[[Hub, HubRequest, asyncio.StreamWriter], object], host: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                lines = (line.partition(":") for line in head[1:] if line)
                headers = {name.lower(): value.strip() for name, _, value in lines}
                request = HubRequest(host, head[0].split(" ")[1], headers)
                running.seen.append(request)
                coming = answer(running, request, writer)
                assert asyncio.iscoroutine(coming)
                await coming
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                return
            finally:
                tasks.discard(task)
                writer.close()

        return connected

    hub_server = await asyncio.start_server(serving(_answer, "hub"), "127.0.0.1", 0)  # type: ignore[arg-type]
    files_server = await asyncio.start_server(serving(_file, "files"), "127.0.0.1", 0)  # type: ignore[arg-type]
    running.url = f"http://127.0.0.1:{hub_server.sockets[0].getsockname()[1]}"
    running.files_url = f"http://127.0.0.1:{files_server.sockets[0].getsockname()[1]}"
    try:
        yield running
    finally:
        hub_server.close()
        files_server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _head(status: int, headers: dict[str, str], length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join([*lines, f"Content-Length: {length}", "Connection: close"]) + "\r\n\r\n").encode()


async def _answer(hub: Hub, request: HubRequest, writer: asyncio.StreamWriter) -> None:
    path, query = unquote(urlsplit(request.path).path), urlsplit(request.path).query
    prefix, api = f"/{REPOSITORY}/resolve/{COMMIT}/", f"/api/models/{REPOSITORY}"
    status, headers, body = 200, {}, b""
    if path == f"{api}/refs":
        body = json.dumps(
            {"branches": [{"name": "main", "ref": "refs/heads/main", "targetCommit": COMMIT}]}
        ).encode()
    elif path == f"{api}/tree/{COMMIT}":
        entries = [
            {"type": "file", "oid": "1" * 40, "size": len(data), "path": name, "lfs": {"oid": hub.sha256(name), "size": len(data)}}
            for name, data in hub.files.items()
        ]  # fmt: skip
        at = int(query.partition("cursor=")[2] or 0)
        share = -(-len(entries) // hub.faults.pages)
        body = json.dumps(entries[at * share : (at + 1) * share]).encode()
        if (at + 1) * share < len(entries):
            headers["Link"] = f'<{hub.url}{api}/tree/{COMMIT}?recursive=true&cursor={at + 1}>; rel="next"'
    elif path == api:
        body = json.dumps({"cardData": {"license": "apache-2.0"}}).encode()
    elif path.startswith(prefix) and path.removeprefix(prefix) in hub.files:
        name = path.removeprefix(prefix)
        if hub.faults.statuses:
            status, code, retry = hub.faults.statuses.pop(0)
            headers = {"X-Error-Code": code, "X-Error-Message": "so it is"} | (
                {"Retry-After": retry} if retry else {}
            )
        else:
            status = 302
            headers = {
                "Location": hub.faults.location or f"{hub.files_url}/blob/{name}?signature=abc",
                "X-Linked-Size": str(len(hub.files[name])), "X-Linked-Etag": f'"{hub.faults.linked_sha256 or hub.sha256(name)}"',
                "X-Repo-Commit": COMMIT,
            }  # fmt: skip
    else:
        status, headers = (
            401,
            {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Invalid username or password."},
        )
    writer.write(_head(status, headers, len(body)) + body)
    await writer.drain()


async def _file(hub: Hub, request: HubRequest, writer: asyncio.StreamWriter) -> None:
    faults = hub.faults
    data = hub.files[unquote(urlsplit(request.path).path).removeprefix("/blob/")]
    if faults.damaged:
        data = data[:-1] + bytes([data[-1] ^ 1])
    asked = request.headers.get("range", "")
    status, headers, start, end = 200, {"Accept-Ranges": "bytes"}, 0, len(data)
    if asked and faults.ranges:
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start, end = int(first) + faults.shifted, min(len(data), int(last) + 1 if last else len(data))
        status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{len(data)}"
    piece = data[start:end] + bytes(faults.surplus)
    writer.write(_head(status, headers, len(piece)))
    if faults.cut:
        piece = piece[: faults.cut.pop(0)]
    for at in range(0, len(piece), 4096):
        if faults.stall_at is not None and hub.sent >= faults.stall_at:
            hub.stalled.set()
            await asyncio.Event().wait()
        writer.write(piece[at : at + 4096])
        await writer.drain()
        hub.sent += len(piece[at : at + 4096])
