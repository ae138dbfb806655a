"""Deleting messages of a conversation so that each deletion can be taken back, the last one first."""

from __future__ import annotations

from tui.core.conversation import Conversation
from tui.core.removal import Removed


class Undo:
    """What was deleted from one conversation and did not come back yet, also before the conversation was opened: it is
    kept as `Conversation.deleted`.

    In between anything may happen to the conversation: what comes back finds its place among what was added since.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def __len__(self) -> int:
        return len(self._conversation.deleted)

    def remove(self, message_id: str) -> Removed:
        """Delete a message with all below it. Raises KeyError for one that is not there."""
        removed = self._conversation.remove(message_id)
        self._conversation.deleted.append(removed)
        return removed

    def undo_delete(self) -> Removed | None:
        """Take the last deletion back, and open what was open then; None if there is none.

        The last one always fits: whatever it hung on can only have been deleted before it, and so comes back after it.
        """
        deleted = self._conversation.deleted
        if not deleted:
            return None
        removed = deleted[-1]
        self._conversation.restore(removed)
        deleted.pop()
        return removed
