"""A JSON schema from a file that the person names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from tui.core.schema import ANY_JSON, MAX_CHARACTERS, Schema, parse
from tui.core.text import human_size, safe_line
from tui.errors import FileError

MAX_BYTES = 4 * MAX_CHARACTERS


def schema_named(text: str) -> Schema:
    """What a person's `text` means: `json` for any JSON, else a file. Raises UsageError and FileError."""
    return ANY_JSON if text == ANY_JSON.name else load_schema(Path(text))


def load_schema(path: Path) -> Schema:
    """The schema in the file; `~` is the home folder. A pipe or a device is never read, nor more than `MAX_BYTES`.

    Raises FileError for a file that cannot be read, UsageError for one that holds no schema."""
    title = f"The schema {safe_line(str(path), 80)} cannot be used"
    try:
        # Without it, opening a pipe would wait for its writer.
        descriptor = os.open(path.expanduser(), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                what = "a folder" if stat.S_ISDIR(facts.st_mode) else "no ordinary file"
                raise FileError(path, title, f"It is {what}", "Name a file with a JSON object")
            if facts.st_size > MAX_BYTES:
                limit = f"It has {human_size(facts.st_size)}; {human_size(MAX_BYTES)} are the limit"
                raise FileError(path, title, limit, "Is it the right file?")
            data = file.read(MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:  # RuntimeError: ~name of nobody
        why = getattr(error, "strerror", None) or str(error)
        raise FileError(
            path, title, safe_line(why, 100), "Name a file with a JSON object, or json"
        ) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(path, title, "It is not UTF-8 text", "A schema is a JSON object") from error
    return parse(text, path.name)
