"""Names that are file names too: of presets and themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tui.core.text import safe_line
from tui.errors import UsageError

MAX_BYTES = 200  # of the 255 that a file name may have; an atomic write needs a longer one beside it
_FORBIDDEN = frozenset('/\\:*?"<>|')


def check_name(name: str, kind: str = "preset") -> str:
    """`name` itself, if it can be a file's name on every system and cannot lead out of its folder. Raises UsageError."""
    if (
        not name
        or not name.isprintable()
        or _FORBIDDEN & set(name)
        or name != name.strip()
        or name.startswith((".", "-"))
        or name.endswith(".")
        or len(name.encode("utf-8", "replace")) > MAX_BYTES
    ):
        raise UsageError(
            f"A {kind} cannot be named “{safe_line(name, 60)}”",
            'Its name is a file name: no / \\ : * ? " < > |, no dot or dash at its start',
            "Take a short name in letters and digits",
        )
    return name


def toml_files(folder: Path) -> Iterator[Path]:
    """The TOML files of a folder by name; hidden ones, such as an editor's locks, are no one's. Raises OSError."""
    return iter(
        sorted(
            path
            for path in folder.iterdir()
            if path.suffix == ".toml" and not path.name.startswith((".", "#"))
        )
    )
