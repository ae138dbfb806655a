"""Streamed Markdown as frozen blocks and one short open end.

A `BlockSplitter` takes the text as it comes, in any pieces, and gives out each block as soon as nothing that may follow
can change it. What is still open is bounded in size, so that showing the growing answer costs the same at its
millionth character as at its first. Blocks are flat: a paragraph in a list item is a paragraph with a holder around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tui.core import blocklines, formula
from tui.core.block import LIMIT, QUOTE, Block, Holder, Kind, cut_lines
from tui.core.blockwriter import BlockWriter, OpenBlock
from tui.core.leaf import Leaf
from tui.core.verbatim import VerbatimSplitter

__all__ = ["Block", "BlockSplitter", "Holder", "Kind", "Splitter", "VerbatimSplitter", "split"]

BLANK_LINES = 100  # so many empty lines become a block of their own, so that their number is bounded too


@dataclass(slots=True)
class _Doubt:
    """A formula that may turn out to be none: the splitter `before` its first line, and the pieces since, each with
    whether it was the text's last."""

    before: BlockSplitter
    pieces: list[tuple[str, bool]]


class BlockSplitter:
    """Splits Markdown into blocks while it arrives; the same blocks for any way of cutting the text into pieces.

    Lenient where models are careless: list items may be indented too little or too much, a fence in an item holds on
    to lines that are not indented, and a ```` ```markdown ```` fence may hold fences of its own length.

    What begins like a formula and never ends is text: its lines, which are few, are then split once more.
    """

    def __init__(self) -> None:
        self._writer = BlockWriter()
        self._leaf: Leaf | None = None
        self._partial = ""
        self._mid_line = False
        self._code_blocks = 0
        self._out: list[Block] = []
        self._doubt: _Doubt | None = None
        self._is_refuted = False  # what was taken for a formula is none
        self._is_plain = False  # no formula begins in this line

    def feed(self, text: str) -> list[Block]:
        """Take the next piece of the text and return the blocks that are now complete."""
        pieces, self._partial = cut_lines(self._partial + text)
        for piece in pieces:
            self._take([(piece, False)])
        if self._doubt is None:
            self._out += self._writer.take()
        out, self._out = self._out, []
        return out

    def close(self) -> list[Block]:
        """End the text and return the last blocks."""
        if self._partial:
            self._take([(self._partial, True)])
            self._partial = ""
        while self._doubt is not None and self._leaf is not None and not self._leaf.may_be_unfinished:
            self._take(self._taken_back(), plain=True)
        self._doubt = None
        self._end_leaf()
        self._writer.leave(0)
        if self._writer.source:
            self._writer.write(Kind.BLANK, "")
        self._out += self._writer.take()
        out, self._out = self._out, []
        return out

    def copy(self) -> BlockSplitter:
        """Another splitter at the same place in the text, which has given out nothing yet."""
        other = BlockSplitter()
        other._writer = self._writer.copy()
        other._leaf = None if self._leaf is None else replace(self._leaf, lines=self._leaf.lines.copy())
        other._partial, other._mid_line = self._partial, self._mid_line
        other._code_blocks = self._code_blocks
        if self._doubt is not None:
            other._doubt = _Doubt(self._doubt.before, self._doubt.pieces.copy())
        return other

    @property
    def tail(self) -> list[Block]:
        """What is open, as blocks that show it as it would be if the text ended here. Its size is bounded.

        An unfinished line that is only markup so far is left out, for it is about to become something else.
        """
        ahead = self.copy()
        if not self._mid_line and blocklines.is_undecided(self._partial):
            ahead._partial = ""
        blocks = [block for block in ahead.close() if block.kind is not Kind.BLANK]
        if blocks:
            blocks[-1] = replace(blocks[-1], open=True)
        return blocks

    # Lines and pieces of lines

    def _take(self, pieces: list[tuple[str, bool]], plain: bool = False) -> None:
        """Take lines or pieces of them, each with whether it is the text's last; `plain`: none begins in the first."""
        waiting = pieces[::-1]
        while waiting:
            piece, last = waiting.pop()
            before: BlockSplitter | None = None
            if self._doubt is not None:
                self._doubt.pieces.append((piece, last))
            elif not plain and not self._mid_line and formula.may_hold_one(piece):
                self._out += self._writer.take()
                before = self.copy()
            self._is_plain, plain = plain, False
            self._fragment(piece, last)
            if self._is_refuted:
                waiting += self._taken_back()[::-1]
                self._is_refuted, plain = False, True
            elif self._leaf is None or not self._leaf.is_doubtful:
                self._doubt = None
            elif before is not None:
                self._doubt = _Doubt(before, [(piece, last)])

    def _taken_back(self) -> list[tuple[str, bool]]:
        """Go back to before the doubtful formula; what was read since."""
        assert self._doubt is not None
        pieces, before = self._doubt.pieces, self._doubt.before.copy()
        self._writer, self._leaf = before._writer, before._leaf
        self._mid_line, self._code_blocks = before._mid_line, before._code_blocks
        self._doubt = None
        return pieces

    def _fragment(self, piece: str, last: bool = False) -> None:
        """A line, or as much of an endless one as a block takes."""
        if self._mid_line:
            self._go_on(piece)
        else:
            self._line(piece)
        self._mid_line = not piece.endswith("\n") and not last
        if self._mid_line:
            if self._leaf is not None:
                self._leaf.is_doubtful = False
            self._end_part()

    def _go_on(self, piece: str) -> None:
        """The next piece of an endless line, which belongs to what the line's start opened."""
        if self._leaf is None or self._leaf.kind is Kind.TABLE:
            self._end_leaf()
            self._open(Leaf(Kind.PARAGRAPH, False, part=1))
        elif self._leaf.formula is not None:
            self._add_to_formula(self._leaf, piece, piece.rstrip("\r\n"))
            return
        self._writer.source.append(piece)
        self._append(piece.rstrip("\r\n"))

    def _line(self, line: str) -> None:
        text = blocklines.with_spaces(line.rstrip("\r\n"))
        leaf = self._leaf
        if leaf is not None and leaf.fence is not None and self._fenced(leaf, leaf.fence, line, text):
            return
        if leaf is not None and leaf.formula is not None and self._in_formula(leaf, line, text):
            return
        rest, depth = self._match(text)
        if not rest.strip():
            self._blank(line, depth)
            return
        sibling = None
        if depth < len(self._writer.stack):
            leaf = self._leaf
            if (
                leaf is not None
                and leaf.kind is Kind.PARAGRAPH
                and not blocklines.starts_block(rest)
                and (self._is_plain or formula.opening(rest) is None)
            ):
                self._writer.source.append(line)
                self._append(rest.strip())
                return
            sibling = self._writer.stack[depth]
            self._end_leaf()
            self._writer.leave(depth)
        self._start(line, rest, sibling)

    def _match(self, text: str) -> tuple[str, int]:
        """The text behind the marks of the holders that go on in this line, and how many do."""
        rest = text
        for depth, frame in enumerate(self._writer.stack):
            if frame.is_quote:
                found = blocklines.QUOTE.match(rest)
                if found is None:
                    return rest, depth
                rest = rest[found.end() :]
            elif rest.strip():
                indent = blocklines.indent_of(rest)
                if indent >= frame.content_indent:
                    rest = rest[frame.content_indent :]
                elif indent >= frame.marker_indent + 2 and blocklines.marker(rest, 7) is not None:
                    rest = rest[indent:]
                else:
                    return rest, depth
        return rest, len(self._writer.stack)

    def _blank(self, line: str, depth: int) -> None:
        leaf = self._leaf
        if any(frame.is_quote for frame in self._writer.stack[depth:]):
            self._end_leaf()
            self._writer.leave(depth)
        elif leaf is not None and leaf.kind is Kind.CODE:
            self._writer.source.append(line)
            self._append("")
            return
        else:
            self._end_leaf()
        self._writer.source.append(line)
        self._writer.after_blank = True
        if len(self._writer.source) > BLANK_LINES:
            has_bare_item = any(frame.fresh and not frame.is_quote for frame in self._writer.stack)
            self._writer.write(Kind.PARAGRAPH if has_bare_item else Kind.BLANK, "")
            self._writer.after_blank = True

    def _fenced(self, leaf: Leaf, fence: blocklines.FenceLine, line: str, text: str) -> bool:
        """Take a line of fenced code; False if a quote around it has ended and the fence with it."""
        inside, indent = self._inside(text), fence.indent
        if inside is None:
            return False
        rest = inside
        mark = blocklines.fence(rest)
        if (
            mark is not None
            and mark.character == fence.character
            and mark.length >= fence.length
            and mark.indent <= indent + 3
        ):
            if mark.info:
                leaf.depth += fence.info.lower() in ("markdown", "md")
            elif leaf.depth:
                leaf.depth -= 1
            else:
                self._writer.source.append(line)
                self._end_leaf()
                return True
        self._writer.source.append(line)
        self._append(rest[min(blocklines.indent_of(rest), indent) :])
        return True

    def _inside(self, text: str) -> str | None:
        """The text of a line behind the marks of what it stands in, of a block that holds on to lines that are not
        indented; None if a quote around it has ended."""
        for frame in self._writer.stack:
            if frame.is_quote:
                found = blocklines.QUOTE.match(text)
                if found is None:
                    return None
                text = text[found.end() :]
            else:
                text = text[min(blocklines.indent_of(text), frame.content_indent) :]
        return text

    def _start(self, line: str, rest: str, sibling: OpenBlock | None) -> None:
        """Find out what a line is behind its holders' marks, entering the quotes and items that it opens."""
        while True:
            if self._leaf is not None and self._goes_on(self._leaf, line, rest):
                return
            in_item = bool(self._writer.stack) and not self._writer.stack[-1].is_quote
            item = blocklines.marker(rest, 7 if in_item else 3)
            if item is not None and self._leaf is not None and not self._leaf.may_end_for(item):
                item = None
            if item is not None:
                self._end_leaf()
                rest = self._enter_item(item, sibling)
                sibling = None
            elif (found := blocklines.QUOTE.match(rest)) is not None:
                self._end_leaf()
                self._writer.enter(QUOTE)
                rest = rest[found.end() :]
            else:
                break
            if not rest.strip():
                self._writer.source.append(line)
                return
        self._start_leaf(line, rest)

    def _enter_item(self, item: blocklines.MarkerLine, sibling: OpenBlock | None) -> str:
        """Enter a list item and return its text. Numbers count on from the item before, as Markdown's do."""
        number = item.number
        if sibling is not None and number >= 0 and sibling.delimiter == item.delimiter:
            number = max(number, sibling.number + 1)
        box, rest = blocklines.task(item.rest)
        sign = box or ("-" if number < 0 else f"{number}{item.delimiter}")
        self._writer.enter(sign, item.delimiter, number, item.indent, item.content)
        return rest

    def _goes_on(self, leaf: Leaf, line: str, rest: str) -> bool:
        """Whether the line belongs to the open leaf, and if so, take it; a leaf other than a paragraph ends if not."""
        if leaf.kind is Kind.PARAGRAPH:
            return self._completes(leaf, line, rest)
        if (
            leaf.kind is Kind.HTML
            or (leaf.kind is Kind.CODE and leaf.fence is None and blocklines.indent_of(rest) >= 4)
            or (leaf.kind is Kind.TABLE and "|" in rest and not blocklines.starts_block(rest))
        ):
            self._writer.source.append(line)
            self._append(rest[4:] if leaf.kind is Kind.CODE else rest)
            return True
        self._end_leaf()
        return False

    def _completes(self, leaf: Leaf, line: str, rest: str) -> bool:
        """Whether the line makes a heading or a table of the paragraph above it, and if so, do that."""
        level = blocklines.underline(rest)
        if level and leaf.lines and not leaf.part and (level == 1 or leaf.size < 200):
            self._writer.source.append(line)
            self._leaf = None
            self._writer.after_blank = leaf.after_blank
            self._writer.write(Kind.HEADING, "\n".join(leaf.lines), level=level)
            return True
        columns = blocklines.alignments(rest)
        if (
            columns
            and leaf.lines
            and "|" in leaf.lines[-1]
            and len(blocklines.split_row(leaf.lines[-1])) == len(columns)
        ):
            header, header_source = leaf.lines.pop(), self._writer.source.pop()
            after_blank = leaf.after_blank and not leaf.lines
            if leaf.lines:
                self._end_leaf()
            self._writer.source += (header_source, line)
            self._leaf = Leaf(Kind.TABLE, after_blank, lines=[header], size=len(header), columns=columns)
            return True
        return False

    # Formulas

    def _begin_formula(self, opening: formula.FormulaStart, line: str, rest: str) -> None:
        """Open a formula with the line `rest` of it, from its opening on where text stands before that."""
        self._code_blocks += 1
        leaf = Leaf(Kind.FORMULA, self._writer.after_blank, number=self._code_blocks, formula=opening)
        start = (opening.at if opening.begins_line else 0) + len(opening.opener)
        _, leaf.depth = formula.end_of(rest, start, opening.opener)
        leaf.is_doubtful = not opening.ends
        self._open(leaf)
        self._writer.source.append(line)
        leaf.add(rest)
        if opening.ends:
            self._end_leaf()

    def _in_formula(self, leaf: Leaf, line: str, text: str) -> bool:
        """Take a line of a formula; False if a formula that has lost its end is over."""
        assert leaf.formula is not None
        rest = self._inside(text)
        is_blank = rest is None or not rest.strip()
        is_over = (
            rest is None
            or (is_blank and not (leaf.is_doubtful and leaf.formula.alone))
            or blocklines.fence(rest) is not None
            or blocklines.heading(rest) is not None
            or (leaf.formula.opener == "\\[" and rest.lstrip().startswith("\\["))
        )
        if is_over and leaf.is_doubtful:
            self._is_refuted = True
        elif is_over:
            self._end_leaf()
            return False
        else:
            leaf.has_blank |= is_blank
            self._add_to_formula(leaf, line, rest or "")
        return True

    def _add_to_formula(self, leaf: Leaf, line: str, rest: str) -> None:
        """Take a line, or a piece of an endless one, and end the formula where its end is; what is behind it is text."""
        assert leaf.formula is not None
        stop, leaf.depth = formula.end_of(rest, 0, leaf.formula.opener, leaf.depth)
        behind = rest[stop:] if stop >= 0 else ""
        if not behind.strip(" \t.,;:!?"):
            self._writer.source.append(line)
            leaf.add(rest)
            behind = ""
        else:
            cut = len(line.rstrip("\r\n")) - len(behind)
            self._writer.source.append(line[:cut])
            leaf.add(rest[:stop])
        if stop >= 0:
            self._is_refuted = leaf.is_doubtful and not leaf.has_looks
            self._end_leaf()
            if behind:
                self._open(Leaf(Kind.PARAGRAPH, False))
                self._writer.source.append(line[cut:])
                self._append(behind.lstrip(" \t"))
        elif leaf.is_doubtful and (leaf.size > LIMIT or len(leaf.lines) > formula.LINES):
            self._is_refuted = leaf.has_blank
            leaf.is_doubtful = False
        elif leaf.is_full and not leaf.is_doubtful:
            self._end_part()

    def _start_leaf(self, line: str, rest: str) -> None:
        paragraph = self._leaf is not None
        fence = blocklines.fence(rest) if blocklines.indent_of(rest) < 4 else None
        title = blocklines.heading(rest)
        may_be_formula = not self._is_plain and formula.may_hold_one(rest)
        opening = formula.opening(rest) if may_be_formula else None
        if opening is not None:
            self._end_leaf()
            self._begin_formula(opening, line, rest)
        elif fence is not None:
            self._end_leaf()
            self._writer.source.append(line)
            self._code_blocks += 1
            self._open(Leaf(Kind.CODE, self._writer.after_blank, number=self._code_blocks, fence=fence))
        elif title is not None:
            self._end_leaf()
            self._writer.source.append(line)
            self._writer.write(Kind.HEADING, title[1], level=title[0])
        elif blocklines.is_rule(rest):
            self._end_leaf()
            self._writer.source.append(line)
            self._writer.write(Kind.RULE, "")
        elif blocklines.indent_of(rest) >= 4 and not paragraph:
            self._writer.source.append(line)
            self._code_blocks += 1
            self._open(Leaf(Kind.CODE, self._writer.after_blank, number=self._code_blocks))
            self._append(rest[4:])
        else:
            kind = Kind.HTML if blocklines.is_html(rest) else Kind.PARAGRAPH
            if kind is Kind.HTML or not paragraph:
                self._end_leaf()
                self._open(Leaf(kind, self._writer.after_blank))
            opening = formula.spans(rest)[1] if may_be_formula and kind is Kind.PARAGRAPH else None
            if opening is not None and opening.opener != "\\(" and not opening.begins_line:
                cut = len(line.rstrip("\r\n")) - len(rest) + opening.at
                self._writer.source.append(line[:cut])
                self._append(rest[: opening.at].lstrip(" "))
                self._end_leaf()
                self._begin_formula(opening, line[cut:], rest[opening.at :])
                return
            self._writer.source.append(line)
            # Two blanks at the end of a line are a hard break, so they stay.
            self._append(rest.lstrip(" ") if kind is Kind.PARAGRAPH else rest)

    # Leaves, holders, blocks

    def _open(self, leaf: Leaf) -> None:
        self._leaf = leaf
        self._writer.after_blank = False

    def _append(self, text: str) -> None:
        leaf = self._leaf
        assert leaf is not None
        leaf.add(text)
        if leaf.is_full:
            self._end_part()

    def _end_part(self) -> None:
        """Give out what the open leaf holds and let it go on in another part."""
        if self._leaf is not None and self._leaf.lines:
            self._leaf.next_part(self._write_leaf(self._leaf))

    def _end_leaf(self) -> None:
        leaf, self._leaf = self._leaf, None
        if leaf is None:
            return
        trailing: list[str] = []
        if leaf.kind is Kind.CODE and leaf.fence is None:
            while leaf.lines and not leaf.lines[-1].strip():
                leaf.lines.pop()
                trailing.insert(0, self._writer.source.pop())
        if leaf.lines or (leaf.kind is Kind.CODE and not leaf.part):
            self._write_leaf(leaf)
        self._writer.source += trailing
        self._writer.after_blank = bool(trailing)

    def _write_leaf(self, leaf: Leaf) -> Block:
        text = "\n".join(leaf.lines)
        if leaf.kind is Kind.PARAGRAPH:
            text = text.rstrip()
        self._writer.after_blank = leaf.after_blank
        return self._writer.write(
            leaf.kind,
            text,
            part=leaf.part,
            info=leaf.info,
            number=leaf.number,
            context=leaf.context,
            columns=leaf.columns,
            head=leaf.head,
        )


Splitter = BlockSplitter | VerbatimSplitter


def split(text: str, markdown: bool = True) -> list[Block]:
    """All blocks of a text that is complete."""
    splitter: Splitter = BlockSplitter() if markdown else VerbatimSplitter()
    return [*splitter.feed(text), *splitter.close()]
