r"""What Markdown's own rules would alter in an answer and no writer meant: formulas, `2*3*4`, `C:\Users\_temp\*.txt`, `__init__`.

Rules for the inline parser. They are run before its own at each sign that could be markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it.rules_inline import backtick, emphasis

from tui.core.formula import is_operator

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

_DUNDER = re.compile(r"(?<![\w_])__[a-z][a-z0-9]*(?:_[a-z0-9]+)*__(?![A-Za-z0-9_])")
_PATH = re.compile(r"(?:\b[A-Za-z]:|%\w+%|\$env:\w+|(?<!\S)\.{1,2})\\|(?<!\S)\\\\\w[\w.$-]*\\")
_PATH_OVER = re.compile(r"""[\n`"<>|]|\s\\""")
_IN_PATH = re.compile(r"\\+(?:[^\w\s\\]|_)*")
_FACTORS = re.compile(r".?\d\*+\d|(?:^|[\W_])\w\*+\w(?:[\W_]|$)")
_ESCAPED_BRACKETS = re.compile(r"\\\[[^\[\]\n]*\\\]")


def add_rules(parser: MarkdownIt) -> None:
    """Let the parser follow them. What it parses brings along, as `formulas`, where these begin and end."""
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.inline.ruler.after("formula", "path", _path)
    parser.inline.ruler.after("path", "bracket", _bracket)
    parser.inline.ruler.at("backticks", _code)
    parser.inline.ruler.at("emphasis", _emphasis)


def _formula(state: StateInline, silent: bool) -> bool:
    stop = state.env.get("formulas", {}).get(state.pos)
    if stop is None or stop > state.posMax:
        return False
    if not silent:
        token = state.push("formula", "", 0)
        token.content = state.src[state.pos : stop]
    state.pos = stop
    return True


def _path(state: StateInline, silent: bool) -> bool:
    """A backslash in a Windows path escapes nothing."""
    at = state.pos
    if state.src[at] != "\\":
        return False
    paths = state.env.get("paths")
    if paths is None:
        paths = state.env["paths"] = _paths(state.src)
    if not any(start <= at < stop for start, stop in paths):
        return False
    found = _IN_PATH.match(state.src, at, state.posMax)
    assert found is not None
    if not silent:
        state.append_pending(found[0])
    state.pos = found.end()
    return True


def _paths(text: str) -> list[tuple[int, int]]:
    """Where there may be Windows paths: from their start to what cannot be in one, such as a word with a backslash before it."""
    found = []
    at = 0
    while (path := _PATH.search(text, at)) is not None:
        over = _PATH_OVER.search(text, path.end())
        end = len(text) if over is None else over.start()
        found.append((path.start(), end))
        at = end
    return found


def _bracket(state: StateInline, silent: bool) -> bool:
    r"""A lone `\(` is a formula that has not ended or a regular expression: its backslash is shown. `\[so\]` is text."""
    at, text = state.pos, state.src
    sign = text[at + 1 : at + 2]
    if text[at] != "\\" or not sign or sign not in "(){}[]" or at + 1 >= state.posMax:
        return False
    if sign in "[]":
        pairs = state.env.get("pairs")
        if pairs is None:
            spans = [found.span() for found in _ESCAPED_BRACKETS.finditer(text)]
            pairs = state.env["pairs"] = {start for start, _ in spans} | {stop - 2 for _, stop in spans}
        if at in pairs:
            return False
    if not silent:
        state.append_pending(text[at : at + 2])
    state.pos += 2
    return True


def _code(state: StateInline, silent: bool) -> bool:
    """Code between backticks, with the line breaks in it."""
    start, count = state.pos, len(state.tokens)
    if not backtick(state, silent):
        return False
    if len(state.tokens) > count and state.tokens[-1].type == "code_inline":
        token = state.tokens[-1]
        code = state.src[start + len(token.markup) : state.pos - len(token.markup)]
        if "\n" in code:
            token.content = code.removeprefix(" ").removesuffix(" ")
    return True


def _emphasis(state: StateInline, silent: bool) -> bool:
    """Emphasis, but no star between two factors begins one, and a name such as `__init__` is none."""
    start, text = state.pos, state.src
    if text[start] == "_" and (name := _DUNDER.match(text, start, state.posMax)) is not None:
        if not silent:
            state.append_pending(name[0])
        state.pos = name.end()
        return True
    count = len(state.delimiters)
    if not emphasis.tokenize(state, silent):
        return False
    if text[start] == "*" and is_operator(text, start, state.pos):
        for delimiter in state.delimiters[count:]:
            delimiter.open = False
            delimiter.close &= _FACTORS.match(text, max(0, start - 2)) is None
    return True
