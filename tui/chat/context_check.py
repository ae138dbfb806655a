"""Whether a prompt fits into the context window, before anything of it is sent that a server would cut off.

A short prompt is not held up: it is estimated, and goes on at once. Only where more than half of the window is taken the
server counts, if it can.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tui.chat import overflow
from tui.chat.requests import request_for
from tui.core.attaching import is_picture
from tui.core.token_budget import TokenBudget
from tui.core.tokens import IMAGE_TOKENS, TokenSizeCache

if TYPE_CHECKING:
    from tui.chat.state import ClientState
    from tui.core.conversation import Conversation
    from tui.core.message import Message
    from tui.core.request import ChatRequest


class Estimate(Enum):
    """What is known of a prompt without asking the server: that it fits, that it does not, or that it has to be counted."""

    FITS = "fits"
    TO_COUNT = "to count"
    TOO_LONG = "too long"


@dataclass(slots=True, eq=False, repr=False)
class Measure:
    """A prompt measured against the `window` (in tokens) of whom `state` asks."""

    state: ClientState
    budget: TokenBudget
    window: int

    @property
    def limit(self) -> int:
        """The most tokens that the prompt may take: the window less the room for the answer."""
        return self.window - overflow.room_of(self.state, self.window)

    @property
    def over(self) -> int:
        """By how many tokens it is too long; 0 or less = it fits."""
        return self.budget.prompt.tokens - self.limit

    @property
    def counts(self) -> bool:
        """Whether the server can count."""
        connection = self.state.connection
        return connection is not None and connection.server.capabilities.counts_tokens

    def estimate(self) -> Estimate:
        """What is known without asking the server."""
        prompt = self.budget.prompt.tokens
        if prompt <= min(self.limit, self.window // 2):
            return Estimate.FITS
        if self.counts:
            return Estimate.TO_COUNT
        return Estimate.FITS if prompt <= self.limit else Estimate.TOO_LONG


class ContextCheck:
    """Measures the prompts of one open chat. What the server counted teaches it by how much the estimates are wrong."""

    def __init__(self) -> None:
        self._sizes = TokenSizeCache()
        self._factor = ("", 1.0)  # a model, and what was learnt of its tokenizer

    def budget(
        self, conversation: Conversation | None, path: Sequence[Message], state: ClientState
    ) -> TokenBudget | None:
        """What the branch `path` takes as a prompt; None without a chat or a server."""
        connection = state.connection
        if conversation is None or connection is None:
            return None
        told = request_for(state, connection, conversation, (), resume=False).turns
        model, factor = self._factor
        return TokenBudget(
            path,
            state.model,
            told[0].content if told else "",
            conversation.view,
            self._sizes,
            factor if model == state.model else 1.0,
        )

    def measure(
        self, conversation: Conversation | None, path: Sequence[Message], state: ClientState
    ) -> Measure | None:
        """The branch measured; None = there is nothing to measure, or nobody knows the window."""
        window, budget = overflow.window_of(state), self.budget(conversation, path, state)
        if window is None or budget is None or not path:
            return None
        return Measure(state, budget, window)

    async def count(self, measure: Measure, request: ChatRequest | None) -> None:
        """Let the server count the tokens of `request`; one that does not answer changes nothing."""
        connection = measure.state.connection
        if request is None or connection is None:
            return
        tokens = await connection.server.count_tokens(request)
        if tokens is None:
            return
        pictures = sum(is_picture(file) for message in measure.budget.seen for file in message.attachments)
        measure.budget.counted(tokens + pictures * IMAGE_TOKENS, exact=not pictures)
        self.learn(measure)

    def learn(self, measure: Measure) -> None:
        """Keep what the server's count has shown of the model's tokenizer."""
        self._factor = measure.state.model, measure.budget.factor


def request_of(
    conversation: Conversation | None, path: Sequence[Message], state: ClientState, *, resume: bool = False
) -> ChatRequest | None:
    """What would be sent for a branch; None without a chat or a server."""
    if conversation is None or state.connection is None:
        return None
    return request_for(state, state.connection, conversation, path, resume=resume)
