"""Tasks are started by the name of their group, and ended by it; a mistake in one is told."""

from __future__ import annotations

import asyncio

from tui.chat.tasks import TaskRunner
from tui.errors import LokalError


def unwanted(error: LokalError) -> None:
    """Let the task end with it, which `ended` then raises."""
    raise error


async def for_ever() -> None:
    await asyncio.Event().wait()


async def mistaken() -> None:
    raise RecursionError("too\ndeep")


async def ended(*tasks: asyncio.Task[None]) -> list[bool]:
    """Which of them were cancelled, once all have ended."""
    async with asyncio.timeout(60):
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()
    return [task.cancelled() for task in tasks]


async def test_an_exclusive_task_ends_those_of_its_group_and_no_others() -> None:
    runner = TaskRunner(unwanted)
    other = runner.start(for_ever, "other")
    before = [runner.start(for_ever, "count") for _ in range(2)]
    last = runner.start(for_ever, "count", exclusive=True)
    assert await ended(*before) == [True, True]
    assert not other.done()
    assert not last.done()
    runner.close()
    assert await ended(other, last) == [True, True]


async def test_a_mistake_is_told_and_ends_nothing_else() -> None:
    told: list[LokalError] = []
    runner = TaskRunner(told.append)
    other = runner.start(for_ever, "other")
    assert await ended(runner.start(mistaken, "wrong")) == [False]
    assert [str(error) for error in told] == [
        "lokal made a mistake. RecursionError: too deep. Please report this"
    ]
    assert not other.done()
    runner.close()
    await ended(other)


async def test_a_mistake_is_told_to_whom_it_concerns() -> None:
    told: list[LokalError] = []
    runner = TaskRunner(unwanted)
    await ended(runner.start(mistaken, "wrong", on_mistake=told.append))
    assert len(told) == 1


async def test_a_task_that_ends_its_own_group_goes_on() -> None:
    runner, done = TaskRunner(unwanted), list[str]()
    beside = runner.start(for_ever, "mine")

    async def work() -> None:
        runner.cancel("mine")
        await asyncio.sleep(0)
        done.append("on")

    assert await ended(runner.start(work, "mine"), beside) == [False, True]
    assert done == ["on"]


async def test_a_task_that_is_ended_before_it_begins_complains_of_nothing() -> None:
    runner = TaskRunner(unwanted)
    task = runner.start(for_ever, "early")
    runner.cancel("early")
    assert await ended(task) == [True]
