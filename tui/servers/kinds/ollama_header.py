"""The header of a model as Ollama tells it: `/api/show` with `verbose` names the metadata and every tensor."""

from __future__ import annotations

from tui.core.model_header import TYPE_NUMBERS, MetadataValue, ModelHeader, TensorInfo
from tui.servers.json_object import JsonObject

MOST_NUMBERS = 4096
"""Numbers of a list that is kept: one a layer, or a few. The vocabulary is longer."""
_MOST_KEYS = 10_000
_UNKNOWN = -1


def header_of(told: JsonObject, size: int) -> ModelHeader:
    """What the reply says; `size` is the bytes of the model on the disk."""
    metadata: dict[str, MetadataValue] = {}
    lengths: dict[str, int] = {}
    for key, value in list(told.inner("model_info").values.items())[:_MOST_KEYS]:
        if isinstance(value, str | int | float):
            metadata[key] = value
        elif isinstance(value, list):
            numbers = [each for each in value[:MOST_NUMBERS] if isinstance(each, int | float)]
            if len(numbers) == len(value):
                metadata[key] = tuple(numbers)
            else:
                lengths[key] = len(value)
    tensors = tuple(_tensor(entry) for entry in told.items("tensors"))
    return ModelHeader(metadata, tuple(tensor for tensor in tensors if tensor.shape), lengths, size)


def _tensor(entry: JsonObject) -> TensorInfo:
    shape = entry.values.get("shape")
    axes = shape[:4] if isinstance(shape, list) else ()
    lengths = tuple(each for each in axes if isinstance(each, int) and 0 <= each < 1 << 50)
    kind = TYPE_NUMBERS.get(entry.text("type").upper(), _UNKNOWN)
    return TensorInfo(entry.text("name"), lengths if len(lengths) == len(axes) else (), kind)
