"""How soon a chat is gone on with that was left and is opened again, in the same run of lokal and in the next one, against
reading it again. The time is that from the question to the first word, and the question is asked as soon as the chat is open."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.figure import Figure, ratio
from tests.support.warm_client import WarmClient, warm_client
from tui.core.message import Message

SENTENCES = 400
"""Of some 15 tokens each: a chat of 6,000."""
PATIENCE_S = 1800.0
"""How long a slow machine may read such a chat, in seconds."""
AGAIN, OTHER = "What did the keeper write?", "Name a colour."


def figures(gguf: Path, runs: int, sentences: int = SENTENCES) -> Iterator[Figure]:
    """The two figures, each as often as there are runs."""
    read, reopened, restarted, tokens = [], [], [], 0
    for run in range(runs):
        with _home():
            first, second, third = asyncio.run(_one(gguf, run, sentences))
        read.append(_first_token(first))
        reopened.append(_first_token(second))
        restarted.append(_first_token(third))
        tokens = third.usage.prompt or 0
    for what, times in (("", reopened), (" after a restart", restarted)):
        name = f"first token, chat opened again{what} / read"
        yield ratio("engine", name, times, read, 0.03, note=f"{tokens} tokens")


async def _one(gguf: Path, run: int, sentences: int) -> tuple[Message, Message, Message]:
    """The first answer in a chat, that after it was left and opened again, and that of the next lokal."""
    text = " ".join(f"The keeper of lighthouse {run}-{one} wrote a letter home." for one in range(sentences))
    async with warm_client(gguf) as client:
        client.deadline_s = PATIENCE_S
        first = await client.ask(text)
        chat = _open_chat(client)
        client.new()
        await client.ask(OTHER)
        client.reopen(chat)
        second = await client.ask(AGAIN)
    async with warm_client(gguf) as client:
        client.reopen(chat)
        return first, second, await client.ask(AGAIN)


def _open_chat(client: WarmClient) -> str:
    assert client.controller.session is not None
    return client.controller.session.conversation.id


def _first_token(answer: Message) -> float:
    assert answer.timings.first_token_s is not None
    return answer.timings.first_token_s


@contextmanager
def _home() -> Iterator[None]:
    """A home folder of its own."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="lokal-bench-") as folder:
        for name in [name for name in os.environ if name.startswith("XDG_")]:
            del os.environ[name]
        os.environ["HOME"] = folder
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
