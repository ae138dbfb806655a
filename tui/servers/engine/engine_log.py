"""The log of the engine: a private file a run, the last few kept, and the one line in it that says why it failed."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from tui import files
from tui.core.text import safe_line
from tui.errors import FileError
from tui.private_files import make_private_folder

KEPT = 5
"""How many logs stay, the new one included."""

_TAIL = 64 * 1024  # bytes at the end of a log that are searched


def create(folder: Path) -> tuple[Path, int]:
    """A new empty log in `folder`, readable by its owner only, and the descriptor to write to; old logs go.

    Where the folder cannot be written (a read-only home), the log goes to one for temporary files. Raises FileError
    when that cannot be written either.
    """
    try:
        return _create(folder)
    except FileError as first:
        import tempfile

        try:
            folder = Path(tempfile.mkdtemp(prefix="lokal-"))
        except OSError:
            raise first from None
        return _create(folder)


def _create(folder: Path) -> tuple[Path, int]:
    try:
        make_private_folder(folder)
        path, handle = _open_new(folder)
        for old in sorted(folder.glob("engine-*.log"))[:-KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()
    except OSError as error:
        raise FileError(
            folder,
            f"Cannot write the engine's log in {folder}",
            error.strerror or str(error),
            "Check the rights of the folder and the space on the disk",
        ) from error
    return path, handle


def _open_new(folder: Path) -> tuple[Path, int]:
    """A file named after this moment, so that names sort by age."""
    while True:
        second, nanosecond = divmod(time.time_ns(), 1_000_000_000)
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(second))
        path = folder / f"engine-{stamp}-{nanosecond // 1000:06}.log"
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            path.chmod(0o600)  # a umask may have taken from it
            return path, handle


def note(path: Path, line: str) -> None:
    """Add a line of lokal's own to the log; nothing where that cannot be done."""
    with contextlib.suppress(OSError):
        handle = files.open_handle(path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(handle, f"lokal: {safe_line(line, 400)}\n".encode())
        finally:
            os.close(handle)


def says(path: Path, words: re.Pattern[bytes]) -> bool:
    """Whether `words` are in the log, near its end if it is long."""
    return words.search(_tail(path)) is not None


def _tail(path: Path) -> bytes:
    try:
        return files.read_end(path, _TAIL)[0]
    except OSError:
        return b""


def telling_line(path: Path) -> str:
    """The line of the log that says best why the engine failed; empty if the log cannot be read or is empty."""
    text = _tail(path).decode("utf-8", "replace")
    lines = [_without_prefix(line) for line in text.splitlines()]
    lines = [line for line in lines if line]
    telling = [line for line in lines if _TROUBLE.search(line)]
    specific = [line for line in telling if not _SAYS_NOTHING.search(line)]
    for candidates in (specific, telling, lines):
        if candidates:
            return safe_line(candidates[-1], 240)
    return ""


_TROUBLE = re.compile(
    r"error|fail|unable|cannot|can't|could ?n[o']t|invalid|unknown|not supported|unsupported|out of memory"
    r"|bad_alloc|what\(\)|missing|illegal|corrupted|denied|abort",
    re.IGNORECASE,
)
# What llama.cpp prints after the line that says why: that the model, and so the server, did not start.
_SAYS_NOTHING = re.compile(
    r"failed to load model( from)?,? *('.*'|/.*|[A-Z]:.*)?$|exiting due to|failed to create (llama_)?context|failed to start the server|failed to initialize router|please check the input params"
    r"|error while trying to fit params|cleaning up before exit|^Traceback|^#\d+ |ptrace",
    re.IGNORECASE,
)
# `0.00.005.781 E llama_model_load: error loading model: ` of today, `llama_model_load: error loading model: ` of before.
_PREFIX = re.compile(
    r"^(\d+\.\d+\.\d+\.\d+ +[A-Z] +)?(\w{3,4} +(?=\S+: ))?([\w~]+(\(\))?: )*(error: |error loading model: )?"
)


def _without_prefix(line: str) -> str:
    """A log line without time, level, and the names of the functions that it comes from."""
    line = safe_line(line, 1000)
    return _PREFIX.sub("", line) or line
