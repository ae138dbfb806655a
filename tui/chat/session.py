"""The chat that is open: its tree in memory and the same tree in the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from tui.chat.structured_output import schema_of
from tui.chat.write_queue import WriteQueue
from tui.core.context_trim import EVERYTHING, view_of
from tui.core.conversation import Conversation, title_from
from tui.core.draft import Draft
from tui.core.message import Attachment, Message, Role, Status, Timings, Usage, new_id
from tui.core.removal import Removed
from tui.core.system_prompt import system_of
from tui.core.undo import Undo
from tui.errors import ChatGone, MessageGone

if TYPE_CHECKING:
    from tui.chat.moved_chat import MovedChatStore
    from tui.store.store import Store, WholeChat

WRITES_S = 5.0
"""How long what is queued for the disk is waited for before a draft is read."""


class ChatSession:
    """Every change is made in memory at once and queued for the store in the same order. What cannot be written now
    waits in the queue, and the session with it."""

    def __init__(
        self, store: Store | MovedChatStore, persistence: WriteQueue, conversation: Conversation | None = None
    ) -> None:
        self._store: Store | MovedChatStore = store
        self._persistence = persistence
        self._stored = conversation is not None
        self._draft_at: str | None = None
        self._draft_kept = Draft()
        self._unread: set[str] = set()
        self._before: dict[str, Draft] = {}  # what was on the disk where it could not be read before
        self._batch: list[Callable[[], object]] | None = None
        self._batch_durable: Future[bool] = Future()
        self.conversation = Conversation(new_id()) if conversation is None else conversation
        self._undo = Undo(self.conversation)
        self.conversation.view = view_of(self.conversation.last_of(Role.ASSISTANT))
        self.conversation.system = system_of(self.conversation.last_of(Role.ASSISTANT))
        self.schema = schema_of(self.conversation.last_of(Role.ASSISTANT))
        """What the next answers are held to; a chat that is opened goes on as its last answer was asked for."""

    # -- the queue --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is changed inside is on the disk all at once, or not at all: a crash cannot come in between."""
        if self._batch is not None:
            yield
            return
        batch = self._batch = []
        durable = self._batch_durable = Future()
        try:
            yield
        finally:
            self._batch = None
            if batch:
                self._queue(partial(_write_together, self._store, tuple(batch)), durable=durable)

    def _keep(self, write: Callable[[], object], place: str = "") -> Future[bool]:
        if self._batch is None:
            return self._queue(write, place)
        self._batch.append(write)
        return self._batch_durable

    def _queue(
        self, write: Callable[[], object], place: str = "", durable: Future[bool] | None = None
    ) -> Future[bool]:
        chat_id, title, store = self.conversation.id, self.conversation.title, self._store
        known = tuple(self.conversation)  # what is, or was to be, on the disk before

        def attempt() -> None:
            try:
                write()
            except (ChatGone, MessageGone):
                if not store.renewed or not known:
                    raise
                store.complete(
                    chat_id, title, known
                )  # it was lost with what could not be read of the database
                write()

        return self._persistence.keep(attempt, self, place, durable)

    @property
    def is_unwritten(self) -> bool:
        """Whether something of it is not on the disk yet."""
        return self in self._persistence.owners()

    def complete(self) -> None:
        """Put what the store does not have of the chat, since it had to be made anew, into it."""
        if self._stored and len(self.conversation):
            chat = self.conversation
            self._keep(partial(self._store.complete, chat.id, chat.title, tuple(chat)))

    # -- changes ----------------------------------------------------------------------------------------------------

    def ask(
        self,
        text: str,
        now: float,
        attachments: tuple[Attachment, ...] = (),
        *,
        instead_of: Message | None = None,
    ) -> tuple[Message, Future[bool]]:
        """Add a question under the end of the open branch, or as a sibling of the one that it is `instead_of`. The
        future ends when it is durable, False = it could not be written."""
        leaf = self.conversation.leaf
        parent = instead_of.parent if instead_of is not None else leaf.id if leaf else None
        question = Message(new_id(), parent, Role.USER, text, now, attachments=attachments)
        self.conversation.add(question)
        chat = self.conversation
        with self.together():
            if not self._stored:
                chat.title = chat.title or title_from(text)
                self._keep(partial(self._store.create_chat, chat.id, chat.title, now))
                self._stored = True
            return question, self._keep(partial(self._store.add_message, chat.id, question))

    @property
    def draft_key(self) -> str:
        """Where the store keeps the draft: by the chat's id, or by none while the chat is not stored."""
        return self.conversation.id if self._stored else ""

    def load_draft(self, key: str) -> Draft:
        """The draft that was kept under `key`, from the disk: it blocks, for what is queued comes first. Raises
        StoreError."""
        self._persistence.flush(WRITES_S)
        if key == self._draft_at and self.is_unwritten:
            return self._draft_kept  # the disk has an older one, or none
        draft = self._store.draft(key)
        if not self._store.is_kept:
            self._unread.add(key)  # on the disk there may be another one
        self._draft_at, self._draft_kept = key, draft
        return draft

    def save_draft(self, draft: Draft) -> None:
        """Queue the draft; one that was kept before the chat had an id moves to it."""
        key = self.draft_key
        before = self._draft_kept if self._draft_at == key else None
        if self._draft_at not in (None, key):
            self._keep(partial(self._save_draft, self._store, self._draft_at, Draft(), None))
        self._draft_at, self._draft_kept = key, draft
        self._keep(partial(self._save_draft, self._store, key, draft, before), f"draft of {key}")

    def _save_draft(
        self, store: Store | MovedChatStore, key: str, draft: Draft, before: Draft | None
    ) -> None:
        if key in self._unread:
            self._unread.discard(key)
            self._before[key] = store.draft(key)
        there = self._before.get(key)
        store.save_draft(key, draft if there is None else there.then(draft), None if there else before)

    def add_to_draft(self, draft: Draft) -> None:
        """Queue what comes after a draft that is kept and was never read."""
        key = self.draft_key
        self._keep(lambda: self._store.save_draft(key, self._store.draft(key).then(draft)))

    def rename(self, title: str) -> None:
        """Give the chat another title; one without a question gets it with the first."""
        self.conversation.title = title
        if self._stored:
            self._keep(partial(self._store.rename, self.conversation.id, title))

    def open_answer(self, answer: Message) -> None:
        """Write down an answer that is about to come in: a new one, or one that is tried again or continued."""
        if answer.id in self.conversation:
            self.update(answer)
            return
        self.conversation.add(answer)
        self._keep(partial(self._store.add_message, self.conversation.id, answer))

    def select(self, message_id: str) -> None:
        """Open the branch that runs through a message."""
        self.conversation.select(message_id)
        leaf = self.conversation.leaf
        if leaf is not None:
            self._keep(partial(self._store.select, self.conversation.id, leaf.id))

    def add_copy(self, message: Message, text: str, now: float, *, edited: bool) -> Message:
        """Add an answer beside another one, with `text` in its place, to be gone on with. One that was `edited` has no
        figures: nobody counted what a person wrote. What was thought for another text is left out."""
        copy = replace(
            message,
            id=new_id(),
            content=text,
            created_at=now,
            reasoning="" if edited else message.reasoning,
            status=Status.STOPPED,
            usage=Usage() if edited else message.usage,
            timings=Timings() if edited else message.timings,
            finish_reason="",
            problem=None,
            edited=edited or message.edited,
        )
        self.open_answer(copy)
        return copy

    def remove(self, message_id: str) -> Removed:
        """Delete a message with all below it."""
        removed = self._undo.remove(message_id)
        self._keep(partial(self._mark_removed, self.conversation.id, message_id, False))
        return removed

    def forget(self, message_id: str) -> None:
        """Take out an answer of which nothing came, or a question that was never sent; undo does not bring it back."""
        self.conversation.remove(message_id)
        self._keep(partial(self._mark_removed, self.conversation.id, message_id, True))

    def _mark_removed(self, chat_id: str, message_id: str, for_good: bool) -> None:
        self._store.remove_messages(chat_id, (message_id,), for_good=for_good)

    def undo_delete(self) -> Removed | None:
        """Undo the last deletion that was not undone yet; None if there is none."""
        removed = self._undo.undo_delete()
        if removed is not None:
            chat_id = self.conversation.id
            self._keep(partial(self._store.restore_messages, chat_id, removed.ids))
            self.select(removed.messages[0].id)
        return removed

    def branch(self, message_id: str, now: float) -> ChatSession:
        """A new chat with copies of all up to that message, and what is set for this chat."""
        chat = self.conversation
        branch = chat.branch_to(message_id, new_id())
        self._keep(partial(self._add_chat, branch, now))
        session = ChatSession(self._store, self._persistence, branch)
        copies = {old.id: new.id for old, new in zip(chat.path_to(message_id), branch.path(), strict=True)}
        after = copies.get(chat.view.after or "")
        branch.view = replace(chat.view, after=after) if after else EVERYTHING
        branch.system, session.schema = chat.system, self.schema
        return session

    def _add_chat(self, conversation: Conversation, now: float) -> None:
        self._store.add_chat(conversation, now)

    def move(self, now: float) -> None:
        """The chat was deleted in another lokal: go on in a new one, which has all that is here."""
        from tui.chat.moved_chat import moved  # hardly ever needed

        chat = self.conversation
        copy, self._store = moved(chat, self._store)
        chat.id = copy.id
        chat.deleted.clear()  # it stays with the deleted chat, and comes back with that
        self._keep(partial(self._add_chat, copy, now))
        for message in copy:
            if message.status is Status.STREAMING:
                self._keep(partial(self._store.update_message, copy.id, message))

    def whole(self) -> WholeChat:
        """The chat as it is now, and what the list would say of it, for a thread to read."""
        from tui.store.rows import ChatSummary, WholeChat

        chat = self.copy()
        times = [message.created_at for message in chat] or [0.0]
        return WholeChat(chat, ChatSummary(chat.id, chat.title, min(times), max(times), len(chat)))

    @property
    def unsent(self) -> str:
        """The text of the draft that was kept last."""
        return self._draft_kept.text

    def copy(self) -> Conversation:
        """The conversation as it is now, for a thread to read."""
        chat, leaf = self.conversation, self.conversation.leaf
        return Conversation(chat.id, chat.title, tuple(chat), leaf.id if leaf else None)

    def update(self, message: Message) -> None:
        """Replace a message by a newer version of itself."""
        self.conversation.update(message)
        self._keep(partial(self._store.update_message, self.conversation.id, message))

    def checkpoint(self, message_id: str, content: str, reasoning: str) -> None:
        """Queue what came in since the last call."""
        if content or reasoning:
            self._keep(partial(self._store.checkpoint, message_id, content, reasoning))


def _write_together(store: Store | MovedChatStore, writes: tuple[Callable[[], object], ...]) -> None:
    store.write_together("Cannot save the chat", writes)


def whole_chat(queue: WriteQueue, store: Store, chat_id: str) -> WholeChat:
    """A chat with all that was said in it: from memory where not all of it could be written. Raises StoreError."""
    from tui.store.rows import WholeChat

    session = waiting(queue, chat_id)
    return session.whole() if session is not None else WholeChat(store.load(chat_id), store.find(chat_id))


def waiting(persistence: WriteQueue, chat_id: str) -> ChatSession | None:
    """The chat as it is in memory, where not all of it could be written; what is on the disk is then older."""
    owners = persistence.owners() if persistence.problem is not None else ()
    found = (one for one in owners if isinstance(one, ChatSession) and one.conversation.id == chat_id)
    return next(found, None)
