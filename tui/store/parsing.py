"""Taking values out of somebody else's JSON: each has the type that it must have, or the error says which one has not."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tui.core.conversation import Conversation, title_from
from tui.core.message import Message, Role
from tui.store.rows import ChatSummary, WholeChat

_LATEST_S = 253_402_214_400.0  # the last day of the year 9999 begins, wherever one is
_MOST = 2**53  # beyond it a number is no whole one for everybody
_MILLISECONDS_S = 1e11  # a moment in seconds beyond this is one in milliseconds


class Unfit(Exception):
    """A value that makes no sense. The text says where and what, without the file."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a parsed JSON document, and where in it."""

    raw: Any
    where: str

    def __getitem__(self, name: str) -> Value:
        """A member of an object; one that is not there is null."""
        return Value(self.members().get(name), f"{self.where}, {name}" if self.where else name)

    def members(self) -> Mapping[str, Any]:
        """The object. Raises Unfit for anything else."""
        if not isinstance(self.raw, dict):
            raise self.unfit("is no object")
        return self.raw

    def objects(self) -> dict[str, Value]:
        """An object of values, by name."""
        return {name: Value(raw, f"{self.where} {name}") for name, raw in self.members().items()}

    def items(self) -> list[Value]:
        """The members of a list; null is an empty one."""
        if self.raw is None:
            return []
        if not isinstance(self.raw, list):
            raise self.unfit("is no list")
        return [Value(raw, f"{self.where} {number}") for number, raw in enumerate(self.raw, 1)]

    def text(self, default: str | None = None) -> str:
        """A text; null is the default, if there is one."""
        if self.raw is None and default is not None:
            return default
        if not isinstance(self.raw, str):
            raise self.unfit("is no text")
        return self.raw

    def number(self, default: float) -> float:
        """A finite number; anything else is the default."""
        raw = self.raw
        is_number = isinstance(raw, int | float) and not isinstance(raw, bool)
        try:
            return float(raw) if is_number and math.isfinite(raw) else default
        except OverflowError:
            return default

    def moment(self, default: float) -> float:
        """Seconds since the epoch, from seconds, milliseconds or ISO 8601; what is no moment is the default."""
        if isinstance(self.raw, str):
            try:
                moment = datetime.fromisoformat(self.raw)
                seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
            except (ValueError, OverflowError):
                return default
        else:
            seconds = self.number(default)
            if seconds > _MILLISECONDS_S:
                seconds /= 1000
        return seconds if 0 < seconds <= _LATEST_S else default

    def seconds(self, default: float) -> float:
        """Seconds since the epoch to the last digit, put into the years from 1970 to 9999; no number is the default."""
        return min(max(self.number(default), 0.0), _LATEST_S)

    def count(self) -> int | None:
        """A number of tokens; None for anything else."""
        raw = self.raw
        return raw if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= _MOST else None

    def unfit(self, what: str) -> Unfit:
        """The error for this value."""
        return Unfit(f"{self.where or 'The document'} {what}")


@dataclass(frozen=True, slots=True)
class Node:
    """A message of a foreign tree under its own id; `message` is None for a node that is not shown."""

    id: str
    parent: str | None
    message: Message | None
    where: str = ""


def stable_id(*parts: str) -> str:
    """An id as lokal makes them, always the same for the same foreign ids: a file that is read twice gives one chat."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def as_listed(nodes: list[Node], children: dict[str, Value]) -> list[Node]:
    """The nodes with the children of each in the order in which their parent lists them, by the parent's id."""
    places: dict[str, int] = {}
    for listed in children.values():
        for child in listed.items():
            places.setdefault(child.text(), len(places))
    return sorted(nodes, key=lambda node: places.get(node.id, len(places)))


def in_order(nodes: list[Node]) -> tuple[list[Message], dict[str, str | None]]:
    """The messages of a tree, parents before children, and for each node the id of the message that it shows.

    A message whose parent is not shown hangs on the nearest one above that is. What is said for a node that is not
    shown is the message above it. Raises Unfit for a node without its parent and for a circle.
    """
    by_id = {node.id: node for node in nodes}
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        if node.parent is not None and node.parent not in by_id:
            raise Unfit(f"{node.where or node.id} has a parent that is not there: {node.parent}")
        children.setdefault(node.parent, []).append(node)
    messages: list[Message] = []
    shown: dict[str, str | None] = {}
    left = children.get(None, [])[::-1]
    while left:
        node = left.pop()
        above = None if node.parent is None else shown[node.parent]
        if node.message is None:
            shown[node.id] = above
        else:
            messages.append(_under(node.message, above))
            shown[node.id] = node.message.id
        left += children.get(node.id, [])[::-1]
    if len(shown) < len(by_id):
        lost = next(node for node in nodes if node.id not in shown)
        raise Unfit(f"{lost.where or lost.id} is its own ancestor")
    return messages, shown


def whole_chat(
    id: str,
    title: str,
    nodes: list[Node],
    current: str,
    created_at: float,
    updated_at: float = 0.0,
    pinned: bool = False,
    archived: bool = False,
) -> WholeChat | None:
    """A chat of the messages of a foreign tree; None when not one of them is shown. One without a title gets that of its
    first question, as one that is begun in lokal does."""
    messages, shown = in_order(nodes)
    if not messages:
        return None
    if not title.strip():
        first_question = next((each for each in messages if each.role is Role.USER), messages[0])
        title = title_from(first_question.content)
    conversation = Conversation(id, title, messages, shown.get(current))
    first = created_at or min(message.created_at for message in messages)
    last = max(updated_at, first, *(message.created_at for message in messages))
    summary = ChatSummary(id, title, first, last, len(conversation), pinned, archived)
    return WholeChat(conversation, summary)


def _under(message: Message, parent: str | None) -> Message:
    return message if message.parent == parent else replace(message, parent=parent)
