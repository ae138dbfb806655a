"""Opening the files of a person: regular ones and links to them, never more of them than may be read, never for ever.

What a path names may be a pipe without a writer, a terminal or a device without an end: opening or reading one of these
would hang lokal or fill the memory. So whatever a person, an editor or another program may have put in a file's place
is opened here, and `in_thread` keeps the reading off the event loop and out of the way of leaving.

Little is imported, since the first picture of a start is read before anything else is loaded.
"""

from __future__ import annotations

import errno
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BufferedReader
    from typing import TypeVar

    T = TypeVar("T")

LIMIT = 1 << 20
"""The most bytes of a config, preset, theme, schema or state file, and of what an editor leaves."""
PIPE_S = 5.0
"""How long a pipe that was named on the command line, such as `<(...)`, may take from its first to its last byte."""

_PIECE = 1 << 18
_POLL_S = 0.02
_KINDS = (
    (stat.S_ISDIR, "It is a folder"),
    (stat.S_ISFIFO, "It is a pipe, which may never end"),
    (stat.S_ISSOCK, "It is a socket"),
    (stat.S_ISCHR, "It is a device, which may never end"),
    (stat.S_ISBLK, "It is a device"),
)


class NotAFile(OSError):
    """The path names something else than a regular file; `what` says what. `is_folder`: that it is a folder."""

    def __init__(self, path: str, mode: int) -> None:
        what = next((words for is_kind, words in _KINDS if is_kind(mode)), "It is no regular file")
        super().__init__(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, what, path)
        self.what = what
        self.is_folder = stat.S_ISDIR(mode)


class TooLarge(OSError):
    """The file has more than `limit` bytes; `size` is how many, or only how many were read of one that has no size."""

    def __init__(self, path: str, size: int, limit: int) -> None:
        self.what = f"It has {_in_words(size)}; {_in_words(limit)} is the most"
        super().__init__(errno.EFBIG, self.what, path)
        self.size = size
        self.limit = limit


class TooSlow(OSError):
    """A pipe that did not come to its end in time."""

    def __init__(self, path: str, seconds: float) -> None:
        self.what = f"It is a pipe that did not end within {seconds:g} s"
        super().__init__(errno.ETIMEDOUT, self.what, path)


def open_file(path: os.PathLike[str] | str) -> BufferedReader:
    """The regular file at `path`, open for reading. Raises NotAFile, and OSError as opening does."""
    name = os.fspath(path)
    return os.fdopen(_open(name, os.O_RDONLY), "rb")


def open_handle(path: os.PathLike[str] | str, flags: int, mode: int = 0o600) -> int:
    """A descriptor of the regular file at `path`, opened with `flags`; one that is made gets `mode`. The null device
    passes for a file: a link to it is how people keep nothing. Raises NotAFile, OSError."""
    return _open(os.fspath(path), flags, mode, null_too=True)


def read_bytes(path: os.PathLike[str] | str, limit: int = LIMIT) -> bytes:
    """All of a regular file; nothing for the null device. Raises NotAFile, TooLarge without reading it all, OSError."""
    name = os.fspath(path)
    if _is_null(_stat(name)):
        return b""
    handle = _open(name, os.O_RDONLY)
    try:
        return _all_of(name, handle, limit)
    finally:
        os.close(handle)


def read_end(path: os.PathLike[str] | str, limit: int) -> tuple[bytes, bool]:
    """The last bytes of a regular file, at most `limit`, and whether these are all of it. Raises NotAFile, OSError."""
    name = os.fspath(path)
    if _is_null(_stat(name)):
        return b"", True
    handle = _open(name, os.O_RDONLY)
    try:
        size = os.fstat(handle).st_size
        os.lseek(handle, max(0, size - limit), os.SEEK_SET)
        data = bytearray()
        # Never more than there was, however much another program adds meanwhile.
        while len(data) < limit and (piece := os.read(handle, min(_PIECE, limit - len(data)))):
            data += piece
        return bytes(data), size <= limit
    finally:
        os.close(handle)


