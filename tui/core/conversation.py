"""A conversation: a tree of messages with one open branch.

Editing a question or asking again makes a sibling; nothing that was said is overwritten. The open branch is given by
the child that each node has selected, from the first message down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from tui.core.context_trim import EVERYTHING
from tui.core.message import Message, Role, Status, new_id
from tui.core.removal import Removed, merged
from tui.core.text import cut_at_word

MAX_TITLE = 60
_NUMBERED = re.compile(r"(.+) \(([1-9][0-9]?)\)", re.DOTALL)


class Conversation:
    """The messages of one chat by id, their order among siblings, and which sibling is open."""

    def __init__(
        self, id: str, title: str = "", messages: Iterable[Message] = (), open_leaf: str | None = None
    ) -> None:
        """`messages` are in the order of their making, parents before children; `open_leaf` is the last message of
        the open branch, None = the newest. Raises ValueError for a message without its parent."""
        self.id = id
        self.title = title
        self.view = EVERYTHING
        """What the model sees of the open branch; no part of the tree."""
        self.system = ""
        """The chat's own system prompt, which goes before the preset's; no part of the tree."""
        self.deleted: list[Removed] = []
        """What can still come back, in the order of its deletion; no part of the tree. See `tui.core.undo`."""
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

    def below(self, message_id: str) -> tuple[str, ...]:
        """The ids of `message_id` and all messages below it, in the order of their making."""
        found, left = {message_id}, [message_id]
        while left:
            children = self._children.get(left.pop(), ())
            found.update(children)
            left.extend(children)
        return tuple(each for each in self._messages if each in found)

    def remove(self, message_id: str) -> Removed:
        """Take a message out with all below it; where it was open, the sibling before it is, or else the one after.

        Raises KeyError for a message that is not there."""
        parent = self._messages[message_id].parent
        gone = self.below(message_id)
        before = dict(zip(self._messages, (None, *self._messages), strict=False))
        selected = [(node, self._selected[node]) for node in (parent, *gone) if node in self._selected]
        removed = Removed(
            tuple(self._messages[each] for each in gone),
            tuple(before[each] for each in gone),
            tuple(selected),
        )
        siblings = self._children[parent]
        place = siblings.index(message_id)
        siblings.remove(message_id)
        if self._selected.get(parent) == message_id:
            del self._selected[parent]
            if siblings:
                self._selected[parent] = siblings[max(0, place - 1)]
        if not siblings:
            del self._children[parent]
        for each in gone:
            del self._messages[each]
            self._children.pop(each, None)
            self._selected.pop(each, None)
        return removed

    def restore(self, removed: Removed) -> None:
        """Put back what `remove` took out, where it was and as it was open. When what was done since is undone in
        reverse the tree is the very same. Raises ValueError when the parent is not there, or a message is already."""
        top = removed.messages[0]
        if top.parent is not None and top.parent not in self._messages:
            raise ValueError(f"message {top.id} has no parent {top.parent}")
        if any(message.id in self._messages for message in removed.messages):
            raise ValueError("a message is there already")
        self._messages = {message.id: message for message in merged(self, removed)}
        self._children = {}
        for message in self:
            self._children.setdefault(message.parent, []).append(message.id)
        self._selected.update(removed.selected)

    def branch_to(self, message_id: str, new_chat_id: str) -> Conversation:
        """A new conversation with copies of the messages from the first one to `message_id`: other ids and a title with
        a number, all else the same. An answer that is still coming is interrupted in the copy, where nobody goes on
        writing it."""
        branch = Conversation(new_chat_id, numbered_title(self.title))
        parent: str | None = None
        for message in self.path_to(message_id):
            status = Status.INTERRUPTED if message.status is Status.STREAMING else message.status
            copy = replace(message, id=new_id(), parent=parent, status=status)
            branch.add(copy)
            parent = copy.id
        return branch

    def fingerprint(self) -> tuple[object, ...]:
        """All there is to know of the tree: equal for trees with the same messages, order, siblings and open branches."""
        children = {node: tuple(children) for node, children in self._children.items()}
        return self.id, self.title, tuple(self._messages.items()), children, dict(self._selected)


def numbered_title(title: str) -> str:
    """The title of a chat that was branched off: `Title (2)` from `Title`, `Title (3)` from that. What has more than
    two digits is no such number but a year, say."""
    numbered = _NUMBERED.fullmatch(title)
    name, number = (numbered[1], int(numbered[2])) if numbered else (title, 1)
    return f"{name} ({number + 1})" if name else ""


def title_from(text: str) -> str:
    """A title made by rule from the first question: its first line with words in it, cut at a word."""
    line = next((" ".join(part.split()) for part in text.splitlines() if part.strip()), "")
    return cut_at_word(line.lstrip("#>*- ").strip() or line, MAX_TITLE)
