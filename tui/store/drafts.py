"""What was written in each chat and never sent: its text, its files, and edits of its messages. Functions over an open
transaction."""

from __future__ import annotations

import sqlite3

from tui.core.draft import Draft
from tui.core.message import Attachment
from tui.store.rows import storable


def save(
    connection: sqlite3.Connection, chat_id: str, draft: Draft, now: float, before: Draft | None = None
) -> None:
    """Keep a draft in the place of the one before; an empty one is forgotten. Of files and edits that are the same as
    `before` nothing is written: the text changes with every key, they do not."""
    key = storable(chat_id)
    if draft.text:
        connection.execute(
            "INSERT OR REPLACE INTO drafts (chat_id, text, updated_at) VALUES (?, ?, ?)",
            (key, storable(draft.text), now),
        )
    else:
        connection.execute("DELETE FROM drafts WHERE chat_id = ?", (key,))
    if before is None or before.attachments != draft.attachments:
        connection.execute("DELETE FROM draft_attachments WHERE chat_id = ?", (key,))
        connection.executemany(
            "INSERT INTO draft_attachments (chat_id, ordinal, name, media_type, data) VALUES (?, ?, ?, ?, ?)",
            [
                (key, ordinal, storable(file.name), storable(file.media_type), file.data)
                for ordinal, file in enumerate(draft.attachments)
            ],
        )
    if before is None or before.edits != draft.edits:
        connection.execute("DELETE FROM draft_edits WHERE chat_id = ?", (key,))
        connection.executemany(
            "INSERT INTO draft_edits (chat_id, message_id, text) VALUES (?, ?, ?)",
            [(key, storable(message_id), storable(text)) for message_id, text in draft.edits],
        )


def load(connection: sqlite3.Connection, chat_id: str) -> Draft:
    """The draft of a chat, empty if there is none."""
    key = (storable(chat_id),)
    row = connection.execute("SELECT text FROM drafts WHERE chat_id = ?", key).fetchone()
    files = connection.execute(
        "SELECT name, media_type, data FROM draft_attachments WHERE chat_id = ? ORDER BY ordinal", key
    )
    edits = connection.execute(
        "SELECT message_id, text FROM draft_edits WHERE chat_id = ? ORDER BY message_id", key
    )
    return Draft(
        "" if row is None else str(row[0]),
        tuple(Attachment(*file) for file in files.fetchall()),
        tuple((str(message_id), str(text)) for message_id, text in edits.fetchall()),
    )


def forget(connection: sqlite3.Connection, chat_id: str) -> None:
    """Delete the draft of a chat."""
    save(connection, chat_id, Draft(), 0.0)
