"""Text that may still grow, as pieces that are split no earlier than they are shown.

A long text is kept in portions. Of those that nobody has looked at lately only the text is kept, and where the splitter
stood before it: their pieces are split anew when they are asked for. So a text takes little more memory than itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from tui.core.block import QUOTE
from tui.core.blocks import Block, BlockSplitter, Holder, Kind, Splitter, VerbatimSplitter

PORTION = 16_384
"""Characters after which a portion ends; a little more where they come in one piece."""
KEPT_PORTIONS = 16
"""Of how many full portions the pieces are kept: some 60 screens each."""

_BARRED = (Holder(QUOTE, False),)


class RenderedBlock:
    """A block and how many lines it takes; `height` holds for the layout's `stamp` only."""

    __slots__ = ("block", "height", "stamp")

    def __init__(self, block: Block) -> None:
        self.block = block
        self.height = 0
        self.stamp = -1


class _Portion:
    """A part of the text: the splitter as it stood `before` it, and the `pieces` that it gave, None = not kept."""

    __slots__ = ("_utf8", "before", "first", "pieces")

    def __init__(self, first: int, before: Splitter) -> None:
        self.first = first
        self.before = before
        self.pieces: list[RenderedBlock] | None = []
        self._utf8 = b""  # a string with one emoji in it would take four bytes for each of its characters

    @property
    def text(self) -> str:
        return self._utf8.decode(errors="surrogatepass")

    @text.setter
    def text(self, text: str) -> None:
        self._utf8 = text.encode(errors="surrogatepass")


