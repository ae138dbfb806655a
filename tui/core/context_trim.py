"""What the model sees of a branch: all of it, or what is behind the part that was left out to fit the context window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tui.core.message import Message, Value

SUMMARY_HEAD = "Summary of the conversation so far, whose beginning is not repeated here:"
"""Stands over the summary where a model reads it."""

LEFT_OUT, SUMMARY = "left_out_to", "summary"
"""Under these names an answer's parameters record what its model did not see and was told instead."""


@dataclass(frozen=True, slots=True)
class ContextTrim:
    """The model sees what comes behind the message `after`, None = everything, and `summary` in place of what comes
    before. It holds for each branch that runs through `after` and means nothing for any other."""

    after: str | None = None
    summary: str = ""

    def cut(self, path: Sequence[Message]) -> int:
        """How many messages at the start of `path` the model does not see."""
        if self.after is None:
            return 0
        return next((at + 1 for at, message in enumerate(path) if message.id == self.after), 0)

    def seen(self, path: Sequence[Message]) -> Sequence[Message]:
        """The messages of `path` that the model sees."""
        return path[self.cut(path) :]

    def system(self, path: Sequence[Message], system: str) -> str:
        """The system prompt with the summary of what is left out of `path`. It is one turn, and the first: many chat
        templates know no other place for one."""
        if not self.summary or not self.cut(path):
            return system
        return "\n\n".join(part for part in (system.strip(), f"{SUMMARY_HEAD}\n{self.summary}") if part)

    def recorded(self, path: Sequence[Message]) -> Mapping[str, Value]:
        """What an answer to the end of `path` records of it."""
        if self.after is None or not self.cut(path):
            return {}
        return {LEFT_OUT: self.after, **({SUMMARY: self.summary} if self.summary else {})}


EVERYTHING = ContextTrim()
"""Nothing is left out."""


def view_of(answer: Message | None) -> ContextTrim:
    """What the model of an answer saw: a chat that is opened goes on so."""
    after = answer.parameters.get(LEFT_OUT) if answer is not None else None
    if answer is None or not isinstance(after, str):
        return EVERYTHING
    summary = answer.parameters.get(SUMMARY, "")
    return ContextTrim(after, summary if isinstance(summary, str) else "")
