"""A JSON schema from a file that the person names."""

from __future__ import annotations

from pathlib import Path

from tui import files
from tui.core.schema import ANY_JSON, MAX_CHARACTERS, Schema
from tui.core.schema_parsing import parse
from tui.core.text import safe_line, safe_name
from tui.errors import FileError

MAX_BYTES = 4 * MAX_CHARACTERS


def schema_named(text: str, *, pipe_too: bool = False) -> Schema:
    """What a person's `text` means: `json` for any JSON, else a file. Raises UsageError and FileError."""
    return ANY_JSON if text == ANY_JSON.name else load_schema(Path(text), pipe_too=pipe_too)


def load_schema(path: Path, *, pipe_too: bool = False) -> Schema:
    """The schema in the file; `~` is the home folder. A device is never read, a pipe only if it may be one (it was named
    on the command line), nor more than `MAX_BYTES`.

    Raises FileError for a file that cannot be read, UsageError for one that holds no schema."""
    title = f"The schema {safe_name(str(path), 80)} cannot be used"
    read = files.read_named if pipe_too else files.read_bytes
    try:
        data = read(path.expanduser(), MAX_BYTES)
    except files.NotAFile as error:
        raise FileError(path, title, error.what, "Name a file with a JSON object") from error
    except files.TooLarge as error:
        raise FileError(path, title, error.what, "Is it the right file?") from error
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
