"""The chats on the disk: what was said is there after a crash, and several lokals can use them at once.

Every write is one short transaction that is on the disk when the method returns. A streaming answer is kept as the
row it started with and the pieces that came since, so that saving a piece costs as much as the piece; the pieces are
put together when the answer is saved as a whole, or by `recover` when its lokal died.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Status, new_id
from tui.core.text import safe_line
from tui.errors import StoreError
from tui.store.database import Database
from tui.store.failure import damaged, explained, no_chat
from tui.store.files import make_private_file, make_private_folder
from tui.store.owner import Owner, opening
from tui.store.rows import COLUMNS, Cell, ChatSummary, message_from, message_row, storable

__all__ = ["ChatSummary", "Store"]

BUSY_TIMEOUT_S = 5.0
"""How long a write waits for another lokal's, in seconds."""

_SUMMARY = "SELECT id, title, created_at, updated_at, message_count FROM chats"
LIST_CHATS = f"{_SUMMARY} ORDER BY updated_at DESC, id LIMIT ? OFFSET ?"
"""The newest chats first, straight from the index."""

_MARKS = ", ".join("?" * len(COLUMNS))
_INSERT_MESSAGE = (
    f"INSERT INTO messages ({', '.join(COLUMNS)}, chat_id, owner, ordinal) VALUES ({_MARKS}, ?, ?,"
    " (SELECT coalesce(max(ordinal), -1) + 1 FROM messages WHERE chat_id = ?))"
)
_UPDATE_MESSAGE = (
    f"UPDATE messages SET {', '.join(f'{column} = ?' for column in COLUMNS)}, owner = ?"
    " WHERE id = ? AND chat_id = ? AND parent IS ?"
)
_MESSAGES = f"SELECT {', '.join(COLUMNS)} FROM messages WHERE chat_id = ? ORDER BY ordinal"
_SHOWN_MATCHES = 5


