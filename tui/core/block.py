"""A block of Markdown: what the splitter gives out and a renderer takes. Flat: its lists and quotes are holders around it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LIMIT = 3000  # characters in one block; a longer one goes on in another part
LINES = 40
QUOTE = ">"


class Kind(StrEnum):
    """What a block is. `FORMULA` is LaTeX that stands by itself; `VERBATIM` text that is not Markdown; `BLANK` shows nothing."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    CODE = "code"
    FORMULA = "formula"
    TABLE = "table"
    RULE = "rule"
    HTML = "html"
    VERBATIM = "verbatim"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Holder:
    """One thing that a block stands in: a quote (marker `>`) or a list item (`-`, `3.`, `[ ]`, `[x]`).

    `opens` says that this block is the first one in it: the one beside which the item's marker stands.
    """

    marker: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of Markdown that is rendered by itself.

    `source` is every character it was made from, with the blank lines before it: the sources of all blocks joined are
    the text. `text` is what it says without the marks of its kind and holders. `part` counts from 0 the pieces of one
    long construct. `gap` asks for an empty line before it, which still lies in the first `shared` holders.
    `level` is a heading's (1-6), `info` a fence's info string, `number` the place of a code block or formula among those of
    the text (from 1), `context` the code of the part before (for a highlighter), `columns` a table's alignments and
    `head` the first part of the table that this part goes on. `open`: the text ends here for now.
    """

    kind: Kind
    source: str
    text: str
    holders: tuple[Holder, ...] = ()
    part: int = 0
    gap: bool = False
    shared: int = 0
    level: int = 0
    info: str = ""
    number: int = 0
    context: str = ""
    columns: tuple[str, ...] = ()
    head: Block | None = None
    open: bool = False


def cut_lines(text: str) -> tuple[list[str], str]:
    """`text` as its lines, newlines included, and the unfinished rest, which is at most `LIMIT` long.

    An endless line comes in several pieces: cut after a sentence if there is one near the limit, else a word, else anywhere,
    at the same places whether the text comes whole or a character at a time.
    """
    pieces = []
    start = 0
    while True:
        newline = text.find("\n", start)
        stop = len(text) if newline < 0 else newline
        while stop - start > LIMIT:
            cut = _soft_cut(text, start)
            pieces.append(text[start:cut])
            start = cut
        if newline < 0:
            return pieces, text[start:]
        pieces.append(text[start : newline + 1])
        start = newline + 1


def _soft_cut(text: str, start: int) -> int:
    stop = start + LIMIT
    earliest = start + LIMIT * 3 // 4
    for ends in ((". ", "! ", "? ", "。"), (" ",)):
        cut = max(text.rfind(end, earliest, stop) + len(end) for end in ends)
        if cut > earliest:
            return cut
    return stop
