"""What workers post to the app. All of it is frozen once it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.core.endpoint import Endpoint
from tui.core.events import Progress
from tui.core.presets import Preset
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.servers.connect import Connection


class Connected(Message):
    """A server answers; `model` is the one to start with, `window` its loaded context window in tokens. `refreshed` =
    the server was connected already and only its models were asked for anew; `asked` = the person asked for it, and is
    told what came of it."""

    def __init__(
        self,
        connection: Connection,
        model: str,
        window: int | None,
        *,
        refreshed: bool = False,
        asked: bool = False,
    ) -> None:
        super().__init__()
        self.refreshed = refreshed
        self.asked = asked
        self.connection = connection
        self.model = model
        self.window = window


class NotConnected(Message):
    """No server answers, or the engine did not start. `engine_missing` is why the built-in engine is no way on, None
    if it is; `searched` = no certain server was asked for; `kept` = what there was before is as it was; `text` is the
    command that asked for it, to be changed, empty for none; `asked` as in `Connected`."""

    def __init__(
        self,
        problem: LokalError,
        engine_missing: LokalError | None = None,
        *,
        searched: bool = False,
        kept: bool = False,
        text: str = "",
        asked: bool = False,
    ) -> None:
        self.asked = asked
        self.kept = kept
        self.text = text
        super().__init__()
        self.problem = problem
        self.engine_missing = engine_missing
        self.searched = searched


@dataclass
class ServerAppeared(Message):
    """While there is none, it was looked whether a server has come up: this one; None = there is none still, or again."""

    endpoint: Endpoint | None


class EngineProgress(Message):
    """The embedded engine is loading its model."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self.progress = progress


@dataclass
class ServerLoads(Message):
    """The server that is to be talked to is still loading its model, and is waited for; `who` is its kind and place."""

    who: str


class WindowKnown(Message):
    """The context window that a model is loaded with, in tokens."""

    def __init__(self, model: str, window: int | None) -> None:
        super().__init__()
        self.model = model
        self.window = window


class StoreOpened(Message):
    """The chats can be read and written; `note` is to be told, empty for none."""

    def __init__(self, session: ChatSession, history: Sequence[str], note: str = "") -> None:
        super().__init__()
        self.session = session
        self.history = history
        self.note = note


@dataclass
class StoreRenewed(Message):
    """Another database has taken the place of one that was damaged or gone; `text` says what of it was kept."""

    text: str


class PresetSaved(Message):
    """A preset is in its file."""

    def __init__(self, preset: Preset, path: Path) -> None:
        super().__init__()
        self.preset = preset
        self.path = path


class Trouble(Message):
    """Something failed that is not an answer."""

    def __init__(self, error: LokalError) -> None:
        super().__init__()
        self.error = error
