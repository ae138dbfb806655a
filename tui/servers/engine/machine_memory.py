"""How much memory this machine has for a model: /proc/meminfo, the limits of control groups, and graphics cards.

Sources: proc_meminfo(5), the kernel's documentation of cgroup v1 (`memory.limit_in_bytes`) and v2 (`memory.max`), and the
options of nvidia-smi and rocm-smi. What a system does not tell is left out. Every function takes the root of the file
system, so that a machine can be made up.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from tui.core.memory_fit import GraphicsCard, MachineMemory
from tui.core.text import safe_line
from tui.servers.engine.machine import ROOT, control_groups

_TOOL_S = 5.0
_MOST_CARDS = 64
_MIB = 1 << 20

RunTool = Callable[[Sequence[str]], str]
"""What a command prints; empty where it is not there, fails, or takes too long."""


def machine_memory(root: Path = ROOT, run: RunTool | None = None) -> MachineMemory | None:
    """What programs can get on this machine; None where the system does not tell. Blocks for as long as the tools of the
    graphics cards take, which is some tenths of a second where there are any."""
    told = _meminfo(root)
    if told is None:
        return None
    total, available = told
    limited = False
    for folder in control_groups(root, "memory"):
        limit = _number(folder / "memory.max", folder / "memory.limit_in_bytes")
        if limit is None or limit >= total:
            continue
        limited = True
        used = _number(folder / "memory.current", folder / "memory.usage_in_bytes") or 0
        # Pages of files are given back when they are needed.
        used -= min(used, _inactive_file(folder / "memory.stat"))
        total, available = min(total, limit), min(available, max(0, limit - used))
    return MachineMemory(total, available, graphics_cards(run or _run_tool), limited)


def graphics_cards(run: RunTool) -> tuple[GraphicsCard, ...]:
    """The cards that nvidia-smi, or else rocm-smi, tells of."""
    wanted = ("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
    cards = _nvidia(run(wanted))
    return cards or _rocm(run(("rocm-smi", "--showproductname", "--showmeminfo", "vram", "--csv")))


def _nvidia(text: str) -> tuple[GraphicsCard, ...]:
    found = []
    for line in text.splitlines()[:_MOST_CARDS]:
        name, total, free = ([""] * 3 + [part.strip() for part in line.rsplit(",", 2)])[-3:]
        if total.isascii() and total.isdigit() and free.isascii() and free.isdigit():
            found.append(GraphicsCard(safe_line(name, 60), int(total) * _MIB, int(free) * _MIB))
    return tuple(found)


def _rocm(text: str) -> tuple[GraphicsCard, ...]:
    lines = [line for line in text.splitlines() if "," in line][: _MOST_CARDS + 1]
    found = []
    for row in csv.DictReader(lines):
        figures = {str(key).casefold(): str(value) for key, value in row.items()}
        total = _figure(figures, "vram total memory")
        used = _figure(figures, "vram total used memory")
        if total:
            name = figures.get("card series") or figures.get("card model") or figures.get("device") or ""
            found.append(GraphicsCard(safe_line(name, 60), total, max(0, total - (used or 0))))
    return tuple(found)


def _figure(figures: dict[str, str], name: str) -> int | None:
    value = next((value for key, value in figures.items() if key.startswith(name)), "")
    return int(value) if value.isascii() and value.isdigit() else None


def _run_tool(command: Sequence[str]) -> str:
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TOOL_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout[:100_000].decode("utf-8", "replace")


def _meminfo(root: Path) -> tuple[int, int] | None:
    """All memory and what can be got of it, in bytes."""
    try:
        text = (root / "proc/meminfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return _sysconf() if root == ROOT else None
    figures = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)}
    total = figures.get("MemTotal")
    if total is None:
        return None
    free = figures.get("MemFree", 0) + figures.get("Cached", 0)
    return total, min(total, figures.get("MemAvailable", free))


def _sysconf() -> tuple[int, int] | None:
    """Where there is no /proc only all memory is told; half of it is taken to be free."""
    if not hasattr(os, "sysconf"):
        return None
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None
    return (total, total // 2) if total > 0 else None


def _number(*files: Path) -> int | None:
    """The number in the first of the files that there is; None for `max` too."""
    for file in files:
        try:
            text = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        return int(text) if text.isdigit() else None
    return None


def _inactive_file(stat: Path) -> int:
    try:
        text = stat.read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^(?:total_)?inactive_file (\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else 0
