"""What could not be written to the store, as a file elsewhere that lokal can import."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from tui.chat.session import ChatSession
from tui.chat.write_queue import WriteQueue
from tui.errors import FileError, StoreError

TOLD_S = 7 * 24 * 3600.0
"""How long a file that is still there is spoken of at the start."""


def _name(data: Path) -> str:
    """How the name of such a file begins. It tells whose chats they are: another home folder of this person, or a test, has
    its own."""
    return f"lokal-unwritten-{zlib.crc32(os.fsencode(data)):08x}-"


def worth(owners: Iterable[object]) -> tuple[ChatSession, ...]:
    """The chats among those whose writes wait that have anything in them."""
    return tuple(
        owner
        for owner in owners
        if isinstance(owner, ChatSession) and (len(owner.conversation) or owner.unsent)
    )


def text_of(sessions: Sequence[ChatSession]) -> str:
    """The chats with all their branches, as `lokal chats import` reads them; what was not sent stands in `unsent`."""
    from tui.store.export import chat_as_json

    chats = []
    for session in sessions:
        whole = session.whole()
        chat = json.loads(chat_as_json(whole.conversation, whole.summary))
        chats.append({**chat, "unsent": session.unsent} if session.unsent else chat)
    # With ASCII only there is nothing in it that a terminal could act on.
    return json.dumps(chats, indent=1) + "\n"


def path_for(data: Path) -> Path:
    """Where such a file can be: if possible on another file system than the folder `data`, which may be full."""
    name = f"{_name(data)}{time.strftime('%Y%m%d-%H%M%S')}.json"
    places = [place for place in _places() if os.access(place, os.W_OK)] or [Path(tempfile.gettempdir())]
    device = _device(data)
    return next((place for place in places if _device(place) != device), places[0]) / name


def write(path: Path, text: str) -> Path:
    """Write a new file that only its owner may read, to the disk; its whole path. Raises FileError."""
    try:
        whole = Path.cwd() / path.expanduser()
        handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            whole.unlink(missing_ok=True)
            raise
    except (OSError, RuntimeError, ValueError) as error:  # no such folder, ~nobody
        why = getattr(error, "strerror", None) or str(error)
        raise FileError(
            path, f"Cannot write {path}", why, "Name another file, on a disk that has room"
        ) from error
    return whole


def rescue_unwritten(queue: WriteQueue, data: Path) -> None:
    """Write what a queue that was closed could not write to the store to a file elsewhere. Raises StoreError, which says where
    it is."""
    problem, sessions = queue.problem, worth(queue.owners())
    if problem is None or not sessions:
        return
    path = write_somewhere(data, text_of(sessions))
    if path is None:
        raise StoreError("The last messages are lost", str(problem), "No disk takes a file")
    raise StoreError(
        "Not everything could be saved",
        f"{problem.title}: {problem.detail}",
        f"It is in {path}: “lokal chats import” reads it",
    )


def write_somewhere(data: Path, text: str) -> Path | None:
    """Write it to the first place that takes it; None where there is none."""
    first = path_for(data)
    for path in (first, *(place / first.name for place in _places())):
        try:
            return write(path, text)
        except FileError:
            continue
    return None


def left(data: Path, now: float) -> Path | None:
    """The newest of those files that a lokal of before, with the folder `data`, has left here."""
    found: list[tuple[float, Path]] = []
    for place in _places():
        try:
            for path in place.glob(f"{_name(data)}*.json"):
                status = path.lstat()
                if (
                    sys.platform == "win32" or status.st_uid == os.getuid()
                ) and now - status.st_mtime < TOLD_S:
                    found.append((status.st_mtime, path))
        except OSError:
            continue
    return max(found)[1] if found else None


def _places() -> list[Path]:
    return [Path.home(), Path(tempfile.gettempdir()), Path("/dev/shm")]


def _device(path: Path) -> int:
    """The file system that a path is on, by the nearest folder that is there."""
    for folder in (path, *path.parents):
        try:
            return folder.stat().st_dev
        except OSError:
            continue
    return 0
