"""The downloads that are not done, on the disk: one file, which several lokals share.

Each entry has an owner, the lokal that downloads it. What belongs to one that is gone (its connection broke, the machine
was restarted) is taken over by the next. The file is replaced as a whole under a lock; a broken one is set aside.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tui import atomic, files
from tui.core.endpoint import ServerKind
from tui.core.message import Problem
from tui.core.text import safe_line
from tui.errors import FileError
from tui.models.pull import UNFINISHED, Pull, PullState
from tui.private_files import make_private_folder
from tui.store.process_lock import ProcessLock

try:
    import fcntl
except ImportError:  # Windows, where the file is shared without a lock
    _LOCKS = False
else:
    _LOCKS = True

MOST_PULLS = 500
_HUB_KIND = "hub"
_FORM = 1
"""The form of the file. A later lokal may write another one: that is set aside too."""


@dataclass(frozen=True, slots=True)
class StoredPull:
    """A download and the token of the lokal that it belongs to."""

    pull: Pull
    owner: str


class PullFile:
    """The downloads in `folder`, for one lokal. All methods block; they raise FileError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "queue.json"
        self._lock: ProcessLock | None = None
        self.set_aside: Path | None = None
        """Where a file was put that could not be understood; its downloads have to be begun again by hand."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever kept: nothing is made only to look."""
        try:
            return self._path.exists()
        except OSError:
            return True  # what is wrong is said where it is opened

    def others(self) -> tuple[Pull, ...]:
        """What other lokals download just now."""
        if not self.is_there:
            return ()
        with self._locked() as lock:
            stored = self._read()
            return tuple(
                each.pull for each in stored if each.owner != lock.token and lock.is_alive(each.owner)
            )

    def adopt(self, server: str | None = None) -> tuple[Pull, ...]:
        """Take over what belongs to nobody that lives: all, or only what goes to the `server` at this URL."""
        if not self.is_there:
            return ()
        with self._locked() as lock:
            stored = self._read()
            mine = [
                each
                for each in stored
                if each.owner != lock.token
                and not lock.is_alive(each.owner)
                and server in (None, each.pull.server)
            ]
            if mine:
                taken = {each.pull.id for each in mine}
                self._write(
                    [replace(each, owner=lock.token) if each.pull.id in taken else each for each in stored]
                )
            return tuple(each.pull for each in mine)

    def save(self, pulls: Sequence[Pull]) -> None:
        """Keep these as the downloads of this lokal, in their order; those of others stay."""
        kept = [pull for pull in pulls if pull.state in UNFINISHED]
        if not kept and not self.is_there:
            return
        with self._locked() as lock:
            theirs = [each for each in self._read() if each.owner != lock.token]
            self._write([*(StoredPull(pull, lock.token) for pull in kept), *theirs])

    def release(self) -> None:
        """Leave what is not done to the next lokal."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[ProcessLock]:
        """Alone with the file, where the platform has locks."""
        try:
            make_private_folder(self._folder)
            lock = self._lock = self._claimed()
            handle = files.open_handle(self._folder / "changing", os.O_RDWR | os.O_CREAT)
            try:
                if _LOCKS:
                    with contextlib.suppress(OSError):  # some network file systems have none
                        fcntl.flock(handle, fcntl.LOCK_EX)
                yield lock
            finally:
                os.close(handle)
        except OSError as error:
            raise FileError(
                self._path,
                f"Cannot keep the downloads in {self._folder}",
                error.strerror or str(error),
                "Check the rights of the folder and the space on the disk",
            ) from error

    def _claimed(self) -> ProcessLock:
        if self._lock is not None:
            return self._lock.renewed(self._folder)
        lock = ProcessLock.claim(self._folder)
        lock.remove_stale()
        return lock

    def _read(self) -> list[StoredPull]:
        try:
            stored = _parsed(files.read_bytes(self._path))
        except FileNotFoundError:
            return []
        except (files.TooLarge, files.NotAFile):
            stored = None
        if stored is not None:
            return stored
        aside = self._path.with_suffix(".broken")
        self._path.replace(aside)
        self.set_aside = aside
        return []

    def _write(self, stored: Sequence[StoredPull]) -> None:
        entries = [_as_json(each) for each in stored[:MOST_PULLS]]
        atomic.write_text(
            self._path, json.dumps({"form": _FORM, "pulls": entries}, ensure_ascii=True, indent=1) + "\n"
        )


def _as_json(stored: StoredPull) -> dict[str, object]:
    pull = stored.pull
    # One that runs is begun again by whoever takes it over.
    state = pull.state if pull.state in (PullState.PAUSED, PullState.FAILED) else PullState.WAITING
    entry: dict[str, object] = {
        "id": pull.id, "server": pull.server, "kind": _HUB_KIND if pull.kind is None else pull.kind.value, "model": pull.model, "state": state.name.lower(),
        "update": pull.update, "owner": stored.owner,
    }  # fmt: skip
    if pull.problem is not None and state is not PullState.WAITING:
        entry["problem"] = [pull.problem.title, pull.problem.detail, pull.problem.hint]
    return entry


def _parsed(data: bytes) -> list[StoredPull] | None:
    """The entries of a file; None for one that cannot be understood. An entry that cannot is left out."""
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict) or whole.get("form") != _FORM or not isinstance(whole.get("pulls"), list):
        return None
    found = (_entry(each) for each in whole["pulls"][:MOST_PULLS])
    return [each for each in found if each is not None]


_STATES = {state.name.lower(): state for state in (PullState.WAITING, PullState.PAUSED, PullState.FAILED)}


def _entry(entry: object) -> StoredPull | None:
    if not isinstance(entry, dict):
        return None
    texts = {
        name: safe_line(value) if isinstance(value := entry.get(name), str) else ""
        for name in ("id", "server", "kind", "model", "state", "owner")
    }
    state = _STATES.get(texts["state"])
    if (
        not (texts["id"] and texts["server"] and texts["model"])
        or state is None
        or texts["kind"] not in {_HUB_KIND, *ServerKind}
    ):
        return None
    told = entry.get("problem")
    problem = None
    if isinstance(told, list) and len(told) == 3 and all(isinstance(part, str) for part in told):
        problem = Problem(*(safe_line(part, 500) for part in told))
    pull = Pull(
        texts["id"], texts["server"], None if texts["kind"] == _HUB_KIND else ServerKind(texts["kind"]), texts["model"], state, entry.get("update") is True,
        problem=problem,
    )  # fmt: skip
    return StoredPull(pull, texts["owner"])
