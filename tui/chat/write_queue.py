"""Writing to the disk off the screen's thread, in order: what was asked for first is on the disk first."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass

from tui.errors import ChatGone, LokalError, StoreError, StoreUnavailable, sentences

RETRY_S = 2.0
"""How often it is tried again to write what could not be written."""
KEPT = "New messages are kept in memory, and saved as soon as that works"
"""What becomes of what waits, said with why it waits."""

Write = Callable[[], None]


@dataclass(slots=True, eq=False)
class _Queued:
    """`owner` is whose it is, None = it is tried once only. Of two with the same `place` only the newer one counts."""

    write: Write
    durable: Future[bool]
    owner: object | None = None
    place: str = ""


class WriteQueue:
    """One writing thread.

    What is submitted is tried once. What is kept is tried until it is written: where the disk is full or the store is
    locked it waits, and so does all that is kept after it, so that the order stays. `on_problem` hears of that once,
    `on_written` when nothing waits any longer. Any other failure is reported once to `on_problem`, and lokal goes on;
    that a chat is gone is reported each time: whoever hears of it can do something about it. Both are called in the
    writing thread.
    """

    def __init__(
        self,
        on_problem: Callable[[LokalError], None],
        on_written: Callable[[], None] = lambda: None,
        retry_s: float = RETRY_S,
    ) -> None:
        self._on_problem = on_problem
        self._on_written = on_written
        self._retry_s = retry_s
        self._changed = threading.Condition()
        self._queue: deque[_Queued] = deque()
        self._unwritten: deque[_Queued] = deque()
        self._problem: LokalError | None = None
        self._retry_at = 0.0
        self._is_ending = False
        self._thread: threading.Thread | None = None
        self._last: Future[bool] | None = None
        self._reported: set[str] = set()

    # -- what is to be written --------------------------------------------------------------------------------------

    def submit(self, write: Write) -> Future[bool]:
        """Queue a write that is tried once; the future is True once it is durable, False if it failed."""
        return self._add(_Queued(write, Future()))

    def keep(
        self, write: Write, owner: object, place: str = "", durable: Future[bool] | None = None
    ) -> Future[bool]:
        """Queue a write of `owner` that is kept until it is done; the future, which may be one's own, is True once it is
        durable, False as soon as it has to wait. With a `place` it takes the place of an earlier one that waits there."""
        return self._add(_Queued(write, durable or Future(), owner, place))

    async def wait(self, write: Write) -> bool:
        """Queue a write and wait until it is durable; False if it failed."""
        return await asyncio.wrap_future(self.submit(write))

    async def catch_up(self, timeout_s: float) -> None:
        """Wait until everything queued by now was tried, `timeout_s` at the most; for who reads it."""
        last = self._last
        if last is not None and not last.done():
            await asyncio.wait([asyncio.wrap_future(last)], timeout=timeout_s)

    def flush(self, timeout_s: float) -> None:
        """Block until everything queued was tried, `timeout_s` at the most; for the ways out."""
        if self._last is not None:
            with contextlib.suppress(TimeoutError, CancelledError):
                self._last.result(timeout_s)

    # -- what is not written ----------------------------------------------------------------------------------------

    @property
    def problem(self) -> LokalError | None:
        """Why something waits to be written; None while nothing does."""
        with self._changed:
            return self._problem if self._unwritten else None

    def owners(self) -> tuple[object, ...]:
        """Whose writes wait or are still queued, in their order."""
        with self._changed:
            both = (*self._unwritten, *self._queue)
        return tuple(dict.fromkeys(each.owner for each in both if each.owner is not None))

    def problem_is_told(self, problem: StoreError) -> None:
        """Whoever queues a write that will fail of `problem` says that itself, with `KEPT`: `on_problem` hears of another one
        only. Call it before that write is queued."""
        with self._changed:
            self._problem = problem

    def retry(self) -> None:
        """Try what waits at once."""
        with self._changed:
            self._retry_at = 0.0
            self._changed.notify_all()

    def close(self) -> None:
        """Write what is queued, try once more what waits, and end the thread. What `owners` then says is not written."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    # -- the writing thread -----------------------------------------------------------------------------------------

    def _add(self, queued: _Queued) -> Future[bool]:
        with self._changed:
            self._last = queued.durable
            self._queue.append(queued)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        return queued.durable

    def _run(self) -> None:
        while (queued := self._next()) is not None:
            if isinstance(queued, _Queued):
                self._take(queued)
            else:
                self._try_again()
        self._try_again()

    def _next(self) -> _Queued | str | None:
        """The next write; "again" when it is time for what waits; None at the end."""
        with self._changed:
            while True:
                left_s = self._retry_at - time.monotonic() if self._unwritten else None
                if left_s is not None and left_s <= 0:
                    return "again"
                if self._queue:
                    # It stays there until it was tried: what it is part of counts as unwritten till then.
                    return self._queue[0]
                if self._is_ending:
                    return None
                self._changed.wait(left_s)

    def _take(self, queued: _Queued) -> None:
        """Try a write for the first time; one that is kept waits behind those that wait."""
        is_wanted = queued.durable.set_running_or_notify_cancel()  # from now on it cannot be cancelled
        done = False
        if queued.owner is not None and self._unwritten:
            self._let_wait(queued)
        elif is_wanted or queued.owner is not None:
            done = self._is_done(queued)
        with self._changed:
            self._queue.popleft()
        if is_wanted:
            queued.durable.set_result(done)

    def _is_done(self, queued: _Queued) -> bool:
        """Whether it could be written. What is kept, and may be written later, waits from now on."""
        try:
            queued.write()
        except LokalError as error:
            if queued.owner is not None and isinstance(error, StoreUnavailable):
                self._let_wait(queued)
                self._wait_for(error)
            else:
                self._report(error)
            return False
        except Exception as error:  # noqa: BLE001  # a worker's root: what was not written must be said
            what = f"{type(error).__name__}: {error}"
            self._report(LokalError("lokal could not write", what, "Please report this"))
            return False
        return True

    def _let_wait(self, queued: _Queued) -> None:
        with self._changed:
            if queued.place:
                for other in self._unwritten:
                    if other.place == queued.place and other.owner is queued.owner:
                        self._unwritten.remove(other)
                        break
            self._unwritten.append(queued)

    def _wait_for(self, error: StoreError) -> None:
        with self._changed:
            is_new = self._problem is None or (self._problem.detail != error.detail)
            self._problem = error
            self._retry_at = time.monotonic() + self._retry_s
        if is_new:
            self._on_problem(StoreError(error.title, error.detail, sentences(error.hint, KEPT)))

    def _try_again(self) -> None:
        """Write what waits, in its order, as far as that can be done."""
        while self._unwritten:
            first = self._unwritten[0]
            try:
                first.write()
            except StoreUnavailable as error:
                self._wait_for(error)
                return
            except LokalError as error:
                self._report(error)
            except Exception as error:  # noqa: BLE001  # a worker's root: what was not written must be said
                what = f"{type(error).__name__}: {error}"
                self._report(LokalError("lokal could not write", what, "Please report this"))
            with self._changed:
                self._unwritten.popleft()
        if self._problem is not None:
            self._problem = None
            self._reported.clear()
            self._on_written()

    def _report(self, error: LokalError) -> None:
        if isinstance(error, ChatGone) or str(error) not in self._reported:
            self._reported.add(str(error))
            self._on_problem(error)
