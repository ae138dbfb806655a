"""Framing: from bytes as they come off the line to the records of an answer, NDJSON or server-sent events.

Lines end at b"\\n" and nowhere else: `str.splitlines` would also split at U+0085 and U+2028, which models print. A
line is decoded only when it is complete, so a character cut in two by the network is put together again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from tui.core.text import human_size
from tui.errors import BadReply

MAX_LINE = 16_000_000
"""Bytes. Ollama's own clients take 8 MB; a longer line is a fault or an attack and must not fill the memory."""


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """One record of a stream; `event` is its SSE name, empty for the usual kind and for NDJSON."""

    data: str
    event: str = ""


class Parser(Protocol):
    """Takes bytes in pieces of any size and gives the frames that they complete. Raises BadReply for an endless line."""

    def feed(self, chunk: bytes) -> list[StreamFrame]: ...

    def finish(self) -> list[StreamFrame]:
        """The frame that the end of the stream completes, for servers that leave out the last line break."""
        ...


_BLANK_LINES = re.compile(rb"\n(?:\r?\n){2,}")


class Lines:
    """Splits bytes into lines, keeping at most `limit` bytes of an incomplete one. Raises BadReply for a longer one."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._limit = limit
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that `chunk` completes, without their line break (LF or CRLF)."""
        first, *others = chunk.split(b"\n")
        self._take(first)
        lines = []
        for piece in others:
            lines.append(self._line())
            self._take(piece)
        return lines

    def finish(self) -> bytes:
        """What came after the last line break."""
        return self._line()

    def _take(self, piece: bytes) -> None:
        if len(self._pending) + len(piece) > self._limit:
            self._pending.clear()
            raise _endless(self._limit)
        self._pending += piece

    def _line(self) -> bytes:
        line = bytes(self._pending)
        self._pending.clear()
        return line.removesuffix(b"\r")


