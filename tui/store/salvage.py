"""Making a new database of what can be read of a damaged one.

What the rows say is checked like what comes from anybody else: a message without its parent goes under the one before it,
a chat without its row gets its title from the first question, and what makes no sense is left out.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tui.core.conversation import title_from
from tui.core.message import Attachment, Message, Problem, Role, Status, Timings, Usage, new_id
from tui.store import drafts, tree
from tui.store.cleaning import is_plain
from tui.store.pages import Pages, TableRow, Value, rows
from tui.store.rows import COLUMNS, message_from
from tui.store.words import folded_words

_STORED = (
    "id", "chat_id", "parent", "ordinal", "role", "content", "created_at", "reasoning", "status", "model", "server",
    "preset", "parameters", "usage", "timings", "finish_reason", "problem", "owner", "deleted_at", "edited",
)  # fmt: skip
"""The columns of a message in the order in which they were added to the table."""
_ROLES, _STATUSES = frozenset(Role), frozenset(Status)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was read, and what is known to have been there and was not."""

    chats: int
    messages: int
    lost_chats: int
    lost_messages: int
    cut_messages: int
    """Messages of which only a part could be read."""
    changed_messages: int
    """Messages whose text is not the one that the search knows of them."""


@dataclass(slots=True)
class _Found:
    """What the pages hold, by the ids that the rows give themselves; of two with one id the first counts."""

    chats: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    messages: dict[str, TableRow] = field(default_factory=dict)
    files: dict[str, dict[int, Attachment]] = field(default_factory=dict)
    draft_files: dict[str, dict[int, Attachment]] = field(default_factory=dict)
    pieces: dict[str, dict[int, tuple[str, str]]] = field(default_factory=dict)
    drafts: dict[str, tuple[str, float]] = field(default_factory=dict)
    edits: dict[str, dict[str, str]] = field(default_factory=dict)
    known: dict[str, dict[str, int]] = field(default_factory=dict)
    """The messages that the search knows, by chat, and a hash of the text that it knows of each."""


def salvage(path: Path, target: sqlite3.Connection) -> Salvaged:
    """Read what can be read of the damaged database at `path` into an empty, migrated one, in its open transaction.
    Raises OSError and sqlite3.Error, the latter for the new one only."""
    pages = Pages(path)
    try:
        found = _found(rows(pages))
    finally:
        pages.close()
    by_chat: dict[str, list[TableRow]] = {}
    for row in found.messages.values():
        by_chat.setdefault(str(row.values[1]), []).append(row)
    kept = cut = lost = changed = 0
    chat_ids = dict.fromkeys((*found.chats, *by_chat))
    for chat_id in chat_ids:
        ordered = sorted(by_chat.get(chat_id, ()), key=lambda row: (_number(row.values[3]), row.rowid))
        kept += _put_chat(target, found, chat_id, ordered)
        cut += sum(not row.whole for row in ordered)
        here = {str(row.values[0]) for row in ordered}
        texts = found.known.get(chat_id, {})
        for row in ordered:
            text = texts.get(str(row.values[0]))
            changed += row.whole and text is not None and hash(folded_words(_text(row.values[5]))) != text
        counted = found.chats.get(chat_id, (None,) * 9)[4:5]
        there = sum(_cell(row, "deleted_at") is None for row in ordered)
        missing = (int(_number(counted[0])) if counted and isinstance(counted[0], int) else 0) - there
        lost += max(0, min(missing, 1_000_000), len(texts.keys() - here))
    gone = [chat_id for chat_id in found.known if chat_id not in chat_ids]
    lost += sum(len(found.known[chat_id]) for chat_id in gone)
    _put_drafts(target, found)
    return Salvaged(len(chat_ids), kept, len(gone), lost, cut, changed)


# -- making rows out ------------------------------------------------------------------------------------------------


