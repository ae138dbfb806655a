"""One message as the layout holds it: its text and reasoning as pieces, split no earlier than they are shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tui.core.block import QUOTE
from tui.core.blocks import Block, BlockSplitter, Holder, Kind, Splitter, VerbatimSplitter
from tui.ui.transcript.entry import Entry
from tui.ui.transcript.prose import steady, wrap

_BARRED = (Holder(QUOTE, False),)
JOINED_EVERY = 4096
"""Pieces of text after which they are joined: a token of four bytes takes sixty as a string of its own."""


class Piece:
    """A block and how many lines it takes; `height` holds for the layout's `stamp` only."""

    __slots__ = ("block", "height", "stamp")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.height = 0
        self.stamp = -1


class Stream:
    """Text that may still grow, as pieces: those before `settled` never change again, the few behind it may."""

    def __init__(self, text: str, markdown: bool, barred: bool = False) -> None:
        self._parts = [text] if text else []
        self._markdown = markdown
        self._barred = barred
        self._splitter: Splitter | None = None
        self._closed = False
        self._frozen: list[Piece] = []
        self._former: list[Piece] = []
        self._tail: list[Piece] | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    def __bool__(self) -> bool:
        return bool(self._parts)

    def append(self, text: str) -> None:
        """Let the text go on; the work is bounded by what is added and by the open end."""
        if not text:
            return
        self._parts.append(text)
        if len(self._parts) >= JOINED_EVERY:
            self._parts = ["".join(self._parts)]
        if self._closed:
            self._former, self._frozen, self._splitter, self._closed = self._frozen, [], None, False
        if self._splitter is not None:
            self._freeze(self._splitter.feed(text))
        self._tail = None

    def replace(self, text: str) -> None:
        """Let the text be another; pieces that are the same in both are kept with what was rendered of them."""
        former = self.text
        if text == former:
            return
        if text.startswith(former):
            self.append(text[len(former) :])
            return
        self._parts = [text] if text else []
        self._former, self._frozen = self._frozen, []
        self._splitter, self._closed, self._tail = None, False, None

    def close(self) -> None:
        """The text is complete. One that was never shown stays unsplit."""
        if self._splitter is not None and not self._closed:
            self._freeze(self._splitter.close())
            self._closed, self._tail = True, []

    @property
    def settled(self) -> int:
        """How many pieces will not change."""
        self._ensure()
        return len(self._frozen)

    def pieces(self, is_open: bool) -> int:
        """How many pieces there are; splits the text if nobody asked before. A text that is not open is complete."""
        self._ensure()
        if not is_open:
            self.close()
        return len(self._frozen) + len(self._open_end())

    def piece(self, index: int) -> Piece:
        """One piece; an IndexError if there is none."""
        return (
            self._frozen[index] if index < len(self._frozen) else self._open_end()[index - len(self._frozen)]
        )

    def _ensure(self) -> None:
        if self._splitter is None:
            self._splitter = BlockSplitter() if self._markdown else VerbatimSplitter()
            self._freeze(self._splitter.feed(self.text))
            self._former = []

    def _open_end(self) -> list[Piece]:
        if self._tail is None:
            self._tail = (
                [] if self._closed or self._splitter is None else self._pieces_of(self._splitter.tail)
            )
        return self._tail

    def _freeze(self, blocks: Iterable[Block]) -> None:
        self._frozen += self._pieces_of(blocks, len(self._frozen))

    def _pieces_of(self, blocks: Iterable[Block], first: int = -1) -> list[Piece]:
        pieces: list[Piece] = []
        for block in blocks:
            if block.kind is Kind.BLANK:
                continue
            # What it was made from is in the whole text too, and nobody draws it.
            shown = replace(block, source="", holders=_BARRED if self._barred else block.holders)
            at = first + len(pieces)
            former = self._former[at] if first >= 0 and at < len(self._former) else None
            pieces.append(former if former is not None and former.block == shown else Piece(shown))
        return pieces


class Tally:
    """Counts the lines of a growing text that is not shown, blank ones left out, without ever reading it again."""

    def __init__(self, measure: int) -> None:
        self.measure = measure
        self._closed = 0
        self._open = ""  # from the start of the last line on
        self._newest = ""

    def add(self, text: str) -> None:
        """Count the next piece of the text."""
        first, *others = steady(text).split("\n")
        self._go_on(first)
        for line in others:
            if self._open.strip():
                self._closed += 1
                self._newest = self._open
            self._open = ""
            self._go_on(line)

    @property
    def count(self) -> int:
        """The number of lines so far."""
        return self._closed + bool(self._open.strip())

    @property
    def newest(self) -> str:
        """The last line that is not blank."""
        return (self._open if self._open.strip() else self._newest).rstrip()

    def _go_on(self, text: str) -> None:
        self._open += text
        spans = wrap(self._open, self.measure)
        self._closed += len(spans) - 1
        self._open = self._open[spans[-1][0] :]


class Passage:
    """An entry with its two streams. `entry.text` and `entry.reasoning` are what it began with; the streams hold all."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.text = Stream(entry.text, entry.markdown)
        self.reasoning = Stream(entry.reasoning, markdown=False, barred=True)
        self.shows_reasoning: bool | None = None  # None = as the reasoning of all messages
        self.folded: set[int] = set()  # blocks by their number, as in tui.ui.transcript.folding
        self._tally: Tally | None = None

    @property
    def is_thinking(self) -> bool:
        """Whether reasoning comes in and no text yet."""
        return self.entry.streaming and bool(self.reasoning) and not self.text

    def append(self, text: str, reasoning: str) -> None:
        """Let the message go on."""
        self.text.append(text)
        self.reasoning.append(reasoning)
        if self._tally is not None:
            self._tally.add(reasoning)

    def reasoning_summary(self, measure: int) -> tuple[int, str]:
        """How many lines of `measure` cells the reasoning takes, about, and the newest of them."""
        if self._tally is None or self._tally.measure != measure:
            self._tally = Tally(measure)
            self._tally.add(self.reasoning.text)
        return self._tally.count, self._tally.newest

    def replace(self, entry: Entry) -> None:
        """Show another state of the same message, keeping the pieces that stay the same."""
        if entry.markdown != self.entry.markdown:
            self.text = Stream(entry.text, entry.markdown)
        else:
            self.text.replace(entry.text)
        self.reasoning.replace(entry.reasoning)
        self._tally = None
        self.entry = entry
        if not entry.streaming:
            self.text.close()
            self.reasoning.close()