class Stream:
    """The pieces before `settled` never change again, the few behind it may."""

    # A chat of ten thousand messages has twice as many streams, of which a few are ever split.
    __slots__ = (
        "_barred", "_closed", "_firsts", "_former", "_full", "_kept", "_markdown", "_open", "_parts", "_size", "_splitter",
        "_tail",
    )  # fmt: skip

    def __init__(self, text: str, markdown: bool, barred: bool = False) -> None:
        self._markdown = markdown
        self._barred = barred
        self._begin(text, None)

    def _begin(self, text: str, former: dict[int, RenderedBlock] | None) -> None:
        self._parts = [text] if text else []  # of the text, behind the full portions
        self._open: _Portion | None = None  # the one that is not full, once the text is split
        self._splitter: Splitter | None = None
        self._closed = False
        self._former = former
        self._tail: list[RenderedBlock] | None = None

    @property
    def text(self) -> str:
        """The whole text."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        full = self._full if self._open is not None else []
        return "".join([*[portion.text for portion in full], *self._parts])

    def __bool__(self) -> bool:
        return bool(self._parts) or (self._open is not None and bool(self._full))

    def append(self, text: str) -> None:
        """Let the text go on; the work is bounded by what is added and by the open end."""
        if not text:
            return
        if self._closed:
            self._reopen()
        self._parts.append(text)
        if self._splitter is not None:
            self._split(text)
        self._tail = None

    def replace(self, text: str) -> None:
        """Let the text be another; pieces that are the same in both are kept with what was rendered of them."""
        former = self.text
        if text == former:
            return
        if text.startswith(former):
            self.append(text[len(former) :])
            return
        self._begin(text, self._live())

    def close(self) -> None:
        """The text is complete. One that was never shown stays unsplit."""
        if self._splitter is not None and not self._closed:
            self._freeze(self._splitter.close())
            self._closed, self._tail = True, []

    @property
    def settled(self) -> int:
        """How many pieces will not change."""
        open_ = self._ensured()
        return open_.first + len(open_.pieces or ())

    def pieces(self, is_open: bool) -> int:
        """How many pieces there are; splits the text if nobody asked before. A text that is not open is complete."""
        self._ensured()
        if not is_open:
            self.close()
        return self.settled + len(self._open_end())

    def piece(self, index: int) -> RenderedBlock:
        """One piece; an IndexError if there is none."""
        open_ = self._ensured()
        if index < open_.first:
            at = bisect_right(self._firsts, index) - 1
            return self._pieces_in(at)[index - self._firsts[at]]
        settled = open_.pieces or []
        index -= open_.first
        return settled[index] if index < len(settled) else self._open_end()[index - len(settled)]

    # -- portions ---------------------------------------------------------------------------------------------------

    def _ensured(self) -> _Portion:
        """The portion that is not full yet, once all the text is split."""
        if self._open is None:
            self._splitter = BlockSplitter() if self._markdown else VerbatimSplitter()
            self._open = _Portion(0, self._splitter.copy())
            self._size = 0  # of the parts, in characters
            self._full: list[_Portion] = []
            self._firsts: list[int] = []
            self._kept: dict[int, None] = {}  # full portions with pieces, the one not asked for longest first
            text, self._parts = "".join(self._parts), []
            for start in range(0, len(text), PORTION):
                part = text[start : start + PORTION]
                self._parts.append(part)
                self._split(part)
            self._former = None
        return self._open

    def _split(self, text: str) -> None:
        """Take what was added to the parts."""
        assert self._splitter is not None
        assert self._open is not None
        self._freeze(self._splitter.feed(text))
        self._size += len(text)
        if self._size < PORTION:
            return
        full = self._open
        full.text = "".join(self._parts)
        self._firsts.append(full.first)
        self._keep(len(self._full))
        self._full.append(full)
        self._open = _Portion(full.first + len(full.pieces or ()), self._splitter.copy())
        self._parts, self._size = [], 0

    def _pieces_in(self, at: int) -> list[RenderedBlock]:
        """The pieces of a full portion, split anew if they are not kept."""
        portion = self._full[at]
        self._kept.pop(at, None)
        if portion.pieces is None:
            portion.pieces = [
                RenderedBlock(block) for block in self._shown(portion.before.copy().feed(portion.text))
            ]
        self._keep(at)
        return portion.pieces

    def _keep(self, at: int) -> None:
        self._kept[at] = None
        if len(self._kept) > KEPT_PORTIONS:
            oldest = next(iter(self._kept))
            del self._kept[oldest]
            self._full[oldest].pieces = None

    def _reopen(self) -> None:
        """Go on behind a text that was complete: its end is split anew, and what stays the same is kept."""
        assert self._open is not None
        self._former = self._live()
        self._open.pieces = []
        self._splitter = self._open.before.copy()
        self._closed, self._size = False, 0
        text, self._parts = "".join(self._parts), []
        if text:
            self._parts.append(text)
            self._split(text)
        self._former = None

    def _live(self) -> dict[int, RenderedBlock]:
        """The settled pieces that are kept, by their place."""
        if self._open is None:
            return {}
        portions = [*(self._full[at] for at in self._kept), self._open]
        return {
            portion.first + at: piece for portion in portions for at, piece in enumerate(portion.pieces or ())
        }

    # -- pieces -----------------------------------------------------------------------------------------------------

    def _open_end(self) -> list[RenderedBlock]:
        if self._tail is None:
            splitter = None if self._closed else self._splitter
            self._tail = (
                [] if splitter is None else [RenderedBlock(block) for block in self._shown(splitter.tail)]
            )
        return self._tail

    def _freeze(self, blocks: Iterable[Block]) -> None:
        assert self._open is not None
        pieces = self._open.pieces
        assert pieces is not None
        for block in self._shown(blocks):
            former = self._former.get(self._open.first + len(pieces)) if self._former else None
            pieces.append(former if former is not None and former.block == block else RenderedBlock(block))

    def _shown(self, blocks: Iterable[Block]) -> list[Block]:
        """What is drawn of the blocks. What each was made from is in the text too."""
        return [
            replace(block, source="", holders=_BARRED if self._barred else block.holders)
            for block in blocks
            if block.kind is not Kind.BLANK
        ]
