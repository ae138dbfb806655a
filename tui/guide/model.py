"""The guide's model file: where it is, and whether it is what it should be."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tui import files
from tui.core.message import Value
from tui.core.model import GUIDE
from tui.errors import EngineError

MODEL_NAME, MANIFEST_NAME = f"{GUIDE}.gguf", "guide.toml"
HASH_KEY = "lokal.guide.source"
"""The metadata key under which the model carries the hash of what it was trained on."""

VALUES: Mapping[str, Value] = MappingProxyType({"context_window": 1024, "batch_size": 256, "threads": 1})
"""What the engine is started with: a question and an answer are never longer, and memory stays small; for
so few weights, threads that wait for each other cost more than they bring."""

CALLED = "the guide"
"""What it is called where something is said of its engine."""

CACHE_MIB = 0
"""No memory for earlier prompts: reading one anew takes a few milliseconds."""

FOLDER = Path(__file__).parent
_LARGEST = 100_000_000
_AGAIN = "Install lokal again: `pip install --force-reinstall --no-deps lokal`"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the model file must be: its SHA-256, its size in bytes, and the hash of its source."""

    sha256: str
    size: int
    source: str


def read_manifest(folder: Path = FOLDER) -> Manifest:
    """What is written beside the model. Raises EngineError."""
    try:
        table = tomllib.loads(files.read_bytes(folder / MANIFEST_NAME).decode("utf-8"))
        return Manifest(str(table["sha256"]), int(table["size"]), str(table["source"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineError(
            "The guide is not complete", f"{folder / MANIFEST_NAME}: {error}", _AGAIN
        ) from error


def checked_model(folder: Path = FOLDER) -> Path:
    """The model file, every byte of it looked at. Raises EngineError where it is missing or damaged."""
    path = folder / MODEL_NAME
    manifest = read_manifest(folder)
    try:
        found = files.read_bytes(path, _LARGEST)
    except OSError as error:
        raise EngineError(
            "The guide cannot be opened", f"{path}: {error.strerror or error}", _AGAIN
        ) from error
    if len(found) != manifest.size or hashlib.sha256(found).hexdigest() != manifest.sha256:
        raise EngineError("The guide is damaged", f"{path} is not the file that came with lokal", _AGAIN)
    return path
