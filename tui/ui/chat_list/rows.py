"""How a chat and a hit of the search look as lines of the list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style

from tui.core.commands import key_name
from tui.core.message import Role
from tui.core.text import safe_name
from tui.ui.chat_list.messages import ChatChange
from tui.ui.widgets.row import Part, cut_middle

if TYPE_CHECKING:
    from tui.store.store import ChatSummary, Hit
    from tui.ui.transcript.palette import RolePalette

WIDE = 60
"""Cells from which on a line has room for words where a sign must do otherwise."""
PIN_SIGN, OPEN_SIGN = "*", "●"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WHEN, _COUNT, _STATE = 12, 10, 13
_ROLES = {Role.USER: "you", Role.ASSISTANT: "answer", Role.SYSTEM: "system"}
_MARKED = Style(bold=True, underline=True)


def when(then: float, now: float) -> str:
    """A moment as short as it can be said: `14:05`, `Tue`, `3 Mar`, `2025-11-02`; both in seconds since the epoch."""
    try:
        moment, today = datetime.fromtimestamp(then), datetime.fromtimestamp(now)
    except (OverflowError, ValueError, OSError):
        return ""
    days = (today.date() - moment.date()).days
    if days == 0:
        return f"{moment:%H:%M}"
    if 0 < days < 7:
        return _DAYS[moment.weekday()]
    if moment.year == today.year:
        return f"{moment.day} {_MONTHS[moment.month - 1]}"
    return f"{moment.year:04}-{moment:%m-%d}"


def chat_title(title: str) -> str:
    """A title as it is shown."""
    return safe_name(title) or "(no title)"


def chat_line(
    chat: ChatSummary, width: int, now: float, palette: RolePalette, *, is_open: bool
) -> list[Part]:
    """Title, whether it is open or pinned, how many messages, when it was used last; on `width` cells."""
    title_style = palette["second"] if is_open else palette["foreground"]
    date = when(chat.updated_at, now)
    if width < WIDE:
        sign = OPEN_SIGN if is_open else PIN_SIGN if chat.pinned else " "
        room = width - 2 - max(6, len(date) + 1)
        left = [(sign, palette["second" if is_open else "accent"]), (" ", palette["foreground"])]
        return [
            *left,
            (_left(chat_title(chat.title), room), title_style),
            (_right(date, width - 2 - room), palette["muted"]),
        ]
    words = [word for word, true in (("open", is_open), ("pinned", chat.pinned)) if true]
    room = width - _STATE - _COUNT - _WHEN
    return [
        (_left(chat_title(chat.title), room), title_style),
        (_right(" ".join(words), _STATE), palette["second" if is_open else "accent"]),
        (_right(f"{chat.message_count:,}", _COUNT), palette["muted"]),
        (_right(date, _WHEN), palette["muted"]),
    ]


def column_heads(palette: RolePalette) -> list[Part]:
    """What stands over the columns of a wide line."""
    return [(_right("messages", _COUNT), palette["muted"]), (_right("last used", _WHEN), palette["muted"])]


def change_in_words(change: ChatChange, title: str, keys: Mapping[str, str]) -> str:
    """What was done to a chat; empty where it is seen."""
    name = f"“{title or '(no title)'}”"
    match change:
        case ChatChange.DELETED:
            return f"deleted {name} · {key_name(keys.get('chats.undo', ''))} brings it back"
        case ChatChange.ARCHIVED:
            return f"archived {name} · {key_name(keys.get('chats.archived', ''))} shows the archive"
        case ChatChange.RESTORED:
            return f"{name} is back"
        case ChatChange.UNARCHIVED:
            return f"{name} is in the list again"
        case ChatChange.PINNED:
            return f"{name} stays at the top"
        case ChatChange.UNPINNED:
            return f"{name} is in its place by date again"
        case _:
            return ""


def hit_height(width: int) -> int:
    """Lines of a hit: where it is, and a line of the text; two where lines are short."""
    return 2 if width >= WIDE else 3


def hit_lines(hit: Hit, width: int, now: float, palette: RolePalette) -> list[list[Part]]:
    """A hit on `width` cells: title, who said it and when; then the text with what was found in it standing out."""
    who = "title" if hit.role is None else _ROLES.get(hit.role, hit.role.value)
    tone = {"you": "accent", "answer": "second"}.get(who, "muted")
    date = when(hit.created_at, now)
    right = [(" " + who, palette[tone]), (" · " if date else "", palette["muted"]), (date, palette["muted"])]
    room = width - sum(cell_len(text) for text, _ in right)
    head = [(_left(chat_title(hit.title), room), palette["foreground"]), *right]
    found = palette["accent"] + _MARKED
    lines = hit_height(width) - 1
    texts = list(_pieces(hit.snippet, hit.spans, max(8, width - 2), lines))
    body = [[("  ", Style.null()), *_marked(text, spans, palette["muted"], found)] for text, spans in texts]
    return [head, *body, *([] for _ in range(lines - len(body)))]


Spans = Sequence[tuple[int, int]]


def _pieces(text: str, spans: Spans, width: int, count: int) -> Iterator[tuple[str, Spans]]:
    """`count` lines of at most `width` cells, broken between words, such that the first match is in sight."""
    start = 0
    first = spans[0] if spans else (0, 0)
    if cell_len(text[: first[1]]) > width * count - 2:
        start = max(0, first[0] - width // 3)
        start = text.find(" ", start, first[0]) + 1 or first[0]
    lead = "…" if start else ""
    while count and start < len(text):
        end = _line_end(text, start, width - len(lead))
        if count == 1 and text[end:].strip():
            end = _line_end(text, start, width - len(lead) - 1, between_words=False)
        piece = text[start:end]
        shift = len(lead) - start
        tail = "…" if count == 1 and text[end:].strip() and not piece.endswith("…") else ""
        inside = [(max(s, start) + shift, min(e, end) + shift) for s, e in spans if s < end and e > start]
        yield lead + piece.rstrip() + tail, inside
        lead, count, start = "", count - 1, end
        while start < len(text) and text[start] == " ":
            start += 1


def _line_end(text: str, start: int, width: int, *, between_words: bool = True) -> int:
    end = start
    used = 0
    while end < len(text):
        used += cell_len(text[end])
        if used > width:
            break
        end += 1
    if end == len(text) or not between_words or text[end] == " ":
        return max(end, start + 1)
    blank = text.rfind(" ", start + 1, end)
    return blank + 1 if blank > 0 else max(end, start + 1)


def _marked(text: str, spans: Spans, plain: Style, found: Style) -> Iterator[Part]:
    at = 0
    for start, end in spans:
        yield text[at:start], plain
        yield text[start:end], found
        at = max(at, end)
    yield text[at:], plain


def _left(text: str, width: int) -> str:
    shown = cut_middle(text, max(0, width - 1))
    return shown + " " * max(0, width - cell_len(shown))


def _right(text: str, width: int) -> str:
    return " " * max(0, width - cell_len(text)) + text


def key_hints(
    hints: Sequence[tuple[str, str]], part: Callable[[str, str], Part], width: int
) -> list[list[Part]]:
    """`r rename  p pin` and so on, on as many lines of `width` cells as they take."""
    lines: list[list[Part]] = []
    used = width
    for key, word in hints:
        size = cell_len(key) + 1 + cell_len(word)
        if used + 2 + size > width:
            lines.append([])
            used = 0
        else:
            lines[-1].append(("  ", Style.null()))
            used += 2
        lines[-1] += [part(key, "key"), part(f" {word}", "muted")]
        used += size
    return lines
