"""Whether a machine has what a model takes: verdicts, what the machine has, and what is shown of the sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.machine_tree import V1_MOUNT, V2_MOUNT, tree
from tests.support.replay import body_of
from tui.core.memory_fit import (
    OVERHEAD,
    FitPlace,
    GraphicsCard,
    LoadSettings,
    MachineMemory,
    MemoryEstimate,
    estimate_memory,
    judge,
)
from tui.core.model_header import ModelHeader
from tui.models.fit_text import as_lines, bar_of, sum_lines
from tui.servers.engine.machine_memory import graphics_cards, machine_memory

GIB = 1 << 30
GB = 1_000_000_000
ESTIMATE = MemoryEstimate(4 * GIB, GIB, GIB // 4, 8192, layers=(GIB // 8,) * 40)


def _machine(ram: int, *vram: int) -> MachineMemory:
    return MachineMemory(2 * ram, ram, tuple(GraphicsCard("card", 2 * each, each) for each in vram))


@pytest.mark.parametrize(
    ("machine", "place", "words"),
    [
        (None, FitPlace.UNKNOWN, "unknown"),
        (_machine(16 * GIB, 24 * GIB), FitPlace.GPU, "yes, on the GPU"),
        (_machine(16 * GIB, 4 * GIB, 4 * GIB), FitPlace.GPU, "yes, on the GPU"),
        (_machine(16 * GIB, 3 * GIB), FitPlace.PARTLY, "14 of 40 layers on the GPU"),
        (_machine(16 * GIB, GIB), FitPlace.CPU, "yes, on the processor"),
        (_machine(16 * GIB), FitPlace.CPU, "yes, on the processor"),
        (_machine(5 * GIB), FitPlace.NOWHERE, "no: 5.7 of 5.4 GB"),
        (_machine(100_000_000), FitPlace.NOWHERE, "no: 5.7 GB of 100 MB"),
    ],
)
def test_where_it_runs(machine: MachineMemory | None, place: FitPlace, words: str) -> None:
    verdict = judge(ESTIMATE, machine)
    assert (verdict.place, verdict.words) == (place, words)


def test_a_measured_rate_is_told() -> None:
    assert judge(ESTIMATE, _machine(16 * GIB), 6.23).words == "yes, on the processor, about 6.2 tokens/s"


def test_of_a_model_that_tells_nothing_the_file_counts() -> None:
    found = estimate_memory(ModelHeader({}, size=3 * GB))
    assert (found.weights, found.kv_cache, found.kv_known) == (3 * GB, 0, False)
    assert "weights alone" in as_lines(found, judge(found, _machine(16 * GIB)), 80)[-1]


@pytest.mark.parametrize("value", [2**63, -5, float("inf"), "text", (), (1.5, True), (-1,) * 5])
def test_numbers_that_no_model_has_never_surprise(value: object) -> None:
    keys = (
        "block_count", "embedding_length", "attention.head_count", "attention.head_count_kv", "attention.key_length",
        "context_length", "attention.sliding_window", "attention.sliding_window_pattern", "ssm.inner_size",
        "expert_used_count", "attention.shared_kv_layers", "feed_forward_length",
    )  # fmt: skip
    for key in keys:
        metadata: dict[str, object] = {f"gemma3.{other}": 8 for other in keys}
        metadata |= {"general.architecture": "gemma3", f"gemma3.{key}": value}
        found = estimate_memory(ModelHeader(metadata, size=GB), LoadSettings(4096))  # type: ignore[arg-type]
        assert judge(found, _machine(GIB)).words
        assert as_lines(found, judge(found, None), 50)


def test_the_sum_adds_up_to_what_is_shown() -> None:
    verdict = judge(ESTIMATE, _machine(16 * GIB))
    *parts, whole = sum_lines(ESTIMATE, verdict)
    assert sum(part.size for part in parts) == whole.size == ESTIMATE.total + OVERHEAD
    assert whole.words == "of 17.2 GB free"
    assert [bar_of(share, 4) for share in (0, 0.001, 0.5, 1, 7)] == ["░░░░", "▓░░░", "▓▓░░", "▓▓▓▓", "▓▓▓▓"]
    assert all(len(line) <= 60 for line in as_lines(ESTIMATE, verdict, 60))


MEMINFO = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:   12000000 kB\n"


def _nothing(_: Sequence[str]) -> str:
    return ""


def test_memory_without_limits(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/meminfo": MEMINFO})
    assert machine_memory(root, _nothing) == MachineMemory(16_000_000 * 1024, 12_000_000 * 1024)
    assert machine_memory(tmp_path / "nothing", _nothing) is None


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({"memory.max": "4000000000", "memory.current": "1500000000", "memory.stat": "anon 1\ninactive_file 500000000\n"}, 3 * GB),
        ({"memory.max": "max", "memory.current": "1500000000"}, None),
        ({"memory.max": "1000000000", "memory.current": "2000000000"}, 0),
        ({"memory.max": "nonsense"}, None),
    ],
)  # fmt: skip
def test_a_control_group_limits_it(tmp_path: Path, files: Mapping[str, str], available: int | None) -> None:
    root = tree(
        tmp_path,
        {
            "proc/meminfo": MEMINFO, "proc/self/cgroup": "0::/box/inner\n", "proc/self/mountinfo": V2_MOUNT,
            **{f"sys/fs/cgroup/box/{name}": text for name, text in files.items()},
        },
    )  # fmt: skip
    found = machine_memory(root, _nothing)
    assert found is not None
    assert found.available == (12_000_000 * 1024 if available is None else available)
    assert found.limited is (available is not None)


def test_version_1_of_control_groups_limits_it_too(tmp_path: Path) -> None:
    mount = V1_MOUNT + "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    root = tree(
        tmp_path,
        {
            "proc/meminfo": MEMINFO, "proc/self/cgroup": "9:memory:/box\n", "proc/self/mountinfo": mount,
            "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "2000000000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
    )  # fmt: skip
    found = machine_memory(root, _nothing)
    assert found is not None
    assert (found.total, found.available) == (2 * GB, 2 * GB)


def test_graphics_cards_are_told_by_their_tools() -> None:
    nvidia = "NVIDIA GeForce RTX 4090, 24564, 23012\nTesla, T4, 15360, 100\n[N/A], [N/A], [N/A]\n\n"
    assert graphics_cards(lambda command: nvidia if command[0] == "nvidia-smi" else "") == (
        GraphicsCard("NVIDIA GeForce RTX 4090", 24564 << 20, 23012 << 20),
        GraphicsCard("Tesla, T4", 15360 << 20, 100 << 20),
    )
    rocm = (
        "WARNING: AMD GPU device(s) is/are in a low-power state\n\n"
        "device,VRAM Total Memory (B),VRAM Total Used Memory (B),Card Series,Card Model\n"
        "card0,17163091968,163840000,Radeon RX 7800 XT,0x747e\n"
    )
    assert graphics_cards(lambda command: rocm if command[0] == "rocm-smi" else "") == (
        GraphicsCard("Radeon RX 7800 XT", 17163091968, 17163091968 - 163840000),
    )
    assert graphics_cards(lambda _: "\0\x1b[2J,,,\n,1") == ()


def test_the_header_of_a_model_that_ollama_tells(tmp_path: Path) -> None:
    from tui.servers.json_object import read_object
    from tui.servers.kinds.ollama_header import header_of

    told = read_object(body_of("ollama/show-verbose"))
    assert told is not None
    header = header_of(told, 1_000_000)
    found = estimate_memory(header, LoadSettings(2048))
    assert header.architecture == "llama"
    assert found.weights == sum(tensor.size for tensor in header.tensors) > 0
    assert found.kv_cache == header.number("block_count") * 2048 * 2 * 2 * 16
    odd = header_of(
        read_object(b'{"model_info":{"a":[1,"x"]},"tensors":[{"shape":[-1,"a"]},{"shape":3},5]}') or told, 0
    )
    assert (odd.lengths, odd.tensors) == ({"a": 2}, ())
