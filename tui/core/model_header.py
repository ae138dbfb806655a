"""The head of a GGUF file: what a model says of itself, and the tensors that its weights are.

The layout and the numbers of the types are those of the GGUF specification, the bytes of a block those of ggml-common.h
(llama.cpp). A header is the same whether it came from a file, by a Range request, or from a server that tells it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MetadataValue = str | int | float | bool | tuple[int | float | bool, ...]

BLOCKS: Mapping[int, tuple[str, int, int]] = MappingProxyType(
    {
        0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
        7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
        12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
        16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
        20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
        24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
        29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66),
        39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36),
    }
)  # fmt: skip
"""By its number the name of a type, how many values a block of it has, and its bytes."""

TYPE_NUMBERS: Mapping[str, int] = MappingProxyType({name: number for number, (name, _, _) in BLOCKS.items()})

_FILE_TYPES: Mapping[int, str] = MappingProxyType(
    {
        0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
        13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
        21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
        29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4",
    }
)  # fmt: skip
"""`general.file_type`, as llama.h numbers `llama_ftype`."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: how many values it has along each axis, the number of their type, and where its data begins, in bytes after
    the beginning of all data."""

    name: str
    shape: tuple[int, ...]
    type: int
    offset: int = 0

    @property
    def values(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Its bytes; 0 for a type that is not known."""
        if self.type not in BLOCKS or not self.shape:
            return 0
        _, values, size = BLOCKS[self.type]
        return -(-self.shape[0] // values) * size * math.prod(self.shape[1:])


@dataclass(frozen=True, slots=True)
class ModelHeader:
    """What is told of a model. Texts are as they were found: they are made safe where they are shown. Of lists that are long,
    or of texts, only the `lengths` are kept. `size` is the bytes of the file or files, 0 = unknown; `data_at` is where the
    data of the tensors begins."""

    metadata: Mapping[str, MetadataValue]
    tensors: tuple[TensorInfo, ...] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)
    size: int = 0
    data_at: int = 0

    @property
    def architecture(self) -> str:
        """The name of its kind, such as `llama`; empty where none is told."""
        return self.text("general.architecture")

    def text(self, key: str) -> str:
        """The text under a whole key; empty where there is none."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str, default: int = 0) -> int:
        """The whole number under a key of the architecture, such as `block_count`; of a list its largest."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        if isinstance(value, tuple):
            value = max(value, default=default)
        return _whole(value, default)

    def by_layer(self, key: str, layers: int, default: int = 0) -> tuple[int, ...]:
        """The number that each layer has: the same for all, or each its own where there is a list. A list that is too short is
        filled up with its last."""
        value = self.metadata.get(f"{self.architecture}.{key}", default)
        if not isinstance(value, tuple):
            return (_whole(value, default),) * layers
        found = tuple(_whole(each, default) for each in value[:layers])
        return found + (found[-1] if found else default,) * (layers - len(found))

    @property
    def parameters(self) -> int:
        """How many weights it has; 0 where the tensors are not known."""
        return sum(tensor.values for tensor in self.tensors)

    @property
    def quantization(self) -> str:
        """`Q4_K_M`; where it is not told the type that most of the weights have."""
        named = self.metadata.get("general.file_type")
        if isinstance(named, int) and named in _FILE_TYPES:
            return _FILE_TYPES[named]
        counted: dict[int, int] = {}
        for tensor in self.tensors:
            counted[tensor.type] = counted.get(tensor.type, 0) + tensor.values
        most = max(counted, key=lambda number: counted[number], default=-1)
        return BLOCKS[most][0] if most in BLOCKS else ""


def _whole(value: object, default: int) -> int:
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else default