def _found(all_rows: Iterable[TableRow]) -> _Found:
    found = _Found()
    unsure: list[tuple[str, int, Attachment]] = []
    for row in all_rows:
        kind = _kind(row)
        values = row.values
        if kind == "messages":
            known = found.messages.get(str(values[0]))
            if known is None or (row.whole and not known.whole):
                found.messages[str(values[0])] = row
        elif kind == "chats":
            found.chats.setdefault(str(values[0]), values)
        elif kind in ("attachments", "draft_attachments"):
            owner, ordinal, name, media, data = values
            if isinstance(data, bytes) and isinstance(ordinal, int) and row.whole:
                file = Attachment(str(name), str(media), data)
                if row.table is None:
                    unsure.append((str(owner), ordinal, file))
                else:
                    place = found.files if kind == "attachments" else found.draft_files
                    place.setdefault(str(owner), {}).setdefault(ordinal, file)
        elif kind == "pieces":
            found.pieces.setdefault(str(values[1]), {}).setdefault(
                row.rowid, (_text(values[2]), _text(values[3]))
            )
        elif kind == "drafts":
            found.drafts.setdefault(str(values[0]), (_text(values[1]), _seconds(values[2])))
        elif kind == "draft_edits":
            found.edits.setdefault(str(values[0]), {}).setdefault(str(values[1]), _text(values[2]))
        elif kind == "documents":
            known_ids = found.known.setdefault(str(values[1]), {})
            if values[2]:
                known_ids.setdefault(str(values[2]), hash(values[4]))
    for owner, ordinal, file in unsure:
        place = found.files if owner in found.messages else found.draft_files
        place.setdefault(owner, {}).setdefault(ordinal, file)
    return found


def _kind(row: TableRow) -> str:
    """The table that a row is of: its page's, if the row has its form; else the one whose form it has. Empty for none."""
    values = row.values
    fits = [name for name, form in _FORMS.items() if form(values)]
    if row.table is not None:
        return row.table if row.table in fits else ""
    return fits[0] if fits else ""


def _is_message(values: tuple[Value, ...]) -> bool:
    texts = all(isinstance(value, str) for value in (*values[:2], *values[4:6]))
    if not (18 <= len(values) <= 20 and texts and values[0] and values[1]):
        return False
    return values[4] in _ROLES or values[8] in _STATUSES


def _is_chat(values: tuple[Value, ...]) -> bool:
    return (
        6 <= len(values) <= 9
        and all(isinstance(value, str) for value in values[:2])
        and bool(values[0])
        and all(isinstance(value, int | float) for value in values[2:5])
        and isinstance(values[5], str | None)
    )


def _of(*kinds: Any) -> Callable[[tuple[Value, ...]], bool]:
    return lambda values: len(values) == len(kinds) and all(map(isinstance, values, kinds))


_FORMS: dict[str, Callable[[tuple[Value, ...]], bool]] = {
    "messages": _is_message,
    "chats": _is_chat,
    "attachments": _of(str, int, str, str, bytes),
    "draft_attachments": _of(str, int, str, str, bytes),
    "pieces": _of(type(None), str, str, str),
    "documents": _of(type(None), str, str, int | float, str),
    "drafts": _of(str, str, int | float),
    "draft_edits": _of(str, str, str),
}


# -- putting them into the new database -----------------------------------------------------------------------------


def _put_chat(target: sqlite3.Connection, found: _Found, chat_id: str, ordered: list[TableRow]) -> int:
    """Make a chat of its messages, in their order; how many there are."""
    messages = []
    for row in ordered:
        id = str(row.values[0])
        files = tuple(file for _, file in sorted(found.files.get(id, {}).items(), key=lambda each: each[0]))
        messages.append(_message(row, files))
    title, made, used, pinned, archived, deleted, leaf = _chat(found.chats.get(chat_id), messages)
    target.execute(
        "INSERT INTO chats (id, title, created_at, updated_at, pinned, archived, deleted_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (chat_id, title, made, used, pinned, archived, deleted),
    )
    before: list[str] = []
    for row, message in zip(ordered, messages, strict=True):
        parent = message.parent
        if parent is not None and parent not in before:
            parent = before[-1] if before else None
        owner = _cell(row, "owner") if message.status is Status.STREAMING else None
        tree.insert(target, chat_id, replace(message, parent=parent), str(owner) if owner else None)
        before.append(message.id)
        deleted_at = _cell(row, "deleted_at")
        if deleted_at is not None:
            target.execute(
                "UPDATE messages SET deleted_at = ? WHERE id = ?", (_seconds(deleted_at), message.id)
            )
        if message.status is Status.STREAMING:
            pieces = sorted(found.pieces.get(message.id, {}).items(), key=lambda each: each[0])
            target.executemany(
                "INSERT INTO pieces (message_id, content, reasoning) VALUES (?, ?, ?)",
                [(message.id, *piece) for _, piece in pieces],
            )
    target.execute(
        "UPDATE chats SET open_leaf = ?, message_count ="
        " (SELECT count(*) FROM messages WHERE chat_id = ? AND deleted_at IS NULL) WHERE id = ?",
        (leaf if leaf in before else before[-1] if before else None, chat_id, chat_id),
    )
    return len(messages)


