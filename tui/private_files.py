"""Folders and files that only their owner may read, whatever the umask is: what is said to a model is private."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def make_private_folder(path: Path) -> None:
    """Create the folder and its missing parents with mode 0700; one that is there keeps its mode. Raises OSError."""
    missing = []
    folder = path
    while not folder.exists():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
    if not path.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))


def make_private_file(path: Path) -> bool:
    """Create an empty file with mode 0600. False when there is one already; it keeps its mode. Raises OSError."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    os.close(handle)
    path.chmod(0o600)
    return True
