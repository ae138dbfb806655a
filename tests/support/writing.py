"""What is written into the composer and asked from there."""

from __future__ import annotations

from tests.support.app_driver import AppDriver
from tests.support.canned_servers import questions
from tests.support.replay import Replay

PASTE = "\n".join(f"row {number}" for number in range(1, 41))
CHIP = "⟦pasted 40 lines · 1⟧"


async def asked(driver: AppDriver, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await driver.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await driver.until(lambda: not driver.activity, "the answer is there")
    return questions(server)


async def opened(driver: AppDriver) -> None:
    """The chats are open, and the draft of the new one is read."""
    await driver.until(lambda: driver.draft_is_read, "the chats are open, and the draft is read")
