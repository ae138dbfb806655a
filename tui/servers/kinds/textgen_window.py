"""How large the context window of text-generation-webui is, which it tells nobody.

Its own prompt maker cuts a prompt to the window less what the answer may have. So a prompt that is too long is made of
words, for an answer of one token, and what is left of it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.errors import ServerError

if TYPE_CHECKING:
    from tui.servers.http.http_client import HttpClient

ALL: Mapping[str, object] = {"truncation_length": 1_000_000, "max_tokens": 1}
"""With these fields its prompt maker cuts nothing."""
UNSAID_ROOM = 512
"""Tokens that it keeps for an answer whose length nobody has limited."""
WORDS = (20_000, 160_000)
"""How many words are tried: the second number is for windows that the first does not fill."""
LEARNING_S = 60.0
"""Seconds that it may take to make such a prompt: it halves the text until it fits, and counts it each time."""


async def learn_window(http: HttpClient, model: str) -> int | None:
    """The window in tokens; None where it cannot be learnt, or is larger than what is tried. Never raises."""
    for words in WORDS:
        text = " ".join(["word"] * words)
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 1}
        try:
            made = (await http.ask("/v1/internal/chat-prompt", body, LEARNING_S)).fields().text("prompt")
            if not made:
                return None
            if text in made:
                continue
            reply = await http.ask("/v1/internal/token-count", {"text": made}, LEARNING_S)
        except ServerError:
            return None
        left = reply.fields().count("length") if reply.status == 200 else None
        return left + 1 if left else None
    return None
