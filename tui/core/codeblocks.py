"""The code blocks and formulas of an answer as they came: with the tabs and the long lines that showing them takes apart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from tui.core import blocklines
from tui.core.block import Block, Kind, cut_lines
from tui.core.blocks import split

_FENCE = re.compile(r"^[\s>]*(?:(?:[-*+]|\d+[.)])\s+)*\s*(`{3,}|~{3,})")
_WORD = re.compile(r"[a-z0-9+#-]{1,16}\Z")

_SUFFIXES = {
    "python": "py", "py3": "py", "python3": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "shell": "sh",
    "console": "sh", "zsh": "sh", "ruby": "rb", "rust": "rs", "golang": "go", "c++": "cpp", "c#": "cs", "csharp": "cs",
    "kotlin": "kt", "markdown": "md", "yaml": "yaml", "yml": "yaml", "perl": "pl", "powershell": "ps1", "haskell": "hs",
    "text": "txt", "plaintext": "txt", "latex": "tex", "make": "mk", "makefile": "mk", "nginx": "conf", "svelte": "svelte",
    "terraform": "tf", "typescriptreact": "tsx", "javascriptreact": "jsx", "objective": "m", "elixir": "ex", "erlang": "erl",
}  # fmt: skip
"""What files of a language end in, where that is not the language's name."""


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """`number` is its place among those of its message, from 1; `text` ends without a newline."""

    number: int
    text: str
    info: str = ""


def code_blocks(text: str) -> tuple[CodeBlock, ...]:
    """The code blocks and formulas of a whole Markdown text, in their order."""
    found = (block for block in split(text) if block.kind in (Kind.CODE, Kind.FORMULA))
    return tuple(_joined(number, list(parts)) for number, parts in groupby(found, lambda block: block.number))


def _joined(number: int, parts: list[Block]) -> CodeBlock:
    shown = [line for block in parts for line in block.text.split("\n")]
    source = "".join([block.source for block in parts])
    if parts[0].kind is Kind.FORMULA and not parts[0].holders:
        return CodeBlock(number, _formula_in(source, shown[0]), parts[0].info)
    raw = source.split("\n")
    if raw and not raw[-1]:
        raw.pop()
    text = _as_it_came(raw, shown)
    return CodeBlock(number, "\n".join(shown) if text is None else text, parts[0].info)


def _formula_in(source: str, first: str) -> str:
    """A formula that stands in nothing, from its `first` line on: before it are only empty lines and marks of quotes."""
    at = source.find(first.lstrip()[:2])
    start = source.rfind("\n", 0, at) + 1
    return source[start:].replace("\r\n", "\n").rstrip("\n")


def _as_it_came(raw: list[str], shown: list[str]) -> str | None:
    """The lines of `raw` that are code, without the marks of what they stand in; None where they are not found.

    `shown` are the same lines with the tabs of their indentation as spaces, an endless one in several pieces.
    """
    if (
        len(raw) >= 2
        and _FENCE.match(raw[-1])
        and (body := _matched(raw[:-1], shown, fenced=True)) is not None
    ):
        return body
    fenced = _matched(raw, shown, fenced=True)
    return _matched(raw, shown, fenced=False) if fenced is None else fenced


def _matched(raw: list[str], shown: list[str], *, fenced: bool) -> str | None:
    """`shown` laid over the last lines of `raw`, line by line from the end."""
    if fenced and shown == [""] and raw and _FENCE.match(raw[-1]):
        return ""
    left = list(shown)
    lines: list[str] = []
    at = len(raw)
    while left and at:
        at -= 1
        pieces, rest = cut_lines(raw[at] + "\n")
        count = len(pieces) + bool(rest)
        if count > len(left):
            return None
        first = left[len(left) - count]
        del left[len(left) - count :]
        line = _without_marks(raw[at], pieces[0].rstrip("\r\n"), first)
        if line is None:
            return None
        lines.append(line.rstrip("\r"))
    if left or (fenced and (not at or _FENCE.match(raw[at - 1]) is None)):
        return None
    return "\n".join(reversed(lines))


def _without_marks(raw: str, piece: str, shown: str) -> str | None:
    """The end of `raw` that is shown as `shown`; `piece` is as much of it as was looked at in one go."""
    spaced = blocklines.with_spaces(piece)
    if not spaced.endswith(shown):
        return None
    columns = len(spaced) - len(shown)
    column = 0
    for at, character in enumerate(raw):
        if column >= columns:
            return " " * (column - columns) + raw[at:]
        is_indent = character == "\t" and not raw[:at].strip(" \t")
        column += 4 - column % 4 if is_indent else 1
    return " " * max(0, column - columns)


def suffix_of(info: str) -> str:
    """What a file in the language that a fence's info string names ends in, without the dot."""
    word = info.strip("{}. ").lower().split(" ")[0].split("{")[0].split(":")[0].split(",")[0]
    language = word if _WORD.match(word) else ""
    return _SUFFIXES.get(language, language) or "txt"


def numbered(blocks: Iterable[CodeBlock], number: int) -> CodeBlock | None:
    """The block with that number."""
    return next((block for block in blocks if block.number == number), None)
