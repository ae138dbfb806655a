"""Writing off the screen's thread: whoever reads what is written there gives it a moment."""

from __future__ import annotations

import threading

from tui.ui.persistence import Persistence

AGES_S = 60.0


def refuse(error: Exception) -> None:
    raise error


async def test_who_reads_waits_for_what_was_queued_but_not_for_ever() -> None:
    persistence = Persistence(refuse)
    written: list[str] = []
    release = threading.Event()

    def write() -> None:
        release.wait(AGES_S)
        written.append("it")

    await persistence.catch_up(AGES_S)  # nothing is queued
    stuck = persistence.submit(write)
    await persistence.catch_up(0.01)
    assert written == []
    assert not stuck.cancelled(), "who stops waiting takes the write not away"
    release.set()
    await persistence.catch_up(AGES_S)
    assert written == ["it"]
    persistence.close()
