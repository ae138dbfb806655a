"""What is in use: the server, the model, the preset. Frozen; a change makes a new value, and whoever shows it is given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.core.events import Progress
from tui.core.message import Value
from tui.core.model import Model
from tui.core.parameters import beyond, without
from tui.core.presets import SHIPPED, Preset
from tui.errors import LokalError

if TYPE_CHECKING:
    from typing import Self

    from tui.servers.connect import Connection


WINDOW = "context_window"
"""The parameter that a larger window sets for this run."""


class ConnectionStatus(StrEnum):
    """How lokal stands with a server."""

    SEARCHING = "searching"
    STARTING = "starting"  # the embedded engine or a server loads its model
    CONNECTED = "connected"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ServerState:
    """The server. `problem` says why there is no connection, `engine_missing` why the built-in engine cannot be used
    either; with `may_guide` a question that finds no server goes to the guide; `loads` is who loads its model while
    `status` is STARTING, empty for the embedded engine, whose `starting` says how far it is; `asleep` = the embedded engine
    was ended, as nobody used it, and starts again by itself."""

    status: ConnectionStatus = ConnectionStatus.SEARCHING
    connection: Connection | None = None
    problem: LokalError | None = None
    engine_missing: LokalError | None = None
    may_guide: bool = False
    starting: Progress | None = None
    loads: str = ""
    asleep: bool = False


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The model, and what it is asked with. `window` is the context window in tokens that it is loaded with, None = the
    server does not say; `overrides` hold for this run only, and `overrides_before` did before the engine began to load its
    model with a larger window, None = it does not. `preset_chosen` = the person wants the preset that is in use;
    where nobody chose it a model may bring one of its own, and `usual_preset` comes back after it."""

    model: str = ""
    window: int | None = None
    presets: tuple[Preset, ...] = SHIPPED
    preset: Preset = SHIPPED[0]
    unsaved: bool = False
    overrides: Mapping[str, Value | None] = field(default_factory=dict)
    overrides_before: Mapping[str, Value | None] | None = None
    preset_chosen: bool = True
    usual_preset: Preset | None = None

    def chosen(self, preset: Preset) -> ModelSettings:
        """The same with a preset that the person has chosen."""
        return replace(self, preset=preset, preset_chosen=True, usual_preset=None)

    def with_own_preset(self, own: Preset | None) -> ModelSettings:
        """The same with the preset that a model brings, or without one, unless the person has chosen."""
        usual = self.usual_preset or self.preset
        if self.preset_chosen or (own is None and self.usual_preset is None):
            return self
        if own is None:
            return replace(self, preset=usual, usual_preset=None)
        return replace(self, preset=replace(own, system=usual.system), usual_preset=usual)

    def values(self) -> dict[str, Value]:
        """The parameters of the preset with this run's overrides."""
        merged: dict[str, Value | None] = {**self.preset.values, **self.overrides}
        return {name: value for name, value in merged.items() if value is not None}

    def with_edited(self, preset: Preset) -> ModelSettings:
        """The same with values of `preset` changed: in the list, and in use only if it is the one in use, which it may be
        no longer when the change is heard of."""
        if preset.name == self.preset.name:
            return self.with_preset(preset, unsaved=True)
        return replace(self.with_preset(preset), preset=self.preset, unsaved=self.unsaved)

    def with_preset(self, preset: Preset, *, unsaved: bool = False) -> ModelSettings:
        """The same with `preset` in use, also in the list."""
        presets = tuple(preset if other.name == preset.name else other for other in self.presets)
        return replace(self, preset=preset, presets=presets, unsaved=unsaved)


@dataclass(frozen=True, slots=True)
class ClientState:
    """What the next prompt is asked with. Its parts are replaced whole; they can be read through it."""

    server: ServerState = ServerState()
    settings: ModelSettings = field(default_factory=ModelSettings)

    def with_server(self, server: ServerState) -> Self:
        """The same settings with another server, or another state of it."""
        return replace(self, server=server)

    def with_settings(self, settings: ModelSettings) -> Self:
        """The same server with other settings."""
        return replace(self, settings=settings)

    def with_window(self, tokens: int) -> Self:
        """The same with another context window for this run. Ollama takes it with the next question; the built-in engine
        is to load its model anew, and there is no server until it has."""
        embedded = self.connection is not None and self.connection.embedded
        overrides, before = {**self.overrides, WINDOW: tokens}, self.overrides if embedded else None
        settings = replace(self.settings, overrides=overrides, overrides_before=before, window=None)
        server = ServerState(ConnectionStatus.STARTING) if embedded else self.server
        return replace(self, server=server, settings=settings)

    def has_window(self, tokens: int) -> bool:
        """Whether a context window of at least so many tokens is asked for."""
        window = self.values().get(WINDOW)
        return isinstance(window, int) and window >= tokens

    @property
    def status(self) -> ConnectionStatus:
        """How lokal stands with the server."""
        return self.server.status

    @property
    def connection(self) -> Connection | None:
        """The connected server; None while there is none."""
        return self.server.connection

    @property
    def model(self) -> str:
        """The name of the model; empty while none is known."""
        return self.settings.model

    @property
    def window(self) -> int | None:
        """The context window in tokens that the model is loaded with; None = the server does not say."""
        return self.settings.window

    @property
    def presets(self) -> tuple[Preset, ...]:
        """All presets, in their order."""
        return self.settings.presets

    @property
    def preset(self) -> Preset:
        """The preset in use."""
        return self.settings.preset

    @property
    def overrides(self) -> Mapping[str, Value | None]:
        """What was set for this run only; None = the server's default."""
        return self.settings.overrides

    def values(self) -> dict[str, Value]:
        """The parameters of the preset with this run's overrides."""
        return self.settings.values()

    @property
    def model_info(self) -> Model | None:
        """What the server says of the model in use."""
        return self.connection.model(self.model) if self.connection is not None else None

    def sendable(self, values: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """The parameters, or `values`, without those that the model says it cannot."""
        values = self.values() if values is None else values
        return without(values, beyond(values, self.model_info))
