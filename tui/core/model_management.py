"""What a server tells of its models: details, memory, downloads."""

from __future__ import annotations

from dataclasses import dataclass

Facts = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter: its name or path, how strongly it is applied (None = not told), and the number by which the server knows
    it (None = it has none)."""

    name: str
    scale: float | None = None
    id: int | None = None


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """All that a server tells of one model. Empty and None = it does not say.

    `size` is bytes on the disk, `changed_at` seconds since the epoch. `settings` are the parameters that the model brings
    with it, `projector` describes the part that sees pictures, `facts` is all else. `weights` are the digests of the files
    that hold its weights: a file that another model has too stays when this one is deleted.
    """

    name: str
    family: str = ""
    parameters: str = ""
    quantization: str = ""
    format: str = ""
    size: int | None = None
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    embedding_length: int | None = None
    context_trained: int | None = None
    context_loaded: int | None = None
    capabilities: tuple[str, ...] = ()
    template: str = ""
    system: str = ""
    settings: Facts = ()
    license: str = ""
    projector: Facts = ()
    digest: str = ""
    changed_at: float | None = None
    modelfile: str = ""
    adapters: tuple[Adapter, ...] = ()
    facts: Facts = ()
    weights: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class RunningModel:
    """A model in memory. `memory` is all that it takes, `vram` the part of that on graphics cards, in bytes. It is unloaded
    at `expires_at` (seconds since the epoch; infinity = never); None = the server does not say. `state` is a word where it
    does more than to be there, such as `asleep`."""

    name: str
    memory: int | None = None
    vram: int | None = None
    context_window: int | None = None
    expires_at: float | None = None
    state: str = ""

    @property
    def ram(self) -> int | None:
        """The bytes that are not on a graphics card."""
        return None if self.memory is None or self.vram is None else max(0, self.memory - self.vram)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How a model is to be loaded: its context window in tokens, and how long it is kept (`30m`, `0`, `forever`). None = as
    the server does by itself. `arguments` are those of a loader, by their own names."""

    context_window: int | None = None
    keep_alive: str | None = None
    arguments: tuple[tuple[str, str | int | float | bool], ...] = ()


@dataclass(frozen=True, slots=True)
class PullLayer:
    """One file of a download, with its bytes; `digest` is empty where the server does not tell files apart."""

    digest: str
    completed: int
    total: int


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a download is. `status` is what the server says that it does; `current` is the digest of the layer that it
    speaks of. Totals appear bit by bit: a layer that was not begun is not among `layers`. `done` = the server has the model.
    """

    status: str = ""
    layers: tuple[PullLayer, ...] = ()
    current: str = ""
    done: bool = False

    @property
    def completed(self) -> int:
        """Bytes that are there."""
        return sum(layer.completed for layer in self.layers)

    @property
    def total(self) -> int:
        """Bytes in all, as far as they are known."""
        return sum(layer.total for layer in self.layers)


@dataclass(frozen=True, slots=True)
class DeletionEffect:
    """What deleting models frees: bytes, None where nobody can say. `shared_with` are models that keep a part of it, for
    they have the same weights."""

    frees: int | None = None
    shared_with: tuple[str, ...] = ()
