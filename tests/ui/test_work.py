"""Work beside the screen: begun, cancelled before it begins."""

from __future__ import annotations

import gc
import warnings
from functools import partial

from textual.app import App

from tui.errors import LokalError
from tui.ui.work import begin


async def test_it_is_done() -> None:
    done: list[str] = []

    async def work(what: str) -> None:
        done.append(what)

    app: App[None] = App()
    async with app.run_test():
        await begin(app, partial(work, "this"), "test").wait()
    assert done == ["this"]


async def test_a_mistake_is_told_to_who_waits() -> None:
    told: list[LokalError] = []

    async def work() -> None:
        raise RecursionError("too deep")

    app: App[None] = App()
    async with app.run_test():
        await begin(app, work, "test", ended=told.append).wait()
    assert [error.detail for error in told] == ["RecursionError: too deep"]


async def test_what_is_cancelled_before_it_begins_says_nothing() -> None:
    async def work() -> None:
        raise AssertionError("it was begun")

    app: App[None] = App()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        async with app.run_test() as pilot:
            worker = begin(app, work, "test")
            worker.cancel()
            await pilot.pause()
            assert worker.is_cancelled
        gc.collect()
    assert not [each for each in said if "never awaited" in str(each.message) and "work" in str(each.message)]
