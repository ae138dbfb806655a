"""What the Models tab asks for, and what it is shown beside the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tui.core.model import Model
from tui.core.model_actions import ModelActions
from tui.core.model_management import RunningModel
from tui.models.pull import Pull
from tui.ui.messages import PaneMessage


@dataclass(frozen=True, slots=True)
class ModelsStatus:
    """What goes on with models. `busy` says of a model by its name what is being done with it, `running` is what is in memory
    where the server tells more of it than the list does, `pulls` are the downloads in their order, `actions` what this server
    can do. `models` are all that the server has, also such as cannot be asked now; None while only the list of the connection
    is known."""

    busy: Mapping[str, str] = field(default_factory=dict)
    running: tuple[RunningModel, ...] = ()
    pulls: tuple[Pull, ...] = ()
    actions: ModelActions = ModelActions()
    models: tuple[Model, ...] | None = None


@dataclass(eq=False, repr=False)
class ModelsShown(PaneMessage):
    """The tab is there, and wants to know what goes on."""


@dataclass(eq=False, repr=False)
class ModelRested(PaneMessage):
    """The cursor rests on a model of which all is to be shown beside the list."""

    model: Model


@dataclass(eq=False, repr=False)
class ModelCommandGiven(PaneMessage):
    """A key of the tab. `model` is the name of the one that it is about, empty for none; `argument` is what was typed: the name
    of a copy or of a download; `sure` = the person was asked. `models` are those that are
    marked, or the one alone."""

    id: str
    model: str = ""
    argument: str = ""
    sure: bool = False
    models: tuple[str, ...] = ()


@dataclass(eq=False, repr=False)
class PullCommandGiven(PaneMessage):
    """A key about the download with the id `pull`."""

    id: str
    pull: str
