"""One answer while it comes in: reads the server, feeds the reducer, says at a bounded rate that there is more.

It runs in a worker and touches no widget. The pane takes what is new when it is told to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from tui.core.events import Event, Failed, ReasoningDelta, TextDelta
from tui.core.generation import Generation
from tui.core.message import Message

CHECKPOINT_S = 1.0
"""How often what came in is written down, at the longest."""


class Answering:
    """`on_news` is called on the event loop at most once per `interval_s()` while there is something new, and once at
    the end; `on_checkpoint` is given the text and the reasoning that came since it was called last."""

    def __init__(
        self,
        message: Message,
        on_news: Callable[[Answering], None],
        on_checkpoint: Callable[[str, str, str], None],
        interval_s: Callable[[], float],
    ) -> None:
        self.message = message
        self.generation = Generation(time.monotonic(), message.content, message.reasoning)
        self._on_news = on_news
        self._on_checkpoint = on_checkpoint
        self._interval_s = interval_s
        self._fresh_text: list[str] = []
        self._fresh_reasoning: list[str] = []
        self._unsaved_text: list[str] = []
        self._unsaved_reasoning: list[str] = []
        self._told_at = -1.0
        self._alarm: asyncio.TimerHandle | None = None
        self._save_alarm: asyncio.TimerHandle | None = None

    async def run(self, events: AsyncGenerator[Event, None]) -> None:
        """Read `events` to the end. Cancelling it closes the connection."""
        try:
            async for event in events:
                self.take_in(event)
                if self.generation.finished:
                    break
        finally:
            await events.aclose()

    def take_in(self, event: Event) -> None:
        """Apply one event and see to it that somebody hears of it."""
        now = time.monotonic()
        self.generation.apply(event, now)
        match event:
            case TextDelta(text):
                self._fresh_text.append(text)
                self._unsaved_text.append(text)
            case ReasoningDelta(text):
                self._fresh_reasoning.append(text)
                self._unsaved_reasoning.append(text)
            case _:
                pass
        if self._save_alarm is None and (self._unsaved_text or self._unsaved_reasoning):
            self._save_alarm = asyncio.get_running_loop().call_later(CHECKPOINT_S, self.save)
        self._schedule(now)

    def fail(self, failed: Failed) -> None:
        """End the answer with an error that came before the server was asked."""
        self.take_in(failed)

    def stop(self) -> None:
        """End the answer here; what came is kept."""
        self.generation.stop(time.monotonic())
        self._tell()

    def take(self) -> tuple[str, str]:
        """Text and reasoning that came in since this was called last."""
        text, reasoning = "".join(self._fresh_text), "".join(self._fresh_reasoning)
        self._fresh_text.clear()
        self._fresh_reasoning.clear()
        return text, reasoning

    def save(self) -> None:
        """Hand over what is not written down yet."""
        if self._save_alarm is not None:
            self._save_alarm.cancel()
            self._save_alarm = None
        text, reasoning = "".join(self._unsaved_text), "".join(self._unsaved_reasoning)
        self._unsaved_text.clear()
        self._unsaved_reasoning.clear()
        if text or reasoning:
            self._on_checkpoint(self.message.id, text, reasoning)

    def final(self) -> Message:
        """The message that this answer has become."""
        return self.generation.as_message(self.message)

    def _schedule(self, now: float) -> None:
        if self.generation.finished:
            self._tell()
        elif self._alarm is None:
            due = max(0.0, self._told_at + self._interval_s() - now)
            self._alarm = asyncio.get_running_loop().call_later(due, self._tell)

    def _tell(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._told_at = time.monotonic()
        self._on_news(self)
