"""Conversations that come to the end of the context window, and whether the person is asked what is to be done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.replay import Canned, Replay, ndjson, replay
from tests.support.stage import SIZES, Stage, like_ollama, running

LONG = "Why is the sky blue, and why is it red in the evening? " * 60 + "So why?"
"""About 830 tokens by estimate."""
HUGE = LONG * 12
ASKED = "This does not fit into the context window"


def counted(text: str, prompt: int, completion: int = 40, *, ended: bool = True) -> Canned:
    """An answer of Ollama after a prompt of so many tokens."""
    records: list[object] = [{"message": {"role": "assistant", "content": text}, "done": False}]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    figures = {
        "prompt_eval_count": prompt,
        "eval_count": completion,
        "eval_duration": completion * 10**9 // 41,
    }
    return ndjson([*records, {**end, **figures}] if ended else records, ended=ended)


@asynccontextmanager
async def nearly_full(
    size: tuple[int, int] = SIZES[0],
) -> AsyncIterator[tuple[Stage, Replay]]:
    """A chat of three questions with Ollama, whose window of 8k has 7.6k taken."""
    async with replay() as server:
        like_ollama(server).on(
            "/api/chat",
            counted("One.", 2400),
            counted("Two.", 5000),
            counted("Three.", 7600),
            counted("Four.", 900),
        )
        async with running(server.url, size=size) as stage:
            await stage.see("ctx 0 of 8k")
            for question, said in (
                ("Who was Euler?", "One."),
                ("And Gauss?", "Two."),
                ("And Noether?", "Three."),
            ):
                await stage.ask(question)
                await stage.see(said)
                await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
            await stage.see("ctx 7.6k of 8k")
            yield stage, server


def choosing(stage: Stage) -> bool:
    """Whether the person is asked; they can write all the while."""
    assert stage.app.query_one("#writing").display
    return bool(stage.app.chat.fit_choice.display)


async def choose(stage: Stage, command_id: str) -> None:
    """Choose what this command does, as somebody who goes to the list."""
    choice = stage.app.chat.fit_choice
    await stage.press("tab")
    assert choice.has_focus
    assert choice.dilemma is not None
    for _ in choice.dilemma.options:
        if choice.cursor != command_id:
            await stage.press("down")
    assert choice.cursor == command_id
    await stage.press("enter")
