"""A summary while it comes in: asks for one portion after the other, and says at a bounded rate that there is more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tui.chat.answer_stream import AnswerStream
from tui.chat.requests import blank_answer
from tui.chat.state import ClientState
from tui.core.generation import Generation
from tui.core.message import Message
from tui.core.summary import summary_request
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.servers.base import Server

Portion = Sequence[tuple[Message, str]]


class SummaryRun:
    """Runs in a worker and touches no widget; `on_news` is called on the event loop, once more at the end."""

    def __init__(
        self,
        server: Server,
        state: ClientState,
        portions: Sequence[Portion],
        earlier: str,
        most_tokens: int,
        on_news: Callable[[SummaryRun], None],
        interval_s: Callable[[], float],
    ) -> None:
        """`earlier` is the summary of what came before the `portions`."""
        self._server = server
        self._state = state
        self._portions = portions
        self._most_tokens = most_tokens
        self._on_news = on_news
        self._interval_s = interval_s
        self.text = earlier
        """The summary as it stands."""
        self.error: LokalError | None = None
        self.done = False
        self.part = 0
        self._answering = self._listen()

    @property
    def parts(self) -> int:
        """How many portions there are."""
        return len(self._portions)

    @property
    def generation(self) -> Generation:
        """The answer for the portion that is read now."""
        return self._answering.generation

    async def run(self) -> None:
        """Read to the end, or to the first error."""
        for portion in self._portions:
            self.part += 1
            self._answering = self._listen()
            values = self._state.sendable()
            request = summary_request(self._state.model, values, portion, self.text, self._most_tokens)
            await self._answering.run(self._server.chat(request))
            answer = self._answering.final()
            self.error = self.generation.error
            if self.error is None and not answer.content.strip():
                self.error = LokalError("The model wrote none", "", "Leave the oldest out without one")
            if self.error is not None:
                break
            self.text = answer.content.strip()
        self.done = True
        self._on_news(self)

    def fail(self, error: LokalError) -> None:
        """It ended with a mistake of lokal's own."""
        self.error, self.done = error, True
        self._on_news(self)

    def take(self) -> tuple[str, str]:
        """Text and reasoning that came in since this was called last."""
        return self._answering.take()

    def _listen(self) -> AnswerStream:
        blank = replace(blank_answer(""), model=self._state.model)
        return AnswerStream(
            blank,
            lambda _: self._on_news(self),
            lambda _id, _text, _reasoning: None,
            lambda _: None,
            self._interval_s,
        )
