"""Who opens files: `tui.files`, and for each other place there is a reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "tui"

REASONS = {
    "files.py": "it is the place",
    "atomic.py": "makes a new file and syncs a folder",
    "startup_profile.py": "the kernel's word on this process",
    "cli/output.py": "the null device",
    "servers/engine/engine.py": "the kernel's word on the engine's process",
    "servers/engine/machine.py": "the kernel's word on processors, limits and load",
    "servers/hub/hub_download.py": "syncs a folder",
    "servers/engine/machine_memory.py": "the kernel's word on memory and limits",
    "servers/engine/port_listener.py": "the kernel's word on who listens",
    "servers/engine/socket_folder.py": "locks its own folder",
    "servers/engine/engine_log.py": "makes a new file",
    "private_files.py": "makes a new file",
    "ui/editor.py": "makes a new file",
    "chat/rescue.py": "makes a new file",
    "models/catalogue.py": "what ships with lokal",
    "servers/engine/child_process.py": "the null device",
    "guide/training/source.py": "what ships with lokal, read when its model is made",
    "guide/training/write.py": "what ships with lokal, read when its model is made",
}
"""The modules that open files themselves, and why."""


def openings(code: str) -> Iterator[int]:
    """The lines of a module that open a file by a path."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.Call):
            continue
        call = node.func
        if isinstance(call, ast.Name):
            if call.id == "open":
                yield node.lineno
        elif isinstance(call, ast.Attribute):
            owner = call.value.id if isinstance(call.value, ast.Name) else ""
            mode = [*node.args, *(word.value for word in node.keywords if word.arg in (None, "mode"))][:1]
            is_mode = not mode or (isinstance(mode[0], ast.Constant) and isinstance(mode[0].value, str))
            if (
                (call.attr == "open" and (owner in ("os", "io", "codecs", "gzip", "mmap") or is_mode))
                or (call.attr in ("read_text", "read_bytes") and owner not in ("files", "toml"))
                or (call.attr in ("copy", "copyfile", "copy2", "copytree") and owner == "shutil")
            ):
                yield node.lineno


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("open(x)", 1),
        ("path.open()", 1),
        ("path.open('rb')", 1),
        ("path.open(mode='rb')", 1),
        ("os.open(path, flags)", 1),
        ("(a / b).read_bytes()", 1),
        ("path.read_text(encoding='utf-8')", 1),
        ("shutil.copyfile(a, b)", 1),
        ("Store.open(path)", 0),
        ("self.tabs.open(name)", 0),
        ("files.read_bytes(path)", 0),
        ("toml.read_text(path)", 0),
    ],
)
def test_an_opening_is_seen(code: str, count: int) -> None:
    assert len(list(openings(code))) == count


def test_files_are_opened_in_one_place() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix(): lines
        for path in sorted(PACKAGE.rglob("*.py"))
        if (lines := list(openings(path.read_text(encoding="utf-8"))))
    }
    assert {name: lines for name, lines in found.items() if name not in REASONS} == {}
    assert sorted(set(REASONS) - set(found)) == []
