"""Opening the kept chats: the store, the chat to begin with, and what is to be told of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tui.chat import rescue
from tui.chat.session import ChatSession
from tui.chat.write_queue import WriteQueue
from tui.errors import StoreError, StoreUnavailable
from tui.paths import Folders

if TYPE_CHECKING:
    from tui.store.store import Renewal, Store


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OpenedLibrary:
    """The store and the chat that is open first. `problem` says why that is not the chat that was asked for, or why nothing
    can be saved; `note` is what else is to be told."""

    store: Store
    session: ChatSession
    problem: StoreError | None = None
    note: str = ""


def open_library(
    folders: Folders,
    queue: WriteQueue,
    resume: str | None,
    on_renewed: Callable[[Renewal], None],
    *,
    interrupted_too: bool,
) -> OpenedLibrary:
    """Open the store and a chat in it: that of `resume` (None = a new one). With `interrupted_too` an answer that was cut
    off by lokal's end is gone on with. It blocks. Where the store cannot be opened, chats are kept in memory, and written
    as soon as that works."""
    from tui.store.store import Store

    try:
        store = Store.open(folders.database, on_renewed=on_renewed)
    except StoreError as error:
        store = Store.in_memory()
        queue.problem_is_told(error)
        queue.keep(partial(_open_at_last, store, folders, on_renewed), store)
        return OpenedLibrary(store, ChatSession(store, queue), error)
    conversation, problem, note = None, None, ""
    try:
        interrupted = store.recover()
        if resume is not None:
            conversation = store.load(store.find(resume).id)
        elif interrupted and interrupted_too:
            conversation = store.load(interrupted[0])
            note = "lokal was ended in the middle of this answer; here is what had come"
    except StoreError as error:
        problem = error  # one chat that cannot be read is no reason to keep nothing: a new one is opened
    if not note and (left := rescue.left(folders.data, time.time())) is not None:
        note = f"What could not be saved earlier is in {left}; /import reads it"
    return OpenedLibrary(store, ChatSession(store, queue, conversation), problem, note)


def is_on_disk(store: Store | None, chat_id: str) -> bool | None:
    """Whether a chat is there and not deleted; None where nobody can tell: the store is not open, or cannot be read, or is in
    memory only."""
    if store is None or not store.is_kept:
        return None
    try:
        return store.has_chat(chat_id)
    except StoreError:
        return None


def _open_at_last(store: Store, folders: Folders, on_renewed: Callable[[Renewal], None]) -> None:
    """What could not be opened at the start is tried again before anything is written. Raises StoreUnavailable."""
    try:
        store.move_to(folders.database, on_renewed)
    except StoreUnavailable:
        raise
    except StoreError as error:
        raise StoreUnavailable(error.title, error.detail, error.hint) from error
