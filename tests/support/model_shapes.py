"""GGUF files with the shapes of real models and nothing in them: their data is a hole in the file, which takes no room.

llama.cpp says what such a model would take before it reads any of its weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np

Meta = int | float | bool | str | Sequence[int] | Sequence[bool]
Tensors = dict[str, tuple[tuple[int, ...], str]]
"""By name the values along each axis as GGUF has them, the row first, and the type."""


def write_model(path: Path, kind: str, metadata: Mapping[str, Meta], tensors: Tensors) -> Path:
    """The file. Keys that begin with `.` are those of the architecture."""
    writer = gguf.GGUFWriter(path, kind)
    for key, value in {**metadata, "tokenizer.ggml.model": "no_vocab"}.items():
        name = f"{kind}{key}" if key.startswith(".") else key
        if isinstance(value, bool):
            writer.add_bool(name, value)
        elif isinstance(value, int):
            writer.add_uint32(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        elif isinstance(value, str):
            writer.add_string(name, value)
        else:
            writer.add_array(name, list(value))
    for name, (shape, type_name) in tensors.items():
        kind_of = gguf.GGMLQuantizationType[type_name]
        values, size = gguf.GGML_QUANT_SIZES[kind_of]
        count = math.prod(shape) // values * size
        rows = shape[:0:-1]
        if kind_of is gguf.GGMLQuantizationType.F32:
            writer.add_tensor_info(name, [*rows, shape[0]], np.dtype("float32"), count)
        else:
            row = shape[0] // values * size
            writer.add_tensor_info(name, [*rows, row], np.dtype("uint8"), count, raw_dtype=kind_of)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    assert writer.fout is not None
    file = writer.fout[0]
    padded = [-(-tensor.nbytes // 32) * 32 for tensor in writer.tensors[0].values()]
    file.truncate(-(-file.tell() // 32) * 32 + sum(padded))
    writer.close()
    return path


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A transformer: layers, width, heads and those for keys and values, width of a head, of the feed-forward part, vocabulary.
    `tied` = the output is the embeddings; with `experts` the feed-forward part is a mixture, of which `used` compute."""

    kind: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head: int
    forward: int
    vocabulary: int
    type: str = "Q8_0"
    tied: bool = False
    norms: bool = False  # of queries and keys
    bias: bool = False
    post_norms: bool = False
    experts: int = 0
    used: int = 0
    metadata: Mapping[str, Meta] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Its file."""
        return write_model(path, self.kind, {**self._told(), **self.metadata}, self._tensors())

    def _told(self) -> dict[str, Meta]:
        told: dict[str, Meta] = {
            ".block_count": self.layers, ".embedding_length": self.width, ".feed_forward_length": self.forward,
            ".attention.head_count": self.heads, ".attention.head_count_kv": self.kv_heads,
            ".attention.key_length": self.head, ".attention.value_length": self.head, ".rope.dimension_count": self.head,
            ".attention.layer_norm_rms_epsilon": 1e-5, ".context_length": 131072, ".vocab_size": self.vocabulary,
        }  # fmt: skip
        if self.experts:
            told |= {".expert_count": self.experts, ".expert_used_count": self.used, ".expert_feed_forward_length": self.forward}  # fmt: skip
        return told

    def _tensors(self) -> Tensors:
        found: Tensors = {
            "token_embd.weight": ((self.width, self.vocabulary), self.type),
            "output_norm.weight": ((self.width,), "F32"),
        }
        if not self.tied:
            found["output.weight"] = ((self.width, self.vocabulary), self.type)
        for layer in range(self.layers):
            found |= {f"blk.{layer}.{name}": tensor for name, tensor in self._layer().items()}
        return found

    def _layer(self) -> Tensors:
        width, type_name = self.width, self.type
        query, key = self.heads * self.head, self.kv_heads * self.head
        found: Tensors = {
            "attn_norm.weight": ((width,), "F32"), "ffn_norm.weight": ((width,), "F32"),
            "attn_q.weight": ((width, query), type_name), "attn_k.weight": ((width, key), type_name),
            "attn_v.weight": ((width, key), type_name), "attn_output.weight": ((query, width), type_name),
        }  # fmt: skip
        if self.norms:
            found |= {f"attn_{part}_norm.weight": ((self.head,), "F32") for part in "qk"}
        if self.bias:
            found |= {
                f"attn_{part}.bias": ((length,), "F32")
                for part, length in zip("qkv", (query, key, key), strict=True)
            }
        if self.post_norms:
            found |= {f"post_{part}_norm.weight": ((width,), "F32") for part in ("attention", "ffw")}
        shapes = {"gate": (width, self.forward), "up": (width, self.forward), "down": (self.forward, width)}
        if not self.experts:
            return found | {f"ffn_{part}.weight": (shape, type_name) for part, shape in shapes.items()}
        found["ffn_gate_inp.weight"] = ((width, self.experts), "F32")
        return found | {
            f"ffn_{part}_exps.weight": ((*shape, self.experts), type_name) for part, shape in shapes.items()
        }


_HYBRID_KV = (0, 0, 0, 0, 0, 8, 0, 0) * 4


def write_hybrid(path: Path) -> Path:
    """A model most of whose layers are recurrent (Mamba 2), as Granite 4.0 H."""
    width, inner, state, conv, steps = 2560, 5120, 128, 4, 80
    metadata: dict[str, Meta] = {
        ".block_count": 32, ".embedding_length": width, ".feed_forward_length": 8192, ".attention.head_count": 32,
        ".attention.head_count_kv": _HYBRID_KV, ".rope.dimension_count": 80, ".attention.layer_norm_rms_epsilon": 1e-5,
        ".context_length": 131072, ".vocab_size": 50288, ".ssm.conv_kernel": conv, ".ssm.inner_size": inner,
        ".ssm.state_size": state, ".ssm.time_step_rank": steps, ".ssm.group_count": 1,
    }  # fmt: skip
    tensors: Tensors = {
        "token_embd.weight": ((width, 50288), "Q8_0"),
        "output.weight": ((width, 50288), "Q8_0"),
        "output_norm.weight": ((width,), "F32"),
    }
    recurrent: Tensors = {
        "ssm_in.weight": ((width, 2 * inner + 2 * state + steps), "Q8_0"), "ssm_conv1d.weight": ((conv, inner + 2 * state), "F32"),
        "ssm_conv1d.bias": ((inner + 2 * state,), "F32"), "ssm_dt.bias": ((steps,), "F32"), "ssm_a": ((1, steps), "F32"),
        "ssm_d": ((1, steps), "F32"), "ssm_norm.weight": ((inner, 1), "F32"), "ssm_out.weight": ((inner, width), "Q8_0"),
    }  # fmt: skip
    attention: Tensors = {
        "attn_q.weight": ((width, 2560), "Q8_0"), "attn_k.weight": ((width, 640), "Q8_0"),
        "attn_v.weight": ((width, 640), "Q8_0"), "attn_output.weight": ((2560, width), "Q8_0"),
    }  # fmt: skip
    both: Tensors = {
        "attn_norm.weight": ((width,), "F32"), "ffn_norm.weight": ((width,), "F32"),
        "ffn_gate.weight": ((width, 8192), "Q8_0"), "ffn_up.weight": ((width, 8192), "Q8_0"),
        "ffn_down.weight": ((8192, width), "Q8_0"),
    }  # fmt: skip
    for layer, heads in enumerate(_HYBRID_KV):
        parts = both | (attention if heads else recurrent)
        tensors |= {f"blk.{layer}.{name}": tensor for name, tensor in parts.items()}
    return write_model(path, "granitehybrid", metadata, tensors)
