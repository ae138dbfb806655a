"""What workers post to the app. All of it is frozen once it is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from tui.core.presets import Preset
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.chat.chat_file_service import TitleWish
    from tui.chat.connections import ConnectionEvent
    from tui.chat.session import ChatSession


class ServiceMessage(Message):
    """What a service has to say to the app."""


@dataclass(eq=False, repr=False)
class ServerHeard(Message):
    """Something is known of the servers."""

    event: ConnectionEvent


@dataclass(eq=False, repr=False)
class StoreOpened(ServiceMessage):
    """The chats can be read and written; `note` is to be told, empty for none."""

    session: ChatSession
    history: Sequence[str]
    note: str = ""


@dataclass(eq=False, repr=False)
class StoreRenewed(ServiceMessage):
    """Another database has taken the place of one that was damaged or gone; `text` says what of it was kept."""

    text: str


@dataclass(eq=False, repr=False)
class PresetSaved(ServiceMessage):
    """A preset is in its file."""

    preset: Preset
    path: Path


@dataclass(eq=False, repr=False)
class Trouble(ServiceMessage):
    """Something failed that is not an answer."""

    error: LokalError


@dataclass(eq=False, repr=False)
class Told(ServiceMessage):
    """Something was done."""

    text: str
    tone: str = "muted"


@dataclass(eq=False, repr=False)
class NotDone(ServiceMessage):
    """Something was not done. `text` is the command, to be changed, empty for none; `sure` = typed once more it is done in
    any case."""

    error: LokalError
    text: str
    _: KW_ONLY
    sure: bool = False


@dataclass(eq=False, repr=False)
class Titled(ServiceMessage):
    """A model has made the title that was wished for."""

    wish: TitleWish
    title: str


# -- what the panes say that are made when they are first opened ------------------------------------------------------


class PaneMessage(Message):
    """What the pane of a tab asks the app for."""


@dataclass(eq=False, repr=False)
class ModelChosen(PaneMessage):
    """Enter on a model of the list."""

    name: str


@dataclass(eq=False, repr=False)
class CommandWanted(PaneMessage):
    """A key of the pane is for a command of the app, which is named by its id."""

    id: str


@dataclass(eq=False, repr=False)
class PresetCommandGiven(PaneMessage):
    """A key of the Settings tab about the preset in use: the `verb` is what follows `/preset`, or `earlier`, `later`."""

    verb: str


@dataclass(eq=False, repr=False)
class PresetEdited(PaneMessage):
    """The preset has a new value."""

    preset: Preset


# -- what the terminal says -------------------------------------------------------------------------------------------


class TerminalMessage(Message):
    """What the terminal's driver has heard."""


@dataclass(eq=False, repr=False)
class TerminalGone(TerminalMessage):
    """The terminal was closed."""


@dataclass(eq=False, repr=False)
class BackgroundKnown(TerminalMessage):
    """The terminal said what its background colour is: red, green, blue, 0 to 255 each."""

    background: tuple[int, int, int]
