"""The prompt history: one JSON string a line, readable by its owner only.

Several lokals may share the file: a prompt is added with one appending write, and the file is shortened only under a
lock that those who add take too.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tui import atomic, files
from tui.core.paste_folds import safe_marked
from tui.errors import FileError
from tui.private_files import make_private_file, make_private_folder

try:
    import fcntl
except ImportError:  # Windows, where the file is shared without a lock
    _LOCKS = False
else:
    _LOCKS = True


MOST_BYTES = 8 << 20
"""How much of the end of the file is read; what stands before that is forgotten when the file is shortened."""


class PromptHistory:
    """The last `size` prompts in the file `path`; size 0 = nothing is kept or read."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        self._last: str | None = None

    def load(self) -> tuple[str, ...]:
        """The prompts, oldest first, without direct repeats; lines that cannot be read are skipped.

        A file of more than twice `size` prompts, or of more than MOST_BYTES, is shortened. Raises FileError where it
        cannot be read.
        """
        if self.size <= 0:
            return ()
        try:
            data, is_whole = files.read_end(self.path, MOST_BYTES)
            if data.count(b"\n") > 2 * self.size or not is_whole:
                data = self._shorten()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise FileError(
                self.path,
                f"Cannot read the prompt history {self.path}",
                error.strerror or str(error),
                "Check the rights of the file",
            ) from error
        prompts = tuple(_prompts(data))[-self.size :]
        self._last = prompts[-1] if prompts else None
        return prompts

    def add(self, text: str) -> None:
        """Remember a prompt, unless it is blank or the one before it. Raises FileError."""
        if self.size <= 0 or not text.strip() or text == self._last:
            return
        # A lone half of a surrogate pair goes into the file as its JSON escape, since UTF-8 has no bytes for it.
        line = json.dumps(text, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        try:
            make_private_folder(self.path.parent)
            if not self.path.exists():
                make_private_file(self.path)
            with self._locked(os.O_RDWR | os.O_APPEND | os.O_CREAT) as handle:
                end = os.lseek(handle, 0, os.SEEK_END)
                if end and (os.lseek(handle, end - 1, os.SEEK_SET), os.read(handle, 1))[1] != b"\n":
                    line = b"\n" + line  # a write before this one was cut short
                while line:
                    line = line[os.write(handle, line) :]
        except OSError as error:
            raise FileError(
                self.path,
                f"Cannot write the prompt history {self.path}",
                error.strerror or str(error),
                "Check the rights of the folder and the space on the disk",
            ) from error
        self._last = text

    def _shorten(self) -> bytes:
        """Keep the newest `size` prompts of the file; what it then holds."""
        with self._locked(os.O_RDONLY):
            data, is_whole = files.read_end(self.path, MOST_BYTES)
            if not is_whole:
                data = data.partition(b"\n")[2]  # the first line is the rest of one
            lines = data.splitlines(keepends=True)[-self.size :]
            kept = "".join(line.decode("utf-8") for line in lines if next(_prompts(line), None) is not None)
            with contextlib.suppress(FileError):  # a folder that cannot be written keeps its long file
                atomic.write_text(self.path, kept)
            return kept.encode("utf-8")

    @contextlib.contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        """The open file, alone with it where the platform has locks."""
        while True:
            handle = files.open_handle(self.path, flags)
            try:
                if _LOCKS:
                    with contextlib.suppress(OSError):  # some network file systems have none
                        fcntl.flock(handle, fcntl.LOCK_EX)
                if not _LOCKS or self._is_current(handle):
                    yield handle
                    return
            finally:
                os.close(handle)

    def _is_current(self, handle: int) -> bool:
        """Whether the file is still the one at its path: another lokal may have replaced it meanwhile."""
        try:
            return os.path.samestat(os.fstat(handle), self.path.stat())
        except FileNotFoundError:
            return False


def _prompts(data: bytes) -> Iterator[str]:
    last = None
    for line in data.split(b"\n"):
        try:
            prompt = json.loads(line)
        except (ValueError, RecursionError):  # cut short, not JSON, not UTF-8
            continue
        if not isinstance(prompt, str):
            continue
        prompt = safe_marked(prompt)  # whoever has written the file
        if prompt.strip() and prompt != last:
            yield prompt
            last = prompt
