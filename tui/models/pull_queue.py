"""Downloads one after the other: in an order that can be changed, paused, resumed, stopped, begun again after a broken
connection and after a restart.

`PullQueue` owns the downloads of this lokal. Its methods change them at once; `run` does the work. Both front ends are told
of each change by `on_change` with the download as it then is, of progress at most every NEWS_S seconds.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tui.core.endpoint import ServerKind
from tui.core.message import Problem, new_id
from tui.core.model_actions import ModelAction, ModelActions
from tui.core.model_management import ModelDetails, PullProgress
from tui.core.text import human_size, safe_name
from tui.errors import (
    FileError,
    Interrupted,
    LokalError,
    ModelMissing,
    Refused,
    ServerError,
    TryLater,
    Unreachable,
    UsageError,
)
from tui.models.changes import ModelChanges, changes_between
from tui.models.pull import NO_PROGRESS, UNFINISHED, Pull, PullState, RateMeter
from tui.models.pull_file import PullFile
from tui.servers.registry import profile_of

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0, 60.0)
"""Seconds before the next attempt, after each in a row that has brought nothing; then the person has to resume it."""
NEWS_S = 0.5
"""Seconds between two news of the progress of a download: a line over SSH stays under some 300 bytes a second."""


class PullSource(Protocol):
    """What a download needs of the manager of a server, or of Hugging Face. All methods raise LokalError."""

    def pull(self, model: str) -> AsyncGenerator[PullProgress, None]: ...

    async def details(self, model: str) -> ModelDetails: ...

    async def storage_folder(self) -> Path | None: ...

    async def cancel_pull(self, model: str) -> None: ...


Connect = Callable[[Pull], AbstractAsyncContextManager[PullSource]]
"""The manager of the server that a download goes to, for as long as the context lasts. Raises ServerError."""
HUB_LABEL = "Hugging Face"
FreeBytes = Callable[[Path], int]


class _NoRoom(LokalError):
    """What is still to come does not fit on the disk."""


def actions_for(pull: Pull) -> ModelActions:
    """What can be done with a download."""
    if pull.kind is not None:
        return profile_of(pull.kind).model_actions
    from tui.models.hub_source import HUB_ACTIONS

    return HUB_ACTIONS


def free_bytes(folder: Path) -> int:
    """Bytes that are free where `folder` is. Raises OSError."""
    return shutil.disk_usage(folder).free


class PullQueue:
    """The downloads of this lokal. `file` keeps them; None = they are forgotten with the process."""

    def __init__(
        self,
        connect: Connect,
        on_change: Callable[[Pull], None],
        file: PullFile | None = None,
        *,
        on_problem: Callable[[LokalError], None] = lambda _: None,
        pauses_s: Sequence[float] = PAUSES_S,
        clock: Callable[[], float] = time.monotonic,
        free: FreeBytes = free_bytes,
    ) -> None:
        self._connect = connect
        self._on_change = on_change
        self._on_problem = on_problem
        self._file = file
        self._pauses_s = pauses_s
        self._clock = clock
        self._free = free
        self._pulls: list[Pull] = []
        self._due: dict[str, float] = {}
        """By id, when one that is tried again is to be tried."""
        self._problems: set[str] = set()
        """Titles of what was told by `on_problem`, which is told once."""
        self._unchecked: set[str] = set()
        """Ids of those that go on whatever room there is: the person has said so."""
        self._running: tuple[str, asyncio.Task[None]] | None = None
        self._wake = asyncio.Event()
        self._changes = asyncio.Event()
        """Set while what is on the disk is not what is here."""

    @property
    def pulls(self) -> tuple[Pull, ...]:
        """The downloads in the order in which they come, those that are done among them."""
        return tuple(self._pulls)

    def find(self, id: str) -> Pull | None:
        """The download with this id."""
        return next((pull for pull in self._pulls if pull.id == id), None)

    # -- what a person does -----------------------------------------------------------------------------------------

    def add(self, server: str, kind: ServerKind | None, model: str, *, update: bool = False) -> Pull:
        """Put a download at the end; one that is there already stays where it is, and goes on if it had stopped."""
        same = (server, model)
        there = next(
            (one for one in self._pulls if (one.server, one.model) == same and one.state in UNFINISHED), None
        )
        if there is not None:
            return self.resume(there.id) if there.state in (PullState.PAUSED, PullState.FAILED) else there
        pull = Pull(new_id(), server, kind, model, update=update)
        self._pulls.append(pull)
        return self._changed(pull)

    def move(self, id: str, places: int) -> None:
        """Move a download so many places towards the end, or the beginning where negative."""
        at = next((index for index, pull in enumerate(self._pulls) if pull.id == id), None)
        if at is None:
            return
        pull = self._pulls.pop(at)
        self._pulls.insert(max(0, min(len(self._pulls), at + places)), pull)
        self._changed(pull)

    def pause(self, id: str) -> None:
        """Stop a download, and keep what came and its place. Raises Refused where the server cannot."""
        pull = self.find(id)
        if pull is None or pull.state not in UNFINISHED or pull.state is PullState.PAUSED:
            return
        why = actions_for(pull).why_not(ModelAction.PAUSE_PULL)
        if why and pull.state is PullState.RUNNING:
            raise Refused(
                f"{HUB_LABEL if pull.kind is None else pull.kind.label} cannot {ModelAction.PAUSE_PULL}", why
            )
        self._set(replace(pull, state=PullState.PAUSED, problem=None, rate=None, left_s=None))
        self._stop(id)

    def resume(self, id: str) -> Pull:
        """Let a download go on that was paused, or has failed. One that paused for want of room goes on without looking
        again. Raises UsageError for one that there is not."""
        pull = self.find(id)
        if pull is None:
            raise UsageError("There is no such download", "", "It may have been stopped meanwhile")
        if pull.state not in (PullState.PAUSED, PullState.FAILED, PullState.RETRYING):
            return pull
        if pull.state is PullState.PAUSED and pull.problem is not None:
            self._unchecked.add(id)
        self._due.pop(id, None)
        return self._changed(replace(pull, state=PullState.WAITING, problem=None, attempts=0))

    def cancel(self, id: str) -> None:
        """Stop a download and forget it. Where the server goes on without lokal it is told to stop, if it can be."""
        pull = self.find(id)
        if pull is None:
            return
        runs = pull.state is PullState.RUNNING
        self._pulls.remove(pull)
        self._due.pop(id, None)
        if pull.state in UNFINISHED:
            self._tell(replace(pull, state=PullState.CANCELLED, problem=None, rate=None, left_s=None))
        self._changes.set()
        if runs:
            self._stop(id)

    def forget_finished(self) -> None:
        """Take those that are done out of the list."""
        self._pulls = [pull for pull in self._pulls if pull.state is not PullState.DONE]

    # -- the work ---------------------------------------------------------------------------------------------------

    async def restore(self, server: str | None = None) -> tuple[Pull, ...]:
        """Take over what a lokal has left that is gone: all, or what goes to one server. Raises FileError."""
        if self._file is None:
            return ()
        found = await asyncio.to_thread(self._file.adopt, server)
        self._tell_set_aside()
        self._pulls += found
        if found:
            self._wake.set()
        return found

    async def run(self, *, until_done: bool = False) -> None:
        """Download one after the other, until cancelled; with `until_done` until nothing is left that can be done without
        the person. Being cancelled leaves what is not done for the next start."""
        saving = asyncio.create_task(self._keep_saved())
        try:
            while True:
                self._wake.clear()
                pull, wait_s = self._next()
                if pull is not None:
                    await self._download(pull)
                elif wait_s is None and until_done:
                    return
                else:
                    await self._woken(wait_s)
        finally:
            self._stop()
            saving.cancel()
            running, self._running = self._running, None
            await asyncio.wait({saving, *({running[1]} if running is not None else ())})
            if running is not None and (left := self.find(running[0])) is not None:
                self._put(replace(left, state=_not_running(left.state), rate=None, left_s=None))

    async def aclose(self) -> None:
        """Keep what is not done, and let another lokal have it."""
        if self._file is not None:
            await self._save()
            await asyncio.to_thread(self._file.release)

    def _next(self) -> tuple[Pull | None, float | None]:
        """The download whose turn it is; where there is none, after how many seconds the next attempt is due."""
        now = self._clock()
        for pull in self._pulls:
            if pull.state is PullState.WAITING or (
                pull.state is PullState.RETRYING and self._due.get(pull.id, 0.0) <= now
            ):
                return pull, None
        due = [self._due.get(pull.id, now) for pull in self._pulls if pull.state is PullState.RETRYING]
        return None, max(0.0, min(due) - now) if due else None

    async def _woken(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _download(self, pull: Pull) -> None:
        """One attempt, in a task of its own, which pausing and stopping cancel."""
        self._set(replace(pull, state=PullState.RUNNING, problem=None))
        task = asyncio.create_task(self._attempt(pull.id))
        self._running = pull.id, task
        try:
            await asyncio.wait({task})
        finally:
            if task.done():
                self._running = None
        if not task.cancelled():
            task.result()

    async def _attempt(self, id: str) -> None:
        pull = self.find(id)
        assert pull is not None
        before = pull.progress.completed
        try:
            async with self._connect(pull) as manager:
                try:
                    await self._pull(id, manager)
                except asyncio.CancelledError:
                    if self.find(id) is None:
                        await _stop_on_server(manager, pull)
                    raise
        except LokalError as error:
            self._failed(id, error, before)

    async def _pull(self, id: str, manager: PullSource) -> None:
        pull = self.find(id)
        assert pull is not None
        old = await self._details(manager, pull)
        folder = None if id in self._unchecked else await manager.storage_folder()
        meter, told_at, looked_at = RateMeter(), -NEWS_S, 0
        last = NO_PROGRESS
        async with aclosing(manager.pull(pull.model)) as progress:
            async for each in progress:
                now = self._clock()
                meter.add(now, each.completed)
                if folder is not None and each.total > looked_at:
                    looked_at = each.total
                    await self._require_room(folder, each)
                if (current := self.find(id)) is not None:
                    current = _with_progress(current, each, meter)
                    self._put(current)
                    is_host = pull.kind is None and each.status != last.status  # which is to be said always
                    if now - told_at >= NEWS_S or is_host:
                        told_at = now
                        self._tell(current)
                last = each
        changes = None
        if old is not None and (new := await self._details(manager, pull)) is not None:
            changes = changes_between(old, new)
        current = self.find(id)
        if current is not None:
            self._set(_done(current, last, changes))

    async def _details(self, manager: PullSource, pull: Pull) -> ModelDetails | None:
        """What the server tells of the model, where there is a newer one to be had at all; None where it does not have it."""
        if not actions_for(pull).can(ModelAction.UPDATE):
            return None
        try:
            return await manager.details(pull.model)
        except Refused:
            return None

    async def _require_room(self, folder: Path, progress: PullProgress) -> None:
        try:
            free = await asyncio.to_thread(self._free, folder)
        except OSError:
            return
        to_come = progress.total - progress.completed
        if to_come > free:
            raise _NoRoom(
                "There is not enough room",
                f"{human_size(to_come)} are to come, {human_size(free)} are free in {folder}",
                "Make room, then resume it",
            )

    def _failed(self, id: str, error: LokalError, before: int) -> None:
        pull = self.find(id)
        if pull is None or pull.state is not PullState.RUNNING:  # it was paused or stopped meanwhile
            return
        problem = Problem(error.title, error.detail, error.hint)
        pull = replace(pull, problem=problem, rate=None, left_s=None)
        if isinstance(error, _NoRoom):
            self._set(replace(pull, state=PullState.PAUSED))
        elif isinstance(error, ModelMissing) and pull.update:
            result = "not to be had anywhere else: it was made here, and stays as it is"
            self._set(replace(pull, state=PullState.DONE, problem=None, result=result))
        elif isinstance(error, Interrupted | Unreachable | TryLater):
            attempts = 1 if pull.progress.completed > before else pull.attempts + 1
            if attempts > len(self._pauses_s):
                self._set(replace(pull, state=PullState.FAILED, attempts=0))
                return
            self._due[id] = self._clock() + self._pauses_s[attempts - 1]
            self._set(replace(pull, state=PullState.RETRYING, attempts=attempts))
        else:
            self._set(replace(pull, state=PullState.FAILED))

    def _stop(self, id: str | None = None) -> None:
        """Cancel the attempt that runs, if it is that of `id`."""
        if self._running is not None and id in (None, self._running[0]):
            self._running[1].cancel()

    # -- telling and keeping ----------------------------------------------------------------------------------------

    def _changed(self, pull: Pull) -> Pull:
        self._set(pull)
        self._wake.set()
        return pull

    def _set(self, pull: Pull) -> None:
        self._put(pull)
        self._tell(pull)

    def _put(self, pull: Pull) -> None:
        """Put `pull` in the place of the one with its id."""
        for index, each in enumerate(self._pulls):
            if each.id == pull.id:
                self._pulls[index] = pull
                if each.state is not pull.state or each is pull:
                    self._changes.set()

    def _tell(self, pull: Pull) -> None:
        self._on_change(pull)

    async def _keep_saved(self) -> None:
        while True:
            await self._changes.wait()
            await self._save()

    async def _save(self) -> None:
        """Keep the downloads. Where that is not possible they go on all the same, and the person is told."""
        if self._file is None or not self._changes.is_set():
            self._changes.clear()
            return
        self._changes.clear()
        saving = asyncio.ensure_future(asyncio.to_thread(self._file.save, self.pulls))
        try:
            await asyncio.shield(saving)
        except asyncio.CancelledError:  # what was begun must not come after what is saved next
            await asyncio.wait({saving})
            raise
        except FileError as error:
            self._tell_once(error)
        self._tell_set_aside()

    def _tell_set_aside(self) -> None:
        """Say it where the file could not be understood."""
        aside = self._file.set_aside if self._file is not None else None
        if aside is not None:
            self._tell_once(
                LokalError(
                    "The list of downloads could not be read",
                    f"It is kept as {aside}",
                    "Begin downloads that were on it again; what came of them is kept",
                )
            )

    def _tell_once(self, problem: LokalError) -> None:
        if problem.title not in self._problems:
            self._problems.add(problem.title)
            self._on_problem(problem)


def _not_running(state: PullState) -> PullState:
    return PullState.WAITING if state is PullState.RUNNING else state


async def _stop_on_server(manager: PullSource, pull: Pull) -> None:
    """Tell a server that would go on without lokal. One that cannot be told goes on, as its profile says."""
    try:
        await manager.cancel_pull(pull.model)
    except ServerError:
        return


def _with_progress(pull: Pull, progress: PullProgress, meter: RateMeter) -> Pull:
    rate = meter.rate
    left = (progress.total - progress.completed) / rate if rate and progress.total else None
    return replace(pull, progress=progress, rate=rate, left_s=left)


def _done(pull: Pull, progress: PullProgress, changes: ModelChanges | None) -> Pull:
    if pull.kind is None:
        result = progress.status
    elif changes is not None:
        result = changes.words
    else:
        result = "downloaded" if progress.total or progress.status == "success" else progress.status
    whole = progress if progress.total else NO_PROGRESS
    return replace(
        pull, state=PullState.DONE, progress=whole, rate=None, left_s=None, problem=None, result=result, changes=changes,
        attempts=0,
    )  # fmt: skip


def words_of(pull: Pull) -> str:
    """A line on a download, without its rate: `llama3.2:3b: downloading, 1.2 GB of 2.0 GB`."""
    said = pull.result if pull.state is PullState.DONE else str(pull.state)
    sizes = f", {pull.sizes}" if pull.sizes and pull.state is not PullState.DONE else ""
    problem = f": {pull.problem.title}" if pull.problem is not None else ""
    return f"{safe_name(pull.model, 80)}: {said}{sizes}{problem}"
