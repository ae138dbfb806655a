"""A chat whose messages are walked, and answers that are long enough for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import MODEL, like_ollama, ollama_answer
from tests.support.replay import CannedResponse, Replay, replay
from tests.support.writing import opened

LONG_CODE = "\n".join(f"line_{number} = {number}" for number in range(40))
LONG = f"Here it is:\n\n```python\n{LONG_CODE}\n```\n\nAnd:\n\n```makefile\nall:\n\tcc a.c\n```\n\nDone."
OTHER = "qwen2.5:7b"


@asynccontextmanager
async def walked(
    *answers: CannedResponse, models: tuple[str, ...] = (MODEL, OTHER), resume: str | None = None
) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal whose server gives these answers, the last one for ever."""
    async with replay() as server:
        like_ollama(server, *((name, "3.2B", 2_000_000_000) for name in models))
        server.on("/api/chat", *(answers or (ollama_answer("Yes."),)))
        async with running(server.url, resume=resume) as driver:
            await driver.see("ctx .+ of 8k")
            await opened(driver)
            yield driver, server


async def answered(driver: AppDriver, question: str, last_words: str) -> None:
    """Ask, and wait until the answer is there and done."""
    await driver.ask(question)
    await whole(driver, last_words)


async def whole(driver: AppDriver, words: str) -> None:
    """Wait until an answer that is on its way is there and done: only then the next one can be asked for."""
    await driver.see(words)
    await driver.until(lambda: not driver.activity, "the answer is done")
