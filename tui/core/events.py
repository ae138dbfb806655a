"""What a server says while it answers, the same for every kind of server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tui.core.message import Timings, Usage, Value
from tui.errors import LokalError


class Phase(StrEnum):
    """Where a generation stands; the order is the order in which they come."""

    IDLE = "idle"
    CONNECTING = "connecting"
    WAITING = "waiting"  # the server is busy and said when it wants to be asked again
    LOADING = "loading"  # the server loads the model
    PREFILL = "prefill"  # the server reads the prompt
    STREAMING = "streaming"  # reasoning or text comes in
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class TextWasReasoning:
    """All text of this answer so far was reasoning: the tag that opens it stood in the prompt, where nobody sees it."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a function; `arguments` is JSON text, as it came."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Progress:
    """WAITING, LOADING or PREFILL goes on. `done` of `total` in `unit`; total 0 = the server does not say how much."""

    phase: Phase
    done: int = 0
    total: int = 0
    unit: str = ""

    @property
    def fraction(self) -> float | None:
        """0 to 1, None where it is not known."""
        return min(1.0, self.done / self.total) if self.total > 0 else None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Before the answer: what of the parameters does not go out, because this server cannot take it. `what` says it in
    words, with the reason; `values` are the canonical parameters that differ from what was asked for, None = not sent."""

    what: tuple[str, ...]
    values: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Done:
    """The server said that the answer is complete: `finish_reason` is `stop`, `length`, `tool_calls`, `unknown` where it
    gave none, or its own word (see `tui.core.endings`)."""

    finish_reason: str
    usage: Usage = Usage()
    timings: Timings = Timings()


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer ended with an error; nothing comes after it."""

    error: LokalError


Event = TextDelta | ReasoningDelta | TextWasReasoning | ToolCall | Progress | NotSent | Done | Failed
