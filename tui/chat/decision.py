"""A question that lokal asks the person, with the ways on: plain data that every front end shows in its own way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DecisionOption:
    """One way on: the command that does it, with its argument, and what it does. Where it cannot be done `why_not` says why.
    `brief` says the same in fewer words, for a small screen."""

    command_id: str
    text: str = ""
    why_not: str = ""
    brief: str = ""
    argument: str = ""

    @property
    def id(self) -> str:
        """Tells the options of a decision apart."""
        return f"{self.command_id} {self.argument}".strip()


@dataclass(frozen=True, slots=True)
class Decision:
    """A question with its ways on. `detail` is said under the title, a paragraph for each of its lines, `brief` in its place on a
    small screen. `typed` says what is made of what is typed meanwhile; `calm` = nothing went wrong."""

    title: str
    detail: str = ""
    options: tuple[DecisionOption, ...] = ()
    brief: str = ""
    typed: str = "your next question"
    calm: bool = False
