"""The reducer of one answer: events in, phase, text, counts and rates out.

    idle -> connecting -> [loading ->] [prefill ->] streaming -> done | stopped | failed

It does no I/O and reads no clock: the time of each event is given to it. Text is kept as a list of pieces, so that
taking in a piece costs the same at the first and at the millionth token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.events import (
    Done,
    Event,
    Failed,
    NotSent,
    Phase,
    Progress,
    ReasoningDelta,
    TextDelta,
    TextWasReasoning,
    ToolCall,
)
from tui.core.message import Message, Problem, Status, Timings, Usage, Value
from tui.errors import Interrupted, LokalError

JOINED_EVERY = 4096
"""Pieces after which they are joined: a token of four bytes takes sixty as a string of its own."""
FINISHED = frozenset({Phase.DONE, Phase.STOPPED, Phase.FAILED})

SILENT_S = 60.0
"""Seconds without a word after which it is said that there was none: a server may read a long prompt, or sleep."""

MEASURABLE_S = 0.25
"""A rate measured over less says how the pieces were buffered, not how fast they are made."""


class Generation:
    """One answer while it comes in. Times are seconds of one monotonic clock."""

    def __init__(
        self,
        started_at: float,
        content: str = "",
        reasoning: str = "",
        usage: Usage | None = None,
        timings: Timings | None = None,
    ) -> None:
        """`content` and `reasoning` are what an answer that is continued already has, `usage` and `timings` what that
        took."""
        self.started_at = started_at
        self.phase = Phase.CONNECTING
        self.progress: Progress | None = None
        self.first_token_at: float | None = None
        self.last_token_at: float | None = None
        self.ended_at: float | None = None
        self.deltas = 0
        self.error: LokalError | None = None
        self.tool_calls: list[ToolCall] = []
        self.not_sent: tuple[str, ...] = ()
        self.heard_at = started_at
        self.silent_minutes = 0  # for how many whole minutes nothing has come
        self._values: dict[str, Value | None] = {}
        self._why_stopped = ""
        self._done: Done | None = None
        self._content_before = content
        self._reasoning_before = reasoning
        continued = bool(content or reasoning)
        self._usage_before = usage if usage is not None and continued else Usage()
        self._timings_before = timings if timings is not None and continued else Timings()
        self._content: list[str] = []
        self._reasoning: list[str] = []

    @property
    def finished(self) -> bool:
        """Whether the answer has ended, in whatever way."""
        return self.phase in FINISHED

    @property
    def content(self) -> str:
        """The answer's text so far."""
        return self._content_before + _join(self._content)

    @property
    def reasoning(self) -> str:
        """The reasoning so far."""
        return self._reasoning_before + _join(self._reasoning)

    @property
    def thinking(self) -> bool:
        """Whether reasoning has come and no text yet."""
        return self.phase is Phase.STREAMING and bool(self._reasoning) and not self._content

    def apply(self, event: Event, now: float) -> None:
        """Take in one event. An event after the end is ignored: a late piece cannot change a finished answer."""
        if self.finished:
            return
        self.heard_at = now
        self.silent_minutes = 0
        match event:
            case TextDelta(text):
                self._token(self._content, text, now)
            case ReasoningDelta(text):
                self._token(self._reasoning, text, now)
            case TextWasReasoning():
                self._reasoning += self._content
                self._content.clear()
            case Progress():
                if self.phase is not Phase.STREAMING:
                    self.phase = event.phase
                    self.progress = event
            case ToolCall():
                self.tool_calls.append(event)
            case NotSent(what, values):
                self.not_sent += tuple(words for words in what if words not in self.not_sent)
                self._values.update(values)
            case Done():
                self._done = event
                self._end(Phase.DONE, now)
            case Failed(error):
                self.error = error
                self._end(Phase.FAILED, now)

    def stop(self, now: float, why: str = "") -> None:
        """The person stopped the answer; `why` is what else they did that stopped it, empty where they stopped just that."""
        if not self.finished:
            self._why_stopped = why
            self._end(Phase.STOPPED, now)

    def note_time(self, now: float) -> None:
        """It is `now`, whether anything has come or not."""
        self.silent_minutes = 0 if self.finished else max(0, int((now - self.heard_at) / SILENT_S))

    def tokens_per_s(self) -> float | None:
        """The rate: the server's own once the answer is done, before that pieces over time, a piece being about a token."""
        if self._done is not None and self._done.timings.tokens_per_s:
            return self._done.timings.tokens_per_s
        if self.first_token_at is None or self.last_token_at is None or self.deltas < 2:
            return None
        elapsed = self.last_token_at - self.first_token_at
        return (self.deltas - 1) / elapsed if elapsed >= MEASURABLE_S else None

    @property
    def usage(self) -> Usage:
        """The server's counts; without them, what was counted here for the completion. Of an answer that was continued
        all its tokens, over the prompt without what it had before."""
        usage = self._done.usage if self._done is not None else Usage()
        made = usage.completion if usage.completion is not None else self.deltas or None
        before = self._usage_before
        if before.completion is None:
            return replace(usage, completion=made)
        completion = before.completion + (made or 0)
        if before.prompt is not None:
            return Usage(before.prompt, completion, before.cached)
        prompt = None if usage.prompt is None else max(0, usage.prompt - before.completion)
        cached = None if prompt is None or usage.cached is None else min(usage.cached, prompt)
        return Usage(prompt, completion, cached)

    def timings(self) -> Timings:
        """The server's timings, with lokal's own clock where the server gives none. The times of an answer that was
        continued are those of all of it, the rates those of its last part."""
        known, before = self._done.timings if self._done is not None else Timings(), self._timings_before
        first = None if self.first_token_at is None else self.first_token_at - self.started_at
        total = None if self.ended_at is None else self.ended_at - self.started_at
        if before.first_token_s is not None:
            first = before.first_token_s
        if before.total_s is not None and total is not None:
            total += before.total_s
        return replace(known, first_token_s=first, total_s=total, tokens_per_s=self.tokens_per_s())

    def status(self) -> Status:
        """How the message stands that this answer becomes."""
        match self.phase:
            case Phase.DONE:
                return Status.COMPLETE
            case Phase.STOPPED:
                return Status.STOPPED
            case Phase.FAILED:
                return Status.INTERRUPTED if isinstance(self.error, Interrupted) else Status.FAILED
            case _:
                return Status.STREAMING

    def as_message(self, message: Message) -> Message:
        """`message` with everything that is known of its answer by now."""
        problem = Problem(self._why_stopped) if self._why_stopped else None
        if self.error is not None:
            problem = Problem(self.error.title, self.error.detail, self.error.hint)
        return replace(
            message,
            content=self.content,
            reasoning=self.reasoning,
            parameters=self._sent(message.parameters),
            status=self.status(),
            usage=self.usage,
            timings=self.timings(),
            finish_reason=self._done.finish_reason if self._done is not None else "",
            problem=problem,
        )

    def _sent(self, asked_for: Mapping[str, Value]) -> Mapping[str, Value]:
        """The parameters as they really went out."""
        if not self._values:
            return asked_for
        merged = {**asked_for, **self._values}
        return {name: value for name, value in merged.items() if value is not None}

    def _token(self, pieces: list[str], text: str, now: float) -> None:
        if not text:
            return
        if self.first_token_at is None:
            self.first_token_at = now
        self.last_token_at = now
        self.deltas += 1
        self.phase = Phase.STREAMING
        self.progress = None
        pieces.append(text)
        if self.deltas % JOINED_EVERY == 0:
            _join(pieces)

    def _end(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self.progress = None
        self.silent_minutes = 0
        self.ended_at = now


def _join(pieces: list[str]) -> str:
    if len(pieces) > 1:
        pieces[:] = ["".join(pieces)]
    return pieces[0] if pieces else ""
