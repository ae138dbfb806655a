"""What one line of Markdown starts: the recognisers behind `blocks.BlockSplitter`. Pure functions of a single line.

They follow CommonMark 0.31 and GitHub's tables, with the leniency that language models need (see `BlockSplitter`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.core import formula

QUOTE = re.compile(r" {0,3}> ?")
_FENCE = re.compile(r"( *)(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*$")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t]+)#+$")
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_MARKER = re.compile(r"( *)([-+*]|\d{1,9}[.)])( +|$)")
_TASK = re.compile(r"\[([ xX])\](?: +|$)")
_BAR = "\x00"  # stands for a bar that parts no cells
_DELIMITER_CELL = re.compile(r":?-+:?")
_HTML = re.compile(
    r" {0,3}<(?:!--|\?|![A-Z]|/?(?:address|article|aside|blockquote|body|center|details|dialog|dd|div|dl|dt|fieldset"
    r"|figcaption|figure|footer|form|h[1-6]|head|header|hr|html|iframe|li|link|main|menu|nav|ol|p|pre|script|section"
    r"|style|summary|table|tbody|td|textarea|tfoot|th|thead|title|tr|ul)(?:[ \t/>]|$))",
    re.IGNORECASE,
)
# What an unfinished line may consist of while nobody can say yet what it starts.
_UNDECIDED = re.compile(
    r"[ \t>]*(?:[-+*_=~`#|:]+(?:[ \t][-+*_=|: \t]*)?|\d{1,9}[.)]?|[-+*][ \t]+\[[ xX]?\]?|\${1,2}|\\(?:b(?:e(?:g(?:in?)?)?)?)?)?[ \t]*"
)


@dataclass(frozen=True, slots=True)
class FenceLine:
    """A line of backticks or tildes: its indent and length in characters, and the info string behind it."""

    indent: int
    character: str
    length: int
    info: str


@dataclass(frozen=True, slots=True)
class MarkerLine:
    """The start of a list item. `content` is the column where its text begins, `rest` that text, `number` -1 for a bullet."""

    indent: int
    content: int
    delimiter: str
    number: int
    rest: str


def indent_of(line: str) -> int:
    """The number of spaces that `line` begins with."""
    return len(line) - len(line.lstrip(" "))


def with_spaces(line: str) -> str:
    """`line` with the tabs of its indentation as spaces to the next multiple of four; the text keeps its tabs."""
    body = line.lstrip(" \t")
    indent = line[: len(line) - len(body)]
    return indent.expandtabs(4) + body if "\t" in indent else line


def fence(line: str) -> FenceLine | None:
    """The fence on this line, opening or closing; None if there is none. Inline code (`` ```a``` ``) is no fence."""
    found = _FENCE.match(line)
    if found is None:
        return None
    indent, run, info = found.groups()
    if run[0] == "`" and "`" in info:
        return None
    return FenceLine(len(indent), run[0], len(run), info.strip())


def heading(line: str) -> tuple[int, str] | None:
    """Level (1-6) and text of an ATX heading."""
    found = _HEADING.match(line)
    if found is None:
        return None
    return len(found[1]), _CLOSING_HASHES.sub("", found[2] or "")


def underline(line: str) -> int:
    """The level of the heading that this line makes of the paragraph above it: 1 for `===`, 2 for `---`, else 0."""
    found = _SETEXT.match(line)
    return 0 if found is None else 1 if found[1][0] == "=" else 2


def is_rule(line: str) -> bool:
    """Whether the line is a thematic break: three or more of `-`, `*` or `_`."""
    return _RULE.match(line) is not None


def is_html(line: str) -> bool:
    """Whether the line starts an HTML block, by the tags that CommonMark lists."""
    return _HTML.match(line) is not None


def marker(line: str, deepest: int = 3) -> MarkerLine | None:
    """The list item that starts on this line, if it is indented by at most `deepest` columns."""
    found = _MARKER.match(line)
    if found is None or len(found[1]) > deepest or is_rule(line):
        return None
    indent, sign, blanks = found.groups()
    rest = line[found.end() :]
    padding = len(blanks) if rest and 1 <= len(blanks) <= 4 else 1
    content = len(indent) + len(sign) + padding
    number = int(sign[:-1]) if sign[:-1] else -1
    return MarkerLine(len(indent), content, sign[-1], number, line[content:] if rest else "")


def task(text: str) -> tuple[str, str]:
    """The check box at the start of an item's text, `[ ]` or `[x]`, and the text behind it; no box is an empty string."""
    found = _TASK.match(text)
    if found is None:
        return "", text
    return f"[{found[1].lower()}]", text[found.end() :]


def starts_block(line: str) -> bool:
    """Whether this line cannot be the continuation of a paragraph that stands outside its list or quote."""
    return (
        marker(line, 7) is not None
        or QUOTE.match(line) is not None
        or fence(line) is not None
        or heading(line) is not None
        or is_rule(line)
        or is_html(line)
    )


def split_row(line: str) -> list[str]:
    r"""The cells of a table row, trimmed; `\|` is a bar inside a cell, and so is one in a formula."""
    row = line.strip().removeprefix("|")
    if formula.may_hold_one(row):
        return [cell.replace(_BAR, "|") for cell in _split_row(_with_hidden_bars(row))]
    return _split_row(row)


def _with_hidden_bars(row: str) -> str:
    """`row` with the bars inside its formulas as another sign."""
    for start, stop in formula.spans(row)[0].items():
        if not row[start + 2 : stop].lstrip(" ").startswith("|") or row[start + 2] == "|":
            row = row[:start] + row[start:stop].replace("|", _BAR) + row[stop:]
    return row


def _split_row(row: str) -> list[str]:
    cells = []
    cell = ""
    for part in row.split("|"):
        if part.endswith("\\"):
            cell += part[:-1] + "|"
        else:
            cells.append((cell + part).strip())
            cell = ""
    if cell:
        cells.append(cell.strip())
    elif len(cells) > 1 and not cells[-1] and row.rstrip().endswith("|"):
        cells.pop()
    return cells


def alignments(line: str) -> tuple[str, ...]:
    """`left`, `right`, `center` or `` (not said) for each column of a table's delimiter row; empty if it is none."""
    if "-" not in line or "|" not in line:
        return ()
    found = []
    for cell in split_row(line):
        if not _DELIMITER_CELL.fullmatch(cell):
            return ()
        left, right = cell.startswith(":"), cell.endswith(":")
        found.append("center" if left and right else "right" if right else "left" if left else "")
    return tuple(found)


def is_undecided(line: str) -> bool:
    """Whether an unfinished line is markup only so far (`1`, `-`, `##`, ```` `` ````): showing it now would show it twice."""
    return _UNDECIDED.fullmatch(line) is not None
