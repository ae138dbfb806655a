"""The chat that is open: its tree in memory and the same tree in the store."""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from tui.core.conversation import Conversation, title_from
from tui.core.message import Message, Role, new_id
from tui.ui.persistence import Persistence

if TYPE_CHECKING:
    from tui.store.store import Store


class ChatSession:
    """Every change is made in memory at once and queued for the store in the same order."""

    def __init__(
        self, store: Store, persistence: Persistence, conversation: Conversation | None = None
    ) -> None:
        self._store = store
        self._persistence = persistence
        self._stored = conversation is not None
        self.conversation = conversation or Conversation(new_id())

    def ask(self, text: str, now: float) -> tuple[Message, Future[bool]]:
        """Add a question under the end of the open branch. The future ends when it is durable, False = it could not be
        written."""
        leaf = self.conversation.leaf
        question = Message(new_id(), leaf.id if leaf else None, Role.USER, text, now)
        self.conversation.add(question)
        chat = self.conversation
        if not self._stored:
            chat.title = title_from(text)
            self._persistence.submit(partial(self._store.create_chat, chat.id, chat.title, now))
            self._stored = True
        return question, self._persistence.submit(partial(self._store.add_message, chat.id, question))

    def open_answer(self, answer: Message) -> None:
        """Write down an answer that is about to come in: a new one, or one that is tried again or continued."""
        if answer.id in self.conversation:
            self.update(answer)
            return
        self.conversation.add(answer)
        self._persistence.submit(partial(self._store.add_message, self.conversation.id, answer))

    def update(self, message: Message) -> None:
        """Replace a message by a newer version of itself."""
        self.conversation.update(message)
        self._persistence.submit(partial(self._store.update_message, self.conversation.id, message))

    def checkpoint(self, message_id: str, content: str, reasoning: str) -> None:
        """Queue what came in since the last call."""
        if content or reasoning:
            self._persistence.submit(partial(self._store.checkpoint, message_id, content, reasoning))
