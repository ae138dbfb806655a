"""A chat whose messages are walked, and answers that are long enough for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.replay import Canned, Replay, replay
from tests.support.stage import MODEL, Stage, like_ollama, ollama_answer, running
from tests.support.writing import opened

LONG_CODE = "\n".join(f"line_{number} = {number}" for number in range(40))
LONG = f"Here it is:\n\n```python\n{LONG_CODE}\n```\n\nAnd:\n\n```makefile\nall:\n\tcc a.c\n```\n\nDone."
OTHER = "qwen2.5:7b"


@asynccontextmanager
async def walked(
    *answers: Canned, models: tuple[str, ...] = (MODEL, OTHER), resume: str | None = None
) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal whose server gives these answers, the last one for ever."""
    async with replay() as server:
        like_ollama(server, *((name, "3.2B", 2_000_000_000) for name in models))
        server.on("/api/chat", *(answers or (ollama_answer("Yes."),)))
        async with running(server.url, resume=resume) as stage:
            await stage.see("ctx .+ of 8k")
            await opened(stage)
            yield stage, server


async def answered(stage: Stage, question: str, last_words: str) -> None:
    """Ask, and wait until the answer is there and done."""
    await stage.ask(question)
    await whole(stage, last_words)


async def whole(stage: Stage, words: str) -> None:
    """Wait until an answer that is on its way is there and done: only then the next one can be asked for."""
    await stage.see(words)
    await stage.until(lambda: not stage.app.chat.doing, "the answer is done")


def contents(stage: Stage) -> list[str]:
    """The texts of the open branch."""
    session = stage.app.chat.session
    assert session is not None
    return [message.content for message in session.conversation.path()]
