"""What workers post to the app. All of it is frozen once it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
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


@dataclass
class Connected(Message):
    """A server answers; `model` is the one to start with, `window` its loaded context window in tokens. `refreshed` =
    the server was connected already and only its models were asked for anew; `asked` = the person asked for it, and is
    told what came of it."""

    connection: Connection
    model: str
    window: int | None
    _: KW_ONLY
    refreshed: bool = False
    asked: bool = False


@dataclass
class NotConnected(Message):
    """No server answers, or the engine did not start. `engine_missing` is why the built-in engine is no way on, None
    if it is; `searched` = no certain server was asked for; `kept` = what there was before is as it was; `text` is the
    command that asked for it, to be changed, empty for none; `asked` as in `Connected`."""

    problem: LokalError
    engine_missing: LokalError | None = None
    _: KW_ONLY
    searched: bool = False
    kept: bool = False
    text: str = ""
    asked: bool = False


@dataclass
class ServerAppeared(Message):
    """While there is none, it was looked whether a server has come up: this one; None = there is none still, or again."""

    endpoint: Endpoint | None


@dataclass
class EngineProgress(Message):
    """The embedded engine is loading its model."""

    progress: Progress


@dataclass
class ServerLoads(Message):
    """The server that is to be talked to is still loading its model, and is waited for; `who` is its kind and place."""

    who: str


@dataclass
class WindowKnown(Message):
    """The context window that a model is loaded with, in tokens."""

    model: str
    window: int | None


@dataclass
class StoreOpened(Message):
    """The chats can be read and written; `note` is to be told, empty for none."""

    session: ChatSession
    history: Sequence[str]
    note: str = ""


@dataclass
class StoreRenewed(Message):
    """Another database has taken the place of one that was damaged or gone; `text` says what of it was kept."""

    text: str


@dataclass
class PresetSaved(Message):
    """A preset is in its file."""

    preset: Preset
    path: Path


@dataclass
class Trouble(Message):
    """Something failed that is not an answer."""

    error: LokalError


# -- what the panes say that are made when they are first opened ------------------------------------------------------


@dataclass
class ModelChosen(Message):
    """Enter on a model of the list."""

    name: str


@dataclass
class ModelsRefreshWanted(Message):
    """The list of models is to be asked for again."""


@dataclass
class ModelsLeft(Message):
    """The person goes back from the models to the chat."""


@dataclass
class PresetEdited(Message):
    """The preset has a new value."""

    preset: Preset


@dataclass
class SettingsLeft(Message):
    """The person goes back from the settings to the chat."""


# -- what the terminal says -------------------------------------------------------------------------------------------


@dataclass
class TerminalGone(Message):
    """The terminal was closed."""


@dataclass
class BackgroundKnown(Message):
    """The terminal said what its background colour is: red, green, blue, 0 to 255 each."""

    background: tuple[int, int, int]