def _chat(
    values: tuple[Value, ...] | None, messages: list[Message]
) -> tuple[str, float, float, int, int, float | None, Value]:
    """Title, times, marks and open leaf of a chat; without its row as far as the messages tell."""
    times = [message.created_at for message in messages if message.created_at] or [0.0]
    if values is None:
        first = next((message.content for message in messages if message.role is Role.USER), "")
        return title_from(first), min(times), max(times), 0, 0, None, None
    _, title, made, used, _, leaf, pinned, archived, deleted = (*values, None, None, None)[:9]
    return (
        _text(title),
        _seconds(made) or min(times),
        _seconds(used) or max(times),
        int(bool(pinned)),
        int(bool(archived)),
        None if deleted is None else _seconds(deleted),
        leaf,
    )


def _message(row: TableRow, files: tuple[Attachment, ...]) -> Message:
    """The message of a row, with the usual in the place of what makes no sense."""
    cells: dict[str, Value] = {name: _cell(row, name) for name in COLUMNS}
    if cells["role"] not in _ROLES:
        cells["role"] = Role.ASSISTANT.value if cells["model"] or cells["preset"] else Role.USER.value
    if cells["status"] not in _STATUSES:
        is_answer = cells["role"] == Role.ASSISTANT.value
        cells["status"] = Status.INTERRUPTED.value if is_answer else Status.COMPLETE.value
    for name in ("content", "reasoning", "model", "server", "preset", "finish_reason"):
        cells[name] = _text(cells[name])
    cells["created_at"] = _seconds(cells["created_at"])
    cells["parent"] = cells["parent"] if isinstance(cells["parent"], str) else None
    cells["edited"] = int(bool(cells["edited"]))
    cells["parameters"] = _json(cells["parameters"], _plain_parameters) or "{}"
    cells["usage"] = _json(cells["usage"], lambda value: Usage(**value)) or json.dumps(asdict(Usage()))
    cells["timings"] = _json(cells["timings"], lambda value: Timings(**value)) or json.dumps(
        asdict(Timings())
    )
    cells["problem"] = _json(cells["problem"], lambda value: Problem(**value))
    message = message_from(tuple(cells[name] for name in COLUMNS), files)
    return message if is_plain(message.id) else replace(message, id=new_id())


def _plain_parameters(value: Any) -> None:
    for each in value.values():
        if not isinstance(each, bool | int | float | str) and not (
            isinstance(each, list) and all(isinstance(item, str) for item in each)
        ):
            raise TypeError


def _json(value: Value, check: Callable[[Any], object]) -> str | None:
    if isinstance(value, str):
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            check(json.loads(value))
            return value
    return None


def _put_drafts(target: sqlite3.Connection, found: _Found) -> None:
    for chat_id, (text, at) in found.drafts.items():
        target.execute("INSERT INTO drafts (chat_id, text, updated_at) VALUES (?, ?, ?)", (chat_id, text, at))
    for chat_id, files in found.draft_files.items():
        drafts.put_files(
            target, chat_id, [file for _, file in sorted(files.items(), key=lambda each: each[0])]
        )
    for chat_id, edits in found.edits.items():
        drafts.put_edits(target, chat_id, tuple(edits.items()))


def _cell(row: TableRow, column: str) -> Value:
    at = _STORED.index(column)
    return row.values[at] if at < len(row.values) else None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Value) -> float:
    return value if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _seconds(value: Value) -> float:
    number = _number(value)
    return float(number) if 0 <= number < 253_402_214_400 else 0.0  # to the year 9999
