"""How many tokens a text takes, by estimate: nobody but the server knows its tokenizer."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

from tui.core.message import Attachment, Message

TURN_TOKENS = 5
"""What a chat template puts around a turn: the role and the marks of beginning and end."""
IMAGE_TOKENS = 1000
"""An allowance for a picture: Ollama's own estimate is 768; models take from 256 to some thousands."""
SAMPLED = 200_000
"""Characters; of a longer text samples are looked at, so that an estimate while somebody types stays cheap."""
_SLICES = 64

# Characters for a token, by the first character of each range. Of the Latin letters with marks the frequent ones are
# in every tokenizer, the others are bytes; of Cyrillic a token holds half a word, of CJK one character.
_RANGES = (
    (0x0000, 4.0), (0x0080, 1.5), (0x0100, 1.2), (0x0180, 1.0), (0x0250, 1.0), (0x0370, 2.5), (0x0400, 2.5),
    (0x0530, 1.5), (0x0590, 2.0), (0x0700, 1.3), (0x10A0, 1.3), (0x1100, 1.0), (0x1200, 1.0), (0x1E00, 1.0),
    (0x2000, 1.0), (0x2E80, 1.0), (0xFE30, 1.0), (0x10000, 0.5),
)  # fmt: skip


def _of_character(character: str) -> float:
    code = ord(character)
    return 1 / next(per_token for first, per_token in reversed(_RANGES) if code >= first)


def estimate(text: str) -> int:
    """Tokens of `text`, by the scripts it is written in; a longer text never takes fewer."""
    if text.isascii():
        return math.ceil(len(text) / 4)
    return math.ceil(sum(_of_character(character) * count for character, count in Counter(text).items()))


def quick_estimate(text: str) -> int:
    """The same, of a long text from samples of it."""
    if len(text) <= SAMPLED:
        return estimate(text)
    size = SAMPLED // _SLICES
    step = len(text) // _SLICES
    sample = "".join(text[start : start + size] for start in range(0, step * _SLICES, step))
    return math.ceil(estimate(sample) * len(text) / len(sample))


@dataclass(frozen=True, slots=True)
class Count:
    """A number of tokens; `exact` = the server counted it."""

    tokens: int
    exact: bool = False


class TokenSizeCache:
    """Estimates of messages, each made once. Without what a server's counts have taught."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, message: Message) -> int:
        """Tokens of a message as a turn, attachments included, reasoning not: it is not sent back."""
        length = len(message.content)
        known = self._known.get(message.id)
        if known is not None and known[0] == length:
            return known[1]
        tokens = TURN_TOKENS + estimate(message.content) + sum(map(_of_file, message.attachments))
        if message.id:  # a question that is not asked yet has none
            self._known[message.id] = length, tokens
        return tokens


def _of_file(file: Attachment) -> int:
    if file.media_type.startswith("image/"):
        return IMAGE_TOKENS
    return TURN_TOKENS + estimate(file.data.decode("utf-8", "replace"))
