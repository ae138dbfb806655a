"""The files with what the engine had read of chats that were left, and a record beside each.

llama.cpp writes and reads these files itself. A truncated one kills it and a changed one is taken for good, so a file is
handed to it only if everything in its record still holds: size, SHA-256, and what the engine runs with. A file holds
a conversation: it is its owner's alone, and goes when its chat goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tui import atomic, files
from tui.errors import FileError
from tui.private_files import make_private_folder

LIMIT_BYTES = 1 << 30
"""How much of the disk all files may take together where nothing else is set."""

_FILE, _RECORD = ".slot", ".json"
_USELESS = "models-without-use.txt"
_PIECE = 1 << 20
FREE_BYTES = 256 << 20
"""So much of the disk is left to all else: what is said in a chat needs room more than what makes it quick."""
_ABANDONED_S = 600.0
"""Age of a file without a record, in seconds, from which on nobody is writing it any more."""


@dataclass(frozen=True, slots=True)
class EngineState:
    """What has to be the same for a file to be of use: the model's hash, the engine's build, the window in tokens, and the
    types of the KV cache."""

    model: str
    build: str
    context: int
    cache_types: str


@dataclass(frozen=True, slots=True)
class SlotRecord:
    """What is known of a file: its name, the id of its chat, tokens, bytes and SHA-256, and the engine that wrote it.
    `saved_at` is seconds since the epoch."""

    name: str
    chat: str
    tokens: int
    size: int
    sha256: str
    engine: EngineState
    saved_at: float


HasChat = Callable[[str], bool | None]
"""Whether there is a chat with that id, None = not known now: nothing is kept of a chat that is not there."""


class SlotFiles:
    """The files in one folder, which several processes may use. Everything blocks, for up to a second; `tell` gets
    a line for each file that is thrown away, and why."""

    def __init__(
        self,
        folder: Path,
        limit_bytes: int = LIMIT_BYTES,
        tell: Callable[[str], None] = lambda _: None,
        has_chat: HasChat = lambda _: True,
    ) -> None:
        self.folder = folder
        self._limit_bytes = limit_bytes
        self._tell = tell
        self._has_chat = has_chat

    def new_name(self) -> str:
        """A name for a file that there is not yet, to be written by the engine. Raises OSError where the folder cannot be
        made."""
        make_private_folder(self.folder)
        return f"{secrets.token_hex(12)}{_FILE}"

    def may_keep(self, chat: str, tokens: int, engine: EngineState) -> bool:
        """Whether there is such a chat, and room for so many tokens of it, as far as files from before tell."""
        if not self._has_chat(chat):
            return False
        alike = [record for record in self._records() if record.engine == engine and record.tokens > 0]
        size = max((record.size / record.tokens for record in alike), default=0.0) * tokens
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return False
        if size <= self._limit_bytes and size + FREE_BYTES <= free:
            return True
        self._tell("A chat was not saved: there is no room for it")
        return False

    def keep(self, name: str, chat: str, tokens: int, engine: EngineState) -> bool:
        """Keep a file that the engine has written, instead of all others of that chat, and throw the oldest out until all fit.
        False, and the file is gone, where that cannot be done: it is no whole file, or larger than all may be."""
        path = self.folder / name
        try:
            path.chmod(0o600)
            size = path.stat().st_size
            if not 0 < size <= self._limit_bytes:
                self._drop(name, f"it has {size:,} bytes, and {self._limit_bytes:,} is the most")
                return False
            record = SlotRecord(name, chat, tokens, size, _hash_of(path), engine, time.time())
            atomic.write_text(self._record(name), json.dumps(asdict(record)) + "\n")
        except (OSError, FileError) as error:
            self._drop(name, str(error))
            return False
        for other in self._records():
            if other.chat == chat and other.name != name:
                self._remove(other.name)
        self._trim()
        if not self._has_chat(chat):  # it was deleted meanwhile, and its files with it
            self._remove(name)
            return False
        return True

    def has(self, chat: str) -> bool:
        """Whether there is a file of a chat, of use or not."""
        return any(record.chat == chat for record in self._records())

    def find(self, chat: str, engine: EngineState) -> SlotRecord | None:
        """The file of a chat, every byte of it looked at. One that is damaged, or of no use to this engine, is thrown away."""
        for record in self._records():
            if record.chat != chat:
                continue
            if record.engine != engine:
                self._drop(record.name, "it was saved by another model, build, window or cache type")
            elif not self._is_whole(record):
                self._drop(record.name, "it is not as it was saved")
            else:
                return record
        return None

    def drop(self, name: str, why: str) -> None:
        """Throw a file away that the engine did not write whole or does not take."""
        self._drop(name, why)

    def forget(self, chats: Collection[str]) -> None:
        """Delete the files of these chats."""
        for record in self._records():
            if record.chat in chats:
                self._remove(record.name)

    def sweep(self) -> None:
        """Delete what nobody knows of any more, such as files that were being written at a crash or are of chats that are
        gone, and what is too much."""
        known = set()
        for record in self._records():
            known.add(record.name)
            if self._has_chat(record.chat) is False:
                self._remove(record.name)
        for path in self._all(_FILE):
            with contextlib.suppress(OSError):
                if path.name not in known and time.time() - path.stat().st_mtime > _ABANDONED_S:
                    self._remove(path.name)
        self._trim()

    def is_useless(self, model: str) -> bool:
        """Whether restoring was seen to bring nothing for a model, by its hash."""
        with contextlib.suppress(OSError):
            return model.encode() in files.read_bytes(self.folder / _USELESS).split()
        return False

    def mark_useless(self, model: str) -> None:
        """Do not save the chats of this model again."""
        with contextlib.suppress(OSError, FileError):
            known = b""
            with contextlib.suppress(FileNotFoundError):
                known = files.read_bytes(self.folder / _USELESS)
            atomic.write_text(self.folder / _USELESS, f"{known.decode('utf-8', 'replace')}{model}\n")

    def _is_whole(self, record: SlotRecord) -> bool:
        path = self.folder / record.name
        try:
            return path.stat().st_size == record.size and _hash_of(path) == record.sha256
        except OSError:
            return False

    def _trim(self) -> None:
        """Throw out the oldest until the rest fits."""
        records = sorted(self._records(), key=lambda record: record.saved_at)
        total = sum(record.size for record in records)
        for record in records:
            if total <= self._limit_bytes:
                return
            total -= record.size
            self._remove(record.name)

    def _records(self) -> Iterator[SlotRecord]:
        """The records that can be read, in no order; one without its file, or that cannot be understood, is deleted."""
        for path in self._all(_RECORD):
            try:
                fields = json.loads(files.read_bytes(path))
                record = SlotRecord(**{**fields, "engine": EngineState(**fields["engine"])})
                whole = record.name == f"{path.stem}{_FILE}" and (self.folder / record.name).is_file()
                whole = whole and isinstance(record.size, int) and isinstance(record.saved_at, float)
            except FileNotFoundError:
                continue  # another lokal has just deleted it
            except (OSError, ValueError, TypeError, KeyError, RecursionError):
                whole = False
            if whole:
                yield record
            else:
                self._drop(f"{path.stem}{_FILE}", "its record cannot be understood or its file is gone")

    def _all(self, ending: str) -> list[Path]:
        try:
            return [path for path in self.folder.iterdir() if path.suffix == ending and path.stem.isalnum()]
        except OSError:
            return []

    def _record(self, name: str) -> Path:
        return (self.folder / name).with_suffix(_RECORD)

    def _drop(self, name: str, why: str) -> None:
        self._remove(name)
        self._tell(f"The saved state of a chat was thrown away: {why}")

    def _remove(self, name: str) -> None:
        """Delete a file and its record, the record first: a file alone is of no use to anybody."""
        for path in (self._record(name), self.folder / name):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def _hash_of(path: Path) -> str:
    digest = hashlib.sha256()
    with files.open_file(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
