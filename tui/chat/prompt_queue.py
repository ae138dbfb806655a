"""Questions that wait for the answer before them."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.message import Attachment


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be asked; `marked` is the text with its pieces (`tui.core.pasted`)."""

    marked: str
    attachments: tuple[Attachment, ...] = ()


class PromptQueue:
    """First in, first asked. It is `held` after an answer that is not whole, until the person says so: nothing is asked
    that might no longer be meant."""

    def __init__(self) -> None:
        self.questions: tuple[Question, ...] = ()
        self.held = False

    def __len__(self) -> int:
        return len(self.questions)

    def add(self, question: Question) -> None:
        """Put a question at the end."""
        self.questions += (question,)

    def hold(self) -> None:
        """Ask nothing until `let_go`."""
        self.held = bool(self.questions)

    def let_go(self) -> None:
        """The person wants them asked."""
        self.held = False

    def take_next(self) -> Question | None:
        """The question whose turn it is; None if none waits, or all are held."""
        if not self.questions or self.held:
            return None
        first, *others = self.questions
        self.questions = tuple(others)
        return first

    def take_back(self) -> Question | None:
        """The question that was put in line last."""
        if not self.questions:
            return None
        *others, last = self.questions
        self.questions = tuple(others)
        self.held = self.held and bool(others)
        return last

    def clear(self) -> None:
        """Nothing waits any more."""
        self.questions, self.held = (), False
