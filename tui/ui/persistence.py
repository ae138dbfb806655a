"""Writing to the disk off the screen's thread, in order: what was asked for first is on the disk first."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from tui.errors import ChatGone, LokalError


class Persistence:
    """One writing thread. The same failure is reported once to `on_problem`, in that thread; lokal goes on. That a chat
    is gone is reported each time: whoever hears of it can do something about it."""

    def __init__(self, on_problem: Callable[[LokalError], None]) -> None:
        self._on_problem = on_problem
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._last: Future[bool] | None = None
        self._reported: set[str] = set()

    def submit(self, write: Callable[[], None]) -> Future[bool]:
        """Queue a write; the future is True once it is durable, False if it failed."""
        self._last = self._executor.submit(partial(self._write, write))
        return self._last

    async def wait(self, write: Callable[[], None]) -> bool:
        """Queue a write and wait until it is durable; False if it failed."""
        return await asyncio.wrap_future(self.submit(write))

    async def catch_up(self, timeout_s: float) -> None:
        """Wait until everything queued by now is on the disk, `timeout_s` at the most; for who reads it."""
        last = self._last
        if last is not None and not last.done():
            await asyncio.wait([asyncio.wrap_future(last)], timeout=timeout_s)

    def flush(self, timeout_s: float) -> None:
        """Block until everything queued is on the disk, `timeout_s` at the most; for the ways out."""
        if self._last is not None:
            with contextlib.suppress(TimeoutError):
                self._last.result(timeout_s)

    def close(self) -> None:
        """Write what is queued and end the thread."""
        self._executor.shutdown(wait=True)

    def _write(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except LokalError as error:
            self._report(error)
            return False
        except Exception as error:  # noqa: BLE001  # a worker's root: what was not written must be said
            what = f"{type(error).__name__}: {error}"
            self._report(LokalError("lokal could not write", what, "Please report this"))
            return False
        return True

    def _report(self, error: LokalError) -> None:
        if isinstance(error, ChatGone) or str(error) not in self._reported:
            self._reported.add(str(error))
            self._on_problem(error)
