"""What was taken out of a conversation, and where among the other messages it belongs when it comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.core.message import Message


@dataclass(frozen=True, slots=True)
class Removed:
    """What `Conversation.remove` took out, for `Conversation.restore`.

    `messages` are in the order of their making, the one that was named first. `after` gives for each the message that
    was made before it (None = it was the first); `selected` the open child of its parent and of each of `messages`, as
    pairs of a node and its child.
    """

    messages: tuple[Message, ...]
    after: tuple[str | None, ...]
    selected: tuple[tuple[str | None, str], ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the messages, parents before children."""
        return tuple(message.id for message in self.messages)


def merged(there: Iterable[Message], removed: Removed) -> list[Message]:
    """The messages that are there and those that come back, in the order of their making.

    Each comes after the message that it followed, or at the end where that one is gone, and never before its parent.
    Linear in the messages.
    """
    there = list(there)
    known = {message.id for message in there} | set(removed.ids)
    followers: dict[str | None, list[Message]] = {}
    last = there[-1].id if there else None
    for message, before in zip(removed.messages, removed.after, strict=True):
        anchor = before if before is None or before in known else last
        followers.setdefault(anchor, []).append(message)
    order: list[Message] = []
    waiting: dict[str, list[Message]] = {}
    placed: set[str] = set()
    for each in (None, *there):
        left = [] if each is None else [each]
        if each is None:
            left = followers.pop(None, [])[::-1]
        while left:
            message = left.pop()
            if message.parent is not None and message.parent not in placed:
                waiting.setdefault(message.parent, []).append(message)
                continue
            order.append(message)
            placed.add(message.id)
            left += followers.pop(message.id, [])[::-1]
            left += waiting.pop(message.id, [])[::-1]
    return order
