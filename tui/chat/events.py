"""What the chat controller tells its front end. The front end shows it: the app as widgets, plain mode as lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.chat.decision import Decision
from tui.core.draft import Draft
from tui.core.message import Message
from tui.core.presets import Preset
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.chat.answer_stream import AnswerStream
    from tui.chat.session import ChatSession
    from tui.chat.state import ModelSettings
    from tui.chat.summary_run import SummaryRun


@dataclass(slots=True, eq=False)
class StateChanged:
    """What runs, what waits, or what is used of the context window has changed."""


@dataclass(slots=True, eq=False)
class Notice:
    """Something to be said. `tone` is `muted`, `accent`, `second`, `warning` or `error`."""

    text: str
    tone: str = "muted"


@dataclass(slots=True, eq=False)
class SessionLeft:
    """Another chat is about to be opened; the draft of the one before is on its way to the disk."""


@dataclass(slots=True, eq=False)
class SessionOpened:
    """A chat is open: all of it is to be shown."""

    session: ChatSession


@dataclass(slots=True, eq=False)
class BranchChanged:
    """The open branch is another one, or has other messages."""


@dataclass(slots=True, eq=False)
class QuestionAsked:
    """A question is in the chat, at the end of the open branch."""

    question: Message


@dataclass(slots=True, eq=False)
class AnswerRequested:
    """The person wants an answer: the end of the chat is where it will come."""


@dataclass(slots=True, eq=False)
class AnswerStarted:
    """An answer is asked for, or waits for a server: it is to be shown as coming."""

    stream: AnswerStream


@dataclass(slots=True, eq=False)
class AnswerAdvanced:
    """There is something new of an answer. Told at the pace that the front end wants; of many that wait one will do."""

    stream: AnswerStream


@dataclass(slots=True, eq=False)
class AnswerFinished:
    """An answer has ended, in whatever way; `message` is what it has become."""

    stream: AnswerStream
    message: Message


@dataclass(slots=True, eq=False)
class DecisionNeeded:
    """The person is to choose; None = there is nothing to choose any more."""

    decision: Decision | None


@dataclass(slots=True, eq=False)
class SummaryStarted:
    """The model writes a summary of what does not fit."""

    run: SummaryRun


@dataclass(slots=True, eq=False)
class SummaryAdvanced:
    """There is something new of a summary. Of many that wait one will do."""

    run: SummaryRun


@dataclass(slots=True, eq=False)
class PromptReturned:
    """A prompt was not asked after all: its text (in marked form, see `tui.core.paste_folds`) goes back where it was written."""

    marked: str


@dataclass(slots=True, eq=False)
class PromptRecorded:
    """A prompt was sent or put in the queue: it belongs into the prompt history. `marked` as in `PromptReturned`."""

    marked: str


@dataclass(slots=True, eq=False)
class QueueChanged:
    """Other prompts wait, or other files go along with the next one."""


@dataclass(slots=True, eq=False)
class DraftLoaded:
    """The draft of the open chat was read: its text is to be shown before what was written meanwhile, and the edits that
    were begun are to be gone on with. `key` and `opening` say of which chat, and for which time that it was opened."""

    draft: Draft
    key: str
    opening: int


@dataclass(slots=True, eq=False)
class FilesNotRead:
    """Files that were to go along, as `argument` named them, do not, for that `problem`; `here` = in the open chat."""

    argument: str
    problem: LokalError
    here: bool


@dataclass(slots=True, eq=False)
class ServerWanted:
    """There is a prompt but no server: look again."""


@dataclass(slots=True, eq=False)
class GuideWanted:
    """There is a prompt but no server, and the guide may answer."""


@dataclass(slots=True, eq=False)
class WindowWanted:
    """The person wants a context window of that many tokens (`ClientState.with_window`). The prompt is sent once the
    controller is given a state that has it and is connected; it is taken back where that state has no server."""

    tokens: int


@dataclass(slots=True, eq=False)
class SettingsWanted:
    """The person wants these settings for the next prompt."""

    settings: ModelSettings


@dataclass(slots=True, eq=False)
class PresetSaveWanted:
    """The person wants this preset, which is in use, to be as it is here, and written to its file."""

    preset: Preset


ChatEvent = (
    StateChanged
    | Notice
    | SessionLeft
    | SessionOpened
    | BranchChanged
    | QuestionAsked
    | AnswerRequested
    | AnswerStarted
    | AnswerAdvanced
    | AnswerFinished
    | DecisionNeeded
    | SummaryStarted
    | SummaryAdvanced
    | PromptReturned
    | PromptRecorded
    | QueueChanged
    | DraftLoaded
    | FilesNotRead
    | ServerWanted
    | GuideWanted
    | WindowWanted
    | SettingsWanted
    | PresetSaveWanted
)
