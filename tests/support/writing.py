"""What is written into the composer and asked from there."""

from __future__ import annotations

from textual import events

from tests.support.app_driver import AppDriver, questions
from tests.support.replay import Replay

PASTE = "\n".join(f"row {number}" for number in range(1, 41))
CHIP = "⟦pasted 40 lines · 1⟧"


async def asked(driver: AppDriver, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await driver.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await driver.until(lambda: not driver.app.chat.doing, "the answer is there")
    return questions(server)


async def paste(driver: AppDriver, text: str) -> None:
    driver.app.post_message(events.Paste(text))
    await driver.settle()


async def opened(driver: AppDriver) -> None:
    """The chats are open, and the draft of the new one is read."""
    await driver.until(lambda: driver.app.chat.draft_is_read, "the chats are open, and the draft is read")
