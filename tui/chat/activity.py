"""What the open chat is doing: one value, of one of these types, which the controller alone replaces."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.chat.pending import AnswerJob, PendingPrompt

if TYPE_CHECKING:
    from tui.chat.answer_stream import AnswerStream
    from tui.chat.overflow import Overflow
    from tui.chat.summary_run import SummaryRun


@dataclass(slots=True, eq=False)
class Idle:
    """Nothing runs and nothing is held."""


@dataclass(frozen=True, slots=True, eq=False)
class WaitingForServer:
    """A prompt waits for a server, which is being looked for or loads its model."""

    job: AnswerJob
    stream: AnswerStream


@dataclass(frozen=True, slots=True, eq=False)
class CheckingContext:
    """The server counts the tokens of a prompt."""

    pending: PendingPrompt


@dataclass(frozen=True, slots=True, eq=False)
class AwaitingDecision:
    """A prompt does not fit into the context window, and the person is asked; `decision` gets the id of what they choose."""

    pending: PendingPrompt
    overflow: Overflow
    decision: asyncio.Future[str] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Summarising:
    """The model sums up what does not fit; `ended` is done when it has ended, or was ended."""

    pending: PendingPrompt
    overflow: Overflow
    run: SummaryRun
    ended: asyncio.Future[None] = field(repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class ReloadingModel:
    """A prompt waits until the state has a context window of so many tokens, and the model is there with it."""

    pending: PendingPrompt
    tokens: int


@dataclass(frozen=True, slots=True, eq=False)
class Streaming:
    """An answer is coming in."""

    job: AnswerJob
    stream: AnswerStream


Activity = (
    Idle | WaitingForServer | CheckingContext | AwaitingDecision | Summarising | ReloadingModel | Streaming
)


def pending_of(activity: Activity) -> PendingPrompt | None:
    """The prompt that is held; None while there is none."""
    match activity:
        case CheckingContext() | AwaitingDecision() | Summarising() | ReloadingModel():
            return activity.pending
        case _:
            return None


def stream_of(activity: Activity) -> AnswerStream | None:
    """The answer that comes in, or waits for a server; None while there is none."""
    return activity.stream if isinstance(activity, WaitingForServer | Streaming) else None
