"""The harmony format of OpenAI's open models, where a server leaves it in the text:

    <|channel|>analysis<|message|>The user greets.<|end|><|start|>assistant<|channel|>final<|message|>Hello.<|return|>

`analysis` is reasoning, `final` the answer, `commentary` what is said to the person on the way; a message with
`to=NAME` is the call of a function. (https://cookbook.openai.com/articles/openai-harmony)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core.events import ReasoningDelta, TextDelta, ToolCall
from tui.core.marks import LastMarks, QuotedMarks

BEGINS = ("<|start|>", "<|channel|>")
ENDS = ("<|end|>", "<|return|>", "<|call|>")
_WORDS = (*BEGINS, "<|constrain|>", "<|message|>")
_TO = r"(?: to=([^\s<]{1,100}))?"
_HEADER = re.compile(
    rf"(?:<\|start\|>assistant{_TO})?(?:<\|channel\|>\s?([a-z_]{{1,20}}){_TO}(?: [a-z]{{1,8}})?)?"
    r"\s?(?:<\|constrain\|>[^<\n]{0,40})?<\|message\|>"
)
_TORN_TO = r"(?: (?:t|to|to=[^\s<]{0,100})?)?"
_TORN = re.compile(
    rf"(?:<\|start\|>([a-z]{{0,9}}){_TORN_TO})?(?:<\|channel\|>\s?[a-z_]{{0,20}}{_TORN_TO}(?: ?[a-z]{{0,8}})?)?"
    r"\s?(?:<\|constrain\|>[^<\n]{0,40})?"
)
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a message: its channel, the function that is called, and how many characters it takes."""

    channel: str
    to: str
    size: int

    @property
    def spoken(self) -> bool:
        """Whether the message is for the person."""
        return self.channel != "analysis" and not self.to

    @property
    def final(self) -> bool:
        """Whether the message is the answer, behind which nothing comes."""
        return self.channel in ("final", "") and not self.to


def header(text: str) -> Header | None:
    """The header that `text` begins with."""
    found = _HEADER.match(text) if text.startswith(BEGINS) else None
    if found is None:
        return None
    return Header(found[2] or "", (found[3] or found[1] or "").removeprefix("functions."), found.end())


def could_begin(text: str) -> bool:
    """Whether `text` could be the beginning of a header."""
    if not text.startswith(BEGINS):
        return any(word.startswith(text) for word in BEGINS)
    if len(text) > _LONGEST:
        return False
    torn = text.rfind("<")
    if any(word.startswith(text[torn:]) for word in _WORDS) and text[torn:] not in BEGINS:
        text = text[:torn]
    found = _TORN.fullmatch(text)
    return found is not None and "assistant".startswith(found[1] or "")


class HarmonySplitter:
    """Splits an answer from its first header on."""

    def __init__(self) -> None:
        self._held = ""
        self._message: Header | None = None  # None between two messages
        self._answer: LastMarks | None = None  # the last message has begun
        self._quotes = QuotedMarks()
        self._call: list[str] = []
        self._spoke = False  # a message for the person is there already

    def feed(self, text: str, *, last: bool = False) -> list[TextDelta | ReasoningDelta | ToolCall]:
        """What is certain after `text` has come; with `last` it is the end."""
        pieces: list[TextDelta | ReasoningDelta | ToolCall] = []
        if self._answer is None:
            self._held += text
            while self._held and self._answer is None and self._step(pieces, last=last):
                pass
            text, self._held = (self._held, "") if self._answer is not None else ("", self._held)
        if self._answer is not None:
            said = self._answer.feed(text) + (self._answer.finish() if last else "")
            if said:
                pieces.append(TextDelta(said))
        elif last:
            self._close(pieces)
        return pieces

    def _step(self, pieces: list[TextDelta | ReasoningDelta | ToolCall], *, last: bool) -> bool:
        """One step; False when it needs more text."""
        return self._between(pieces, last=last) if self._message is None else self._inside(pieces, last=last)

    def _between(self, pieces: list[TextDelta | ReasoningDelta | ToolCall], *, last: bool) -> bool:
        ahead = self._held.lstrip()
        if (found := header(ahead)) is not None:
            self._held, self._message = ahead[found.size :], found
            self._quotes, self._call = QuotedMarks(), []
        elif could_begin(ahead):
            if last:
                self._held = ""  # a header that is cut is no text
            return False
        if found is None or found.final:
            self._answer = LastMarks(ENDS)
        if found is None or found.spoken:
            if self._spoke:
                pieces.append(TextDelta("\n\n"))
            self._spoke = True
        return True

    def _inside(self, pieces: list[TextDelta | ReasoningDelta | ToolCall], *, last: bool) -> bool:
        text, at = self._held, -1
        while (at := text.find("<", at + 1)) >= 0:
            ahead = text[at : at + _LONGEST]
            end = next((len(mark) for mark in ENDS if ahead.startswith(mark)), 0)
            following = header(ahead) if not end else None
            size = end or (following.size if following is not None else 0)
            if size:
                quoted = self._quotes.quoted(text, at, at + size, last=last)
                if quoted is None:
                    break
                if not quoted:
                    self._give(pieces, text[:at])
                    self._held = text[at + end :]
                    self._close(pieces)
                    return True
            elif not last and (could_begin(ahead) or any(mark.startswith(ahead) for mark in ENDS)):
                break
        certain = len(text) if at < 0 else at
        self._give(pieces, text[:certain])
        self._held = text[certain:]
        return False

    def _give(self, pieces: list[TextDelta | ReasoningDelta | ToolCall], piece: str) -> None:
        assert self._message is not None
        self._quotes.note(piece)
        if self._message.to:
            self._call.append(piece)
        if piece:
            pieces.append(TextDelta(piece) if self._message.spoken else ReasoningDelta(piece))

    def _close(self, pieces: list[TextDelta | ReasoningDelta | ToolCall]) -> None:
        message, self._message = self._message, None
        if message is not None and message.to:
            pieces.append(ToolCall("", message.to, "".join(self._call)))
