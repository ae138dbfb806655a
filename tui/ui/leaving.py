"""The ways out of lokal: left by the person, ended from outside, or stopped until the shell brings it back. Nothing that was
said is lost on any of them."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING

from tui.errors import UsageError

if TYPE_CHECKING:
    from tui.end_signals import EndSignals
    from tui.ui.app import LokalApp

FLUSH_S = 2.0
"""How long a signal to end waits for the disk."""


class WaysOut:
    """One for each app."""

    def __init__(self, app: LokalApp) -> None:
        self._app = app

    def leave(self, *, closed: bool = False) -> None:
        """Keep what came of a running answer, and end. `closed` = the terminal or the system ends lokal: what is written is
        on the disk at once, as nobody waits for lokal any more."""
        app = self._app
        if app.comparison is not None:
            app.comparison.leave(closed=closed)
        app.chat.leave(closed=closed)
        if closed:
            app.services.queue.flush(FLUSH_S)
        elif self._may_stay():
            return
        app.exit()

    def _may_stay(self) -> bool:
        """What cannot be written is offered a file, once; False = there is nothing like that, or the person has seen it."""
        from tui.ui.leave_page import LeavePage

        app = self._app
        problem = None if isinstance(app.screen, LeavePage) else app.services.unwritten
        if problem is not None:
            app.push_screen(LeavePage(problem, app.services), lambda leaves: app.exit() if leaves else None)
        return problem is not None

    def suspend(self) -> None:
        """Stop until the shell brings lokal back. What was written is on the disk by then: it may never do so."""
        app = self._app
        app.chat.controller.outbox.save()
        app.services.queue.flush(FLUSH_S)
        if not app.stop_until_continued():
            raise UsageError(
                "There is no shell to go back to",
                "lokal was not started from one that could bring it back",
                f"{app.state.key('quit')} leaves lokal",
            )

    def end_on(self, signals: EndSignals) -> None:
        """A closed terminal (SIGHUP), a request to end (SIGTERM) and an interrupt from outside keep what came, as leaving
        does."""
        loop = asyncio.get_running_loop()

        def leave() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and so does lokal
                loop.call_soon_threadsafe(partial(self.leave, closed=True))

        signals.lead_to(leave)
