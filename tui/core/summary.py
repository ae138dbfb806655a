"""Asking a model for a summary of what it will no longer see.

What is summarised may itself be longer than the window: it is read in portions, each with the summary of those before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tui.core.message import Message, Role, Value
from tui.core.request import ChatRequest, Turn, text_sent
from tui.core.tokens import estimate

LEAST_TOKENS, MOST_TOKENS = 64, 512
"""What a summary may take: an eighth of the window within these."""
LEFT_OUT = "\n[…]\n"

_TASK = (
    "Below is the beginning of a conversation between a person and an assistant. Write a summary with which the "
    "assistant can go on with the conversation: what the person wants, what was found out and decided, names, numbers "
    "and code that still matter. Use the language of the conversation and at most {words} words. Write the summary only."
)
_EARLIER = "What came before it, already summarised; take it into the new summary:"


def summary_tokens(window: int) -> int:
    """The most tokens of a summary for a window of that many."""
    return min(max(window // 8, LEAST_TOKENS), MOST_TOKENS)


def portions(
    messages: Sequence[Message], limit: int, factor: float = 1.0
) -> tuple[tuple[tuple[Message, str], ...], ...]:
    """The messages with their texts, in portions of at most about `limit` tokens; `factor` is by what estimates are
    multiplied. A text longer than that loses its middle."""
    portions: list[tuple[tuple[Message, str], ...]] = []
    portion: list[tuple[Message, str]] = []
    used = 0
    for message in messages:
        content = text_sent(message)
        if not content.strip():
            continue
        text = _shortened(content, limit, factor)
        size = int(estimate(text) * factor) + 1
        if portion and used + size > limit:
            portions.append(tuple(portion))
            portion, used = [], 0
        portion.append((message, text))
        used += size
    return (*portions, tuple(portion)) if portion else tuple(portions)


def _shortened(text: str, limit: int, factor: float) -> str:
    tokens = estimate(text) * factor
    if tokens <= limit:
        return text
    kept = max(1, int(len(text) * limit / tokens) - len(LEFT_OUT))
    half = kept // 2
    return f"{text[: kept - half]}{LEFT_OUT}{text[len(text) - half :]}"


def summary_request(
    model: str,
    parameters: Mapping[str, Value],
    portion: Sequence[tuple[Message, str]],
    earlier: str,
    most_tokens: int,
) -> ChatRequest:
    """The question for a summary of one portion, as one turn: what is summarised is text here, not talk. It is asked
    with the `parameters` of the chat, so that no server loads its model anew for it."""
    parts = [_TASK.format(words=most_tokens * 2 // 3)]
    if earlier.strip():
        parts += [_EARLIER, earlier.strip()]
    parts += [
        f"{'Person' if message.role is Role.USER else 'Assistant'}: {text}" for message, text in portion
    ]
    kept = {name: value for name, value in parameters.items() if name != "stop"}
    asked = {**kept, "temperature": 0.2, "max_tokens": most_tokens}
    return ChatRequest(model, (Turn(Role.USER, "\n\n".join(parts)),), asked)


TASK_TOKENS = estimate(_TASK) + estimate(_EARLIER) + 10
"""What the question takes besides what it asks about, estimated."""
