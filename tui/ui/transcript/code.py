"""Code blocks: highlighted by role, never wrapped, a bar at their left and their number at the right end."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment

from tui.core.blocks import Block
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Line, cut, shifted, steady, width_of

if TYPE_CHECKING:
    from pygments.lexer import Lexer

INDENT = 3
BAR = "│ "
_LEAST_CODE = 8  # cells of code beside the number, or it is not shown
CUT_SIGN, CUT_BEFORE_SIGN = "→", "←"

# Token types as Pygments writes them, the longest one that fits decides.
_ROLES = {
    "Token.Keyword": "keyword",
    "Token.Keyword.Type": "type",
    "Token.Operator": "operator",
    "Token.Operator.Word": "keyword",
    "Token.Punctuation": "punctuation",
    "Token.Comment": "comment",
    "Token.Comment.Preproc": "keyword",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Literal.Date": "number",
    "Token.Name.Function": "name",
    "Token.Name.Class": "type",
    "Token.Name.Exception": "type",
    "Token.Name.Decorator": "name",
    "Token.Name.Builtin": "type",
    "Token.Name.Builtin.Pseudo": "keyword",
    "Token.Name.Tag": "keyword",
    "Token.Name.Attribute": "name",
    "Token.Name.Constant": "number",
    "Token.Generic.Inserted": "success",
    "Token.Generic.Deleted": "error",
    "Token.Generic.Heading": "heading",
    "Token.Generic.Subheading": "heading",
    "Token.Generic.Prompt": "muted",
    "Token.Generic.Output": "muted",
}


@lru_cache(maxsize=64)
def _lexer(info: str) -> Lexer | None:
    """The lexer for a fence's info string; None if Pygments knows no such language. Pygments is loaded here, at first use."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    language = info.strip("{}. ").split(" ")[0].split("{")[0].split(":")[0].split(",")[0].lower()
    if language in ("", "text", "txt", "plain", "plaintext", "none"):
        return None
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None


@lru_cache(maxsize=512)
def _role(token_type: str) -> str:
    """The role for a token type; plain text for those that have none."""
    while token_type:
        role = _ROLES.get(token_type)
        if role is not None:
            return role
        token_type = token_type.rpartition(".")[0]
    return ""


@lru_cache(maxsize=32)
def _needed_context(info: str, context: str) -> str:
    """`context` if it ends in a string or comment that may go on behind it, else nothing."""
    lexer = _lexer(info)
    last = ""
    if lexer is not None:
        for _, token_type, value in lexer.get_tokens_unprocessed(context + "\n"):
            last = str(token_type) if value.strip() else last
    goes_on = last.startswith(("Token.Literal.String", "Token.Comment")) and last != "Token.Comment.Single"
    return context if goes_on else ""


def highlighted(code: str, info: str, context: str, palette: RolePalette) -> list[Line]:
    """The lines of `code`, coloured. `context` is the code before it, in which a string or comment may have begun."""
    lexer = _lexer(info) if info else None
    if lexer is None:
        return [[Segment(line, palette.base)] if line else [] for line in code.split("\n")]
    context = _needed_context(info, context) if context else ""
    lines: list[Line] = [[]]
    start = len(context) + 1 if context else 0
    text = f"{context}\n{code}" if context else code
    for index, token_type, value in lexer.get_tokens_unprocessed(text):
        if index < start:
            value = value[start - index :]
        if not value:
            continue
        style = palette.ink(_role(str(token_type)))
        first, *others = value.split("\n")
        if first:
            lines[-1].append(Segment(first, style))
        lines += [[Segment(part, style)] if part else [] for part in others]
    return lines


def code_lines(
    block: Block, width: int, palette: RolePalette, prefix_width: int, shift: int = 0
) -> list[Line]:
    """The code block's lines without its holders' marks, for `width` cells behind marks of `prefix_width` cells; `shift`
    cells of the code are left out at the left."""
    if block.part and not block.text:
        return []
    margin = [Segment(" " * max(0, INDENT - prefix_width), palette.base)] if prefix_width < INDENT else []
    bar = Segment(BAR, palette.ink("rule"))
    room, number = _room(width, prefix_width), _number(block)
    lines: list[Line] = []
    code = highlighted(steady(block.text), block.info, steady(block.context), palette)
    for at, line in enumerate(code):
        shown_number = number if at == 0 and room > len(number) + _LEAST_CODE else ""
        space = max(1, room - len(shown_number))
        line = shifted(_head(line, shift + space), shift, CUT_BEFORE_SIGN, palette.ink("muted"))
        shown = cut(line, space, CUT_SIGN, palette.ink("muted"))
        if shown_number:
            fill = " " * (space - width_of(shown))
            shown = [*shown, Segment(fill + shown_number, palette.ink("muted"))]
        lines.append([*margin, bar, *shown])
    return lines


def code_overhang(block: Block, width: int, prefix_width: int) -> int:
    """By how many cells the block's widest line is wider than `width` cells behind marks of `prefix_width`; 0 or less if it
    fits."""
    room, number = _room(width, prefix_width), _number(block)
    beside = len(number) if room > len(number) + _LEAST_CODE else 0
    lines = steady(block.text).split("\n")
    return max([cell_len(line) + (beside if at == 0 else 0) for at, line in enumerate(lines)]) - room


def _room(width: int, prefix_width: int) -> int:
    return max(1, width - max(0, INDENT - prefix_width) - len(BAR))


def _number(block: Block) -> str:
    return f"  [{block.number}]" if block.number and not block.part else ""


def _head(line: Line, width: int) -> Line:
    """As much of a line as can be seen: what is cut off later need not be measured."""
    shown: Line = []
    used = 0
    for segment in line:
        if used > width:
            break
        text = segment.text[: width + 1]
        used += cell_len(text)
        shown.append(Segment(text, segment.style) if text != segment.text else segment)
    return shown
