"""The chats on the disk: what was said is there after a crash, and several lokals can use them at once.

Every write is one short transaction that is on the disk when the method returns. A streaming answer is kept as the
row it started with and the pieces that came since, so that saving a piece costs as much as the piece; the pieces are
put together when the answer is saved as a whole, or by `recover` when its lokal died.

Deleting marks: what is marked is kept for a day, so that it can come back. `last_deleted` finds a chat again, and a chat
that is loaded knows its messages that can come back (`Conversation.deleted`). What is marked is in no list and found by
no search, and writing to it is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from tui import files
from tui.core.conversation import Conversation
from tui.core.draft import Draft
from tui.core.message import Message, Status, new_id
from tui.errors import ChatGone, MessageGone, StoreDamaged, StoreError
from tui.private_files import make_private_file, make_private_folder
from tui.store import drafts, index, listing, recovery, tree
from tui.store.database import Database, FileGone, prepare
from tui.store.failure import damaged, explained, is_damage, is_puzzling, no_chat
from tui.store.listing import LIST_CHATS, ListWindow
from tui.store.process_lock import ProcessLock, opening
from tui.store.query import parse
from tui.store.rows import ChatSummary, WholeChat, storable

if TYPE_CHECKING:  # loaded when they are first needed
    from tui.store.import_chats import Imported
    from tui.store.repair import Renewal
    from tui.store.search import Hit

__all__ = ["LIST_CHATS", "ChatSummary", "Hit", "Imported", "ListWindow", "Renewal", "Store", "WholeChat"]

BUSY_TIMEOUT_S = 5.0
"""How long a write waits for another lokal's, in seconds."""
CHECK_S = 60.0
"""How long a database that was looked through and found sound is taken to be so, in seconds."""
OnRenewed = Callable[["Renewal"], None]
_INDEXED_AT_ONCE = 2_000_000
"""Characters of an import that are indexed with it."""


P = ParamSpec("P")
T = TypeVar("T")


def _mended(method: Callable[Concatenate[Store, P], T]) -> Callable[Concatenate[Store, P], T]:
    """Where the database turns out to be damaged or gone, another takes its place, and it is tried once more."""

    @wraps(method)
    def call(self: Store, /, *args: P.args, **kwargs: P.kwargs) -> T:
        before = self.renewed
        try:
            return method(self, *args, **kwargs)
        except StoreError as error:
            with self._database.lock:
                if self.renewed == before and not self._mend(error):
                    raise _lost(error) if before else error from error.__cause__
        try:
            return method(self, *args, **kwargs)
        except MessageGone as error:
            raise _lost(error) from error

    return call


def _database(real: Path, busy_timeout_s: float, path: Path, full_text: bool) -> Database:
    """The open database, with no chat in it that seems to be from the future."""
    database = Database(real, busy_timeout_s, path, full_text)
    try:
        with database.writing("Cannot open the chats") as connection:
            listing.date_back(connection, time.time())
    except BaseException:
        database.close()
        raise
    return database


def _lost(error: StoreError) -> StoreError:
    """An error of a database that took the place of a damaged one: who deleted a message is not known there."""
    if not isinstance(error, MessageGone):
        return error
    why = "The message is not there: it was lost with what could not be read of the old database, or it was deleted"
    return MessageGone(error.title, why, error.hint)


