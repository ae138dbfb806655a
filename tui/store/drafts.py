"""What was written in each chat and never sent: its text, its files, and edits of its messages. Functions over an open
transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from tui.core.draft import Draft
from tui.core.message import Attachment
from tui.core.paste_folds import safe_marked
from tui.core.text import safe_line
from tui.store.rows import storable


def save(
    connection: sqlite3.Connection, chat_id: str, draft: Draft, now: float, before: Draft | None = None
) -> None:
    """Keep a draft in the place of the one before; an empty one is forgotten. Files that are the same as `before`, and
    are there, are not written again: the text changes with every key, they do not."""
    key = storable(chat_id)
    if draft.text:
        connection.execute(
            "INSERT OR REPLACE INTO drafts (chat_id, text, updated_at) VALUES (?, ?, ?)",
            (key, storable(draft.text), now),
        )
    else:
        connection.execute("DELETE FROM drafts WHERE chat_id = ?", (key,))
    same = before is not None and before.attachments == draft.attachments
    files = [(storable(file.name), len(file.data)) for file in draft.attachments]
    if not same or _files_there(connection, key) != files:
        connection.execute("DELETE FROM draft_attachments WHERE chat_id = ?", (key,))
        put_files(connection, key, draft.attachments)
    if _edits_there(connection, key) != draft.edits:
        connection.execute("DELETE FROM draft_edits WHERE chat_id = ?", (key,))
        put_edits(connection, key, draft.edits)


def put_files(connection: sqlite3.Connection, key: str, files: Sequence[Attachment]) -> None:
    """The files of a draft that has none."""
    connection.executemany(
        "INSERT INTO draft_attachments (chat_id, ordinal, name, media_type, data) VALUES (?, ?, ?, ?, ?)",
        [
            (key, ordinal, storable(file.name), storable(file.media_type), file.data)
            for ordinal, file in enumerate(files)
        ],
    )


def put_edits(connection: sqlite3.Connection, key: str, edits: Sequence[tuple[str, str]]) -> None:
    """The edits of a draft that has none."""
    connection.executemany(
        "INSERT INTO draft_edits (chat_id, message_id, text) VALUES (?, ?, ?)",
        [(key, storable(message_id), storable(text)) for message_id, text in edits],
    )


def _files_there(connection: sqlite3.Connection, key: str) -> list[tuple[str, int]]:
    """The names and sizes of the files that are kept; another lokal may have other ones for a chat that has no id yet."""
    return connection.execute(
        "SELECT name, length(data) FROM draft_attachments WHERE chat_id = ? ORDER BY ordinal", (key,)
    ).fetchall()


def _edits_there(connection: sqlite3.Connection, key: str) -> tuple[tuple[str, str], ...]:
    rows = connection.execute(
        "SELECT message_id, text FROM draft_edits WHERE chat_id = ? ORDER BY message_id", (key,)
    )
    return tuple((str(message_id), str(text)) for message_id, text in rows.fetchall())


def load(connection: sqlite3.Connection, chat_id: str) -> Draft:
    """The draft of a chat, empty if there is none; safe to show, whoever has written it."""
    key = (storable(chat_id),)
    row = connection.execute("SELECT text FROM drafts WHERE chat_id = ?", key).fetchone()
    files = connection.execute(
        "SELECT name, media_type, data FROM draft_attachments WHERE chat_id = ? ORDER BY ordinal", key
    )
    return Draft(
        "" if row is None else safe_marked(str(row[0])),
        tuple(Attachment(safe_line(name), safe_line(kind), data) for name, kind, data in files.fetchall()),
        tuple((message_id, safe_marked(text)) for message_id, text in _edits_there(connection, *key)),
    )


def forget(connection: sqlite3.Connection, chat_id: str) -> None:
    """Delete the draft of a chat."""
    save(connection, chat_id, Draft(), 0.0)
