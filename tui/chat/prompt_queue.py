"""Prompts that wait for the answer before them."""

from __future__ import annotations

from dataclasses import dataclass

from tui.core.message import Attachment


@dataclass(frozen=True, slots=True)
class QueuedPrompt:
    """What is to be asked; `marked` is the text with its pieces (`tui.core.paste_folds`)."""

    marked: str
    attachments: tuple[Attachment, ...] = ()


class PromptQueue:
    """First in, first asked. It is `held` after an answer that is not whole, until the person says so: nothing is asked
    that might no longer be meant."""

    def __init__(self) -> None:
        self.prompts: tuple[QueuedPrompt, ...] = ()
        self.held = False

    def __len__(self) -> int:
        return len(self.prompts)

    def add(self, prompt: QueuedPrompt) -> None:
        """Put a prompt at the end."""
        self.prompts += (prompt,)

    def hold(self) -> None:
        """Ask nothing until `release`."""
        self.held = bool(self.prompts)

    def release(self) -> None:
        """The person wants them asked."""
        self.held = False

    def take_next(self) -> QueuedPrompt | None:
        """The prompt whose turn it is; None if none waits, or all are held."""
        if not self.prompts or self.held:
            return None
        first, *others = self.prompts
        self.prompts = tuple(others)
        return first

    def take_back(self) -> QueuedPrompt | None:
        """The prompt that was queued last."""
        if not self.prompts:
            return None
        *others, last = self.prompts
        self.prompts = tuple(others)
        self.held = self.held and bool(others)
        return last

    def clear(self) -> None:
        """Nothing waits any more."""
        self.prompts, self.held = (), False
