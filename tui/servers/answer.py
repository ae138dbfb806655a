"""One answer as it is read: what all kinds of server have in common, from the records of a stream to events."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.core.endings import CALLS, STOP, UNKNOWN, is_broken, plain_reason
from tui.core.events import Done, Event, Failed, ReasoningDelta, TextDelta, TextWasReasoning, ToolCall
from tui.core.message import Timings, Usage
from tui.core.text import safe_block, safe_line
from tui.errors import BadReply, Interrupted, ServerError
from tui.servers.errors import (
    Asked,
    ServerErrorBody,
    complaint_in,
    complaint_of,
    complaint_within,
    refused,
    too_much,
)
from tui.servers.http.framing import StreamFrame
from tui.servers.json_object import JsonObject, TooMuch, read_object
from tui.servers.message_parts import parts_of, reasoning_of

if TYPE_CHECKING:
    from tui.core.thinking import ThinkSplitter

MAX_ANSWER = 16 << 20
"""Bytes of text, reasoning and function calls that one answer may have."""

CALL_SIZE = 500
"""Bytes that a call of a function takes beside its arguments."""


class TextSanitizer:
    """Makes the pieces of one text safe to show. A CR LF that is split over two pieces stays one line break."""

    def __init__(self) -> None:
        self._after_cr = False

    def take(self, piece: str) -> str:
        """`piece` without controls, its line breaks as LF."""
        if self._after_cr and piece.startswith("\n"):
            piece = piece[1:]
        if piece:
            self._after_cr = piece.endswith("\r")
        return safe_block(piece)


def _think_splitter(*, apart: bool = False) -> ThinkSplitter:
    from tui.core.thinking import ThinkSplitter  # nothing before the first answer needs it

    return ThinkSplitter(apart=apart)


class Answer:
    """Reads the records of one stream. Subclasses say what is in a record.

    Call `frame` for each frame until `ended`, then `finish`, whatever the reason for the end.
    """

    def __init__(self, asked: Asked, *, resumed: bool = False) -> None:
        """`resumed` = the answer goes on with a text that is there already, so it does not start with reasoning."""
        self.asked = asked
        self.ended = False
        self.failure: ServerError | None = None
        self.finish_reason: str | None = None
        self.usage = Usage()
        self.timings = Timings()
        self.tool_calls: list[ToolCall] = []
        self._splitter = None if resumed else _think_splitter()
        self._text = TextSanitizer()
        self._reasoning = TextSanitizer()
        self._text_came = False
        self._reasoning_came = False
        self._said = False  # text came that is not blank
        self._apart = False  # the server itself tells reasoning from text
        self._done_came = False
        self._damaged = False
        self._unreadable: ServerError | None = None
        self._room = MAX_ANSWER

    def record(self, fields: JsonObject) -> list[Event]:
        """The events in one record that is no complaint."""
        raise NotImplementedError

    def frame(self, frame: StreamFrame) -> list[Event]:
        """The events in one frame."""
        data = frame.data.strip()
        if data == "[DONE]":
            self.ended = self._done_came = True
            return []
        try:
            fields = read_object(data)
        except TooMuch as error:
            # It is survived like any other record that makes no sense, unless it is all there is.
            self._unreadable = too_much(self.asked.endpoint, error)
            self._damaged = self._damaged or data.startswith("{")
            return []
        if frame.event == "error":
            return self.fail(complaint_of(fields) if fields is not None else complaint_in(data))
        if fields is None:
            if data.startswith("<") and (complaint := complaint_in(data)).web_page:
                return self._page(complaint)
            # Not JSON at all is noise on the line; half an object is a piece of the answer that is lost.
            self._damaged = self._damaged or data.startswith("{")
            return []
        complaint_here = complaint_within(fields)
        events = self.record(fields)
        return events if complaint_here is None else [*events, *self.fail(complaint_here)]

    def fail(self, complaint: ServerErrorBody, status: int = 200) -> list[Event]:
        """End with what the server complains of."""
        self.failure = refused(complaint, status, self.asked)
        self.ended = True
        return []

    def _page(self, complaint: ServerErrorBody) -> list[Event]:
        """A web page came, of a proxy as a rule."""
        if not self._text_came and not self._reasoning_came:
            return self.fail(complaint)
        why = f": {complaint.text}" if complaint.text else ""
        self.failure = _broke_off(f"A web page came in the middle of it{why}")
        self.ended = True
        return []

    def message(self, message: JsonObject) -> list[Event]:
        """The events of the text and the reasoning in a message."""
        events = self.reasoning(reasoning_of(message))
        for part in parts_of(message):
            events += self.reasoning(part.text) if part.reasoning else self.text(part.text)
        return events

    def text(self, piece: str) -> list[Event]:
        """The events of a piece of text, which may hold reasoning between tags."""
        if not piece:
            return []
        if self._splitter is None:
            return self._cleaned([TextDelta(piece)])
        return self._cleaned(self._splitter.feed(piece))

    def reasoning(self, piece: str) -> list[Event]:
        """The events of a piece of reasoning that the server itself told from the text."""
        if not piece:
            return []
        events: list[Event] = []
        if not self._apart:
            self._apart = True
            events = self._release()
            if self._splitter is not None:
                self._splitter = None if self._text_came else _think_splitter(apart=True)
        return [*events, *self._cleaned([ReasoningDelta(piece)])]

    def finish(self, broken: ServerError | None = None) -> list[Event]:
        """The last events: what was held back, tool calls, and how it ended. `broken` is why the stream ended early;
        if the server had said before that the answer is complete, it is."""
        events = self._release()
        reason = None if self.finish_reason is None else plain_reason(self.finish_reason)
        if reason is None and self._done_came and (self._said or self.tool_calls):
            reason = UNKNOWN
        if self.tool_calls and reason in (STOP, UNKNOWN):
            reason = CALLS
        complete = reason is not None and (broken is None or isinstance(broken, Interrupted))
        failure = self.failure or (None if complete else broken)
        if failure is not None:
            return [*events, Failed(failure)]
        if reason is None:
            unreadable = None if self._text_came else self._unreadable
            return [
                *events,
                Failed(unreadable or _broke_off("The server ended it without saying that it was done")),
            ]
        reason = safe_line(self.asked.endpoint.masked(reason), 40) or STOP
        if is_broken(reason):
            return [*events, Failed(_broke_off(f"The server gave it up, and said only: {reason}"))]
        events += self.tool_calls
        if self._damaged:
            return [*events, Failed(_damaged())]
        return [*events, Done(reason, self.usage, self.timings)]

    def spend(self, size: int) -> bool:
        """Whether so many bytes more still belong to the answer; where not, it ends here."""
        self._room -= size
        if self._room >= 0:
            return True
        self._room = 0
        self.failure = self.failure or _too_long()
        self.ended = True
        return False

    def _fitting(self, piece: str) -> str:
        """As much of a piece of text as the answer may still have."""
        room = self._room
        if piece.isascii():
            return piece if self.spend(len(piece)) else piece[:room]
        data = piece.encode()
        return piece if self.spend(len(data)) else data[:room].decode("utf-8", "ignore")

    def _release(self) -> list[Event]:
        return self._cleaned(self._splitter.finish()) if self._splitter is not None else []

    def _cleaned(self, pieces: Sequence[Event]) -> list[Event]:
        """The pieces made safe, without the blanks before the reasoning and the blank lines between it and the text."""
        events: list[Event] = []
        for piece in pieces:
            match piece:
                case TextDelta(text):
                    safe = self._text.take(text)
                    if self._reasoning_came and not self._text_came:
                        safe = safe.lstrip("\n")
                    if safe := self._fitting(safe):
                        self._text_came = True
                        self._said = self._said or not safe.isspace()
                        events.append(TextDelta(safe))
                case ReasoningDelta(text):
                    safe = self._reasoning.take(text)
                    if not self._reasoning_came:
                        safe = safe.lstrip()
                    if safe := self._fitting(safe):
                        self._reasoning_came = True
                        events.append(ReasoningDelta(safe))
                case TextWasReasoning():
                    self._reasoning_came, self._text_came, self._said = True, False, False
                    events.append(piece)
                case ToolCall():
                    self.tool_calls.append(tool_call(piece.id, piece.name, piece.arguments))
                case other:
                    events.append(other)
        return events


def tool_call(id: str, name: str, arguments: str) -> ToolCall:
    """A tool call with texts that are safe to show."""
    return ToolCall(safe_line(id, 200), safe_line(name, 200), safe_block(arguments))


def plain_number(value: int) -> str:
    """A number of parameters as model names write it: 378K, 9.18M, 3.2B."""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K")):
        if value >= size:
            return re.sub(r"\.0+$", "", f"{value / size:.3g}") + unit
    return str(value)


def _broke_off(why: str) -> Interrupted:
    return Interrupted(
        "The answer broke off",
        why,
        "What came is kept; ask again or continue it",
        200,
    )


def _too_long() -> BadReply:
    return BadReply(
        "The answer is too long",
        f"It has more than {MAX_ANSWER >> 20} MiB of text, and was ended there",
        "What came is kept",
        200,
    )


def _damaged() -> BadReply:
    return BadReply(
        "A piece of the answer is missing",
        "A line from the server was not complete JSON; all the rest is here",
        "Ask again if it does not make sense",
        200,
    )
