"""Reading chats from a file: lokal's own JSON, and what Open WebUI, ChatGPT and oterm export. Nothing is written here.

A file is somebody else's: whatever is in it, the outcome is chats or a FileError that says what is wrong and where.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui import files
from tui.core.attaching import shown_name
from tui.core.encodings import recoding_hint
from tui.core.text import human_size, safe_line
from tui.errors import FileError, MalformedFile
from tui.store import from_chatgpt, from_lokal, from_oterm, from_webui
from tui.store.cleaning import cleaned_chat
from tui.store.parsing import Unfit, Value
from tui.store.rows import WholeChat

LARGEST = 200_000_000
"""Bytes of a file, at the most: parsing takes several times as much memory."""
_KNOWN = "lokal reads its own JSON, Open WebUI's export, ChatGPT's conversations.json and oterm's text files"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A chat of a file that makes no sense: its title, as far as it has one, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Export:
    """What is in a file: its chats, without those that have no message, and what is wrong with the others."""

    chats: tuple[WholeChat, ...]
    left_out: tuple[LeftOut, ...] = ()


def read_chats(source: Path | bytes, name: str = "", *, pipe_too: bool = False) -> Export:
    """The chats in a file, or in its bytes (`name` is what errors call it then). With `pipe_too` the path may be that of
    a pipe, as the shell makes one for `<(...)`.

    Raises FileError for a file that cannot be read or is too large, MalformedFile for one of which nothing makes sense.
    """
    path = source if isinstance(source, Path) else Path(name or "the input")
    shown = shown_name(path)
    data, changed_at = (
        _bytes_of(source, shown, pipe_too) if isinstance(source, Path) else (source, time.time())
    )
    if len(data) > LARGEST:
        raise _too_large(path, shown, len(data))
    if data.startswith(b"PK\x03\x04"):
        raise MalformedFile(
            path, f"“{shown}” is a ZIP archive", "", "Unpack it and import the conversations.json in it"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedFile(
            path, f"“{shown}” is not UTF-8 text", f"Byte {error.start} is not UTF-8", recoding_hint(data)
        ) from error
    if from_oterm.is_oterm(text.replace("\r\n", "\n")):
        chat = from_oterm.read(text.replace("\r\n", "\n"), changed_at)
        return Export(() if chat is None else (cleaned_chat(chat),))
    found = _chats(_listed(_parsed(text, path, shown), path, shown))
    if found.left_out and not found.chats:
        first, more = found.left_out[0].reason, len(found.left_out) - 1
        raise MalformedFile(
            path,
            f"Cannot make sense of “{shown}”",
            f"{first}, and so on in {more} more" if more else first,
            "Nothing was imported from it",
        )
    return found


def _bytes_of(path: Path, shown: str, pipe_too: bool) -> tuple[bytes, float]:
    try:
        data = files.read_named(path, LARGEST) if pipe_too else files.read_bytes(path, LARGEST)
        return data, path.stat().st_mtime
    except files.NotAFile as error:
        raise FileError(path, f"“{shown}” is not a file", error.what, _KNOWN) from error
    except files.TooLarge as error:
        raise _too_large(path, shown, error.size) from error
    except files.TooSlow as error:
        hint = "Pipe it in instead: COMMAND | lokal chats import -"
        raise FileError(path, f"Cannot read “{shown}”", error.what, hint) from error
    except OSError as error:
        reason = safe_line(error.strerror or str(error))
        raise FileError(path, f"Cannot read “{shown}”", reason, "Is the name right?") from error


def _too_large(path: Path, shown: str, size: int) -> FileError:
    detail = f"It has {human_size(size)}; {human_size(LARGEST)} is the most"
    return FileError(path, f"“{shown}” is too large", detail, "Export fewer chats at once")


def _parsed(text: str, path: Path, shown: str) -> Any:
    title = f"“{shown}” is no export that lokal knows"
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        detail = f"It is no JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        raise MalformedFile(path, title, detail, _KNOWN, error.lineno, error.colno) from error
    except RecursionError as error:
        raise MalformedFile(path, title, "It is nested too deeply", _KNOWN) from error
    except ValueError as error:  # a number with thousands of digits
        raise MalformedFile(path, title, safe_line(str(error)), _KNOWN) from error


def _listed(document: Any, path: Path, shown: str) -> list[Any]:
    """The chats of a document: one, a list of them, or a list in an object, as the exports have it."""
    if isinstance(document, dict):
        for name in ("conversations", "chats"):
            if isinstance(document.get(name), list):
                document = document[name]
                break
        else:
            document = [document]
    if not isinstance(document, list):
        raise MalformedFile(path, f"“{shown}” is no export that lokal knows", "It has no chats", _KNOWN)
    return document


def _chats(document: list[Any]) -> Export:
    """Each chat by itself: one that makes no sense does not stop the others."""
    chats: list[WholeChat] = []
    left_out: list[LeftOut] = []
    for number, raw in enumerate(document, 1):
        try:
            chat = _chat(Value(raw, f"chat {number}"), raw)
        except Unfit as error:
            left_out.append(LeftOut(_title_of(raw) or f"chat {number}", safe_line(str(error), 200)))
        else:
            if chat is not None:
                chats.append(cleaned_chat(chat))
    return Export(tuple(chats), tuple(left_out))


def _title_of(raw: Any) -> str:
    inner = raw.get("chat") if isinstance(raw, dict) else None
    for place in (raw, inner):
        if isinstance(place, dict) and isinstance(title := place.get("title"), str) and title.strip():
            return safe_line(title, 80)
    return ""


def _chat(value: Value, raw: Any) -> WholeChat | None:
    if from_lokal.is_lokal(raw):
        return from_lokal.read(value)
    if from_webui.is_webui(raw):
        return from_webui.read(value)
    if from_chatgpt.is_chatgpt(raw):
        return from_chatgpt.read(value)
    raise value.unfit(f"is no chat that lokal knows. {_KNOWN}")
