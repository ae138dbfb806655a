"""Reading chats from a file: lokal's own JSON, and what Open WebUI, ChatGPT and oterm export. Nothing is written here.

A file is somebody else's: whatever is in it, the outcome is chats or a FileError that says what is wrong and where.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tui import files
from tui.core.attaching import shown_name
from tui.core.text import human_size, safe_line
from tui.errors import FileError, MalformedFile
from tui.store import from_chatgpt, from_lokal, from_oterm, from_webui
from tui.store.cleaning import cleaned_chat
from tui.store.parsing import Unfit, Value
from tui.store.rows import WholeChat

LARGEST = 200_000_000
"""Bytes of a file, at the most: parsing takes several times as much memory."""
_KNOWN = "lokal reads its own JSON, Open WebUI's export, ChatGPT's conversations.json and oterm's text files"


def read_chats(source: Path | bytes, name: str = "", *, pipe_too: bool = False) -> tuple[WholeChat, ...]:
    """The chats in a file, or in its bytes (`name` is what errors call it then). Chats without a message are left out. With `pipe_too` the path may be
    that of a pipe, as the shell makes one for `<(...)`.

    Raises FileError for a file that cannot be read or is too large, MalformedFile for one that makes no sense.
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
            path, f"“{shown}” is not a text file", f"Byte {error.start} is not UTF-8", _KNOWN
        ) from error
    try:
        if from_oterm.is_oterm(text.replace("\r\n", "\n")):
            return _found([from_oterm.read(text.replace("\r\n", "\n"), changed_at)])
        return _found(_chats(_parsed(text, path, shown)))
    except Unfit as error:
        raise MalformedFile(
            path,
            f"Cannot make sense of “{shown}”",
            safe_line(str(error), 200),
            "Nothing was imported from it",
        ) from error


def _found(chats: list[WholeChat | None]) -> tuple[WholeChat, ...]:
    return tuple(cleaned_chat(chat) for chat in chats if chat is not None)


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


def _chats(document: Any) -> list[WholeChat | None]:
    """All chats of a document: one, a list of them, or a list in an object, as the exports have it."""
    if isinstance(document, dict):
        for name in ("conversations", "chats"):
            if isinstance(document.get(name), list):
                document = document[name]
                break
        else:
            document = [document]
    if not isinstance(document, list):
        raise Unfit(f"it is no export that lokal knows. {_KNOWN}")
    return [_chat(Value(raw, f"chat {number}"), raw) for number, raw in enumerate(document, 1)]


def _chat(value: Value, raw: Any) -> WholeChat | None:
    if from_lokal.is_lokal(raw):
        return from_lokal.read(value)
    if from_webui.is_webui(raw):
        return from_webui.read(value)
    if from_chatgpt.is_chatgpt(raw):
        return from_chatgpt.read(value)
    raise value.unfit(f"is no chat that lokal knows. {_KNOWN}")
