"""The model as a GGUF file that llama.cpp runs, and the small file beside it that says what it must be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import tomli_w

from tui.guide.model import HASH_KEY, MANIFEST_NAME, MODEL_NAME
from tui.guide.training.network import Shape, Weights
from tui.guide.training.source import TEMPLATE, Source, source_hash
from tui.guide.training.vocabulary import END, MARKS, TokenVocabulary


def write_model(folder: Path, source: Source, words: TokenVocabulary, shape: Shape, weights: Weights) -> Path:
    """Write both files into `folder` and return the path of the model. Matrices are stored in 8 bits (Q8_0)."""
    path = folder / MODEL_NAME
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("guide")
    writer.add_description(
        "Answers questions about lokal, local models, servers and parameters; knows nothing else"
    )
    writer.add_license("MIT")
    writer.add_string(HASH_KEY, source_hash())
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(len(words.tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(words.tokens))
    control = len(MARKS) + len(words.subjects)
    normal, special = int(gguf.TokenType.NORMAL), int(gguf.TokenType.CONTROL)
    writer.add_token_types([normal] * len(words.pieces) + [special] * control)
    writer.add_token_merges(words.merges)
    writer.add_eos_token_id(words.id(END))
    writer.add_eot_token_id(words.id(END))
    writer.add_pad_token_id(words.id(END))
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)
    for name, values in weights.items():
        _add(writer, name, np.asarray(values, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    manifest = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": path.stat().st_size,
        "source": source_hash(),
    }
    (folder / MANIFEST_NAME).write_text(
        "# What lokal-guide.gguf must be; written with it by tui.guide.training.\n" + tomli_w.dumps(manifest)
    )
    return path


def _add(writer: Any, name: str, values: np.ndarray) -> None:
    if values.ndim == 1:
        writer.add_tensor(name, values)
        return
    kind = gguf.GGMLQuantizationType.Q8_0
    writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
