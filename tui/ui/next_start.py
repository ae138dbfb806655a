"""What is kept for the next start, so that it is quick: the first frame, and the theme that `auto` came to."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path

from tui import atomic, files, frame_file
from tui.chat.write_queue import WriteQueue
from tui.errors import FileError

FRAMES = 32
"""How many first frames are kept, one for each kind and size of terminal."""


class NextStart:
    """One for each app. What it writes only saves time: a disk that takes nothing is no trouble."""

    def __init__(self, auto_theme: Path, queue: WriteQueue) -> None:
        self._auto_theme = auto_theme
        self._queue = queue

    def keep_frame(self, picture: str, size: tuple[int, int]) -> None:
        """Keep the first frame of a terminal of so many columns and rows."""
        if picture:
            path = Path(frame_file.frame_file(os.environ, *size))
            self._queue.submit(partial(_keep_frame, path, picture))

    def keep_auto_theme(self, name: str) -> None:
        """Keep what `auto` came to, so that the next start need not wait for the terminal's word."""
        self._queue.submit(partial(_write_if_new, self._auto_theme, name))


def _keep_frame(path: Path, picture: str) -> None:
    """Keep a frame, and of those of other terminals and sizes the newest."""
    with contextlib.suppress(OSError):
        is_new = not path.exists()
        _write_if_new(path, picture)
        os.utime(path)
        if not is_new:
            return
        frames = sorted(path.parent.iterdir(), key=lambda frame: frame.stat().st_mtime, reverse=True)
        for frame in frames[FRAMES:]:
            frame.unlink()


def _write_if_new(path: Path, text: str) -> None:
    with contextlib.suppress(OSError, FileError):
        try:
            is_new = files.read_bytes(path) != text.encode()
        except OSError:  # none there, or something that is no such file
            is_new = True
        if is_new:
            atomic.write_text(path, text)
