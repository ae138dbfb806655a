"""When what is unsent in a chat is written down: half a second after the last key, every few seconds while somebody
types on, and before the chat is left."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from tui.core.draft import Draft

REST_S = 0.5
"""How long the keys rest before the draft is saved."""
LONGEST_S = 4.0
"""How long a draft stays unsaved while the keys do not rest."""


class DraftAutosave:
    """`draft` gives it as it is now, `save` writes one down. Nothing runs while nothing changes."""

    def __init__(self, draft: Callable[[], Draft], save: Callable[[Draft], None]) -> None:
        self._draft = draft
        self._save = save
        self._saved: Draft | None = None
        self._is_open = False
        self._alarm: asyncio.TimerHandle | None = None
        self._first_at = 0.0
        self._last_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it is known what is on the disk."""
        return self._is_open

    def pause(self) -> None:
        """Another chat is opened: nothing is written until it is known what is on the disk."""
        self._stop()
        self._is_open = False

    def start(self, saved: Draft) -> None:
        """From now on it is the draft of a chat of which `saved` is on the disk."""
        self._saved, self._is_open = saved, True

    def renew(self) -> None:
        """What is on the disk may be another chat's or gone: the next time it is written whatever it is."""
        self._saved = None

    def touched(self) -> None:
        """The draft has changed."""
        now = self._last_at = time.monotonic()
        if self._alarm is None:
            self._first_at = now
            self._alarm = asyncio.get_running_loop().call_later(REST_S, self._ring)

    def keep(self) -> None:
        """Save the draft now, if it is not what was saved last."""
        self._stop()
        if not self._is_open:
            return
        draft = self._draft()
        if draft != self._saved:
            self._saved = draft
            self._save(draft)

    def _ring(self) -> None:
        now = time.monotonic()
        due = min(self._last_at + REST_S, self._first_at + LONGEST_S)
        if now >= due:
            self._alarm = None
            self.keep()
        else:
            self._alarm = asyncio.get_running_loop().call_later(due - now, self._ring)

    def _stop(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
