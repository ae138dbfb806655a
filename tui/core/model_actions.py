"""What can be done with the models of a server, and why something cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class ModelAction(StrEnum):
    """Something that a server may be able to do with its models; the value completes “cannot ...”."""

    SHOW_MEMORY = "say what is in memory"
    LOAD = "load a model"
    UNLOAD = "unload a model"
    KEEP = "keep a model in memory for a given time"
    PULL = "download a model"
    CANCEL_PULL = "stop a download"
    PAUSE_PULL = "pause a download"
    UPDATE = "look for a newer version of a model"
    DELETE = "delete a model"
    COPY = "copy a model"
    CREATE = "make a model"
    SCALE_ADAPTERS = "change how strongly a LoRA adapter is applied"


@dataclass(frozen=True, slots=True)
class ModelActions:
    """What a server can do with its models. `missing` has why not for each action that it cannot: a sentence without a
    full stop."""

    missing: Mapping[ModelAction, str] = field(default_factory=lambda: MappingProxyType({}))

    def can(self, action: ModelAction) -> bool:
        """Whether it can."""
        return action not in self.missing

    def why_not(self, action: ModelAction) -> str:
        """Why it cannot; empty where it can."""
        return self.missing.get(action, "")

    def but(self, why: str, *actions: ModelAction) -> ModelActions:
        """The same without `actions`, which it cannot do for this reason."""
        return ModelActions({**self.missing, **dict.fromkeys(actions, why)})


def none_but(why: str, *actions: ModelAction) -> ModelActions:
    """Only `actions`; the others cannot be done for this reason."""
    return ModelActions().but(why, *(action for action in ModelAction if action not in actions))
