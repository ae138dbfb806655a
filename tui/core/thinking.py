"""Telling reasoning from answer where a server leaves the marks around it in the text.

Models have many spellings: `<think>...</think>` and its like, and the channels of the harmony format. Marks count only
where a model puts them: at the very start of the answer. Later on a mark is something the model writes about. The opening
one may be missing, because the chat template has put it into the prompt; then the closing one says that all that came was
reasoning, unless it stands in code or as a word in a sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from tui.core import harmony
from tui.core.events import ReasoningDelta, TextDelta, TextWasReasoning, ToolCall
from tui.core.harmony import HarmonySplitter
from tui.core.marks import LastMarks, QuotedMarks, in_code, overlap

Piece = TextDelta | ReasoningDelta | TextWasReasoning | ToolCall


@dataclass(frozen=True, slots=True)
class Spelling:
    """The marks around reasoning, and those that the same models put around the answer after it."""

    open: str
    close: str
    answer_open: str = ""
    answer_close: str = ""

    @property
    def ignores_case(self) -> bool:
        """Tags that look like HTML are taken in any case; the others are tokens of their models, to the letter."""
        return self.open[1:-1].isalpha() and self.open.startswith("<")


SPELLINGS = (
    *(Spelling(f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "reasoning")),
    Spelling("<seed:think>", "</seed:think>"),
    Spelling("[THINK]", "[/THINK]"),
    Spelling("◁think▷", "◁/think▷"),
    Spelling("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    Spelling("<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"),
    Spelling("<|inner_prefix|>", "<|inner_suffix|>"),
    Spelling("<|channel>thought", "<channel|>"),
)


def _pattern(spelling: Spelling, mark: str) -> str:
    return f"(?i:{re.escape(mark)})" if spelling.ignores_case else re.escape(mark)


_OPEN = re.compile("|".join(f"({_pattern(each, each.open)})" for each in SPELLINGS))
_CLOSE = re.compile("|".join(_pattern(each, each.close) for each in SPELLINGS))
_CLOSE_OF = {each: re.compile(_pattern(each, each.close)) for each in SPELLINGS}
_ANSWERS = tuple(each for each in SPELLINGS if each.answer_open)
_MARKS = tuple(
    mark.lower() for each in SPELLINGS for mark in (each.open, each.close, each.answer_open) if mark
)
_LONGEST = max(map(len, _MARKS))
_FIRST = re.compile(r"[<\[◁]")
"""What every mark begins with."""

_MAX_BLANK = 1000  # blanks held back at the start while waiting for a mark
_MAX_WATCHED = 4_000_000  # characters after which no missing opening mark is thought of any more
_BEFORE_A_WORD = " \t\"'“‘«„(*_`"
_AFTER_A_WORD = " \t.,;:!?\"'”’»)*_`"


class _State(Enum):
    START = auto()  # nothing but blanks and closed blocks so far
    THINKING = auto()
    TEXT = auto()  # text before any mark: a closing one may still come
    SETTLED = auto()  # all that comes is text


class ThinkSplitter:
    """Splits the text of one answer. It holds back no more than could be the start of a mark.

    With `apart` the server itself tells reasoning from text, so that marks are text, but for a header of the harmony
    format at the start. With `whole` no opening mark is missing.
    """

    def __init__(self, *, apart: bool = False, whole: bool = False) -> None:
        self._state = _State.START
        self._held = ""
        self._apart = apart
        self._opened = apart or whole  # a closing mark in the text is not a missing opening one's
        self._spelling: Spelling | None = None
        self._harmony: HarmonySplitter | None = None
        self._answer: LastMarks | None = None
        self._quotes = QuotedMarks()
        self._watched: list[str] = []
        self._watched_size = 0
        self._last = False

    def feed(self, text: str) -> list[Piece]:
        """What is certain after `text` has come."""
        pieces: list[Piece] = []
        if not self._settled:
            self._held += text
            while self._held and self._step(pieces):
                pass
            if not self._settled:
                return pieces
            text, self._held = self._held, ""
        if self._harmony is not None:
            pieces += self._harmony.feed(text)
            return pieces
        _say(pieces, TextDelta(text if self._answer is None else self._answer.feed(text)))
        return pieces

    def finish(self) -> list[Piece]:
        """What was held back when the answer ended."""
        self._last = True
        pieces = self.feed("")
        if self._harmony is not None:
            return [*pieces, *self._harmony.feed("", last=True)]
        held, self._held = self._held + (self._answer.finish() if self._answer is not None else ""), ""
        _say(pieces, ReasoningDelta(held) if self._state is _State.THINKING else TextDelta(held))
        return pieces

    @property
    def _settled(self) -> bool:
        return self._state is _State.SETTLED

    def _step(self, pieces: list[Piece]) -> bool:
        """One step of the machine; False when it needs more text, or is settled."""
        match self._state:
            case _State.START:
                return self._start()
            case _State.THINKING:
                return self._thinking(pieces)
            case _State.TEXT:
                return self._text(pieces)
            case _State.SETTLED:
                return False

    def _start(self) -> bool:
        ahead = self._held.lstrip()
        if len(self._held) - len(ahead) <= _MAX_BLANK:
            if not ahead:
                return False
            if harmony.header(ahead) is not None:
                self._held, self._harmony, self._state = ahead, HarmonySplitter(), _State.SETTLED
                return True
            if not self._apart and self._takes_mark(ahead):
                return True
            if not self._last and self._could_begin(ahead):
                return False
        if self._spelling is not None:
            self._held = ahead
        self._state = _State.SETTLED if self._opened else _State.TEXT
        return True

    def _takes_mark(self, ahead: str) -> bool:
        """Take off the mark that stands here; False if there is none."""
        for spelling in _ANSWERS:
            if ahead.startswith(spelling.answer_open):
                self._held = ahead[len(spelling.answer_open) :]
                self._answer, self._state = LastMarks((spelling.answer_close,)), _State.SETTLED
                return True
        if (found := _OPEN.match(ahead)) is None:
            return False
        self._spelling = SPELLINGS[(found.lastindex or 1) - 1]
        self._held = ahead[found.end() :]
        self._opened, self._state, self._quotes = True, _State.THINKING, QuotedMarks()
        return True

    def _could_begin(self, ahead: str) -> bool:
        if harmony.could_begin(ahead):
            return True
        return not self._apart and len(ahead) < _LONGEST and any(m.startswith(ahead.lower()) for m in _MARKS)

    def _thinking(self, pieces: list[Piece]) -> bool:
        assert self._spelling is not None
        text, at = self._held, 0
        while (found := _CLOSE_OF[self._spelling].search(text, at)) is not None:
            quoted = self._quotes.quoted(text, found.start(), found.end(), last=self._last)
            if quoted is None:
                break
            if not quoted:
                _say(pieces, ReasoningDelta(text[: found.start()]))
                self._held, self._state = text[found.end() :], _State.START
                return True
            at = found.end()
        torn = overlap(text[at:].lower(), self._spelling.close.lower())
        certain = found.start() if found is not None else len(text) - torn
        _say(pieces, ReasoningDelta(text[:certain]))
        self._quotes.note(text[:certain])
        self._held = text[certain:]
        return False

    def _text(self, pieces: list[Piece]) -> bool:
        text, at = self._held, -1
        certain = len(text)
        while (first := _FIRST.search(text, at + 1)) is not None:
            at = first.start()
            if _OPEN.match(text, at):
                return self._settle()  # the answer is about marks
            mark, block = self._closing(at)
            if mark:
                if at + mark == len(text) and not self._last:
                    certain = at
                    break
                if self._is_prose(at, at + mark):
                    return self._settle()
                self._was_reasoning(pieces, at, block)
                return True
            if not self._last and self._could_close(text[at : at + 500]):
                certain = at
                break
        self._write(pieces, text[:certain])
        self._held = text[certain:]
        return False

    def _settle(self) -> bool:
        self._watched.clear()
        self._state = _State.SETTLED
        return False

    def _closing(self, at: int) -> tuple[int, int]:
        """How long the mark is that ends reasoning here, and how much of it is taken off; 0 if there is none. One of the
        harmony format is the header of the next message, before it the end of the last one."""
        if (found := _CLOSE.match(self._held, at)) is not None:
            return found.end() - at, found.end() - at
        text = self._held[at : at + 500]
        ahead = text.removeprefix(harmony.ENDS[0]).lstrip() if text.startswith("<|") else ""
        following = harmony.header(ahead)
        before = len(text) - len(ahead)
        return (before + following.size, before) if following is not None else (0, 0)

    def _could_close(self, ahead: str) -> bool:
        if len(ahead) < _LONGEST and any(mark.startswith(ahead.lower()) for mark in _MARKS):
            return True
        end = harmony.ENDS[0]
        if end.startswith(ahead):
            return True
        following = ahead.removeprefix(end).lstrip()
        return harmony.could_begin(following) if following else ahead.startswith(end)

    def _is_prose(self, start: int, end: int) -> bool:
        """Whether a closing mark stands in code, or as a word in a sentence."""
        text = "".join(self._watched) + self._held[:start]
        before, after = text[-1:], self._held[end : end + 1]
        if before and before in _BEFORE_A_WORD and (not after or after in _AFTER_A_WORD):
            return True
        return in_code(text)

    def _was_reasoning(self, pieces: list[Piece], start: int, size: int) -> None:
        if self._watched_size:
            pieces.append(TextWasReasoning())
        self._watched.clear()
        _say(pieces, ReasoningDelta(self._held[:start]))
        self._held = self._held[start + size :]
        self._opened, self._state = True, _State.START
        self._spelling = SPELLINGS[0]

    def _write(self, pieces: list[Piece], piece: str) -> None:
        if not piece:
            return
        pieces.append(TextDelta(piece))
        self._watched.append(piece)
        self._watched_size += len(piece)
        if self._watched_size > _MAX_WATCHED:
            self._settle()


def without_reasoning(content: str) -> str:
    """A whole answer without what it thought, for one that was kept with the marks in its text. An opening mark without
    its closing one may be text, so that such an answer stays as it is; a header of the harmony format never is."""
    start = content.lstrip()
    if not _FIRST.match(start):
        return content
    if start.startswith(harmony.BEGINS) and start not in harmony.BEGINS and harmony.could_begin(start):
        return ""  # a header that is cut
    splitter = ThinkSplitter(whole=True)
    pieces = [*splitter.feed(content), *splitter.finish()]
    text = "".join(piece.text for piece in pieces if isinstance(piece, TextDelta)).lstrip("\n")
    return text if text.strip() or harmony.header(start) is not None else content


def _say(pieces: list[Piece], piece: TextDelta | ReasoningDelta) -> None:
    if piece.text:
        pieces.append(piece)
