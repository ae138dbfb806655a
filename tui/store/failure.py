"""What the database or the disk reports, as StoreErrors that a person can act on."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from tui.core.text import safe_line, safe_name
from tui.errors import ChatGone, MessageGone, StoreDamaged, StoreError, StoreUnavailable

_RIGHTS = "Check the rights of the folder and of the file"
_MOVE = "Move the file away to start with an empty one"

# By primary result code, https://www.sqlite.org/rescode.html
_REASONS: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: ("The disk is full", "Make room on the disk"),
    sqlite3.SQLITE_BUSY: ("Another program holds it locked", "Close the other program, or try again"),
    sqlite3.SQLITE_LOCKED: ("Another program holds it locked", "Close the other program, or try again"),
    sqlite3.SQLITE_READONLY: ("It can be read but not written", _RIGHTS),
    sqlite3.SQLITE_PERM: ("It may not be used", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("It cannot be opened", _RIGHTS),
    sqlite3.SQLITE_IOERR: (
        "The disk reports an error",
        "Check the disk, the space that is left on it, and the rights of the folder",
    ),
    sqlite3.SQLITE_CORRUPT: ("The file is damaged", _MOVE),
    sqlite3.SQLITE_NOTADB: ("The file is not a database", _MOVE),
    sqlite3.SQLITE_CONSTRAINT: (
        "It does not fit the messages that are stored",
        "Start a new chat; the ones before are kept",
    ),
}
# What may go better later, with nothing changed in what is written.
_PASSING = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_INTERRUPT,
)  # fmt: skip
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextlib.contextmanager
def explained(title: str, path: Path | None) -> Iterator[None]:
    """Turn what sqlite3 and the operating system raise inside into a StoreError with that title.

    The detail names the database at `path` (None = in memory), so that the person knows which file is meant.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _from_sqlite(error, title, path) from error
    except OSError as error:
        where = error.filename if isinstance(error.filename, str) else path
        hint = "Make room on the disk" if error.errno in (errno.ENOSPC, errno.EDQUOT) else _RIGHTS
        raise StoreUnavailable(title, _at(where, error.strerror or str(error)), hint) from error


def damaged(title: str, path: Path | None) -> StoreDamaged:
    """The error for a row that says something that lokal never writes."""
    reason, hint = _REASONS[sqlite3.SQLITE_CORRUPT]
    return StoreDamaged(title, _at(path, reason), hint)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether SQLite says that the file is not what it was when it was written."""
    code = getattr(error, "sqlite_errorcode", None)
    # Python's own layer finds what is no UTF-8, which lokal never writes, and has no code for it.
    no_text = not isinstance(code, int) and str(error).startswith("Could not decode to UTF-8")
    return no_text or (isinstance(code, int) and code & 0xFF in _DAMAGE)


def is_puzzling(error: sqlite3.Error) -> bool:
    """Whether an error is one that only a mistake of lokal's own, or a damaged file, can bring: a table or a column is not
    there, or there twice; what is written does not fit what is stored."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT)


def no_chat(chat_id: str) -> ChatGone:
    """The error for a chat that is not in the database."""
    return ChatGone(
        chat_id, f"There is no chat “{safe_line(chat_id, 40)}”", "", "“lokal chats list” shows them all"
    )


def gone_chat(chat_id: str) -> ChatGone:
    """The error for a chat that was there when it was chosen: an id would tell nobody which."""
    return ChatGone(chat_id, "The chat is gone", "It was deleted", "The list shows those that are there")


def deleted_chat(chat_id: str, title: str) -> ChatGone:
    """The error for a chat that was deleted, here or in another lokal, but can still come back."""
    return ChatGone(
        chat_id,
        f"The chat “{safe_name(title, 40) or 'without a title'}” was deleted",
        "Here or in another lokal",
        "Undo the deletion there, or go on in a new chat",
    )


def no_message(title: str, chat_id: str, message_id: str) -> MessageGone:
    """The error for a message that is not in that chat, not there in its tree, or deleted."""
    return MessageGone(
        title,
        f"Chat {safe_line(chat_id, 40)} has no message {safe_line(message_id, 40)} there any more,"
        " or another lokal deleted it",
        "Open the chat again",
    )


def _from_sqlite(error: sqlite3.Error, title: str, path: Path | None) -> StoreError:
    # An error that Python's own layer raises, such as for a closed database, has no code.
    code = getattr(error, "sqlite_errorcode", None)
    said = safe_line(str(error), 200)
    if is_damage(error) and not isinstance(code, int):
        reason, hint = _REASONS[sqlite3.SQLITE_CORRUPT]
        return StoreDamaged(title, _at(path, f"{reason} ({said})"), hint)
    if not isinstance(code, int) or code & 0xFF not in _REASONS:
        kind = StoreUnavailable if isinstance(code, int) and code & 0xFF in _PASSING else StoreError
        return kind(title, _at(path, said), "Try again; if it stays so, restart lokal")
    reason, hint = _REASONS[code & 0xFF]
    kind = StoreDamaged if is_damage(error) else StoreUnavailable if code & 0xFF in _PASSING else StoreError
    return kind(title, _at(path, f"{reason} ({said})"), hint)


def _at(where: Path | str | None, reason: str) -> str:
    return reason if where is None else f"{safe_line(str(where))}: {reason}"
