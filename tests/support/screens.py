"""A question and an answer for pictures, and the server that gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app_driver import AppDriver
from tests.support.canned_servers import like_ollama
from tests.support.replay import Replay, replay

QUESTION = "Why does nginx answer 502 after a deploy?"
BEGINNING = """\
A **502** means that nginx got no valid answer from the process behind it. After a deploy the usual causes are, in \
this order:

1. The upstream is still starting. Check with

   ```sh
   curl -i http://127.0.0.1:8000/healthz
   ```

2. It listens on another port or socket than nginx expects:"""


@asynccontextmanager
async def ollama() -> AsyncIterator[Replay]:
    """A made-up Ollama with one model in memory."""
    async with replay() as server:
        yield like_ollama(server)


async def ready(driver: AppDriver) -> None:
    """Connected, and the context window is known."""
    await driver.see("ctx 0 of 8k")
