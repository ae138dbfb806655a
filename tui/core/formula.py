r"""Formulas in an answer: LaTeX between `\(` and `\)`, `\[` and `\]`, `$$` and `$$`, `\begin{x}` and `\end{x}`.

Models write them bare in their Markdown, which would take their backslashes, stars and line breaks for its own. They are
shown as they were written instead. A single `$` is a price, a variable or a prompt, and never opens one; `$$` is a process
id and `\(` a regular expression as often as not, so what stands between them must look like a formula.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LINES = 60
"""So many lines may follow an opening until its end must have come, or the text is none."""

_NAME = r"\{[A-Za-z]{1,32}\*?\}"
_TOKEN = re.compile(rf"`+|\\(?:begin|end){_NAME}|\\.|\$+", re.DOTALL)
_CLOSERS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_COMMAND = re.compile(r"\\(?:[A-Za-z]|\\)")
_LONG_WORD = re.compile(r"(?<![\w\\{])[^\W\d_]{3,}(?![\w}])")
_WORD = re.compile(r"(?<![\w\\{])[^\W\d_]{2,}(?![\w}])")
_SIGNS = re.compile(r"[\^_={}*+]")
_ARGUMENTS = re.compile(r"(?:\[[^\[\]]*\]|\{[^{}]*\})*")
_PUNCTUATION = re.compile(r"[ \t.,;:!?]*")
_START = re.compile(rf" {{0,3}}(\\\[|\$\$(?!\$)|\\begin{_NAME})")


@dataclass(frozen=True, slots=True)
class FormulaStart:
    """A formula that begins in a line: `at` which character, what ends it, and how sure it is.

    `alone`: nothing stands behind the opening, so that empty lines may be in it. `ends`: it is complete in this line.
    `begins_line`: no text stands before it.
    """

    at: int
    opener: str
    alone: bool = False
    ends: bool = False
    begins_line: bool = True

    @property
    def closer(self) -> str:
        """What ends it."""
        return _closer(self.opener)


def _closer(opener: str) -> str:
    return _CLOSERS.get(opener) or opener.replace("begin", "end", 1)


def end_of(text: str, start: int, opener: str, depth: int = 1) -> tuple[int, int]:
    """The place behind the end of a formula of which `text` from `start` on is a part, or -1; and how many of its kind
    are then open in one another (`\\begin` in `\\begin`)."""
    closer = _closer(opener)
    for found in _TOKEN.finditer(text, start):
        if found[0] == closer:
            depth -= 1
            if not depth:
                return found.end(), 0
        elif found[0] == opener and opener[0] == "\\" and opener[1] == "b":
            depth += 1
    return -1, depth


def looks_like_one(text: str, opener: str) -> bool:
    """Whether what stands behind `opener` is a formula rather than words that have such signs by chance."""
    if not text.strip():
        return False
    if _COMMAND.search(text) or opener.startswith("\\begin"):
        return True
    if opener != "$$":
        return not _LONG_WORD.search(text) or _SIGNS.search(text) is not None
    if text[0].isspace() or text[-1].isspace():
        return _WORD.search(text) is None
    return not _LONG_WORD.search(text) or _SIGNS.search(text) is not None


def _may_grow_into_one(text: str, opener: str) -> bool:
    """The same of a formula whose end has not come yet: a sentence is none."""
    if _COMMAND.search(text):
        return True
    return len(_LONG_WORD.findall(text)) < 2 and (opener != "$$" or _WORD.search(text) is None)


def opening(line: str) -> FormulaStart | None:
    """The formula that this line starts, which is shown as a block; None if it starts none, or has text behind one."""
    found = _START.match(line)
    if found is None:
        return None
    opener, start = found[1], found.end()
    rest = line[start:]
    stop, _ = end_of(line, start, opener)
    if stop >= 0:
        empty = opener == "$$" and not line[start : stop - 2].strip()
        if empty or _PUNCTUATION.fullmatch(line, stop) is None:
            return None
        return FormulaStart(found.start(1), opener, ends=True)
    if opener.startswith("\\begin"):
        behind = rest[_ARGUMENTS.match(rest).end() :] if _ARGUMENTS.match(rest) else rest  # type: ignore[union-attr]
        if behind.strip() and not _may_grow_into_one(behind, opener):
            return None
        return FormulaStart(found.start(1), opener, alone=True)
    if rest.strip() and not _may_grow_into_one(rest, opener):
        return None
    return FormulaStart(found.start(1), opener, alone=not rest.strip())


def spans(text: str) -> tuple[dict[int, int], FormulaStart | None]:
    """Where the formulas inside a paragraph begin and behind what they end, and the first one that has no end.

    Code between backticks has none.
    """
    found: dict[int, int] = {}
    unclosed: FormulaStart | None = None
    endless: set[str] = set()  # what was looked for to the end of the text in vain
    at = 0
    while (token := _TOKEN.search(text, at)) is not None:
        at = token.end()
        opener = token[0]
        if opener[0] == "`":
            at = _behind_code(text, token, endless)
        elif (opener in _CLOSERS or opener.startswith("\\begin")) and opener not in endless:
            stop, _ = end_of(text, at, opener)
            if stop < 0:
                endless.add(opener)
                rest = text[at:]
                if unclosed is None and _may_grow_into_one(rest, opener):
                    unclosed = FormulaStart(
                        token.start(), opener, not rest.strip(), False, not text[: token.start()].strip()
                    )
            elif "`" not in text[at:stop] and looks_like_one(text[at : stop - len(_closer(opener))], opener):
                found[token.start()] = stop
                at = stop
    return found, unclosed


def _behind_code(text: str, ticks: re.Match[str], endless: set[str]) -> int:
    if ticks[0] in endless:
        return ticks.end()
    closing = re.compile(rf"(?<!`){ticks[0]}(?!`)").search(text, ticks.end())
    if closing is None:
        endless.add(ticks[0])
        return ticks.end()
    return closing.end()


def may_hold_one(text: str) -> bool:
    """Whether it is worth looking for formulas in `text`."""
    return "$$" in text or "\\(" in text or "\\[" in text or "\\begin{" in text


def is_operator(text: str, start: int, stop: int) -> bool:
    """Whether the stars there multiply or raise, so that they begin no emphasis: `a*b`, `2*(x+1)`, `x**2`."""
    before, after = text[start - 1 : start], text[stop : stop + 1]
    if not before or not after or not (before.isascii() and after.isascii()):
        return False
    if not before.isalnum() and before not in ")]":
        return False
    if stop - start == 1:
        return after.isalnum() or after == "("
    return after.isdigit() or (after.isalnum() and not before.isalpha())
