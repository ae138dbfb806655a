"""A prompt that is not sent yet: it is being checked, or does not fit, and the person is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui.core.message import Attachment, Message

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tui.chat.context_check import Measure
    from tui.chat.state import ClientState


@dataclass(frozen=True, slots=True)
class AnswerJob:
    """An answer that is to be asked for: `blank` is filled, or continued (`resume`); the question before it is on the disk
    when `durable` is done. `state` is what it is asked with, None = what holds when it is asked."""

    blank: Message
    durable: Future[bool] | None = None
    resume: bool = False
    state: ClientState | None = None


@dataclass(slots=True, eq=False)
class PendingPrompt:
    """What is not sent yet: the branch down to its question, or to the answer that is continued (`resume`), and what it is
    asked with. `send` sends it, `take_back` undoes it.

    `unasked` = the question is not in the chat yet: `marked` is then its text with its pieces (`tui.core.paste_folds`), and
    `attachments` go with it; with `command` that text is a slash command. `unsent` = the question is in the chat, but goes
    back into the composer: no server was asked it, or the one that was has refused it (`tried`)."""

    path: Sequence[Message]
    state: ClientState
    send: Callable[[], None]
    take_back: Callable[[], None]
    resume: bool = False
    unasked: bool = False
    unsent: bool = False
    marked: str = ""
    attachments: tuple[Attachment, ...] = ()
    command: bool = False
    tried: bool = False
    measure: Measure | None = None

    @property
    def asked_of(self) -> Sequence[ClientState]:
        """Whom it is asked of, and with what."""
        return (self.state,)


@dataclass(slots=True, eq=False)
class PendingComparison(PendingPrompt):
    """A prompt that is asked of several at once, with each of `states`. `others` = there are such besides, of whom nothing is
    known yet. `whose` names those whom it does not fit, where others can be asked; `spares` = those are not asked."""

    states: Sequence[ClientState] = field(default_factory=tuple)
    others: bool = False
    whose: str = ""
    spares: bool = False

    @property
    def asked_of(self) -> Sequence[ClientState]:
        """Whom it is asked of, and with what."""
        return self.states
