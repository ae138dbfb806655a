"""One message of a conversation and what is known of how it came about. All of it frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from tui.core.endings import LENGTH, UNKNOWN

Value = bool | int | float | str | tuple[str, ...]
"""What a parameter can be set to; a list (of stop sequences) is a tuple of strings."""

CONTINUED = "continued_after"
"""Under this name the parameters of an answer that was continued record the tokens that it had before."""

NO_PARAMETERS: Mapping[str, Value] = MappingProxyType({})


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How far an answer got."""

    COMPLETE = "complete"  # the server said that it was done
    STOPPED = "stopped"  # the person stopped it; what came is kept
    INTERRUPTED = "interrupted"  # the line or lokal broke; what came is kept
    FAILED = "failed"  # the server answered with an error; what came before is kept
    STREAMING = "streaming"  # still coming


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens counted by the server; None = it did not say. `prompt` includes `cached`."""

    prompt: int | None = None
    completion: int | None = None
    cached: int | None = None

    @property
    def total(self) -> int | None:
        """Tokens of the context window in use after this answer."""
        return None if self.prompt is None else self.prompt + (self.completion or 0)


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds, and tokens a second. The rates are the server's own where it gives them, else lokal's clock's."""

    first_token_s: float | None = None  # from the request to the first piece of text or reasoning
    total_s: float | None = None
    load_s: float | None = None
    prompt_tokens_per_s: float | None = None
    tokens_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an answer failed, or what stopped it where nobody pressed Esc; kept beside the message for display, and never sent
    to a model."""

    title: str
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a question; `data` are its bytes."""

    name: str
    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A node of the conversation tree.

    `preset`, `model`, `server` and `parameters` say how an answer was really made: `parameters` holds canonical
    names and the values that were sent, nothing that the server did not take. They are empty for a question.
    `edited` = an answer whose text, or its beginning, the person wrote.
    `created_at` is in seconds since the epoch, UTC.
    """

    id: str
    parent: str | None
    role: Role
    content: str
    created_at: float
    reasoning: str = ""
    status: Status = Status.COMPLETE
    model: str = ""
    server: str = ""
    preset: str = ""
    parameters: Mapping[str, Value] = field(default_factory=lambda: NO_PARAMETERS)
    usage: Usage = Usage()
    timings: Timings = Timings()
    finish_reason: str = ""
    problem: Problem | None = None
    attachments: tuple[Attachment, ...] = ()
    edited: bool = False

    @property
    def cut_at(self) -> int | None:
        """Of an answer that was cut, the limit in tokens that it ran into; None = the context window ended first. Where
        the server has counted nothing it is taken to be the limit, if one was sent. The limit holds for each request, so
        that of an answer that was continued only what came since counts."""
        limit, made = self.parameters.get("max_tokens"), self.usage.completion
        if not isinstance(limit, int) or limit < 0:  # none, or no limit
            return None
        counted = made is not None and self.usage.prompt is not None
        before = self.parameters.get(CONTINUED, 0)
        if made is not None and isinstance(before, int):
            made -= before
        return None if counted and made is not None and made < limit else limit

    @property
    def resumable(self) -> bool:
        """Whether the answer can be continued from where it ended."""
        return (
            self.role is Role.ASSISTANT
            and bool(self.content)
            and (
                self.status in (Status.STOPPED, Status.INTERRUPTED, Status.FAILED)
                or self.finish_reason in (LENGTH, UNKNOWN)
            )
        )


def new_id() -> str:
    """An identifier for a chat or a message: 12 hexadecimal digits, short enough to type."""
    return os.urandom(6).hex()
