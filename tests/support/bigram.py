"""Tiny GGUF models whose answers are known, for a real llama.cpp or Ollama to run.

A model here is a `llama` of one layer that does nothing: attention and feed-forward are zero, so that the next token
depends on the last one alone. Every prompt ends with the token `<|assistant|>`, which fixes where the answer starts.

`build` makes the exact bigram model of a text: embeddings are one-hot, the root-mean-square norm of a one-hot row of
width n has sqrt(n) at its place, and the output rows are log-probabilities divided by sqrt(n).
`build_script` makes a model that answers one text and then ends: each piece of the text is a token of its own, so that
the chain is certain. Here rows are random codes of ±1, which keeps the width at 256 however long the answer is.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from tests.support.sample import THOUGHT

Matrix = npt.NDArray[np.float32]

UNKNOWN, BEGIN, SEPARATOR, END = "<unk>", "<s>", "</s>", "<|end|>"
ASSISTANT = "<|assistant|>"
CONTROL = (BEGIN, SEPARATOR, END, ASSISTANT, "<|system|>", "<|user|>", "<|tool|>")
THINK_OPEN, THINK_CLOSE = "<think>\n", "</think>\n\n"

_HEAD = 32  # width of the one attention head, which is all zero
_FORWARD = 32  # width of the feed-forward layer, all zero too
_CODE_WIDTH = 256
_CERTAIN = 60.0  # the logit of the right piece of a script; a wrong one stays below 0.4 of it
_NEVER = -30.0  # the log-probability of what the text never has; low enough for any temperature up to 2

_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|' + message.role + '|>' -}}
{%- if message.role == 'assistant' and message.reasoning_content -%}
{{- REASONING -}}
{%- endif -%}
{{- message.content + '<|end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>' -}}
CLOSED
{%- endif -%}
"""
_REASONING = "'<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n'"
_CLOSED = """\
{%- if enable_thinking is defined and enable_thinking is false -%}
{{- '<think>\\n\\n</think>\\n\\n' -}}
{%- endif -%}"""

_PIECE = re.compile(
    r"""\n*```\w*\n?                          # a fence with its language and its line break
    | \n+[ ]*(?:[-*>][ ]|\#+[ ]|\d+\.[ ]|\|[ ]?)?   # line breaks with what starts the next line
    | [ ]?[^\W_]+                           # a word with the blank before it
    | [ ]?[^\w\s]+ | [ ]?_+ | \s
    """,
    re.VERBOSE,
)


