"""The block that a splitter is reading, and when it has grown so long that it goes on in another part."""

from __future__ import annotations

from dataclasses import dataclass, field

from tui.core.block import LIMIT, LINES, Block, Kind
from tui.core.blocklines import FenceLine, MarkerLine
from tui.core.formula import FormulaStart, looks_like_one

# A part of a code block ends at the first blank line after so many lines, at the latest at so many.
CODE_LINES = (16, 24)
CODE_SIZE = 1500  # characters in a part of a code block: an open one is highlighted anew at each append
CONTEXT = 3000  # characters of code before a part that it is given along
TABLE_ROWS = 30


@dataclass(slots=True)
class Leaf:
    """An open paragraph, code block, formula, table or piece of HTML; `after_blank`: an empty line stands before it.

    `fence` is set for fenced code; `depth` counts the Markdown fences open inside it, or a formula's environments.
    A formula is `is_doubtful` until its end has come; `has_blank`: an empty line is in it. The others are as in `Block`.
    """

    kind: Kind
    after_blank: bool
    lines: list[str] = field(default_factory=list)
    size: int = 0
    part: int = 0
    number: int = 0
    fence: FenceLine | None = None
    formula: FormulaStart | None = None
    is_doubtful: bool = False
    has_blank: bool = False
    depth: int = 0
    context: str = ""
    columns: tuple[str, ...] = ()
    head: Block | None = None

    def add(self, line: str) -> None:
        """Take another line, without its newline."""
        self.lines.append(line)
        self.size += len(line) + 1

    @property
    def is_full(self) -> bool:
        """Whether this part should end here; its lines are then few enough to be rendered at each append."""
        count = len(self.lines)
        is_code = self.kind in (Kind.CODE, Kind.FORMULA)
        if self.size >= (CODE_SIZE if is_code else LIMIT):
            return True
        if is_code:
            return count >= CODE_LINES[1] or (count >= CODE_LINES[0] and not self.lines[-1].strip())
        return (self.kind is Kind.TABLE and count > TABLE_ROWS) or (self.kind is Kind.HTML and count >= LINES)

    @property
    def info(self) -> str:
        """The info string of a fence, or what that of a formula would be."""
        return "latex" if self.formula is not None else "" if self.fence is None else self.fence.info

    @property
    def may_be_unfinished(self) -> bool:
        """Whether a doubtful formula at the end of the text is taken for one that was cut off there."""
        opening = self.formula
        if opening is None or self.has_blank or opening.begins_line:
            return opening is not None and not self.has_blank
        text = "\n".join(self.lines)[len(opening.opener) :]
        return opening.opener != "$$" and looks_like_one(text, opening.opener)

    @property
    def has_looks(self) -> bool:
        """Whether a formula that is complete looks like one; what fills its lines from the first to the last does."""
        assert self.formula is not None
        if self.formula.begins_line:
            return True
        text = "\n".join(self.lines)[len(self.formula.opener) :]
        return looks_like_one(text[: text.rfind(self.formula.closer)], self.formula.opener)

    def may_end_for(self, item: MarkerLine) -> bool:
        """Whether a list may start right under this paragraph: a line that begins with a number by chance is none."""
        announced = bool(self.lines) and self.lines[-1].rstrip(" *_").endswith(":")
        return bool(item.rest) and (item.number <= 1 or announced)

    def next_part(self, block: Block) -> None:
        """Start over after `block`, which was made of the lines so far."""
        if self.kind is Kind.TABLE and self.head is None:
            self.head = block
        if self.kind in (Kind.CODE, Kind.FORMULA):
            before = f"{self.context}\n{block.text}" if self.context else block.text
            self.context = before if len(before) <= CONTEXT else before[-CONTEXT:].partition("\n")[2]
        self.part += 1
        self.lines = []
        self.size = 0
