"""How much memory a model takes, as a sum of its parts, and whether a machine has it.

What llama.cpp allocates follows from the header of the model: the tensors' bytes; the KV cache, a row of keys and one of
values for each token of the context in each layer that has attention, fewer tokens where a layer looks back only so far, and
a state of fixed size in recurrent layers; and the buffers that one pass computes in. The figures of the last part were fitted
to what llama.cpp itself says (b11549), on which `tests/unit/test_memory_fit_engine.py` holds them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tui.core.model_header import BLOCKS, TYPE_NUMBERS, ModelHeader
from tui.core.text import human_size

DEFAULT_CONTEXT = 8192
UBATCH = 512
"""Tokens that llama.cpp computes at once where it is told nothing else."""
OVERHEAD = 64_000_000
"""Bytes of the program itself with its libraries and the vocabulary, measured with the built-in engine."""
KEPT_FREE = 1 << 30
"""Bytes that llama.cpp leaves free on a graphics card (`--fit-target`)."""
CACHE_TYPES = ("f16", "q8_0", "q4_0")
CONTEXTS = tuple(1 << power for power in range(11, 21))
"""The context windows that are stepped through, 2,048 to a million tokens."""

_PADDING = 256  # the context is rounded up to this
_FLOAT = 4
_MOST_LAYERS = 4096
_MOST = 1 << 62


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """What a model would be loaded with. `context` None = as much as it was made for, at most DEFAULT_CONTEXT; `cache_type` is
    the type of the values in the KV cache, `ubatch` the tokens of one pass."""

    context: int | None = None
    cache_type: str = "f16"
    flash_attention: bool = True
    ubatch: int = UBATCH


@dataclass(frozen=True, slots=True)
class MemoryEstimate:
    """Bytes that a model takes, by what they are for. `layers` have each its weights and its KV cache; what is not theirs, the
    embeddings and the output, is in `weights` only. `exact` = the engine itself has said it. `context` is what the sum is
    for; `kv_known` = the KV cache could be told at all."""

    weights: int
    kv_cache: int
    compute: int
    context: int
    cache_type: str = "f16"
    layers: tuple[int, ...] = ()
    exact: bool = False
    kv_known: bool = True
    context_trained: int = 0

    @property
    def total(self) -> int:
        """All of it, without the program itself."""
        return self.weights + self.kv_cache + self.compute

    @property
    def mark(self) -> str:
        """What stands before a number that is estimated: `~`, or nothing."""
        return "" if self.exact else "~"


@dataclass(frozen=True, slots=True)
class GraphicsCard:
    """A graphics card with its memory in bytes."""

    name: str
    total: int
    free: int


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """What a machine has: memory that programs can get, in bytes, and graphics cards. `limited` = a control group allows less
    than the machine has."""

    total: int
    available: int
    cards: tuple[GraphicsCard, ...] = ()
    limited: bool = False

    @property
    def on_cards(self) -> int:
        """Bytes that a model can get on the graphics cards."""
        return sum(max(0, card.free - KEPT_FREE) for card in self.cards)


class FitPlace(StrEnum):
    """Where a model can run."""

    GPU = "gpu"
    PARTLY = "partly"
    CPU = "cpu"
    NOWHERE = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class FitVerdict:
    """Where a model can run, and how much memory there is for that; `on_gpu` of `layers` layers fit on the graphics cards.
    `rate` is tokens a second that were measured on this machine, None = not known."""

    place: FitPlace
    needed: int
    available: int | None
    on_gpu: int = 0
    layers: int = 0
    rate: float | None = None

    @property
    def words(self) -> str:
        """`yes, on the GPU`, `33 of 40 layers on the GPU`, `yes, on the processor`, `no: 8.1 of 6.9 GB`."""
        match self.place:
            case FitPlace.GPU:
                return f"yes, on the GPU{self._rate}"
            case FitPlace.PARTLY:
                return f"{self.on_gpu} of {self.layers} layers on the GPU{self._rate}"
            case FitPlace.CPU:
                return f"yes, on the processor{self._rate}"
            case FitPlace.NOWHERE:
                return f"no: {_of(self.needed, self.available or 0)}"
            case FitPlace.UNKNOWN:
                return "unknown"

    @property
    def _rate(self) -> str:
        return "" if self.rate is None else f", about {self.rate:.2g} tokens/s"

    @property
    def fits(self) -> bool | None:
        """Whether it runs here at all; None = unknown."""
        return None if self.place is FitPlace.UNKNOWN else self.place is not FitPlace.NOWHERE


def _of(needed: int, available: int) -> str:
    """`8.1 of 6.9 GB`; with both units where they differ."""
    one, other = human_size(needed), human_size(available)
    return f"{one.split()[0]} of {other}" if one.split()[1] == other.split()[1] else f"{one} of {other}"


def judge(estimate: MemoryEstimate, machine: MachineMemory | None, rate: float | None = None) -> FitVerdict:
    """Where a model that takes so much can run. `machine` None = the model would run on another one, of which nothing is
    known. `rate` is what it has reached here."""
    needed = estimate.total + OVERHEAD
    layers = len(estimate.layers)
    if machine is None:
        return FitVerdict(FitPlace.UNKNOWN, needed, None, layers=layers)
    on_cards = machine.on_cards
    if machine.cards and estimate.total <= on_cards:
        return FitVerdict(FitPlace.GPU, estimate.total, on_cards, layers, layers, rate)
    on_gpu, taken = 0, estimate.compute
    for layer in reversed(estimate.layers):  # llama.cpp puts the last layers on the card
        if not machine.cards or taken + layer > on_cards:
            break
        taken += layer
        on_gpu += 1
    rest = needed - (taken - estimate.compute if on_gpu else 0)
    if rest > machine.available:
        return FitVerdict(
            FitPlace.NOWHERE, needed, machine.available + (on_cards if on_gpu else 0), layers=layers
        )
    if on_gpu:
        return FitVerdict(FitPlace.PARTLY, needed, machine.available + on_cards, on_gpu, layers, rate)
    return FitVerdict(FitPlace.CPU, needed, machine.available, 0, layers, rate)


# -- the sum --------------------------------------------------------------------------------------------------------


def estimate_memory(header: ModelHeader, settings: LoadSettings = LoadSettings()) -> MemoryEstimate:
    """What llama.cpp would take for this model with these settings, on the processor or on one graphics card."""
    trained = header.number("context_length")
    context = settings.context or min(trained or DEFAULT_CONTEXT, DEFAULT_CONTEXT)
    cells = _padded(context)
    by_layer = [0] * _layer_count(header)
    weights = 0
    for tensor in header.tensors:
        weights += tensor.size
        if (layer := _layer_of(tensor.name)) is not None and layer < len(by_layer):
            by_layer[layer] += tensor.size
    if not header.tensors:
        weights = header.size
        by_layer = [weights // max(1, len(by_layer))] * len(by_layer)
    weights += _copied(header)
    attention = _attention(header)
    caches = [_cache_of_layer(layer, cells, settings) for layer in attention]
    return MemoryEstimate(
        weights=min(_MOST, weights),
        kv_cache=min(_MOST, sum(caches)),
        compute=min(_MOST, max(0, _compute(header, attention, cells, settings))),
        context=context,
        cache_type=settings.cache_type,
        layers=tuple(min(_MOST, one + other) for one, other in zip(by_layer, caches, strict=True)),
        kv_known=any(layer.keys or layer.state for layer in attention),
        context_trained=trained,
    )


@dataclass(frozen=True, slots=True)
class _LayerCache:
    """What a layer keeps: `keys` and `values` numbers of each token, of the last `window` tokens only where that is not 0, and
    a `state` in bytes, whatever the number of tokens."""

    keys: int = 0
    values: int = 0
    window: int = 0
    state: int = 0

    def cells(self, all_cells: int, ubatch: int) -> int:
        """How many tokens it keeps of a context of so many."""
        return min(all_cells, _padded(self.window + ubatch)) if self.window else all_cells


def _cache_of_layer(layer: _LayerCache, cells: int, settings: LoadSettings) -> int:
    kept = layer.cells(cells, settings.ubatch)
    return layer.state + kept * (
        _row(layer.keys, settings.cache_type) + _row(layer.values, settings.cache_type)
    )


def _row(numbers: int, cache_type: str) -> int:
    _, values, size = BLOCKS[TYPE_NUMBERS[cache_type.upper()]]
    return -(-numbers // values) * size


def _padded(tokens: int) -> int:
    return -(-tokens // _PADDING) * _PADDING


# Types that llama.cpp packs anew for the processor (AVX2, NEON), in rows of eight.
_REPACKED = frozenset(TYPE_NUMBERS[name] for name in ("Q4_0", "Q4_K", "IQ4_NL", "MXFP4"))


def _copied(header: ModelHeader) -> int:
    """Bytes of the embeddings once more, where they are the output too: a packed tensor cannot be read row by row."""
    by_name = {tensor.name: tensor for tensor in header.tensors}
    tied = by_name.get("token_embd.weight") if "output.weight" not in by_name else None
    if tied is None or tied.type not in _REPACKED or len(tied.shape) != 2 or tied.shape[1] % 8:
        return 0
    return tied.size


def _layer_count(header: ModelHeader) -> int:
    return max(0, min(_MOST_LAYERS, header.number("block_count")))


def _layer_of(name: str) -> int | None:
    """The layer that a tensor belongs to, by its name `blk.7.attn_k.weight`; None for the embeddings and the output."""
    if not name.startswith("blk."):
        return None
    number = name[4:].partition(".")[0]
    whole = number.isascii() and number.isdigit() and len(number) < 6 and name.count(".") > 1
    return int(number) if whole else None


def _attention(header: ModelHeader) -> list[_LayerCache]:
    """What each layer keeps."""
    layers = _layer_count(header)
    heads = max(1, header.number("attention.head_count", 1))
    embedding = header.number("embedding_length")
    # The last layers of some models read what others keep, or only foretell a second token.
    own = layers - header.number("attention.shared_kv_layers") - header.number("nextn_predict_layers")
    windows = _windows(header, layers)
    shared = header.by_layer("attention.head_count_kv", layers, heads)
    keys, values = (
        header.number(f"attention.{what}_length", embedding // heads) for what in ("key", "value")
    )
    near_keys, near_values = (
        header.number(f"attention.{what}_length_swa", usual)
        for what, usual in (("key", keys), ("value", values))
    )
    if header.number("attention.key_length_mla"):  # latent attention: the keys hold the values
        shared, values, near_values = (1,) * layers, 0, 0
    attends, recurs = _kinds(header, layers, shared)
    state = _state(header) * _FLOAT
    found = []
    for layer in range(layers):
        kept = _LayerCache(state=state if recurs[layer] else 0)
        if attends[layer] and layer < own:
            key, value = (near_keys, near_values) if windows[layer] else (keys, values)
            kept = _LayerCache(
                max(0, shared[layer] * key), max(0, shared[layer] * value), windows[layer], kept.state
            )
        found.append(kept)
    return found


def _kinds(header: ModelHeader, layers: int, shared: tuple[int, ...]) -> tuple[list[bool], list[bool]]:
    """Which layers have attention, and which a recurrent state: by the tensors that they have, which says it of any model."""
    if not header.tensors:
        recurrent = bool(_state(header))
        return [kv > 0 for kv in shared], [recurrent and kv == 0 for kv in shared]
    parts: list[set[str]] = [set() for _ in range(layers)]
    for tensor in header.tensors:
        if (layer := _layer_of(tensor.name)) is not None and layer < layers:
            parts[layer].add(tensor.name.split(".")[2])
    recurs = [any(name.startswith(("ssm", "shortconv", "time_mix")) for name in names) for names in parts]
    attends = [
        any(name in names for name in ("attn_k", "attn_kv_a_mqa", "attn_kv_b", "attn_k_b"))
        or ("attn_qkv" in names and not recurs[layer])
        for layer, names in enumerate(parts)
    ]
    return attends, recurs


def _state(header: ModelHeader) -> int:
    """The numbers of a recurrent layer's state, as llama.cpp's `n_embd_r` and `n_embd_s` have them."""
    embedding = header.number("embedding_length")
    if short := header.number("shortconv.l_cache"):
        return embedding * (short - 1)
    if head := header.number("wkv.head_size"):
        return embedding * (header.number("token_shift_count", 2) + head)
    convolution, inner = header.number("ssm.conv_kernel"), header.number("ssm.inner_size")
    size, groups = header.number("ssm.state_size"), header.number("ssm.group_count")
    return max(0, convolution - 1) * (inner + 2 * groups * size) + size * inner


# Of every so many layers the last one looks at the whole context, where the file does not say it: llama.cpp's own figures.
_PERIODS = {
    "gemma2": 2, "gemma3": 6, "gemma3n": 5, "cohere2": 4, "gpt-oss": 2, "olmo2": 4, "exaone4": 4, "llama4": 4, "afmoe": 4,
    "exaone-moe": 4, "cohere2moe": 4,
}  # fmt: skip
_DENSE_FIRST = {"smallthinker": 4, "modern-bert": 3, "laguna": 4}
_LLAMA4_CHUNK = 8192


def _windows(header: ModelHeader, layers: int) -> list[int]:
    """How many tokens each layer looks back; 0 = all of them."""
    kind = header.architecture
    window = header.number("attention.sliding_window") or header.number("attention.chunk_size")
    if kind == "llama4":
        window = window or _LLAMA4_CHUNK
    told = header.metadata.get(f"{kind}.attention.sliding_window_pattern")
    if window <= 0 or (told is None and kind not in _PERIODS and kind not in _DENSE_FIRST):
        return [0] * layers
    if isinstance(told, tuple):
        near = [bool(each) for each in told[:layers]]
        return [window if each else 0 for each in (*near, *[False] * (layers - len(near)))]
    if kind in _DENSE_FIRST:
        period = told if isinstance(told, int) else _DENSE_FIRST[kind]
        near = [period <= 0 or layer % period != 0 for layer in range(layers)]
    else:
        period = told if isinstance(told, int) else _PERIODS.get(kind, 1)
        near = [period <= 0 or layer % period < period - 1 for layer in range(layers)]
    return [window if each else 0 for each in near]


def _compute(header: ModelHeader, attention: list[_LayerCache], cells: int, settings: LoadSettings) -> int:
    """Bytes of the buffers that a pass computes in: the masks of attention, which grow with the context, and the largest that
    a layer needs at one time of its inputs and outputs, each `ubatch` rows of 32-bit numbers."""
    passed = min(settings.ubatch, cells)
    embedding, heads = header.number("embedding_length"), max(1, header.number("attention.head_count", 1))
    query = heads * header.number("attention.key_length", embedding // heads)
    key = max((layer.keys for layer in attention), default=0)
    forward = header.number("feed_forward_length")
    used = header.number("expert_used_count")
    inner = header.number("ssm.inner_size")
    peaks: list[Callable[[], int]] = [
        lambda: 3 * forward + 5 * embedding,
        lambda: embedding + 3 * query,
        lambda: 2 * (embedding + query) + 3 * key,
        lambda: 5 * inner + 2 * embedding,
    ]
    if used > 0:
        expert = header.number("expert_feed_forward_length", forward)
        peaks[0] = lambda: max((2 * used + 4) * embedding + used * expert, 3 * used * expert + 5 * embedding)
    lengths = {layer.cells(cells, settings.ubatch) for layer in attention if layer.keys}
    if settings.flash_attention:
        masks = sum(length * passed * 2 for length in lengths)
        return masks + max(peak() for peak in peaks) * passed * _FLOAT
    masks = sum(length * passed * _FLOAT for length in lengths)
    scores = heads * max(lengths, default=0) + 2 * embedding + 4 * query + 2 * key
    return masks + max(scores, *(peak() for peak in peaks)) * passed * _FLOAT
