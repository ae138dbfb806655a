"""The estimate of what a model takes, held against what llama.cpp itself says of the same file before it allocates it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.llama import needs_engine
from tests.support.model_shapes import ModelShape, write_hybrid
from tui.core.memory_fit import LoadSettings, MemoryEstimate, estimate_memory
from tui.servers.engine.fit_line import fit_line, parse_fit_lines
from tui.servers.engine.gguf_reader import read_header

MIB = 1 << 20

LLAMA_8B = ModelShape("llama", 32, 4096, 32, 8, 128, 14336, 128256, "Q4_K")
GEMMA_3 = ModelShape(
    "gemma3", 34, 2560, 8, 4, 256, 10240, 262144, "Q4_0", tied=True, norms=True, post_norms=True,
    metadata={".attention.sliding_window": 1024},
)  # fmt: skip

SHAPES: dict[str, tuple[Callable[[Path], Path], LoadSettings]] = {
    "dense": (ModelShape("llama", 32, 4096, 32, 32, 128, 11008, 32000, "Q4_0").write, LoadSettings(4096)),
    "grouped queries": (LLAMA_8B.write, LoadSettings(8192)),
    "a long context": (LLAMA_8B.write, LoadSettings(131072)),
    "an odd context": (LLAMA_8B.write, LoadSettings(3000)),
    "cache in q8_0": (LLAMA_8B.write, LoadSettings(32768, "q8_0")),
    "cache in q4_0": (LLAMA_8B.write, LoadSettings(65536, "q4_0")),
    "no flash attention": (LLAMA_8B.write, LoadSettings(16384, flash_attention=False)),
    "a larger pass": (LLAMA_8B.write, LoadSettings(8192, ubatch=2048)),
    "tied embeddings": (
        ModelShape("qwen2", 24, 896, 14, 2, 64, 4864, 151936, tied=True, bias=True).write,
        LoadSettings(32768),
    ),
    "sliding window": (GEMMA_3.write, LoadSettings(32768)),
    "sliding window, its pattern a number": (
        replace(GEMMA_3, metadata={**GEMMA_3.metadata, ".attention.sliding_window_pattern": 3}).write,
        LoadSettings(65536),
    ),
    "sliding window, its pattern a list": (
        replace(
            GEMMA_3, metadata={**GEMMA_3.metadata, ".attention.sliding_window_pattern": [True, False] * 17}
        ).write,
        LoadSettings(32768, "q8_0"),
    ),
    "sliding window, alternating": (
        ModelShape(
            "gemma2",
            26,
            2304,
            8,
            4,
            256,
            9216,
            256000,
            "Q8_0",
            tied=True,
            post_norms=True,
            metadata={".attention.sliding_window": 4096},
        ).write,
        LoadSettings(8192),
    ),
    "mixture of few large experts": (
        ModelShape("llama", 32, 4096, 32, 8, 128, 14336, 32000, "Q4_K", experts=8, used=2).write,
        LoadSettings(8192),
    ),
    "mixture of many small experts": (
        ModelShape(
            "qwen3moe", 48, 2048, 32, 4, 128, 768, 151936, "Q4_K", norms=True, experts=128, used=8
        ).write,
        LoadSettings(16384),
    ),
    "recurrent layers": (write_hybrid, LoadSettings(32768)),
}


def _compare(path: Path, settings: LoadSettings) -> None:
    """Within 5 % for what is computed exactly; in all within 10 % or 32 MiB, whichever is more."""
    told = fit_line(
        str(path),
        settings.context or 0,
        settings.cache_type,
        flash_attention=settings.flash_attention,
        ubatch=settings.ubatch,
    )
    assert told is not None
    weights, kv_cache, _ = told
    found: MemoryEstimate = estimate_memory(read_header(path), settings)
    assert found.weights + found.kv_cache == pytest.approx(weights + kv_cache, rel=0.05)
    assert found.kv_cache == pytest.approx(kv_cache, rel=0.05, abs=MIB)
    assert abs(found.total - sum(told)) <= max(0.1 * sum(told), 32 * MIB)


@needs_engine
@pytest.mark.parametrize("name", SHAPES)
def test_the_sum_is_that_of_the_engine(tmp_path: Path, name: str) -> None:
    write, settings = SHAPES[name]
    _compare(write(tmp_path / "model.gguf"), settings)


@needs_engine
@pytest.mark.parametrize("context", [2048, 8192])
def test_the_sum_of_a_real_model_is_that_of_the_engine(packaged_gguf: Path, context: int) -> None:
    _compare(packaged_gguf, LoadSettings(context))


def test_the_lines_of_all_devices_are_added_up() -> None:
    lines = [
        "common_memory_breakdown_print: | memory breakdown [MiB] | total   free    self   model   context   compute |",
        "common_memory_breakdown_print: |   - CUDA0 (RTX 4090) | 24080 = 22000 + (1234 =   900 +   200 +   134) + 846 |",
        "common_memory_breakdown_print: |   - Host             |                   294 =    92 +     180 +      22    |",
        "something else",
        "common_memory_breakdown_print: |   - Host             |                   999 =   333 +     333 +     333    |",
    ]
    assert parse_fit_lines(lines) == (992 * MIB, 380 * MIB, 156 * MIB)
    assert parse_fit_lines(["nothing"]) is None
