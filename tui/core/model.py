"""What a server says of a model and of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tui.core.endpoint import ServerKind

GUIDE = "lokal-guide"
"""The name of the small model inside lokal, which knows nothing but lokal; answers of this model are marked."""

PACKAGED = "SmolLM2-135M-Instruct.Q4_1"
"""The name of the small chat model that can be installed as a Python package beside lokal."""
PACKAGED_CALLED = "SmolLM2-135M"
"""What that model is called where something is said of it."""


class ModelState(StrEnum):
    """What a model does, as it is shown."""

    LOADED = "in memory"
    NOT_LOADED = "not in memory"
    LOADING = "loading"
    SLEEPING = "asleep"
    DOWNLOADING = "downloading"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Model:
    """One model of a server. Empty and None = the server does not say.

    `size` and `memory` are bytes; `context_trained` is the most tokens the model was made for, `context_loaded` the
    window it is loaded with. `status` is there where `loaded` does not say it all; `changed_at` is seconds since the epoch.
    `elsewhere` = it runs on another machine, and a question to it leaves this one.
    """

    name: str
    size: int | None = None
    parameters: str = ""  # "3.2B"
    quantization: str = ""  # "Q4_K_M"
    family: str = ""
    context_trained: int | None = None
    context_loaded: int | None = None
    loaded: bool | None = None
    memory: int | None = None
    capabilities: tuple[str, ...] = ()  # "completion", "vision", "tools", "thinking", "embedding"
    thinks: bool | None = None  # whether it can think before it answers
    note: str = ""  # why it cannot be used, for one that failed to load
    aliases: tuple[str, ...] = ()  # other names that it answers to
    status: ModelState | None = None
    changed_at: float | None = None
    digest: str = ""
    elsewhere: bool = False

    @property
    def state(self) -> ModelState | None:
        """What it does; None = the server does not say."""
        if self.status is not None or self.loaded is None:
            return self.status
        return ModelState.LOADED if self.loaded else ModelState.NOT_LOADED

    @property
    def chats(self) -> bool:
        """Whether it can be asked, as far as the server tells what it can."""
        return not self.capabilities or "completion" in self.capabilities


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server is, as found by probing."""

    kind: ServerKind
    url: str
    version: str = ""
    router: bool = False  # llama-server without a model of its own
