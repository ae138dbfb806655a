"""A file of the hub on the disk: in pieces that are kept when something breaks, checked at the end, and only then there.

What comes is added to `.NAME.HASH.part` beside the file to be. Its writer holds a lock on it, so that two processes never
write one file. When it has all its bytes and the SHA-256 that the hub told, it takes its name, in one step.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

from tui import files
from tui.core.model_names import HubFile, HubReference
from tui.core.text import human_size, safe_line, safe_name
from tui.errors import FileError, Interrupted, Refused
from tui.private_files import make_private_folder
from tui.servers.hub.hub_client import HubClient, HubReply

try:
    import fcntl
except ImportError:  # Windows, where two processes are not kept apart
    _LOCKS = False
else:
    _LOCKS = True

CHECKING = "checking"
_PIECE = 1 << 20
_LIMIT_STEP_S = 0.1


class Throttle:
    """Keeps a download below a rate, in bytes a second."""

    def __init__(self, rate: int | None) -> None:
        self._rate = rate
        self._free_at = 0.0

    async def spend(self, count: int) -> None:
        """Wait as long as so many bytes have to take."""
        if not self._rate:
            return
        now = time.monotonic()
        self._free_at = max(self._free_at, now) + count / self._rate
        if self._free_at - now > _LIMIT_STEP_S:
            await asyncio.sleep(self._free_at - now)


def part_of(target: Path, file: HubFile) -> Path:
    """Where the pieces of a file are kept until it is whole. A file that was changed on the hub has another one."""
    return target.with_name(f".{target.name}.{file.sha256[:12] or file.size}.part")


def bytes_there(target: Path, file: HubFile) -> int:
    """How many bytes of a file are on the disk already; all of them where it is whole."""
    try:
        if target.stat().st_size == file.size:
            return file.size
        return min(file.size, part_of(target, file).stat().st_size)
    except OSError:
        with contextlib.suppress(OSError):
            return min(file.size, part_of(target, file).stat().st_size)
        return 0


async def download(
    client: HubClient, wanted: HubReference, commit: str, file: HubFile, target: Path, throttle: Throttle
) -> AsyncGenerator[tuple[str, int], None]:
    """Put a file on the disk; one that is there with all its bytes stays. Yields where it comes from, or that it is being checked,
    and how many bytes are there. Raises ServerError, and FileError for the disk; what came is kept then."""
    if _is_whole(target, file):
        yield "", file.size
        return
    part = part_of(target, file)
    try:
        make_private_folder(target.parent)
        handle = files.open_handle(part, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        _lock(handle, file)
        if _is_whole(target, file):  # another process has just finished it
            yield "", file.size
            return
        there = os.fstat(handle).st_size
        if there > file.size:
            os.ftruncate(handle, 0)
            there = 0
        if there < file.size:
            async with (
                client.open(wanted, commit, file.path, there) as reply,
                aclosing(_received(reply, handle, file, there, throttle)) as coming,
            ):
                async for count in coming:
                    yield reply.host, count
        yield CHECKING, file.size
        await _require_right(handle, part, file)
        await files.in_thread(lambda: _take_name(handle, part, target))
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        os.close(handle)
    yield "", file.size


async def _received(
    reply: HubReply, handle: int, file: HubFile, there: int, throttle: Throttle
) -> AsyncGenerator[int, None]:
    """Write what comes. Raises Interrupted where that is not all of it, or is of another file."""
    if (reply.size and reply.size != file.size) or (
        reply.sha256 and file.sha256 and reply.sha256 != file.sha256
    ):
        raise Interrupted("The file on the hub has changed meanwhile", "", "It begins from its start", 200)
    if reply.start != there:  # the host knows no ranges, or sends another one
        if reply.start != 0:
            raise Interrupted("The hub sends another piece than was asked for", "", "It is tried again", 200)
        os.ftruncate(handle, 0)
        there = 0
    os.lseek(handle, there, os.SEEK_SET)
    async with aclosing(reply.pieces()) as pieces:
        async for piece in pieces:
            if there + len(piece) > file.size:
                os.ftruncate(handle, 0)
                raise Interrupted("The hub sends more than the file has", "", "It begins from its start", 200)
            _write(handle, piece)
            there += len(piece)
            yield there
            await throttle.spend(len(piece))
    if there < file.size:
        done = f"{human_size(there)} of {human_size(file.size)} are there"
        raise Interrupted("The download broke off", done, "It goes on where it was", 200)


def _is_whole(target: Path, file: HubFile) -> bool:
    try:
        return target.stat().st_size == file.size
    except OSError:
        return False


def _write(handle: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]


async def _require_right(handle: int, part: Path, file: HubFile) -> None:
    """Raise Refused for a file whose hash is another one; it is deleted then. Cancelling ends the reading."""
    if not file.sha256:
        return
    stop = threading.Event()
    try:
        found = await files.in_thread(lambda: _hash_of(part, stop))
    finally:
        stop.set()
    if found != file.sha256:
        os.ftruncate(handle, 0)
        await files.in_thread(lambda: part.unlink(missing_ok=True))
        raise Refused(
            "What was downloaded is damaged", f"Its SHA-256 is {found[:12]}…, the hub says {file.sha256[:12]}…",
            "It was deleted; download it again", 200,
        )  # fmt: skip


def _hash_of(path: Path, stop: threading.Event) -> str:
    digest = hashlib.sha256()
    with files.open_file(path) as file:
        while not stop.is_set() and (piece := file.read(_PIECE)):
            digest.update(piece)
    return digest.hexdigest()


def _take_name(handle: int, part: Path, target: Path) -> None:
    os.fsync(handle)
    part.replace(target)
    with contextlib.suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _lock(handle: int, file: HubFile) -> None:
    """Raise Refused where another process writes the file."""
    if not _LOCKS:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise Refused(
                f"Another lokal downloads {safe_name(file.path, 80)} just now",
                "",
                "Wait for it, or stop it there",
            ) from error


def _not_written(target: Path, error: OSError) -> FileError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    title = "The disk is full" if full else f"Cannot write {safe_line(str(target), 200)}"
    hint = (
        "Make room, then download it again: what came is kept" if full else "Check the rights of the folder"
    )
    return FileError(target, title, error.strerror or str(error), hint)
