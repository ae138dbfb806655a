"""One answer as it is read: what all kinds of server have in common, from the records of a stream to events."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.core.events import Done, Event, Failed, ReasoningDelta, TextDelta, TextWasReasoning, ToolCall
from tui.core.message import Timings, Usage
from tui.core.text import safe_block, safe_line
from tui.errors import BadReply, Interrupted, ServerError
from tui.servers.failures import Asked, Complaint, complaint_in, complaint_of, refused, too_much
from tui.servers.stream import Frame
from tui.servers.thinking import ThinkSplitter
from tui.servers.wire import Fields, TooMuch, read_object

MAX_ANSWER = 16 << 20
"""Bytes of text, reasoning and function calls that one answer may have."""

CALL_SIZE = 500
"""Bytes that a call of a function takes beside its arguments."""


class Clean:
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
        self._splitter = None if resumed else ThinkSplitter()
        self._text = Clean()
        self._reasoning = Clean()
        self._text_came = False
        self._reasoning_came = False
        self._damaged = False
        self._unreadable: ServerError | None = None
        self._room = MAX_ANSWER

    def record(self, fields: Fields) -> list[Event]:
        """The events in one record that is no complaint."""
        raise NotImplementedError

    def frame(self, frame: Frame) -> list[Event]:
        """The events in one frame."""
        data = frame.data.strip()
        if data == "[DONE]":
            self.ended = True
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
            # Not JSON at all is noise on the line; half an object is a piece of the answer that is lost.
            self._damaged = self._damaged or data.startswith("{")
            return []
        if fields.values.get("error"):
            return self.fail(complaint_of(fields))
        return self.record(fields)

    def fail(self, complaint: Complaint, status: int = 200) -> list[Event]:
        """End with what the server complains of."""
        self.failure = refused(complaint, status, self.asked)
        self.ended = True
        return []

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
        events = self._release()
        self._splitter = None
        return [*events, *self._cleaned([ReasoningDelta(piece)])]

    def finish(self, broken: ServerError | None = None) -> list[Event]:
        """The last events: what was held back, tool calls, and how it ended. `broken` is why the stream ended early;
        if the server had said before that the answer is complete, it is."""
        events = self._release()
        complete = self.finish_reason is not None and (broken is None or isinstance(broken, Interrupted))
        failure = self.failure or (None if complete else broken)
        if failure is not None:
            return [*events, Failed(failure)]
        if not complete:
            unreadable = None if self._text_came else self._unreadable
            return [*events, Failed(unreadable or _without_end())]
        events += self.tool_calls
        if self._damaged:
            return [*events, Failed(_damaged())]
        reason = safe_line(self.asked.endpoint.masked(self.finish_reason or ""), 40) or "stop"
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
                        events.append(TextDelta(safe))
                case ReasoningDelta(text):
                    safe = self._reasoning.take(text)
                    if not self._reasoning_came:
                        safe = safe.lstrip()
                    if safe := self._fitting(safe):
                        self._reasoning_came = True
                        events.append(ReasoningDelta(safe))
                case TextWasReasoning():
                    self._reasoning_came, self._text_came = True, False
                    events.append(piece)
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


def _without_end() -> Interrupted:
    return Interrupted(
        "The answer broke off",
        "The server ended it without saying that it was done",
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
