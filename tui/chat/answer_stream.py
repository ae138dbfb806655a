"""One answer while it comes in: reads the server, feeds the reducer, says at a bounded rate that there is more.

It runs in a worker and touches no widget. The pane takes what is new when it is told to.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Future
from contextlib import aclosing

from tui.chat.tasks import mistake
from tui.core.events import Event, Failed, Phase, Progress, ReasoningDelta, TextDelta, TextWasReasoning
from tui.core.generation import SILENT_S, Generation
from tui.core.message import Message
from tui.errors import LokalError

CHECKPOINT_S = 1.0
"""How often what came in is written down, at the longest."""
HEADING_INTERVAL_S = 0.5
"""How often the figures in the heading of an answer that comes in are written anew, at most."""


class HeadingPace:
    """When the heading of an answer that comes in is due: at once where it does something else now, or is further on with
    the prompt, so that an answer that comes to rest there says what is so; else only every half second."""

    def __init__(self) -> None:
        self._said: tuple[Phase, bool, Progress | None, int] | None = None
        self._at = 0.0

    def due(self, generation: Generation, now: float) -> bool:
        """Whether it is to be written now; what is asked for is taken as done."""
        state = generation.phase, generation.thinking, generation.progress, generation.silent_minutes
        if state == self._said and now - self._at < HEADING_INTERVAL_S:
            return False
        self._said, self._at = state, now
        return True


class AnswerStream:
    """`on_news` is called on the event loop at most once per `interval_s()` while there is something new, and once at
    the end; `on_checkpoint` is given the text and the reasoning that came since it was called last, `on_rewrite` the
    whole message when text that had come turned out to be reasoning (`rewritten` is then True until it is shown)."""

    def __init__(
        self,
        message: Message,
        on_news: Callable[[AnswerStream], None],
        on_checkpoint: Callable[[str, str, str], None],
        on_rewrite: Callable[[Message], None],
        interval_s: Callable[[], float],
    ) -> None:
        self.message = message
        self.generation = Generation(
            time.monotonic(), message.content, message.reasoning, message.usage, message.timings
        )
        self._on_news = on_news
        self._on_checkpoint = on_checkpoint
        self._on_rewrite = on_rewrite
        self.rewritten = False
        self._interval_s = interval_s
        self._fresh_text: list[str] = []
        self._fresh_reasoning: list[str] = []
        self._unsaved_text: list[str] = []
        self._unsaved_reasoning: list[str] = []
        self._told_not_sent = 0
        self._told_at = -1.0
        self._alarm: asyncio.TimerHandle | None = None
        self._save_alarm: asyncio.TimerHandle | None = None
        self._silence_alarm: asyncio.TimerHandle | None = None

    async def run(self, events: AsyncGenerator[Event, None], durable: Future[bool] | None = None) -> None:
        """Read `events` to the end, once the question is `durable`. Cancelling it closes the connection."""
        try:
            if durable is not None:
                # Shielded: an answer that is stopped at once must not take the question's writing with it.
                await asyncio.shield(asyncio.wrap_future(durable))
            self.generation.heard_at = time.monotonic()
            self._listen_for_silence()
            async with aclosing(events):
                async for event in events:
                    self.take_in(event)
                    if self.generation.finished:
                        break
        except LokalError as error:
            self.fail(error)
        except Exception as error:  # noqa: BLE001  # a worker's root: the person must hear of it, whatever it was
            self.fail(mistake(error))
        finally:
            if self._silence_alarm is not None:
                self._silence_alarm.cancel()

    def _listen_for_silence(self) -> None:
        """See to it that it is heard of each whole minute in which nothing comes. One timer, not one for each piece."""
        now = time.monotonic()
        self.generation.note_time(now)
        if self.generation.silent_minutes:
            self._tell()
        left = SILENT_S - (now - self.generation.heard_at) % SILENT_S
        if not self.generation.finished:
            self._silence_alarm = asyncio.get_running_loop().call_later(left, self._listen_for_silence)

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
            case TextWasReasoning():
                # What was shown and written down as text has to be taken back: as a whole, not as a piece.
                self._discard()
                self.rewritten = True
                self._on_rewrite(self.final())
            case _:
                pass
        if self._save_alarm is None and (self._unsaved_text or self._unsaved_reasoning):
            self._save_alarm = asyncio.get_running_loop().call_later(CHECKPOINT_S, self.save)
        self._schedule(now)

    def _discard(self) -> None:
        for pieces in (self._fresh_text, self._fresh_reasoning, self._unsaved_text, self._unsaved_reasoning):
            pieces.clear()

    def fail(self, error: LokalError) -> None:
        """End the answer with an error that did not come from the server."""
        self.take_in(Failed(error))

    def stop(self, why: str = "") -> None:
        """End the answer here; what came is kept. `why` as in `Generation.stop`."""
        self.generation.stop(time.monotonic(), why)
        self._end_saving()
        self._tell()

    def take(self) -> tuple[str, str]:
        """Text and reasoning that came in since this was called last."""
        text, reasoning = "".join(self._fresh_text), "".join(self._fresh_reasoning)
        self._fresh_text.clear()
        self._fresh_reasoning.clear()
        return text, reasoning

    def not_told(self) -> tuple[str, ...]:
        """What of the parameters was not sent, all of it, if there is some of which nobody has heard; else nothing. A
        server may refuse one more after the others were said, and a notice takes the place of the one before."""
        known, self._told_not_sent = self._told_not_sent, len(self.generation.not_sent)
        return self.generation.not_sent if len(self.generation.not_sent) > known else ()

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

    def _end_saving(self) -> None:
        """The answer has ended and is written down whole: pieces that came later would be in it twice, were it continued."""
        self._unsaved_text.clear()
        self._unsaved_reasoning.clear()
        if self._save_alarm is not None:
            self._save_alarm.cancel()
            self._save_alarm = None

    def final(self) -> Message:
        """The message that this answer has become."""
        return self.generation.as_message(self.message)

    def _schedule(self, now: float) -> None:
        if self.generation.finished:
            self._end_saving()
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
