"""Deleting messages of a conversation so that each deletion can be taken back, the last one first."""

from __future__ import annotations

from tui.core.conversation import Conversation
from tui.core.removal import Removed


class Undo:
    """What was deleted from one conversation since it was opened, and did not come back yet. It knows nothing of what was
    deleted before that.

    In between anything may happen to the conversation: what comes back finds its place among what was added since.
    """

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._removed: list[Removed] = []

    def __len__(self) -> int:
        return len(self._removed)

    def remove(self, message_id: str) -> Removed:
        """Delete a message with all below it. Raises KeyError for one that is not there."""
        removed = self._conversation.remove(message_id)
        self._removed.append(removed)
        return removed

    def bring_back(self) -> Removed | None:
        """Take the last deletion back, and open what was open then; None if there is none.

        The last one always fits: whatever it hung on can only have been deleted before it, and so comes back after it.
        """
        if not self._removed:
            return None
        removed = self._removed[-1]
        self._conversation.restore(removed)
        self._removed.pop()
        return removed