def build(
    path: Path, text: str, *, context: int = 8192, name: str = "bigram", thinking: bool = False
) -> Path:
    """The bigram model of `text`, trained for `context` tokens; with `thinking` it thinks before it answers."""
    pieces = [THINK_OPEN, *split(THOUGHT), THINK_CLOSE, *split(text)] if thinking else split(text)
    follows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for before, after in zip([ASSISTANT, *pieces], [*pieces, END], strict=True):
        follows[before][after] += 1
    vocabulary = _Vocabulary(tuple(dict.fromkeys(pieces)))
    # One dimension for each piece, one for <|assistant|>, one for all tokens that the text does not have.
    dimension = {piece: index for index, piece in enumerate([*vocabulary.pieces, ASSISTANT])}
    elsewhere = len(dimension)
    width = -(-(elsewhere + 1) // _HEAD) * _HEAD
    embedding = np.zeros((len(vocabulary), width), dtype=np.float32)
    embedding[:, elsewhere] = 1
    output = np.full((len(vocabulary), width), _NEVER, dtype=np.float32)
    output[vocabulary.index(pieces[0]), elsewhere] = 0
    for before, counts in follows.items():
        row = vocabulary.index(before)
        embedding[row, elsewhere] = 0
        embedding[row, dimension[before]] = 1
        total = counts.total()
        for after, count in counts.items():
            output[vocabulary.index(after), dimension[before]] = math.log(count / total)
    return _write(path, name, context, vocabulary, embedding, output / math.sqrt(width), thinking)


def build_script(
    path: Path,
    answer: str,
    *,
    thought: str = "",
    context: int = 8192,
    name: str = "script",
    endless: bool = False,
) -> Path:
    """A model that answers exactly `answer`, at any sensible temperature, thinking `thought` first if there is one.

    With `endless` it starts the answer over instead of ending, until it is stopped or the context is full.
    """
    pieces = unique_pieces(answer)
    if thought:
        pieces = (THINK_OPEN, *unique_pieces(thought, frozenset(pieces)), THINK_CLOSE, *pieces)
    vocabulary = _Vocabulary(pieces)
    random = np.random.default_rng(20261122)
    codes = (random.integers(0, 2, size=(len(pieces) + 2, _CODE_WIDTH)) * 2 - 1).astype(np.float32)
    embedding = np.tile(codes[-1], (len(vocabulary), 1))  # every token that the answer does not have
    output = np.zeros((len(vocabulary), _CODE_WIDTH), dtype=np.float32)
    after_last = pieces[0] if endless else END
    for code, before, after in zip(codes, [ASSISTANT, *pieces], [*pieces, after_last], strict=False):
        embedding[vocabulary.index(before)] = code
        output[vocabulary.index(after)] += code
    output[vocabulary.index(pieces[0])] += codes[-1]
    return _write(
        path, name, context, vocabulary, embedding, output * (_CERTAIN / _CODE_WIDTH), bool(thought)
    )


def build_adapter(path: Path, model: Path) -> Path:
    """A LoRA adapter for one of the models here, which changes nothing at any scale."""
    name = "blk.0.attn_q.weight"
    rows, columns = next(each.data.shape for each in gguf.GGUFReader(model).tensors if each.name == name)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1.0)
    writer.add_tensor(f"{name}.lora_a", np.zeros((1, columns), dtype=np.float32))
    writer.add_tensor(f"{name}.lora_b", np.zeros((rows, 1), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def split(text: str) -> list[str]:
    """`text` in pieces of about a word, none lost."""
    pieces = _PIECE.findall(text)
    assert "".join(pieces) == text
    return pieces


def unique_pieces(text: str, taken: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """`text` in pieces of which no two are alike, nor like one of `taken`: one that is takes its neighbour in."""
    used = {UNKNOWN, *CONTROL, THINK_OPEN, THINK_CLOSE, *_BYTES, *taken}
    pieces: list[str] = []
    pending = ""
    for part in split(text):
        pending += part
        if pending not in used:
            used.add(pending)
            pieces.append(pending)
            pending = ""
    while pending:  # the end of the text is like an earlier piece
        if not pieces:
            raise ValueError(f"the whole text is one reserved token: {text!r}")
        last = pieces.pop()
        used.discard(last)
        pending = last + pending
        if pending not in used:
            pieces.append(pending)
            pending = ""
    return tuple(pieces)


_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))


class _Vocabulary:
    """The tokens in their order: unknown, control, 256 bytes so that any prompt can be tokenised, then `pieces`."""

    def __init__(self, pieces: tuple[str, ...]) -> None:
        kinds = gguf.TokenType
        self.pieces = pieces
        self.tokens = (UNKNOWN, *CONTROL, *_BYTES, *pieces)
        self.types = [
            int(kinds.UNKNOWN),
            *[int(kinds.CONTROL)] * len(CONTROL),
            *[int(kinds.BYTE)] * len(_BYTES),
            # Found in a prompt as they stand, so that an answer's beginning gives the same tokens back.
            *[int(kinds.USER_DEFINED)] * len(pieces),
        ]
        self._rows = {token: row for row, token in enumerate(self.tokens)}

    def index(self, token: str) -> int:
        """The id of a token; KeyError for one that is not there."""
        return self._rows[token]

    def __len__(self) -> int:
        return len(self.tokens)


def _write(
    path: Path,
    name: str,
    context: int,
    vocabulary: _Vocabulary,
    embedding: Matrix,
    output: Matrix,
    thinking: bool,
) -> Path:
    """The GGUF file: metadata, vocabulary, chat template and the two matrices among zeros."""
    width = embedding.shape[1]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_context_length(context)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_FORWARD)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(_HEAD)
    writer.add_value_length(_HEAD)
    writer.add_rope_dimension_count(_HEAD)
    writer.add_layer_norm_rms_eps(1e-12)
    writer.add_vocab_size(len(vocabulary))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_scores([0.0] * len(vocabulary))
    writer.add_token_types(vocabulary.types)
    writer.add_unk_token_id(vocabulary.index(UNKNOWN))
    writer.add_bos_token_id(vocabulary.index(BEGIN))
    writer.add_eos_token_id(vocabulary.index(END))
    writer.add_eot_token_id(vocabulary.index(END))
    writer.add_add_bos_token(False)
    writer.add_add_space_prefix(False)
    reasoning, closed = (_REASONING, _CLOSED) if thinking else ("''", "")
    writer.add_chat_template(_TEMPLATE.replace("REASONING", reasoning).replace("CLOSED", closed))

    def nothing(rows: int, columns: int) -> npt.NDArray[np.float16]:
        return np.zeros((rows, columns), dtype=np.float16)

    ones = np.ones(width, dtype=np.float32)
    writer.add_tensor("token_embd.weight", embedding.astype(np.float16))
    writer.add_tensor("output_norm.weight", ones)
    writer.add_tensor("output.weight", output.astype(np.float16))
    writer.add_tensor("blk.0.attn_norm.weight", ones)
    writer.add_tensor("blk.0.ffn_norm.weight", ones)
    for part in ("attn_q", "attn_k", "attn_v"):
        writer.add_tensor(f"blk.0.{part}.weight", nothing(_HEAD, width))
    writer.add_tensor("blk.0.attn_output.weight", nothing(width, _HEAD))
    for part in ("ffn_gate", "ffn_up"):
        writer.add_tensor(f"blk.0.{part}.weight", nothing(_FORWARD, width))
    writer.add_tensor("blk.0.ffn_down.weight", nothing(width, _FORWARD))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
