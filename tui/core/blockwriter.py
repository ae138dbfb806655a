"""Where the splitter stands: the open quotes and list items, the source read since the last block, and the blocks made.

It gives each block its holders, the empty line before it and its share of the source, so that the sources of all
blocks joined are the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.core.block import QUOTE, Block, Holder, Kind


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """An open holder: `serial` tells it from others; indents are in columns from the holder around it."""

    serial: int
    marker: str
    delimiter: str = ""
    number: int = 0
    marker_indent: int = 0
    content_indent: int = 0
    fresh: bool = True

    @property
    def is_quote(self) -> bool:
        """Whether this is a quote, not a list item."""
        return self.marker == QUOTE


class BlockWriter:
    """Makes blocks from leaves. `source` holds one line of the text an element, newline included."""

    def __init__(self) -> None:
        self.stack: tuple[OpenBlock, ...] = ()
        self.source: list[str] = []
        self.after_blank = False
        self._closed: list[Block] = []
        self._previous_kind: Kind | None = None
        self._previous_serials: tuple[int, ...] = ()
        self._serial = 0

    def copy(self) -> BlockWriter:
        """Another writer at the same place, with the same blocks to give out."""
        ahead = BlockWriter()
        ahead.stack = self.stack
        ahead.source = self.source.copy()
        ahead.after_blank = self.after_blank
        ahead._closed = self._closed.copy()
        ahead._previous_kind = self._previous_kind
        ahead._previous_serials = self._previous_serials
        ahead._serial = self._serial
        return ahead

    def take(self) -> list[Block]:
        """The blocks written since the last call."""
        closed, self._closed = self._closed, []
        return closed

    def enter(
        self, marker: str, delimiter: str = "", number: int = 0, indent: int = 0, content: int = 0
    ) -> None:
        """Open a holder inside those that are open."""
        self._serial += 1
        self.stack = (*self.stack, OpenBlock(self._serial, marker, delimiter, number, indent, content))

    def leave(self, depth: int) -> None:
        """Leave the holders from `depth` on; an item that got no text is written for its marker's sake."""
        if any(frame.fresh and not frame.is_quote for frame in self.stack[depth:]):
            self.write(Kind.PARAGRAPH, "")
        self.stack = self.stack[:depth]

    def write(
        self,
        kind: Kind,
        text: str,
        *,
        level: int = 0,
        part: int = 0,
        info: str = "",
        number: int = 0,
        context: str = "",
        columns: tuple[str, ...] = (),
        head: Block | None = None,
    ) -> Block:
        """Write the block whose source ends here."""
        source = "".join(self.source)
        self.source = []
        if kind is Kind.BLANK:
            block = Block(kind, source, text)
        else:
            holders = tuple([Holder(frame.marker, frame.fresh) for frame in self.stack])
            serials = tuple([frame.serial for frame in self.stack])
            shared = 0
            for one, other in zip(serials, self._previous_serials, strict=False):
                if one != other:
                    break
                shared += 1
            gap = not part and self._wants_gap(kind, holders)
            block = Block(
                kind, source, text, holders, part, gap, shared, level, info, number, context, columns, head
            )
            self._previous_kind, self._previous_serials = kind, serials
            if any(holder.opens for holder in holders):
                self.stack = tuple(
                    [replace(frame, fresh=False) if frame.fresh else frame for frame in self.stack]
                )
            self.after_blank = False
        self._closed.append(block)
        return block

    def _wants_gap(self, kind: Kind, holders: tuple[Holder, ...]) -> bool:
        """A list's items stand as close as they were written, a heading's text close under it, all else apart."""
        if self._previous_kind is None or self._previous_kind is Kind.HEADING:
            return False
        opens_item = any(holder.opens and holder.marker != QUOTE for holder in holders)
        plain = kind is Kind.PARAGRAPH and self._previous_kind is Kind.PARAGRAPH
        return self.after_blank or not (opens_item and plain)
