"""An exit by an error of lokal's own never looks like one that went well."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from textual import events
from textual.css.query import NoMatches

from tui.ui.terminal.hook import DeltaApp


class Small(DeltaApp[None]):
    """Fails when a key is pressed."""

    def on_key(self, event: events.Key) -> None:
        raise RuntimeError("a mistake")


async def test_a_mistake_in_a_message_and_an_app_that_is_left_after_it() -> None:
    app = Small()
    with pytest.raises(RuntimeError, match="a mistake"):
        async with app.run_test() as pilot:
            await pilot.press("k")
    assert app.exit_status == 1
    app.exit()
    assert app.return_code == 0
    assert app.exit_status == 1


async def test_a_mistake_in_the_thread_that_reads_the_terminal() -> None:
    app = Small()
    async with app.run_test():
        app.panic("a mistake")
    assert app.exit_status == 1
    app.exit()
    assert app.exit_status == 1


class Slow(DeltaApp[None]):
    """Looks for a widget that was taken away, when a key is pressed; with `q` it has been left by then."""

    def __init__(self) -> None:
        super().__init__()
        self.looked = asyncio.Event()

    def on_key(self, event: events.Key) -> None:
        if event.key == "q":
            self.exit()
        self.looked.set()
        self.query_one("#gone")


@pytest.mark.parametrize(("key", "status"), [("q", 0), ("k", 1)])
async def test_a_key_that_comes_too_late_is_no_mistake(key: str, status: int) -> None:
    app = Slow()
    with contextlib.nullcontext() if status == 0 else pytest.raises(NoMatches):
        async with app.run_test():
            app.post_message(events.Key(key, key))
            await app.looked.wait()
    assert app.exit_status == status


async def test_leaving_is_no_mistake() -> None:
    app = Small()
    assert app.exit_status == 1, "it was not left"
    async with app.run_test():
        app.exit()
    assert app.exit_status == 0
