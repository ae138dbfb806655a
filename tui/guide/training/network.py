"""The network: a small llama, as llama.cpp computes it. Arrays are float32; B sequences of T tokens, width D."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Weights = dict[str, Any]
"""By the names of the tensors in the GGUF file; each matrix is [out, in] as there."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes. `heads` divide `width` into heads of an even size; `forward` is the width of the feed-forward layer."""

    vocabulary: int
    width: int = 192
    layers: int = 3
    heads: int = 6
    forward: int = 512
    context: int = 1024
    rope_base: float = 10_000.0
    epsilon: float = 1e-5


def fresh(shape: Shape, seed: int) -> Weights:
    """Random weights."""
    random = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, scale: float = 1.0) -> Any:
        return jnp.asarray(random.normal(0, scale / np.sqrt(columns), (rows, columns)), dtype=jnp.float32)

    width, forward = shape.width, shape.forward
    weights: Weights = {
        "token_embd.weight": jnp.asarray(
            random.normal(0, 0.05, (shape.vocabulary, width)), dtype=jnp.float32
        ),
        "output_norm.weight": jnp.ones(width),
        "output.weight": matrix(shape.vocabulary, width, 0.5),
    }
    deep = 1 / np.sqrt(2 * shape.layers)
    for layer in range(shape.layers):
        weights |= {
            f"blk.{layer}.attn_norm.weight": jnp.ones(width),
            f"blk.{layer}.attn_q.weight": matrix(width, width),
            f"blk.{layer}.attn_k.weight": matrix(width, width),
            f"blk.{layer}.attn_v.weight": matrix(width, width),
            f"blk.{layer}.attn_output.weight": matrix(width, width, deep),
            f"blk.{layer}.ffn_norm.weight": jnp.ones(width),
            f"blk.{layer}.ffn_gate.weight": matrix(forward, width),
            f"blk.{layer}.ffn_up.weight": matrix(forward, width),
            f"blk.{layer}.ffn_down.weight": matrix(width, forward, deep),
        }
    return weights


def states(
    weights: Weights, tokens: Any, shape: Shape, key: Any = None, dropout: float = 0.0, ends: Any = None
) -> Any:
    """The normed last states, [B, T, D], or with `ends` [B] those at these places only, [B, D]: the last layer then
    computes no others. With a `key` some of the numbers are dropped, as in training."""
    keys = jax.random.split(key, 1 + shape.layers) if key is not None else None
    x = weights["token_embd.weight"][tokens]
    if keys is not None:
        x = _drop(x, keys[0], dropout)
    length = tokens.shape[1]
    angles = _angles(length, shape)
    for layer in range(shape.layers):
        part = f"blk.{layer}."
        only = ends if layer == shape.layers - 1 else None
        y = _attend(weights, part, _norm(x, weights[part + "attn_norm.weight"], shape), angles, shape, only)
        if only is not None:
            x = x[jnp.arange(x.shape[0]), only][:, None]
        x = x + y
        y = _norm(x, weights[part + "ffn_norm.weight"], shape).reshape(-1, shape.width)
        gate = jax.nn.silu(y @ weights[part + "ffn_gate.weight"].T)
        y = (gate * (y @ weights[part + "ffn_up.weight"].T)) @ weights[part + "ffn_down.weight"].T
        y = y.reshape(x.shape)
        x = x + (y if keys is None else _drop(y, keys[1 + layer], dropout))
    x = _norm(x, weights["output_norm.weight"], shape)
    return x if ends is None else x[:, 0]


def logits(weights: Weights, last: Any) -> Any:
    """Scores of the next token from last states, [..., V]."""
    return last @ weights["output.weight"].T


def _norm(x: Any, weight: Any, shape: Shape) -> Any:
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + shape.epsilon) * weight


def _drop(x: Any, key: Any, rate: float) -> Any:
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0.0)


def _angles(length: int, shape: Shape) -> tuple[Any, Any]:
    size = shape.width // shape.heads
    turn = shape.rope_base ** (-np.arange(0, size, 2) / size)
    angle = np.arange(length)[:, None] * turn[None, :]
    return jnp.asarray(np.cos(angle), jnp.float32), jnp.asarray(np.sin(angle), jnp.float32)


def _turn(x: Any, angles: tuple[Any, Any]) -> Any:
    """Rotary positions over neighbouring pairs, which is what the `llama` architecture does; x is [B, H, T, D/H]."""
    cos, sin = angles
    even, odd = x[..., 0::2], x[..., 1::2]
    return jnp.stack((even * cos - odd * sin, even * sin + odd * cos), axis=-1).reshape(x.shape)


def _attend(weights: Weights, part: str, x: Any, angles: tuple[Any, Any], shape: Shape, ends: Any) -> Any:
    batch, length, width = x.shape
    size = width // shape.heads

    def heads(name: str) -> Any:
        return (x @ weights[part + name].T).reshape(batch, length, shape.heads, size).swapaxes(1, 2)

    k, v = _turn(heads("attn_k.weight"), angles), heads("attn_v.weight")
    q = _turn(heads("attn_q.weight"), angles)
    seen = jnp.tril(jnp.ones((length, length), dtype=bool))[None, None]
    if ends is not None:
        q = q[jnp.arange(batch), :, ends][:, :, None]
        seen = (jnp.arange(length)[None] <= ends[:, None])[:, None, None]
    scores = jnp.where(seen, q @ k.swapaxes(-1, -2) / np.sqrt(size), -1e9)
    mixed = (jax.nn.softmax(scores, axis=-1) @ v).swapaxes(1, 2)
    return mixed.reshape(batch, -1, width) @ weights[part + "attn_output.weight"].T
