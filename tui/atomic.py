"""Writing a file so that after a crash it is either the old one or the new one, never half of each."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tui import files
from tui.errors import FileError
from tui.private_files import make_private_folder


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, as `write_bytes` does."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: write beside it, fsync, rename, fsync the folder.

    A symbolic link is followed, so that a config kept in a dotfiles repository stays a link; the mode of an existing
    file is kept, a new one is its owner's alone, and so are folders that are made for it. Raises FileError when the folder
    or the file cannot be written; the old file is then untouched, and so is what is no file: a device that a link leads
    to is not to be replaced.
    """
    import tempfile  # some 10 ms, and most starts write nothing

    target = Path(os.path.realpath(path))
    temporary: str | None = None
    try:
        files.require_regular(target)
        make_private_folder(target.parent)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o600)  # a umask may have taken from it
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).chmod(target.stat().st_mode & 0o777)
        Path(temporary).replace(target)
        temporary = None
        _sync_folder(target.parent)
    except OSError as error:
        raise FileError(
            path,
            f"Cannot write {path}",
            error.strerror or str(error),
            "Check the rights of the folder and the space on the disk",
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the platform can open a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
