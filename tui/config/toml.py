"""TOML at the edge: a file becomes a `Table`, whose getters check what they hand out.

An error names the file, the key, what was found and what is allowed, or the line and column of a mistake in the
syntax. Nothing here writes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tui import files
from tui.core.secrets import without_login
from tui.core.text import safe_line
from tui.errors import FileError, MalformedFile

BOM = "\ufeff"
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_LEFT_ALONE = "Correct it there; lokal leaves the file as it is"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the file `path`; `prefix` is what stands before its keys in messages, such as `parameters.`."""

    path: Path
    values: Mapping[str, object] = field(default_factory=dict)
    prefix: str = ""

    def __contains__(self, key: object) -> bool:
        return key in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __getitem__(self, key: str) -> object:
        return self.values[key]

    def text(self, key: str, default: str = "", allowed: tuple[str, ...] = ()) -> str:
        """A string, one of `allowed` where that is given. Raises FileError."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (allowed and value not in allowed):
            raise self.wrong(key, "one of " + ", ".join(allowed) if allowed else "text in quotes")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false. Raises FileError."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false, without quotes")
        return value

    def whole(self, key: str, default: int, lo: int, hi: int) -> int:
        """A whole number from `lo` to `hi`. Raises FileError."""
        value = self.values.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not lo <= value <= hi:
            raise self.wrong(key, f"a whole number from {lo} to {hi}")
        return value

    def table(self, key: str) -> Table:
        """The table at `key`, empty where there is none. Raises FileError."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, f"a table: a line [{self.prefix}{key}] with its keys below")
        return Table(self.path, value, f"{self.prefix}{key}.")

    def tables(self, key: str) -> tuple[Table, ...]:
        """The tables of the array at `key`, none where there is none. Raises FileError."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(
                key, f"a list of tables: a line [[{self.prefix}{key}]] for each, with its keys below"
            )
        return tuple(
            Table(self.path, entry, f"{self.prefix}{key}[{number}].") for number, entry in enumerate(value, 1)
        )

    def unknown(self, known: Iterable[str], kind: str = "key") -> tuple[FileError, ...]:
        """A problem for each key that is not among `known`, naming the closest of those."""
        names = list(known)
        return tuple(
            FileError(
                self.path,
                f"{self.path}: there is no {kind} “{safe_line(self.prefix + key, 80)}”",
                "It has no effect",
                closest(key, names),
            )
            for key in self.values
            if key not in names
        )

    def wrong(self, key: str, allowed: str, hint: str = "Its default is used") -> FileError:
        """The error for the value at `key`: what was found, and what is `allowed`."""
        return FileError(
            self.path,
            f"{self.path}: {self.prefix}{key} cannot be {found(self.values.get(key))}",
            f"It takes {allowed}",
            hint,
        )


def closest(name: str, names: Iterable[str]) -> str:
    """A hint that names the closest of `names`, or all of them where none is close."""
    known = list(names)
    import difflib

    match = difflib.get_close_matches(name.lower(), known, n=1)
    return f"Did you mean {match[0]}?" if match else "Known: " + ", ".join(known)


def found(value: object) -> str:
    """A value of a TOML file in words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text “{safe_line(without_login(value), 60)}”"
    if isinstance(value, int | float):
        return safe_line(str(value), 40)
    return {list: "a list", dict: "a table", type(None): "left out"}.get(type(value), "a date or time")


def read_text(path: Path, *, missing_ok: bool = False) -> str:
    """The text of a file, empty where it is missing and may be. Raises FileError, also for what is no file or larger
    than `files.LIMIT`, MalformedFile for what is not UTF-8."""
    try:
        data = files.read_bytes(path)
    except FileNotFoundError as error:
        if missing_ok:
            return ""
        raise _unreadable(path, error) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        raise MalformedFile(
            path,
            f"{path}: line {line}, column {column} is not UTF-8",
            f"There is the byte 0x{data[error.start]:02x}",
            "Save the file as UTF-8; until then lokal leaves it as it is",
            line,
            column,
        ) from error


def parse(path: Path, text: str) -> Table:
    """The table that `text`, read from `path`, holds. Raises MalformedFile."""
    text = text.removeprefix(BOM)  # some editors on Windows write one; TOML knows none
    try:
        return Table(path, tomllib.loads(text))
    except RecursionError as error:
        raise MalformedFile(path, f"{path} cannot be read", "It is nested too deeply", _LEFT_ALONE) from error
    except ValueError as error:  # also a number of more digits than Python takes
        message = str(error)
        place = _PLACE.search(message)
        if place is None:
            raise MalformedFile(path, f"{path} cannot be read", safe_line(message), _LEFT_ALONE) from error
        if place[1]:
            line, column = int(place[1]), int(place[2])
        else:
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
        raise MalformedFile(
            path,
            f"{path}: mistake in line {line}, column {column}",
            safe_line(message[: place.start()]),
            _LEFT_ALONE,
            line,
            column,
        ) from error


def read_table(path: Path, *, missing_ok: bool = False) -> Table:
    """The table in a file. Raises FileError where it cannot be read, MalformedFile where it is no TOML."""
    return parse(path, read_text(path, missing_ok=missing_ok))


def _unreadable(path: Path, error: OSError) -> FileError:
    return FileError(
        path, f"Cannot read {path}", error.strerror or str(error), "Check that it is a file that you may read"
    )