class Ndjson:
    """One JSON document a line; blank lines are skipped."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._lines = Lines(limit)

    def feed(self, chunk: bytes) -> list[StreamFrame]:
        return [StreamFrame(_decoded(line)) for line in self._lines.feed(_dense(chunk)) if line.strip()]

    def finish(self) -> list[StreamFrame]:
        line = self._lines.finish()
        return [StreamFrame(_decoded(line))] if line.strip() else []


class Sse:
    """Server-sent events (WHATWG HTML, 9.2), without `id` and `retry`, and with what servers do beside them: a last
    event without its blank line, the `error: {...}` lines of llama-server builds of 2025, and JSON or a web page between
    the events, which is what a proxy has to say when its server is gone."""

    def __init__(self, limit: int = MAX_LINE) -> None:
        self._lines = Lines(limit)
        self._limit = limit
        self._event = ""
        self._data: list[bytes] = []
        self._size = 0
        self._bare: list[bytes] = []  # lines of JSON or of a web page, outside of any event

    def feed(self, chunk: bytes) -> list[StreamFrame]:
        frames: list[StreamFrame] = []
        for line in self._lines.feed(_dense(chunk)):
            self._line(line, frames)
        return frames

    def finish(self) -> list[StreamFrame]:
        frames: list[StreamFrame] = []
        self._line(self._lines.finish(), frames)
        self._end_bare(frames)
        self._dispatch(frames)
        return frames

    def _line(self, line: bytes, frames: list[StreamFrame]) -> None:
        if not line:
            self._dispatch(frames)
            return
        name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data" or name == b"error":
            if self._bare:
                self._end_bare(frames)
            self._take(value)
            self._data.append(value)
            if name == b"error":
                self._event = "error"
        elif name == b"event":
            self._event = _decoded(value)
        elif self._bare or line.startswith(b"{") or _PAGE.match(line):
            self._take(line)
            self._bare.append(line)
            if self._bare[0].startswith(b"{"):
                whole = line.startswith(b"}") or (len(self._bare) == 1 and line.rstrip().endswith(b"}"))
            else:
                whole = b"</html>" in line.lower() or self._size > _MAX_PAGE
            if whole:
                self._end_bare(frames)

    def _take(self, value: bytes) -> None:
        self._size += len(value) + 1
        if self._size > self._limit + 1:
            raise _endless(self._limit)

    def _end_bare(self, frames: list[StreamFrame]) -> None:
        if self._bare:
            frames.append(StreamFrame(_decoded(b"\n".join(self._bare))))
            self._bare = []
            self._size = sum(map(len, self._data))

    def _dispatch(self, frames: list[StreamFrame]) -> None:
        if self._data:
            frames.append(StreamFrame(_decoded(b"\n".join(self._data)), self._event))
        self._event = ""
        self._data = []
        if not self._bare:
            self._size = 0


def _dense(chunk: bytes) -> bytes:
    """`chunk` with one blank line for many in a row, which say no more than it and take long to be read one by one."""
    if b"\n\n\n" in chunk or b"\n\r\n\r\n" in chunk:
        return _BLANK_LINES.sub(b"\n\n", chunk)
    return chunk


_PAGE = re.compile(rb"<(!doctype|html|head|body|title|\?xml)\b", re.IGNORECASE)
_EVENTS = (b"data:", b"event:", b"error:", b"retry:", b"id:", b":")
_MAX_PAGE = 100_000
_LONG_LINE = 65_536  # bytes of a first line that is none of a document in several lines


class Whole:
    """One document that is the whole reply. Of one that is not `needed` to its end no more than `limit` bytes are read."""

    def __init__(self, limit: int, *, needed: bool) -> None:
        self._limit = limit
        self._needed = needed
        self._bytes = bytearray()
        self._read = False

    def feed(self, chunk: bytes) -> list[StreamFrame]:
        self._bytes += b"" if self._read else chunk
        if len(self._bytes) <= self._limit:
            return []
        if self._needed:
            raise _endless(self._limit)
        return self.finish()

    def finish(self) -> list[StreamFrame]:
        document, self._bytes, self._read = bytes(self._bytes), bytearray(), True
        return [StreamFrame(_decoded(document))] if document.strip() else []


class Framing:
    """Chooses the framing by the first bytes, whatever the reply calls itself: events, JSON lines, one JSON document or
    a web page; `usual` is for what is none of these."""

    def __init__(self, usual: Parser, limit: int = MAX_LINE) -> None:
        self._usual = usual
        self._limit = limit
        self._head = b""
        self._chosen: Parser | None = None

    def feed(self, chunk: bytes) -> list[StreamFrame]:
        if self._chosen is not None:
            return self._chosen.feed(chunk)
        self._head = (self._head + chunk).lstrip(_BLANKS)
        self._chosen = self._choose(self._head, last=False)
        return self._release()

    def finish(self) -> list[StreamFrame]:
        if self._chosen is None:
            self._chosen = self._choose(self._head, last=True) or self._usual
        return [*self._release(), *self._chosen.finish()]

    def _release(self) -> list[StreamFrame]:
        if self._chosen is None:
            return []
        head, self._head = self._head, b""
        return self._chosen.feed(head) if head else []

    def _choose(self, head: bytes, *, last: bool) -> Parser | None:
        """The framing of a reply that begins with `head`; None = too little has come to say."""
        if head.startswith(b"{"):
            line, line_break, _ = head.partition(b"\n")
            if not line_break and not last and len(head) < _LONG_LINE:
                return None
            opens = line.rstrip().endswith((b"{", b"[", b","))
            return (
                Whole(self._limit, needed=True)
                if opens
                else self._usual
                if isinstance(self._usual, Ndjson)
                else Ndjson()
            )
        if head.startswith(_EVENTS):
            return self._usual if isinstance(self._usual, Sse) else Sse()
        if _PAGE.match(head):
            return Whole(_MAX_PAGE, needed=False)
        undecided = (
            not head
            or any(word.startswith(head) for word in _EVENTS)
            or (head.startswith(b"<") and len(head) < 12)
        )
        return None if undecided and not last else self._usual


_BLANKS = b"\xef\xbb\xbf \t\r\n"


def _decoded(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _endless(limit: int) -> BadReply:
    return BadReply(
        "The server sent an endless line",
        f"A line of its answer is longer than {human_size(limit)}",
        "The connection was closed. Is this address really a model server?",
        200,
    )
