"""A conversation: a tree of messages with one open branch.

Editing a question or asking again makes a sibling; nothing that was said is overwritten. The open branch is given by
the child that each node has selected, from the first message down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tui.core.message import Message, Role

MAX_TITLE = 60


class Conversation:
    """The messages of one chat by id, their order among siblings, and which sibling is open."""

    def __init__(
        self, id: str, title: str = "", messages: Iterable[Message] = (), open_leaf: str | None = None
    ) -> None:
        """`messages` are in the order of their making, parents before children; `open_leaf` is the last message of
        the open branch, None = the newest. Raises ValueError for a message without its parent."""
        self.id = id
        self.title = title
        self._messages: dict[str, Message] = {}
        self._children: dict[str | None, list[str]] = {}
        self._selected: dict[str | None, str] = {}
        for message in messages:
            self._put(message)
        self._open_newest()
        if open_leaf is not None and open_leaf in self._messages:
            self.select(open_leaf)

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages.values())

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    def __getitem__(self, message_id: str) -> Message:
        return self._messages[message_id]

    def path(self) -> tuple[Message, ...]:
        """The open branch, first message first."""
        branch = []
        node = self._selected.get(None)
        while node is not None:
            branch.append(self._messages[node])
            node = self._selected.get(node)
        return tuple(branch)

    def path_to(self, message_id: str) -> tuple[Message, ...]:
        """The messages from the first one to `message_id`, it included."""
        branch = []
        node: str | None = message_id
        while node is not None:
            message = self._messages[node]
            branch.append(message)
            node = message.parent
        return tuple(reversed(branch))

    @property
    def leaf(self) -> Message | None:
        """The last message of the open branch."""
        path = self.path()
        return path[-1] if path else None

    def last_of(self, role: Role) -> Message | None:
        """The last message of the open branch that is of `role`."""
        return next((message for message in reversed(self.path()) if message.role is role), None)

    def add(self, message: Message) -> None:
        """Add a message under its parent and open the branch down to it."""
        self._put(message)
        self.select(message.id)

    def _put(self, message: Message) -> None:
        if message.parent is not None and message.parent not in self._messages:
            raise ValueError(f"message {message.id} has no parent {message.parent}")
        if message.id in self._messages:
            raise ValueError(f"message {message.id} is there already")
        self._messages[message.id] = message
        self._children.setdefault(message.parent, []).append(message.id)

    def _open_newest(self) -> None:
        """Open everywhere the branch down to the newest message, as adding them one by one would have: the newest
        decides first, and what is decided above a message was decided by one that is newer. Linear in the messages."""
        for message_id in reversed(self._messages):
            node: str | None = message_id
            while node is not None:
                parent = self._messages[node].parent
                if parent in self._selected:
                    break
                self._selected[parent] = node
                node = parent

    def update(self, message: Message) -> None:
        """Replace a message that is there already; its place in the tree stays."""
        if self._messages[message.id].parent != message.parent:
            raise ValueError("a message does not move in the tree")
        self._messages[message.id] = message

    def siblings(self, message_id: str) -> tuple[str, ...]:
        """The ids of the messages with the same parent, in the order of their making, this one included."""
        return tuple(self._children[self._messages[message_id].parent])

    def select(self, message_id: str) -> None:
        """Open the branch that runs through `message_id`; below it the branch goes on as it was last open."""
        node: str | None = message_id
        while node is not None:
            parent = self._messages[node].parent
            self._selected[parent] = node
            node = parent


def title_from(text: str) -> str:
    """A title made by rule from the first question: its first line with words in it, cut at a word."""
    line = next((" ".join(part.split()) for part in text.splitlines() if part.strip()), "")
    line = line.lstrip("#>*- ").strip() or line
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    return (cut[: cut.rfind(" ")] if " " in cut[MAX_TITLE // 2 :] else cut).rstrip(" ,;:.-") + "…"
