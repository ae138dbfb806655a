"""Changing one value in the text of a TOML file so that comments, order and every other byte stay.

The TOML parser is the judge of everything here: it says where a statement ends, and an edited text is taken only if
it holds exactly what is wanted. Where that fails (a table written in an unusual way), the file is written anew from
its values, which keeps every value but no comment.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import tomli_w

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_BOM = "\ufeff"


class _Kind(Enum):
    REMARK = auto()  # a blank or comment line
    HEADER = auto()  # [table] or [[table]]
    STATEMENT = auto()  # key = value, over as many lines as it takes


@dataclass(frozen=True, slots=True)
class _Piece:
    """Whole lines `start` to `end` of the text. `table` is the one they stand in (of a header: that it opens) and
    `key` the first part of a statement's key."""

    kind: _Kind
    start: int
    end: int
    table: tuple[str, ...]
    key: str = ""


def assign(text: str, table: str, key: str, value: object | None) -> str:
    """`text` with `key` of `table` set to `value`; table "" is the top level, value None takes the key out.

    `text` must be valid TOML; its line ends and a byte-order mark stay.
    """
    wanted = _loads(text)
    target = wanted
    if table:
        inner = wanted.get(table)
        target = inner if isinstance(inner, dict) else {}
        wanted[table] = target
    if value is None:
        if key not in target:
            return text
        del target[key]
    else:
        target[key] = _clean(value)
    return _verified(_assigned(text, table, key, target.get(key)), wanted)


def _assigned(text: str, table: str, key: str, value: object | None) -> str:
    pieces = _pieces(text)
    path = (table,) if table else ()
    for piece in pieces:
        if piece.kind is _Kind.STATEMENT and piece.table == path and piece.key == key:
            statement = text[piece.start : piece.end]
            changed = "" if value is None else _with_value(statement, key, value)
            return text[: piece.start] + changed + text[piece.end :]
    line = _dumps({key: value})
    own = [piece for piece in pieces if piece.table == path]
    if table and not own:
        return _insert(text, len(text), _dumps({table: {}}) + line, apart=True)
    suggestion = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    for piece in own:
        if piece.kind is _Kind.REMARK and suggestion.match(text, piece.start, piece.end):
            return _insert(text, piece.end, line)
    solid = [piece for piece in own if piece.kind is not _Kind.REMARK]
    if solid:
        return _insert(text, solid[-1].end, line)
    headers = [index for index, piece in enumerate(pieces) if piece.kind is _Kind.HEADER]
    if not headers:
        return _insert(text, len(text), line)
    first = headers[0]
    while first and text[pieces[first - 1].start : pieces[first - 1].end].strip():
        first -= 1  # the comment right above a header belongs to it
    return _insert(text, pieces[first].start, line + "\n")


def _with_value(statement: str, key: str, value: object) -> str:
    """`statement` with another value; its indent, the spelling of its key and its comment stay."""
    for equals in re.finditer("=[ \t]*", statement):
        if _try_loads(statement[: equals.end()] + "0") == {key: 0}:
            head = statement[: equals.end()]
            break
    else:
        return _dumps({key: value})
    whole = _try_loads(statement)
    end = len(statement.rstrip())
    for sign in re.finditer("[ \t]*#", statement):
        if sign.start() >= len(head) and _try_loads(statement[: sign.start()]) == whole:
            end = sign.start()
            break
    return head + _dumps({"x": value}).removeprefix("x = ").rstrip("\n") + statement[end:]


def _insert(text: str, at: int, lines: str, *, apart: bool = False) -> str:
    """`text` with whole `lines` put in at the start of a line; `apart` = after a blank line."""
    newline = "\r\n" if "\r\n" in text else "\n"
    before, after = text[:at], text[at:]
    if lines:
        if before.strip(_BOM) and not before.endswith("\n"):
            before += newline
        if apart and before.strip(_BOM) and not before.endswith(newline * 2):
            before += newline
        if apart and after and not after.startswith(("\n", "\r")):
            lines += "\n"
    return before + lines.replace("\n", newline) + after


def _pieces(text: str) -> list[_Piece]:
    pieces = []
    table: tuple[str, ...] = ()
    lines = [(match.start(), match.end()) for match in _LINE.finditer(text)]
    index = 0
    while index < len(lines):
        start, end = lines[index]
        index += 1
        line = text[start:end].lstrip(_BOM).strip()
        if not line or line.startswith("#"):
            pieces.append(_Piece(_Kind.REMARK, start, end, table))
        elif line.startswith("["):
            table = _path(_loads(text[start:end]))
            pieces.append(_Piece(_Kind.HEADER, start, end, table))
        else:
            while (values := _try_loads(text[start:end])) is None and index < len(lines):
                end = lines[index][1]
                index += 1
            pieces.append(_Piece(_Kind.STATEMENT, start, end, table, next(iter(values or {}), "")))
    return pieces


def _path(values: Mapping[str, object]) -> tuple[str, ...]:
    """The path of the table that a header alone makes."""
    path = []
    inner: object = values
    while isinstance(inner, dict) and inner:
        key, inner = next(iter(inner.items()))
        path.append(key)
        if isinstance(inner, list):
            inner = inner[0]
    return tuple(path)


def _verified(text: str, wanted: Mapping[str, object]) -> str:
    return text if _try_loads(text) == wanted else tomli_w.dumps(wanted)


def _loads(text: str) -> dict[str, object]:
    return tomllib.loads(text.removeprefix(_BOM))


def _try_loads(text: str) -> dict[str, object] | None:
    try:
        return _loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _dumps(values: Mapping[str, object]) -> str:
    """TOML lines; a text of several lines is written as such, so that a person can edit it."""
    cleaned = {key: _clean(value) for key, value in values.items()}
    several = all("\r" not in value for value in cleaned.values() if isinstance(value, str))
    return tomli_w.dumps(cleaned, multiline_strings=several)


def _clean(value: object) -> object:
    """`value` as TOML holds it: lists for tuples, and no half of a surrogate pair, which UTF-8 cannot write."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Mapping):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_clean(inner) for inner in value]
    return value
