"""The parts of the driver that need no app: waking the reading thread, and a terminal that is gone."""

from __future__ import annotations

import os
import select

from tui.ui.terminal.driver import Outlet, WakingEvent


def test_the_waking_event_wakes_a_waiting_select() -> None:
    event = WakingEvent()
    assert not select.select([event.fd], [], [], 0)[0]
    event.set()
    assert event.is_set()
    assert select.select([event.fd], [], [], 0)[0]
    event.clear()
    assert not event.is_set()
    assert not select.select([event.fd], [], [], 0)[0]


def test_a_terminal_that_is_gone_takes_everything() -> None:
    master, slave = os.openpty()
    with os.fdopen(slave, "w") as file:
        outlet = Outlet(file)
        assert outlet.isatty()
        assert outlet.fileno() == slave
        outlet.write("shown")
        outlet.flush()
        assert os.read(master, 100) == b"shown"
        os.close(master)
        for _ in range(3):
            outlet.write("lost" * 10_000)
            outlet.flush()
        # What the file still holds is not to be complained of when it is closed.
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, slave)
        os.close(quiet)
