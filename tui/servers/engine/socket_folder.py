"""Where the embedded engine listens: a Unix socket in a folder that only this user can enter.

A loopback port can be taken by any other user of the machine between the choice of it and the server's bind, and again
once the server has died; whoever has it then is sent the questions and the key. Into a folder of mode 0700 nobody else
can put a socket.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.errors import EngineError

PREFIX = "lokal-engine-"
SOCKET = "llama.sock"
"""The ending is what tells llama-server that its host is a path."""

LONGEST_PATH = 103
"""Bytes of a socket's path: sockaddr_un has room for 104 with the final zero on macOS, for 108 on Linux (unix(7))."""

_RANDOM = 8  # characters that tempfile.mkdtemp adds to a prefix
_TRIES = 5
_READ_BY_NOBODY_ELSE = 0o700


@dataclass(slots=True)
class SocketFolder:
    """A new folder for one engine's socket. It is locked (flock(2)) as long as `descriptor` is open here or in a process
    that inherited it: a folder that nobody has locked belongs to nobody any more."""

    folder: Path
    descriptor: int

    @property
    def socket(self) -> str:
        """The path of the socket, there or not."""
        return str(self.folder / SOCKET)

    def release(self) -> None:
        """Close the descriptor and take the folder away."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        remove(self.folder)


def create(environ: Mapping[str, str]) -> SocketFolder | None:
    """A folder for a socket, made anew; those that lokal has left there when it was killed are taken away. None where
    there is no place for one: no Unix sockets, no folder that only this user and root can change, or too long paths."""
    if sys.platform == "win32" or not hasattr(socket, "AF_UNIX"):
        return None
    for root in _roots(environ):
        _sweep(root)
        for _ in range(_TRIES):
            made = _make(root)
            if made is not None:
                return made
    return None


def remove(folder: Path) -> None:
    """Take a socket's folder away; one with anything else in it stays."""
    with contextlib.suppress(OSError):
        (folder / SOCKET).unlink(missing_ok=True)
        folder.rmdir()


def _roots(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders for temporary files in which a socket's folder is safe and its path short enough."""
    import tempfile

    places = [environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir(), "/tmp", "/var/tmp"]
    for place in dict.fromkeys(places):
        if not place.startswith("/"):
            continue
        try:
            root = Path(place).resolve()
            length = len(str(root / (PREFIX + "x" * _RANDOM) / SOCKET).encode())
        except (OSError, RuntimeError, ValueError):  # a loop of links; a name that is not UTF-8
            continue
        if length <= LONGEST_PATH and is_safe(root):
            yield root


def is_safe(folder: Path) -> bool:
    """Whether nobody but this user and root can rename or replace what this user puts into `folder`: it and all above it
    belong to one of these two and can be written by nobody else, unless, as in /tmp, only owners may rename (sticky)."""
    own = {0, os.getuid()}
    try:
        for place in (folder, *folder.parents):
            found = place.lstat()
            others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if not stat.S_ISDIR(found.st_mode) or found.st_uid not in own:
                return False
            if others_write and not found.st_mode & stat.S_ISVTX:
                return False
    except OSError:
        return False
    return True


def _make(root: Path) -> SocketFolder | None:
    import tempfile

    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    except OSError:
        return None
    descriptor = -1
    try:
        folder.chmod(_READ_BY_NOBODY_ELSE)  # whatever the umask
        descriptor = _locked(folder)
        if folder.lstat().st_ino == os.fstat(descriptor).st_ino:  # nobody has swept it meanwhile
            return SocketFolder(folder, descriptor)
    except OSError:
        pass
    if descriptor >= 0:
        os.close(descriptor)
    remove(folder)
    return None


def _locked(folder: Path) -> int:
    """A descriptor of `folder`, with its lock. Raises OSError where somebody has it."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _sweep(root: Path) -> None:
    """Take away the folders of engines that are gone."""
    with contextlib.suppress(OSError):
        for folder in root.glob(PREFIX + "?" * _RANDOM):
            with contextlib.suppress(OSError):
                if folder.lstat().st_uid == os.getuid():
                    descriptor = _locked(folder)
                    remove(folder)
                    os.close(descriptor)


def connect(path: str, timeout_s: float) -> socket.socket:
    """A connection to the server at a Unix socket. Raises OSError, EngineError where there are no such sockets."""
    if sys.platform == "win32":
        raise EngineError("There are no Unix sockets here")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