def read_named(path: os.PathLike[str] | str, limit: int = LIMIT, seconds: float = PIPE_S) -> bytes:
    """All of a file that was named on the command line, which may be a pipe, as the shell makes one for `<(...)`, if it
    ends within `seconds`. It blocks so long; a signal is handled meanwhile. Raises NotAFile, TooLarge, TooSlow, OSError.
    """
    name = os.fspath(path)
    if not stat.S_ISFIFO(_stat(name).st_mode):
        return read_bytes(path, limit)
    handle = os.open(name, os.O_RDONLY | _CAREFUL)
    try:
        if not stat.S_ISFIFO(os.fstat(handle).st_mode):
            return _all_of(name, handle, limit)
        return _piped(name, handle, limit, seconds)
    finally:
        os.close(handle)


def require_regular(path: os.PathLike[str] | str) -> None:
    """Raise NotAFile if something else than a regular file is there; nothing at all is no fault. Raises OSError."""
    name = os.fspath(path)
    try:
        _require_regular(name, _stat(name), False)
    except FileNotFoundError:
        return


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` returns, which may take long: it runs in a thread that nobody waits for when lokal is left or when
    this is cancelled, whatever it still does then."""
    import asyncio
    import contextlib
    import contextvars
    import threading

    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def finish(result: T | None, error: BaseException | None) -> None:
        if done.done():  # cancelled
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # None only with an error, or where T holds it

    def run() -> None:
        result, failure = None, None
        try:
            result = context.run(work)
        except Exception as error:  # noqa: BLE001  # the root of a thread: it is raised where this is awaited
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(finish, result, failure)

    threading.Thread(target=run, name="reading a file", daemon=True).start()
    return await done


# Not to wait for a pipe's writer, not to become the terminal's process, not to be handed down to the engine.
_CAREFUL = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)  # fmt: skip


def _stat(path: str) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116 - pathlib alone takes some milliseconds
    except ValueError as error:  # a NUL, or half a surrogate pair
        raise OSError(errno.EINVAL, "No file can have that name", path) from error


def _open(path: str, flags: int, mode: int = 0o600, *, null_too: bool = False) -> int:
    """Looked at before it is opened, since opening a device may do something, and after it, since another may stand
    there by then."""
    try:
        _require_regular(path, _stat(path), null_too)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    handle = os.open(path, flags | _CAREFUL, mode)
    try:
        _require_regular(path, os.fstat(handle), null_too)
    except OSError:
        os.close(handle)
        raise
    return handle


def _require_regular(path: str, found: os.stat_result, null_too: bool) -> None:
    if not stat.S_ISREG(found.st_mode) and not (null_too and _is_null(found)):
        raise NotAFile(path, found.st_mode)


def _is_null(found: os.stat_result) -> bool:
    if not stat.S_ISCHR(found.st_mode):
        return False
    try:
        return found.st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116
    except OSError:
        return False


def _all_of(path: str, handle: int, limit: int) -> bytes:
    size = os.fstat(handle).st_size
    if size > limit:
        raise TooLarge(path, size, limit)
    data = bytearray()
    # One that grows while it is read, or has no size as in /proc, is held to the limit too.
    while piece := os.read(handle, _PIECE):
        data += piece
        if len(data) > limit:
            raise TooLarge(path, len(data), limit)
    return bytes(data)


def _piped(path: str, handle: int, limit: int, seconds: float) -> bytes:
    import select
    import time

    # The pipe of `<(...)` had its writer from the beginning; one with a name in a folder may still wait for it.
    has_writer = "/fd/" in os.path.realpath(path)
    deadline = time.monotonic() + seconds
    data = bytearray()
    while (left := deadline - time.monotonic()) > 0:
        try:
            piece = os.read(handle, _PIECE)
        except BlockingIOError:  # there is a writer, and nothing from it yet
            has_writer = True
            select.select([handle], [], [], left)
            continue
        if piece:
            data += piece
            if len(data) > limit:
                raise TooLarge(path, len(data), limit)
            has_writer = True
        elif has_writer:
            return bytes(data)
        else:
            time.sleep(min(_POLL_S, left))
    raise TooSlow(path, seconds)


def _in_words(count: int) -> str:
    """A number of bytes: `1.0 MB`."""
    if count < 1_000_000:
        return f"{count / 1e3:.1f} kB"
    return f"{count / 1e6:,.0f} MB" if count >= 99_950_000 else f"{count / 1e6:.1f} MB"