class Store:
    """One open database. Every method may be called from any thread and raises StoreError.

    A signal handler may call it too, even when it interrupts a call in the same thread: its write then becomes part of
    the one that it interrupted and is on the disk when that one is.
    """

    path: Path | None
    """The database; None = in memory."""
    renewed: int
    """How many times another database has taken its place, because it was damaged or gone. What is in memory may then be
    more than what is in the store: see `complete`."""

    def __init__(
        self,
        database: Database,
        process_lock: ProcessLock,
        path: Path | None,
        on_renewed: OnRenewed = lambda renewal: None,
    ) -> None:
        """Take over an open database; `Store.open` and `Store.in_memory` make one. `on_renewed` is told, by whichever
        thread finds out, what became of a database that was damaged or gone."""
        self.path = path
        self.renewed = 0
        self._database = database
        self._process_lock = process_lock
        self._on_renewed = on_renewed
        self._sound_until = 0.0

    @classmethod
    def open(
        cls,
        path: Path,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        full_text: bool = True,
        on_renewed: OnRenewed = lambda renewal: None,
    ) -> Store:
        """Open the database, creating it (0600), its folders (0700) and the folder `locks` beside it as needed. One that
        is damaged is put aside, and what can be read of it is in a new one.

        Without `full_text` it does as where SQLite has no FTS5."""
        real = Path(os.path.realpath(path))
        locks = real.parent / "locks"
        renewal: Renewal | None = None
        with explained("Cannot open the chats", path):
            make_private_folder(locks)
            with opening(locks):
                files.require_regular(real)
                make_private_file(real)
                try:
                    database = _database(real, busy_timeout_s, path, full_text)
                except (sqlite3.Error, StoreDamaged) as error:
                    if isinstance(error, sqlite3.Error) and not (is_damage(error) or is_puzzling(error)):
                        raise
                    from tui.store import repair

                    renewal = repair.recover(real, path, prepare)
                    database = _database(real, busy_timeout_s, path, full_text)
            try:
                store = cls(database, ProcessLock.claim(locks), path, on_renewed)
            except BaseException:
                database.close()
                raise
        if renewal is not None:
            store._tell(renewal)
        return store

    @classmethod
    def in_memory(cls, full_text: bool = True) -> Store:
        """A database that is gone when it is closed, for when there is no place to write."""
        with explained("Cannot keep the chats in memory", None):
            return cls(Database(None, BUSY_TIMEOUT_S, full_text=full_text), ProcessLock(new_id()), None)

    def move_to(self, path: Path, on_renewed: OnRenewed) -> None:
        """Leave the memory for the database at `path`, which could not be opened before. What is in memory stays there.
        Raises StoreError, and then stays there too."""
        if self.path is not None:
            return
        opened = Store.open(path, on_renewed=on_renewed)
        with contextlib.suppress(StoreError):
            opened.recover()
        with self._database.lock:
            self._database, self._process_lock, self._on_renewed = (
                opened._database,
                opened._process_lock,
                on_renewed,
            )
            self.path, self.renewed = path, opened.renewed

    def close(self) -> None:
        """Close the database; whatever was written stays. Doing it twice is harmless."""
        with self._database.lock:
            if self._database.is_open and not self._database.is_in_place:
                with contextlib.suppress(StoreError):
                    self._mend(FileGone("Cannot close the chats"))
        self._database.close()
        self._process_lock.release()

    # -- a database that is damaged or gone -------------------------------------------------------------------------

    @property
    def is_kept(self) -> bool:
        """Whether what is written stays when lokal ends."""
        return self.path is not None

    def _mend(self, error: StoreError) -> bool:
        """Whether another database has taken the place of one that an operation has just failed on, so that it can be
        tried again. Raises StoreError when that cannot be done now."""
        database, path = self._database, self.path
        if path is None or database.is_writing:
            return False
        if not isinstance(error, FileGone | StoreDamaged) and not self._is_damaged(error):
            return False
        real = Path(os.path.realpath(path))
        locks = real.parent / "locks"
        renewal: Renewal | None = None
        from tui.store import repair

        with explained(error.title, path):
            make_private_folder(locks)
            with opening(locks):
                if not real.exists():
                    renewal = repair.write_anew(database.connection, real, path, prepare)
                elif database.is_in_place:
                    renewal = repair.recover(real, path, prepare)
                database.reconnect(real)  # where another lokal has been quicker, with what that has made
                self._process_lock = self._process_lock.renewed(locks)
        self._tell(renewal)
        return True

    def _is_damaged(self, error: StoreError) -> bool:
        """Whether the file is the reason of an error that may have others: looked at once a minute at the most."""
        cause = error.__cause__
        if not isinstance(error, MessageGone | ChatGone) and not (
            isinstance(cause, sqlite3.Error) and is_puzzling(cause)
        ):
            return False
        now = time.monotonic()
        if now < self._sound_until or self._database.is_sound():
            self._sound_until = max(self._sound_until, now + CHECK_S)
            return False
        return True

    def _tell(self, renewal: Renewal | None) -> None:
        self.renewed += 1
        if renewal is not None:
            self._on_renewed(renewal)

    @contextlib.contextmanager
    def together(self, failure: str) -> Iterator[None]:
        """What is written inside, by this thread, is one transaction: all of it is on the disk when the block ends, or
        nothing. A StoreError for what fails at its end has the title `failure`. Nothing is mended inside: see
        `write_together`."""
        with self._writing(failure):
            yield

    @_mended
    def write_together(self, failure: str, writes: Sequence[Callable[[], object]]) -> None:
        """Do several writes in one transaction."""
        with self._writing(failure):
            for write in writes:
                write()

    # -- chats ------------------------------------------------------------------------------------------------------

    @_mended
    def chats(self, limit: int = 50, offset: int = 0, archived: bool = False) -> tuple[ChatSummary, ...]:
        """One page of the chats, pinned ones first, then the one that was used last; or of the archived ones."""
        with self._database.reading("Cannot read the chats") as connection:
            return listing.page(connection, limit, offset, archived)

    @_mended
    def chats_around(self, middle: int, limit: int, archived: bool = False, chat_id: str = "") -> ListWindow:
        """The part of the list around the place `middle`, or around a chat where that is in the list."""
        with self._database.reading("Cannot read the chats") as connection:
            return listing.window(connection, middle, limit, archived, chat_id)

    @_mended
    def find(self, text: str) -> ChatSummary:
        """The chat with that id, the only one whose id starts so, or with `last` the one that was used last."""
        with self._database.reading("Cannot read the chats") as connection:
            return listing.find(connection, text)

    @_mended
    def load(self, chat_id: str) -> Conversation:
        """The whole chat with its open branch; an answer that is still coming has all that was checkpointed, and is
        interrupted where the lokal that wrote it is gone."""
        with self._database.reading("Cannot read the chats") as connection, self._sensible():
            return tree.load(connection, chat_id, self._process_lock.is_alive)

    @_mended
    def has_chat(self, chat_id: str) -> bool:
        """Whether there is a chat with just that id, which is not deleted."""
        with self._database.reading("Cannot read the chats") as connection:
            return listing.has(connection, chat_id)

    @_mended
    def create_chat(self, chat_id: str, title: str, created_at: float) -> None:
        """Add an empty chat; `created_at` is in seconds since the epoch, UTC."""
        with self._writing("Cannot save the chat") as connection:
            connection.execute(
                "INSERT INTO chats (id, title, created_at, updated_at) VALUES (?, ?, ?, ?)",
                (storable(chat_id), storable(title), created_at, created_at),
            )

    @_mended
    def add_chat(self, conversation: Conversation, created_at: float) -> str:
        """Add a chat with all its messages, such as a branch that became one; its id, another one if that was taken."""
        from tui.store.import_chats import import_chats

        summary = ChatSummary(conversation.id, conversation.title, created_at, created_at, len(conversation))
        with self._writing("Cannot save the chat") as connection, self._sensible():
            done = import_chats(connection, [WholeChat(conversation, summary)])
            return (done.added or done.skipped)[0]

    @_mended
    def import_chats(self, chats: Iterable[WholeChat], now: float | None = None) -> Imported:
        """Add chats that were read from a file: all of them, or none if anything goes wrong.

        What is taken gets a new id; a chat that is there already with all those messages is skipped. What the index has
        no time for now is left to `index_some`."""
        from tui.store.import_chats import import_chats

        with self._writing("Cannot import the chats") as connection, self._sensible():
            done = import_chats(connection, chats, now)
            if self._database.has_index:
                index.settle_many(connection, _INDEXED_AT_ONCE)
            return done

    @_mended
    def rename(self, chat_id: str, title: str) -> None:
        """Give the chat another title; it keeps its place in the list."""
        with self._writing("Cannot rename the chat") as connection:
            listing.change(connection, chat_id, "title", storable(title))

    @_mended
    def pin(self, chat_id: str, pinned: bool) -> None:
        """Keep a chat at the top of the list, or no longer."""
        with self._writing("Cannot pin the chat") as connection:
            listing.change(connection, chat_id, "pinned", int(pinned))

    @_mended
    def archive(self, chat_id: str, archived: bool) -> None:
        """Put a chat away, or back into the list."""
        with self._writing("Cannot archive the chat") as connection:
            listing.change(connection, chat_id, "archived", int(archived))

    @_mended
    def delete_chat(self, chat_id: str) -> None:
        """Mark a chat as deleted. It can come back for a day (`recovery.UNDO_S`), then `recover` purges it."""
        with self._writing("Cannot delete the chat") as connection:
            listing.require(connection, chat_id)
            listing.mark(connection, chat_id, time.time())

    @_mended
    def restore_chat(self, chat_id: str) -> None:
        """Undo `delete_chat`."""
        with self._writing("Cannot restore the chat") as connection:
            listing.mark(connection, chat_id, None)

    @_mended
    def last_deleted(self) -> ChatSummary | None:
        """The chat that was deleted last, by any lokal, and can still come back; None if there is none."""
        with self._database.reading("Cannot read the chats") as connection:
            return listing.last_deleted(connection)

    @_mended
    def purge_chat(self, chat_id: str) -> None:
        """Delete a chat for good, marked before or not. The file has its words no longer once `index_some` is done."""
        with self._database.writing("Cannot delete the chat") as connection:
            if (
                connection.execute("SELECT 1 FROM chats WHERE id = ?", (storable(chat_id),)).fetchone()
                is None
            ):
                raise no_chat(chat_id)
            recovery.purge(connection, storable(chat_id), self._database.has_index)
        self._database.clear_log()

    # -- messages ---------------------------------------------------------------------------------------------------

    @_mended
    def add_message(self, chat_id: str, message: Message) -> None:
        """Add a message after those there are, under its parent, and open the branch down to it. One that is there, since
        its chat was completed meanwhile, is replaced."""
        with self._writing("Cannot save the message") as connection:
            if self.renewed and tree.is_there(connection, chat_id, message):
                tree.update(connection, chat_id, message, self._token_for(message), time.time())
            else:
                tree.add(connection, chat_id, message, self._token_for(message))

    @_mended
    def complete(self, chat_id: str, title: str, messages: Iterable[Message]) -> None:
        """Put the messages of a chat that are not there into it: what was lost with a database that could not be read. In
        the order of their making; what is there, or was deleted, stays as it is."""
        with self._writing("Cannot save the chat") as connection:
            tree.complete(connection, chat_id, title, messages, self._token_for)

    @_mended
    def update_message(self, chat_id: str, message: Message) -> None:
        """Replace a message as a whole, with the pieces that were checkpointed for it; its place in the tree stays."""
        with self._writing("Cannot save the message") as connection:
            tree.update(connection, chat_id, message, self._token_for(message), time.time())

    @_mended
    def checkpoint(self, message_id: str, content: str, reasoning: str) -> None:
        """Append what came of a streaming answer since the last call.

        What comes after the answer was saved as a whole is dropped: that text has it already.
        """
        if not content and not reasoning:
            return
        with self._database.writing("Cannot save the answer") as connection:
            tree.append(connection, message_id, content, reasoning)

    @_mended
    def select(self, chat_id: str, leaf_id: str) -> None:
        """Remember that the branch which ends in `leaf_id` is the open one."""
        with self._database.writing("Cannot save the open branch") as connection:
            tree.select(connection, chat_id, leaf_id)

    @_mended
    def remove_messages(self, chat_id: str, ids: Iterable[str], *, for_good: bool = False) -> tuple[str, ...]:
        """Mark messages as deleted, with all below them; the ids of all that were marked, parents first. What goes
        `for_good` is not among what can come back."""
        with self._database.writing("Cannot delete the message") as connection:
            return tree.remove(connection, chat_id, ids, tree.FORGOTTEN if for_good else time.time())

    @_mended
    def restore_messages(self, chat_id: str, ids: Iterable[str]) -> None:
        """Undo `remove_messages`; the open branch is the one from before, unless another was opened since."""
        with self._database.writing("Cannot restore the message") as connection:
            tree.restore(connection, chat_id, ids)

    # -- drafts -----------------------------------------------------------------------------------------------------

    @_mended
    def save_draft(self, chat_id: str, draft: Draft, before: Draft | None = None) -> None:
        """Keep what is unsent in a chat, or in a chat that is not there yet with ''; an empty draft is forgotten.
        `before` is the one that was kept last: files that are the same and are there are not written again."""
        with self._database.writing("Cannot save the draft") as connection:
            drafts.save(connection, chat_id, draft, time.time(), before)

    @_mended
    def draft(self, chat_id: str) -> Draft:
        """What is unsent in a chat, empty if there is nothing."""
        with self._database.reading("Cannot read the draft") as connection:
            return drafts.load(connection, chat_id)

    # -- searching --------------------------------------------------------------------------------------------------

    @_mended
    def search(self, text: str, limit: int = 50, offset: int = 0) -> tuple[Hit, ...]:
        """One page of the messages and titles that have every word of `text` (see tui.store.query), best first.

        Not everything is found while `index_backlog` is not 0."""
        from tui.store import search

        with self._database.reading("Cannot search the chats") as connection:
            return search.search(connection, parse(text), limit, offset, self._database.has_index)

    @_mended
    def index_some(self) -> bool:
        """Do one small step of what the index is behind. True = there is more to do."""
        if not self._database.has_index:
            return False
        with self._database.reading("Cannot read the index") as connection:
            if not index.is_behind(connection):
                return False
        with self._database.writing("Cannot update the index") as connection:
            more = index.work(connection)
        if not more:  # the words of what was deleted are out of the index, and may be in the log
            self._database.clear_log()
        return more

    @_mended
    def index_backlog(self) -> int:
        """How many messages a search does not know yet; 0 = it finds all there is."""
        if not self._database.has_index:
            return 0
        with self._database.reading("Cannot read the index") as connection:
            return index.backlog(connection)

    # -- after a crash ----------------------------------------------------------------------------------------------

    @_mended
    def recover(self, now: float | None = None) -> tuple[str, ...]:
        """Turn the answers that a dead lokal left unfinished into interrupted ones with all that was checkpointed, and
        purge what was deleted a day before `now` (None = by the clock).

        Returns the ids of their chats, the one that was used last first. Those of a lokal that lives stay as they are.
        """
        with self._writing("Cannot recover unfinished answers") as connection:
            chat_ids = recovery.end_unfinished(connection, self._process_lock)
        with self._database.writing("Cannot clear what was deleted") as connection, self._sensible():
            purged = recovery.purge_old(
                connection, time.time() if now is None else now, self._database.has_index
            )
        if purged:
            self._database.clear_log()
        self._process_lock.remove_stale()
        return chat_ids

    @contextlib.contextmanager
    def _writing(self, failure: str) -> Iterator[sqlite3.Connection]:
        """A write that the index learns of."""
        with self._database.writing(failure) as connection:
            yield connection
            if self._database.has_index:
                index.settle(connection)

    @contextlib.contextmanager
    def _sensible(self) -> Iterator[None]:
        """Rows that lokal cannot have written raise StoreError."""
        try:
            yield
        except (ValueError, TypeError, AttributeError) as error:
            raise damaged("Cannot read the chat", self.path) from error

    def _token_for(self, message: Message) -> str | None:
        return self._process_lock.token if message.status is Status.STREAMING else None
