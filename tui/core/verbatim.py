"""Text that is no Markdown, as blocks of some lines: what a person wrote, and what a model thinks aloud."""

from __future__ import annotations

from tui.core.block import LIMIT, LINES, Block, Kind, cut_lines


class VerbatimSplitter:
    """Splits text that is shown as it is into blocks of some lines; the same interface as `BlockSplitter`."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._size = 0
        self._partial = ""
        self._part = 0
        self._closed: list[Block] = []

    def feed(self, text: str) -> list[Block]:
        """Take the next piece of the text and return the blocks that are now complete."""
        pieces, self._partial = cut_lines(self._partial + text)
        for piece in pieces:
            self._lines.append(piece)
            self._size += len(piece)
            if len(self._lines) >= LINES or self._size >= LIMIT or not piece.endswith("\n"):
                self._write()
        closed, self._closed = self._closed, []
        return closed

    def close(self) -> list[Block]:
        """End the text and return the last blocks."""
        self._lines.append(self._partial)
        self._partial = ""
        self._write()
        closed, self._closed = self._closed, []
        return closed

    def copy(self) -> VerbatimSplitter:
        """Another splitter at the same place in the text, which has given out nothing yet."""
        other = VerbatimSplitter()
        other._lines, other._size = self._lines.copy(), self._size
        other._partial, other._part = self._partial, self._part
        return other

    @property
    def tail(self) -> list[Block]:
        """What is open, of bounded size; nothing if the text ended with a block."""
        source = "".join(self._lines) + self._partial
        return [self._block(source, is_open=True)] if source else []

    def _write(self) -> None:
        source = "".join(self._lines)
        if source:
            self._closed.append(self._block(source, is_open=False))
            self._part += 1
        self._lines = []
        self._size = 0

    def _block(self, source: str, is_open: bool) -> Block:
        return Block(Kind.VERBATIM, source, source.removesuffix("\n"), part=self._part, open=is_open)
