"""Markdown inside a paragraph: emphasis, code, formulas, links. A text becomes runs; nothing in it is read as Rich markup."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.style import Style

from tui.core import formula
from tui.ui.transcript.palette import RolePalette
from tui.ui.transcript.prose import Run, steady

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_PLAIN = re.compile(r"(?:[^\\`*_~\[\]<&\n:!$]|\$(?!\$))*")
_URL = re.compile(r"""https?://[^\s<>"'`]*[^\s<>"'`.,;:!?)\]}»]""")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_MARKS = re.compile(r"\\.|(`+)|(\*\*|__|~~|\*|_)|\$\$", re.DOTALL)
_HALF_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*$")
_BOLD, _ITALIC, _STRIKE = Style(bold=True), Style(italic=True), Style(strike=True)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Loaded when the first Markdown is shown: it takes 50 ms."""
    from markdown_it import MarkdownIt

    from tui.ui.transcript.literal import add_rules

    parser = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
    add_rules(parser)
    # Links are shown, never opened, so they are shown as they were written.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]
    parser.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return parser


def runs_of(text: str, palette: RolePalette, base: Style, is_open: bool = False) -> list[Run]:
    """The runs of one paragraph's Markdown over the style `base`, each of its line breaks a newline; `is_open`: the text
    ends in the middle."""
    text = steady(mended(text) if is_open else text)
    if _PLAIN.fullmatch(text):
        return [(text, base)] if text else []
    runs: list[Run] = []
    styles = [base]
    link = ""
    link_text = ""
    formulas: dict[int, int] = {}
    if formula.may_hold_one(text):
        formulas, unclosed = formula.spans(text)
        if is_open and unclosed is not None:
            formulas[unclosed.at] = len(text)
    for token in _parser().parseInline(text, {"formulas": formulas})[0].children or ():
        shown = token.content
        style = styles[-1]
        match token.type:
            case "text":
                if link:
                    link_text += shown
                    runs.append((shown, style))
                else:
                    _add_text(runs, shown, style, palette)
            case "code_inline" | "formula":
                link_text += shown
                runs.append((shown, style + palette["strong_code"]))
            case "strong_open":
                styles.append(style + _BOLD)
            case "em_open":
                styles.append(style + _ITALIC)
            case "s_open":
                styles.append(style + _STRIKE)
            case "link_open":
                link, link_text = str(token.attrs.get("href", "")), ""
                styles.append(style + palette["link"])
            case "link_close":
                styles.pop()
                _add_address(runs, link, link_text, base, palette)
                link = ""
            case "strong_close" | "em_close" | "s_close":
                styles.pop()
            case "softbreak" | "hardbreak":
                if not runs or not runs[-1][0].endswith(
                    "\n"
                ):  # a `<br>` at the end of a line is the same break
                    runs.append(("\n", style))
            case "image":
                shown = " ".join([child.content for child in token.children or () if child.content])
                runs.append((shown or "image", style + palette["link"]))
                _add_address(runs, str(token.attrs.get("src", "")), shown, base, palette)
            case _:
                runs.append((shown, style))
    return [(part, style) for part, style in runs if part]


def _add_text(runs: list[Run], text: str, style: Style, palette: RolePalette) -> None:
    """Text with the addresses in it shown as links. `<br>`, the only line break that table cells have, is one."""
    if "<" in text:
        text = _BREAK.sub("\n", text)
    start = 0
    if "://" in text:
        for found in _URL.finditer(text):
            runs.append((text[start : found.start()], style))
            runs.append((found[0], style + palette["link"]))
            start = found.end()
    runs.append((text[start:], style))


def _add_address(runs: list[Run], address: str, text: str, base: Style, palette: RolePalette) -> None:
    """Where a link leads, unless its text says so: a person must see what the text could hide."""
    if address and text.rstrip("/") != address.removeprefix("mailto:").rstrip("/"):
        runs.append((f" ({address})", base + palette["muted"]))


def mended(text: str) -> str:
    """Markdown that ends in the middle, with what is open closed and a half mark left out: `**bo` becomes `**bo**`.

    So the growing end of an answer looks as it will, instead of showing marks that vanish a moment later.
    """
    if formula.may_hold_one(text):
        unclosed = formula.spans(text)[1]
        if unclosed is not None:
            before = text[: unclosed.at]
            return mended(before) + before[len(before.rstrip()) :] + text[unclosed.at :].rstrip()
    found = _HALF_LINK.search(text)
    if found is not None:
        text = text[: found.start()] + found[1]
    text = text.rstrip()
    body = text.rstrip("*_~`\\") if text[-1:] in "*_~`\\" else text
    opened: list[str] = []
    code = ""
    formulas = formula.spans(body)[0] if formula.may_hold_one(body) else {}
    at = 0
    while (mark := _MARKS.search(body, at)) is not None:
        at = formulas.get(mark.start(), mark.end())
        if mark.start() in formulas:
            continue
        ticks, sign = mark[1], mark[2]
        if code:
            if ticks == code:
                code = ""
        elif ticks:
            code = ticks if body[mark.end() :].strip() else ""
        elif sign:
            before, after = body[mark.start() - 1 : mark.start()], body[mark.end() : mark.end() + 1]
            if sign in opened and before.strip():
                del opened[opened.index(sign) :]
            elif after.strip() and not (
                before.isalnum() if sign[0] == "_" else formula.is_operator(body, mark.start(), mark.end())
            ):
                opened.append(sign)
    return body + code + "".join(reversed(opened))