class Store:
    """One open database. Every method may be called from any thread and raises StoreError.

    A signal handler may call it too, even when it interrupts a call in the same thread: its write then becomes part of
    the one that it interrupted and is on the disk when that one is.
    """

    path: Path | None
    """The database; None = in memory."""

    def __init__(self, database: Database, owner: Owner, path: Path | None) -> None:
        """Take over an open database; `Store.open` and `Store.in_memory` make one."""
        self.path = path
        self._database = database
        self._owner = owner

    @classmethod
    def open(cls, path: Path, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Store:
        """Open the database, creating it (0600), its folders (0700) and the folder `locks` beside it as needed."""
        real = Path(os.path.realpath(path))
        locks = real.parent / "locks"
        with explained("Cannot open the chats", real):
            make_private_folder(locks)
            with opening(locks):
                make_private_file(real)
                database = Database(real, busy_timeout_s, path)
            try:
                return cls(database, Owner.claim(locks), path)
            except BaseException:
                database.close()
                raise

    @classmethod
    def in_memory(cls) -> Store:
        """A database that is gone when it is closed, for when there is no place to write."""
        with explained("Cannot keep the chats in memory", None):
            return cls(Database(None, BUSY_TIMEOUT_S), Owner(new_id()), None)

    def close(self) -> None:
        """Close the database; whatever was written stays. Doing it twice is harmless."""
        self._database.close()
        self._owner.release()

    def chats(self, limit: int = 50, offset: int = 0) -> tuple[ChatSummary, ...]:
        """One page of the chats, the one that was used last first."""
        with self._database.reading("Cannot read the chats") as connection:
            rows = connection.execute(LIST_CHATS, (limit, offset)).fetchall()
        return tuple(ChatSummary(*row) for row in rows)

    def find(self, text: str) -> ChatSummary:
        """The chat with that id, the only one whose id starts so, or with `last` the one that was used last."""
        wanted = storable(text.strip().lower())
        if not wanted:
            raise StoreError("Which chat?", "No id was given", "“lokal chats list” shows them all")
        if wanted == "last":
            if newest := self.chats(limit=1):
                return newest[0]
            raise StoreError("There is no chat yet", "", "Start lokal and ask something")
        with self._database.reading("Cannot read the chats") as connection:
            exact = connection.execute(f"{_SUMMARY} WHERE id = ?", (storable(text.strip()),)).fetchone()
            if exact is not None:
                return ChatSummary(*exact)
            rows = connection.execute(
                f"{_SUMMARY} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
                (wanted, wanted + "\U0010ffff", _SHOWN_MATCHES + 1),
            ).fetchall()
        matches = [ChatSummary(*row) for row in rows]
        if not matches:
            raise no_chat(text)
        if len(matches) > 1:
            shown = ", ".join(
                f"{chat.id} ({safe_line(chat.title, 30) or 'no title'})" for chat in matches[:_SHOWN_MATCHES]
            )
            more = ", …" if len(matches) > _SHOWN_MATCHES else ""
            raise StoreError(
                f"More than one chat starts with “{safe_line(text, 40)}”",
                shown + more,
                "Type more of the id",
            )
        return matches[0]

    def load(self, chat_id: str) -> Conversation:
        """The whole chat with its open branch; an answer that is still coming has all that was checkpointed."""
        with self._database.reading("Cannot read the chats") as connection:
            try:
                chat = connection.execute(
                    "SELECT title, open_leaf FROM chats WHERE id = ?", (storable(chat_id),)
                ).fetchone()
                if chat is None:
                    raise no_chat(chat_id)
                attachments = _attachments_of(connection, chat_id)
                messages = []
                for row in connection.execute(_MESSAGES, (chat_id,)).fetchall():
                    pieces = ("", "")
                    if row[COLUMNS.index("status")] == Status.STREAMING.value:
                        pieces = _pieces_of(connection, row[0])
                    messages.append(message_from(row, tuple(attachments.get(row[0], ())), *pieces))
                title, open_leaf = chat
                return Conversation(chat_id, title, messages, open_leaf)
            except (ValueError, TypeError, AttributeError) as error:
                raise damaged("Cannot read the chat", self.path) from error

    def create_chat(self, chat_id: str, title: str, created_at: float) -> None:
        """Add an empty chat; `created_at` is in seconds since the epoch, UTC."""
        with self._database.writing("Cannot save the chat") as connection:
            connection.execute(
                "INSERT INTO chats (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
                (storable(chat_id), storable(title), created_at, created_at),
            )

    def rename(self, chat_id: str, title: str) -> None:
        """Give the chat another title; it keeps its place in the list."""
        with self._database.writing("Cannot rename the chat") as connection:
            changed = connection.execute(
                "UPDATE chats SET title = ? WHERE id = ?", (storable(title), storable(chat_id))
            )
            if not changed.rowcount:
                raise no_chat(chat_id)

    def add_message(self, chat_id: str, message: Message) -> None:
        """Add a message after those there are, under its parent, and open the branch down to it."""
        row = message_row(message)
        with self._database.writing("Cannot save the message") as connection:
            changed = connection.execute(
                "UPDATE chats SET message_count = message_count + 1, open_leaf = ?,"
                " updated_at = max(updated_at, ?) WHERE id = ?",
                (row[0], message.created_at, chat_id),
            )
            if not changed.rowcount:
                raise no_chat(chat_id)
            connection.execute(_INSERT_MESSAGE, (*row, chat_id, self._token_for(message), chat_id))
            _insert_attachments(connection, message)

    def update_message(self, chat_id: str, message: Message) -> None:
        """Replace a message as a whole, with the pieces that were checkpointed for it; its place in the tree stays."""
        row = message_row(message)
        with self._database.writing("Cannot save the message") as connection:
            key: tuple[Cell, ...] = (row[0], chat_id, row[1])
            changed = connection.execute(_UPDATE_MESSAGE, (*row, self._token_for(message), *key))
            if not changed.rowcount:
                raise StoreError(
                    "Cannot save the message",
                    f"Chat {safe_line(chat_id, 40)} has no message {safe_line(message.id, 40)} in that place",
                    "Open the chat again",
                )
            connection.execute("DELETE FROM pieces WHERE message_id = ?", (row[0],))
            connection.execute("DELETE FROM attachments WHERE message_id = ?", (row[0],))
            _insert_attachments(connection, message)
            connection.execute(
                "UPDATE chats SET updated_at = max(updated_at, ?) WHERE id = ?", (time.time(), chat_id)
            )

    def checkpoint(self, message_id: str, content: str, reasoning: str) -> None:
        """Append what came of a streaming answer since the last call.

        What comes after the answer was saved as a whole is dropped: that text has it already.
        """
        if not content and not reasoning:
            return
        with self._database.writing("Cannot save the answer") as connection:
            status = connection.execute("SELECT status FROM messages WHERE id = ?", (message_id,)).fetchone()
            if status is None:
                raise StoreError(
                    "Cannot save the answer",
                    f"There is no message {safe_line(message_id, 40)}",
                    "Open the chat again",
                )
            if status[0] == Status.STREAMING.value:
                connection.execute(
                    "INSERT INTO pieces (message_id, content, reasoning) VALUES (?, ?, ?)",
                    (message_id, storable(content), storable(reasoning)),
                )

    def select(self, chat_id: str, leaf_id: str) -> None:
        """Remember that the branch which ends in `leaf_id` is the open one."""
        with self._database.writing("Cannot save the open branch") as connection:
            changed = connection.execute(
                "UPDATE chats SET open_leaf = ? WHERE id = ?"
                " AND EXISTS (SELECT 1 FROM messages WHERE id = ? AND chat_id = ?)",
                (leaf_id, chat_id, leaf_id, chat_id),
            )
            if not changed.rowcount:
                raise StoreError(
                    "Cannot save the open branch",
                    f"Chat {safe_line(chat_id, 40)} has no message {safe_line(leaf_id, 40)}",
                    "Open the chat again",
                )

    def recover(self) -> tuple[str, ...]:
        """Turn the answers that a dead lokal left unfinished into interrupted ones with all that was checkpointed.

        Returns the ids of their chats, the one that was used last first. Those of a lokal that lives stay as they are.
        """
        chat_ids: dict[str, None] = {}
        with self._database.writing("Cannot recover unfinished answers") as connection:
            unfinished = connection.execute(
                "SELECT messages.id, chat_id, owner, content, reasoning FROM messages"
                " JOIN chats ON chats.id = chat_id WHERE status = 'streaming' ORDER BY updated_at DESC, chats.id"
            ).fetchall()
            for message_id, chat_id, owner, content, reasoning in unfinished:
                if self._owner.is_alive(owner or ""):
                    continue
                more_content, more_reasoning = _pieces_of(connection, message_id)
                connection.execute(
                    "UPDATE messages SET content = ?, reasoning = ?, status = ?, owner = NULL WHERE id = ?",
                    (
                        content + more_content,
                        reasoning + more_reasoning,
                        Status.INTERRUPTED.value,
                        message_id,
                    ),
                )
                connection.execute("DELETE FROM pieces WHERE message_id = ?", (message_id,))
                chat_ids[chat_id] = None
        self._owner.tidy()
        return tuple(chat_ids)

    def _token_for(self, message: Message) -> str | None:
        return self._owner.token if message.status is Status.STREAMING else None


def _attachments_of(connection: sqlite3.Connection, chat_id: str) -> dict[str, list[Attachment]]:
    rows = connection.execute(
        "SELECT message_id, name, media_type, data FROM attachments JOIN messages ON messages.id = message_id"
        " WHERE chat_id = ? ORDER BY message_id, attachments.ordinal",
        (chat_id,),
    )
    attachments: dict[str, list[Attachment]] = {}
    for message_id, name, media_type, data in rows.fetchall():
        attachments.setdefault(message_id, []).append(Attachment(name, media_type, data))
    return attachments


def _insert_attachments(connection: sqlite3.Connection, message: Message) -> None:
    connection.executemany(
        "INSERT INTO attachments (message_id, ordinal, name, media_type, data) VALUES (?, ?, ?, ?, ?)",
        [
            (storable(message.id), ordinal, storable(file.name), storable(file.media_type), file.data)
            for ordinal, file in enumerate(message.attachments)
        ],
    )


def _pieces_of(connection: sqlite3.Connection, message_id: str) -> tuple[str, str]:
    rows = connection.execute(
        "SELECT content, reasoning FROM pieces WHERE message_id = ? ORDER BY id", (message_id,)
    ).fetchall()
    return "".join(row[0] for row in rows), "".join(row[1] for row in rows)
