"""Markdown that somebody wrote, made fit to stand inside a larger Markdown document.

A fence that was never closed, a heading and a tag would otherwise reach beyond the message that they are in. The text
itself stays: headings sink, open fences are closed, and a tag that begins a line is shown instead of obeyed. Line
rules after CommonMark 0.31.2.
"""

from __future__ import annotations

import re

from tui.core.text import safe_block, safe_line

_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<info>.*)$")
_HEADING = re.compile(r"(?P<indent> {0,3})(?P<marks>#{1,6})(?P<rest>[ \t].*|)$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_QUOTE = re.compile(" {0,3}>")
_ITEM = re.compile(r" {0,3}(?P<marker>[-+*]|\d{1,9}[.)])(?: {1,4}(?P<words>(?=[^ ]))|(?= |$))")
_BREAK = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_TAG = re.compile(r"^(?P<indent> {0,3})<(?=[A-Za-z/!?])(?![A-Za-z][A-Za-z0-9+.-]*:|[^\s<>]+@)")
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")
_DEEPEST = 6


def nested(text: str, levels: int) -> str:
    """`text` with its headings `levels` deeper, everything in it closed, and no control characters."""
    lines: list[str] = []
    items: list[int] = []  # the columns at which the open list items' texts begin
    open_fence = closing = ""
    paragraph = False  # whether the next line may belong to a paragraph of the same container
    for line in safe_block(text).split("\n"):
        if items and not line.strip() and lines[-1].strip() and not lines[-1][items[-1] :].strip():
            items.pop()  # an item that begins with two empty lines is over
        if paragraph and items and _goes_on(items[-1], line):
            lines.append(_TAG.sub(r"\g<indent>\\<", line))
            continue
        if line.strip() and _leave_items(items, line):
            open_fence = ""  # a fence in a list item ends with it
            paragraph = False
        start = items[-1] if items else 0
        underlined = paragraph and _UNDERLINE.match(line[start:]) is not None
        if not open_fence and not underlined:
            start = _enter_items(items, line, start, paragraph)
            paragraph = paragraph and not line[:start].strip()
        lead, body = line[:start], line[start:]
        fence = _FENCE.match(body)
        if open_fence:
            if fence and _closes(fence, open_fence):
                open_fence = ""
        elif fence and not (fence["marks"][0] == "`" and "`" in fence["info"]):
            open_fence = fence["marks"]
            closing = _blank(lead) + _blank(body[: fence.start("marks")]) + open_fence
            paragraph = False
        elif heading := _HEADING.match(body):
            body = _sunk(heading, levels)
            paragraph = False
        elif underlined:
            body = _sink_underlined(lines, lead, body, levels)
            paragraph = body.startswith("\\")
        else:
            paragraph = _leaves_paragraph(body, paragraph)
            body = _TAG.sub(r"\g<indent>\\<", body)
        lines.append(lead + body)
    if open_fence:
        lines.append(closing)
    return "\n".join(lines).strip("\n")


def quoted(text: str) -> str:
    """`text` as a block quote."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def plain(text: str) -> str:
    """`text` as one line in which no character means anything to Markdown."""
    return _MARKS.sub(r"\\\1", safe_line(text, 1000))


def code(text: str) -> str:
    """`text` as a code span, whatever backticks are in it."""
    line = safe_line(text, 1000)
    runs = {len(run) for run in re.findall("`+", line)}
    ticks = "`" * next(length for length in range(1, len(runs) + 2) if length not in runs)
    blank = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{blank}{line}{blank}{ticks}"


def _closes(fence: re.Match[str], open_fence: str) -> bool:
    marks = fence["marks"]
    return marks[0] == open_fence[0] and len(marks) >= len(open_fence) and not fence["info"].strip()


def _sunk(heading: re.Match[str], levels: int) -> str:
    depth = min(len(heading["marks"]) + levels, _DEEPEST)
    return f"{heading['indent']}{'#' * depth}{heading['rest']}"


def _leaves_paragraph(body: str, before: bool) -> bool:
    """Whether a line that is no fence, heading or underline is one of a paragraph; `before` = after one."""
    if not body.strip() or _BREAK.match(body) or _QUOTE.match(body):
        return False
    return before or not body.startswith(("    ", "\t"))


def _sink_underlined(lines: list[str], lead: str, underline: str, levels: int) -> str:
    """Write a heading that a line of = or - made with marks instead, since only these go deeper than two.

    Changes the last of `lines`; returns what is to stand in place of the underline.
    """
    start = len(lead)
    if len(lines) > 1 and lines[-2].strip():  # nobody means the last line of a longer paragraph for a heading
        if not _BREAK.match(underline):
            return "\\" + underline.strip()
        lines.append("")
        return underline
    depth = min((1 if "=" in underline else 2) + levels, _DEEPEST)
    lines[-1] = f"{lines[-1][:start]}{'#' * depth} {lines[-1][start:].strip()}"
    return ""


def _blank(text: str) -> str:
    return " " * len(text)


def _indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip(" "))


def _goes_on(start: int, line: str) -> bool:
    """Whether a line is still of the paragraph in the list item at that column, though it is not indented."""
    if not line.strip() or _indent(line) >= start:
        return False
    begins_block = any(rule.match(line) for rule in (_FENCE, _HEADING, _BREAK, _QUOTE, _ITEM))
    return not begins_block


def _leave_items(items: list[int], line: str) -> bool:
    """Close the list items that a line with words in it is no part of; whether there were any."""
    indent = _indent(line)
    before = len(items)
    while items and indent < items[-1]:
        items.pop()
    return len(items) < before


def _enter_items(items: list[int], line: str, start: int, paragraph: bool) -> int:
    """Open the list items that begin in a line; the column at which the text of the last one begins.

    After a line of a paragraph only an item with words that is not numbered or has the number 1 begins a list.
    """
    while (item := _ITEM.match(line, start)) and not _BREAK.match(line, start):
        if paragraph and (item["words"] is None or item["marker"][:-1] not in ("", "1")):
            break
        paragraph = False
        start = item.end() if item["words"] is not None else item.end("marker") + 1
        items.append(start)
    return start
