"""Which lokal writes an answer, and whether it still lives.

Each open database has an owner token and holds a lock on the file of that name. The kernel gives the lock up when the
process ends, in whatever way, so that a token whose lock can be taken belongs to nobody any more. A process id would
not do: it is used again, and it says nothing across containers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tui import files
from tui.core.message import new_id
from tui.errors import StoreUnavailable
from tui.private_files import make_private_file

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_SUFFIX = ".lock"
_OPENING = "opening"
OPENING_PATIENCE_S = 10.0
"""How long to wait for another lokal that creates or migrates the database."""


class ProcessLock:
    """A token that others can see living or dead. Without a folder (a database in memory) nobody else sees it."""

    def __init__(self, token: str, folder: Path | None = None, handle: int | None = None) -> None:
        """`handle` is the descriptor of the locked file; `ProcessLock.claim` makes it."""
        self.token = token
        self._folder = folder
        self._handle = handle

    @classmethod
    def claim(cls, folder: Path) -> ProcessLock:
        """A new token with its lock held in `folder`, which must exist. Raises OSError."""
        while True:
            token = new_id()
            path = folder / f"{token}{_SUFFIX}"
            if not make_private_file(path):
                continue
            with contextlib.suppress(FileNotFoundError):
                handle = files.open_handle(path, os.O_RDWR)
                # Another lokal that tidies up may have taken the file for a dead one before it was locked.
                if _try_lock(handle) and path.exists():
                    return cls(token, folder, handle)
                os.close(handle)

    def renewed(self, folder: Path) -> ProcessLock:
        """This one, if its file is still there; else, where the folder was deleted meanwhile, a new one."""
        if self._folder is not None and (self._folder / f"{self.token}{_SUFFIX}").exists():
            return self
        return ProcessLock.claim(folder)

    def is_alive(self, token: str) -> bool:
        """Whether the lokal with that token still runs. When that cannot be told it counts as living."""
        if token == self.token:
            return True
        if self._folder is None or not token.isalnum():
            return False
        return not _is_free(self._folder / f"{token}{_SUFFIX}")

    def remove_stale(self) -> None:
        """Remove the lock files that dead ones left behind."""
        if self._folder is None:
            return
        for path in self._folder.glob(f"*{_SUFFIX}"):
            if path.stem != self.token:
                with contextlib.suppress(OSError):
                    handle = files.open_handle(path, os.O_RDWR)
                    try:
                        # Removed while it is held: who claims a token looks whether its file is still there once it
                        # has the lock.
                        if _try_lock(handle):
                            path.unlink()
                    finally:
                        os.close(handle)

    def release(self) -> None:
        """Give the token up. Doing it twice is harmless."""
        handle, self._handle = self._handle, None
        if handle is None or self._folder is None:
            return
        path = self._folder / f"{self.token}{_SUFFIX}"
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(handle)
            with contextlib.suppress(OSError):
                path.unlink()
        else:
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(handle)


@contextlib.contextmanager
def opening(folder: Path, patience_s: float = OPENING_PATIENCE_S) -> Iterator[None]:
    """Let one lokal at a time create or migrate the database beside `folder`.

    SQLite does not wait when two processes switch a new database to its write-ahead log at once. Raises StoreError
    when the other one does not get done within `patience_s` seconds, OSError when the file cannot be made.
    """
    path = folder / _OPENING
    make_private_file(path)
    handle = files.open_handle(path, os.O_RDWR)
    try:
        deadline = time.monotonic() + patience_s
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise StoreUnavailable(
                    "Cannot open the chats", "Another lokal is setting them up", "Try again in a moment"
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _is_free(path: Path) -> bool:
    """Whether nobody holds the lock on that file. A file that is gone is free, one that cannot be opened is not."""
    try:
        handle = files.open_handle(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        return _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    """Lock an open file until it is closed; False when another holds the lock.

    True as well on a file system without locks: an answer is then taken for abandoned while it is being written,
    which its writer puts right when it saves the whole of it. The other way round nothing would ever be recovered.
    """
    try:
        if sys.platform == "win32":
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
