"""What is written into the composer and asked from there."""

from __future__ import annotations

from textual import events

from tests.support.replay import Replay
from tests.support.stage import Stage, questions

PASTE = "\n".join(f"row {number}" for number in range(1, 41))
CHIP = "⟦pasted 40 lines · 1⟧"


async def asked(stage: Stage, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await stage.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
    return questions(server)


async def paste(stage: Stage, text: str) -> None:
    stage.app.post_message(events.Paste(text))
    await stage.settle()


async def opened(stage: Stage) -> None:
    """The chats are open, and the draft of the new one is read."""
    await stage.until(lambda: stage.app.chat.draft_is_read, "the chats are open, and the draft is read")
