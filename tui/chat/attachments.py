"""Reading the files that are attached: only regular ones, and no more of them than may go along."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tui import files
from tui.core.attaching import HEAD_BYTES, attachment_from, check_size, not_attached
from tui.core.message import Attachment
from tui.errors import UsageError

_PIECE_BYTES = 1 << 20


def read_attachments(argument: str, folder: Path) -> tuple[Attachment, ...]:
    """The files that a person names: one name as it is, blanks and all, or several as in a shell. It blocks; a file
    that is none, or too large, is refused before it is read. Raises FileError, UsageError."""
    return tuple(_read(path) for path in _paths(argument, folder))


def _paths(argument: str, folder: Path) -> list[Path]:
    whole = argument.strip()
    if not whole:
        raise UsageError("Attach which file?", "No name was given", "/attach FILE")
    if _is_there(folder, whole):
        return [_path(folder, whole)]
    try:
        names = shlex.split(whole)
    except ValueError:  # a quotation mark that is part of the name
        names = [whole]
    if len(names) > 1 and not any(_is_there(folder, name) for name in names):
        names = [whole]  # one name with blanks that is not there, rather than several
    return [_path(folder, name) for name in names]


def _path(folder: Path, name: str) -> Path:
    return folder / os.path.expanduser(name)  # noqa: PTH111  # Path's own raises for `~nobody`


def _is_there(folder: Path, name: str) -> bool:
    try:
        return os.path.lexists(_path(folder, name))
    except ValueError:  # a NUL in the name
        return False


def _read(path: Path) -> Attachment:
    try:
        return _attachment(path)
    except FileNotFoundError as error:
        raise not_attached(path, "There is no such file", "Check the name; Tab completes it") from error
    except PermissionError as error:
        raise not_attached(path, "You may not read it", "Check the rights of the file") from error
    except files.NotAFile as error:
        hint = "Attach the files in it one by one" if error.is_folder else "Attach a file"
        raise not_attached(path, error.what, hint) from error
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise not_attached(path, what, "Check the file") from error


def _attachment(path: Path) -> Attachment:
    with files.open_file(path) as file:
        head = file.read(HEAD_BYTES)
        check_size(path, head, os.fstat(file.fileno()).st_size)
        data = bytearray(head)
        # What grows while it is read, or has no size as in /proc, is held to the limit too.
        while piece := file.read(_PIECE_BYTES):
            data += piece
            check_size(path, head, len(data))
    return attachment_from(path, bytes(data))
