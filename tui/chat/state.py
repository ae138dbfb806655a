"""What is chosen right now: server, model, preset. Frozen; a change makes a new one, and every pane is given it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from tui.core.commands import key_name, keymap
from tui.core.events import Progress
from tui.core.message import Value
from tui.core.model import Model
from tui.core.parameters import beyond, without
from tui.core.presets import SHIPPED, Preset
from tui.errors import LokalError

if TYPE_CHECKING:
    from tui.servers.choice import Connection


class Link(StrEnum):
    """How lokal stands with a server."""

    SEARCHING = "searching"
    STARTING = "starting"  # the embedded engine or a server loads its model
    CONNECTED = "connected"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Desk:
    """`window` is the context window in tokens that the model is loaded with; `problem` says why there is no
    connection, `engine_missing` why the built-in engine cannot be used either; with `may_guide` a question that finds no
    server goes to the guide; `loads` is who loads its model while `link` is STARTING, empty for the embedded engine;
    `overrides` hold for this run only; `keys` are the keys by command id."""

    link: Link = Link.SEARCHING
    connection: Connection | None = None
    model: str = ""
    window: int | None = None
    presets: tuple[Preset, ...] = SHIPPED
    preset: Preset = SHIPPED[0]
    unsaved: bool = False
    overrides: Mapping[str, Value | None] = field(default_factory=dict)
    problem: LokalError | None = None
    engine_missing: LokalError | None = None
    may_guide: bool = False
    starting: Progress | None = None
    loads: str = ""
    keys: Mapping[str, str] = field(default_factory=lambda: keymap({})[0])

    def key(self, command_id: str) -> str:
        """The key of a command as a person reads it."""
        return key_name(self.keys.get(command_id, ""))

    def values(self) -> dict[str, Value]:
        """The parameters of the preset with this run's overrides."""
        merged: dict[str, Value | None] = {**self.preset.values, **self.overrides}
        return {name: value for name, value in merged.items() if value is not None}

    def sendable(self, values: Mapping[str, Value] | None = None) -> dict[str, Value]:
        """The parameters, or `values`, without those that the model says it cannot."""
        values = self.values() if values is None else values
        return without(values, beyond(values, self.model_info))

    @property
    def model_info(self) -> Model | None:
        """What the server says of the model in use."""
        return self.connection.model(self.model) if self.connection is not None else None

    def with_edited(self, preset: Preset) -> Desk:
        """The same desk with values of `preset` changed: in the list, and in use only if it is the one in use, which it
        may be no longer when the change is heard of."""
        if preset.name == self.preset.name:
            return self.with_preset(preset, unsaved=True)
        return replace(self.with_preset(preset), preset=self.preset, unsaved=self.unsaved)

    def with_preset(self, preset: Preset, *, unsaved: bool = False) -> Desk:
        """The same desk with `preset` in use, also in the list."""
        presets = tuple(preset if other.name == preset.name else other for other in self.presets)
        return replace(self, preset=preset, presets=presets, unsaved=unsaved)
