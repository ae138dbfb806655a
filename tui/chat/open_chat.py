"""The open chat as it is now: which chat, what it is doing, and with what the next prompt is asked."""

from __future__ import annotations

from collections.abc import Sequence

from tui.chat import overflow
from tui.chat.activity import (
    Activity,
    AwaitingDecision,
    CheckingContext,
    Idle,
    ReloadingModel,
    Streaming,
    Summarising,
    WaitingForServer,
    pending_of,
    stream_of,
)
from tui.chat.answer_stream import AnswerStream
from tui.chat.context_check import ContextCheck, Measure
from tui.chat.overflow import Overflow
from tui.chat.pending import PendingPrompt
from tui.chat.session import ChatSession
from tui.chat.state import ClientState
from tui.chat.wording import phase_words
from tui.core.message import Message, Role


class OpenChat:
    """Changed only by `ChatController` and its `ContextGate`; everybody may read it."""

    def __init__(self, state: ClientState) -> None:
        self.state = state
        """What the next prompt is asked with."""
        self.session: ChatSession | None = None
        """The open chat; None until the store is open."""
        self.activity: Activity = Idle()
        """What it is doing."""
        self.context_check = ContextCheck()
        """What measures its prompts."""

    @property
    def busy(self) -> bool:
        """Whether a prompt has to wait: an answer is coming in, or another prompt is not sent yet."""
        return not isinstance(self.activity, Idle)

    @property
    def doing(self) -> str:
        """What it is doing, in words; empty for nothing, and while the person is asked."""
        match self.activity:
            case WaitingForServer() | Streaming():
                return phase_words(self.activity.stream.generation)
            case CheckingContext():
                return "counting the tokens"
            case ReloadingModel():
                return "loading the model"
            case Summarising():
                return f"summary: {phase_words(self.activity.run.generation)}"
            case _:
                return ""

    @property
    def pending(self) -> PendingPrompt | None:
        """The prompt that is checked, or that the person is asked about."""
        return pending_of(self.activity)

    @property
    def stream(self) -> AnswerStream | None:
        """The answer that comes in, or waits for a server."""
        return stream_of(self.activity)

    @property
    def overflow(self) -> Overflow | None:
        """What does not fit, where the person is asked about it."""
        activity = self.activity
        return activity.overflow if isinstance(activity, AwaitingDecision | Summarising) else None

    @property
    def choosing(self) -> tuple[str, ...]:
        """The ids of the ways on among which the person is asked to choose; none while there is nothing to choose."""
        found = self.overflow
        options = overflow.decision_for(found).options if found is not None else ()
        return tuple(option.command_id for option in options if not option.why_not)

    def is_coming_in(self, message: Message) -> bool:
        """Whether this is the running answer."""
        return self.stream is not None and self.stream.message.id == message.id

    def whole(self, message: Message) -> Message:
        """The message with all that has come of it by now."""
        stream = self.stream
        return stream.final() if stream is not None and self.is_coming_in(message) else message

    @property
    def last_question(self) -> Message | None:
        return self.session.conversation.last_of(Role.USER) if self.session else None

    @property
    def can_retry(self) -> bool:
        """Whether there is a question that can be asked again."""
        return not self.busy and self.last_question is not None

    @property
    def can_continue(self) -> bool:
        """Whether the last answer can be continued."""
        leaf = self.session.conversation.leaf if self.session else None
        return not self.busy and leaf is not None and leaf.resumable

    @property
    def unanswered(self) -> bool:
        """Whether the open branch ends in a question, and nothing runs that would answer it."""
        leaf = self.session.conversation.leaf if self.session is not None else None
        return leaf is not None and leaf.role is Role.USER and not self.busy

    @property
    def why_held(self) -> str:
        """Why neither another answer nor another branch can be had while a prompt is held; empty if none is. `{stop}` stands
        for how a person stops it."""
        if self.pending is None:
            return ""
        if self.overflow is not None:
            return "Choose first what is done about the question"
        loads = isinstance(self.activity, ReloadingModel)
        return f"{'The model is being loaded' if loads else 'The tokens are being counted'}: {{stop}} ends it"

    def measure(self, path: Sequence[Message], state: ClientState | None = None) -> Measure | None:
        """A branch measured against the context window of whom `state`, or else the next prompt, asks."""
        conversation = self.session.conversation if self.session is not None else None
        return self.context_check.measure(conversation, path, state or self.state)
