"""How each screen looks, held to the pictures in tests/snapshots.

A picture that is meant to change is made anew with UPDATE_SNAPSHOTS=1, as tests/support/snapshot.py says, and looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from tests.support.pictures import png, says_who_can_see
from tests.support.replay import Replay, as_json, held, recorded, replay, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.snapshot import FOLDER, check
from tests.support.stage import (
    NOBODY,
    SIZES,
    Stage,
    like_ollama,
    like_router,
    ollama_answer,
    running,
)

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


async def check_all(stage: Stage, name: str) -> None:
    """The screen in every size, the first one last, so that the state can go on from it."""
    for size in reversed(SIZES):
        await stage.resize(*size)
        await check(stage, name)


async def ready(stage: Stage) -> None:
    """Connected, and the context window is known."""
    await stage.see("ctx 0 of 8k")


# -- the empty chat -----------------------------------------------------------------------------------------------------


async def test_looking_for_a_server() -> None:
    async with replay() as server:
        server.other = held(as_json(200, {}))
        async with running(server.url) as stage:
            await stage.see("Looking for a model server")
            await check_all(stage, "empty-searching")


async def test_connected() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await check_all(stage, "empty-connected")


async def test_nobody_answers() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await check_all(stage, "empty-no-server")


async def test_a_server_without_a_model() -> None:
    async with ollama() as server:
        server.on("/api/tags", recorded("ollama/tags-empty")).on("/api/ps", recorded("ollama/ps-empty"))
        async with running(server.url) as stage:
            await stage.see("has no model yet")
            await check_all(stage, "empty-no-model")
            await stage.press("f3")
            await stage.see("has no models yet")
            await check_all(stage, "models-none")


# -- answers ------------------------------------------------------------------------------------------------------------


async def test_a_chat_with_markdown() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask("How do I read a file line by line?")
            await stage.see("A plain 👍 closes it")
            await stage.see("ctx 1.2k of 8k")
            await check_all(stage, "chat-end")
            await stage.press("ctrl+home")
            await check_all(stage, "chat-start")
            await stage.press("pagedown")
            await check_all(stage, "chat-middle")


async def test_an_answer_comes_in_and_is_stopped() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("than nginx expects:")
            await stage.write("and if the socket exists but")
            await stage.see("socket exists but")
            await check_all(stage, "chat-answering")
            await stage.press("escape")
            await stage.see("stopped by you")
            await check_all(stage, "chat-stopped")


async def test_a_failed_answer() -> None:
    async with ollama() as server:
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("F5 asks again")
            await check_all(stage, "chat-failed")


async def test_an_interrupted_answer() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING, ended=False))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("F6 continues")
            await check_all(stage, "chat-interrupted")


async def test_an_answer_that_was_cut() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING, tokens=512, reason="length"))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("cut at 512 tokens")
            await check_all(stage, "chat-cut")


async def test_reasoning() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(thought=THOUGHT, ended=False)))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask("Read a file!")
            await stage.see(r"thinking … \d lines")
            await check_all(stage, "reasoning-live")
            await stage.press("escape")
            await stage.see("stopped by you")

            server.on("/api/chat", ollama_answer("Line by line.", thought=THOUGHT))
            await stage.press("ctrl+n")
            await stage.see("Connected")
            await stage.ask("Read a file!")
            await stage.see(r"thought for \d lines")
            await stage.see("412 tokens")
            await check_all(stage, "reasoning-folded")
            await stage.press("ctrl+o")
            await stage.see("Let me check")
            await check_all(stage, "reasoning-unfolded")


async def test_reading_back_while_an_answer_comes_in() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask("How do I read a file line by line?")
            await stage.see("412 tokens|👍 closes it")
            await stage.press("ctrl+home")
            await stage.see("Ctrl\\+G to the end")
            await check_all(stage, "chat-reading-back")


# -- writing ------------------------------------------------------------------------------------------------------------


async def test_pasted_pieces_and_files_that_go_along(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "report.txt").write_text("row\n" * 320)
    async with ollama() as server:
        says_who_can_see(server, sees=True).on("/api/chat", ollama_answer("A red square."))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.write("Compare ")
            stage.app.post_message(events.Paste("row\n" * 4200))
            await stage.see("⟦pasted 4,200 lines · 1⟧")
            await stage.see("ctx ~")
            await check_all(stage, "writing-pasted")
            stage.app.chat.composer.fill("")
            stage.app.run_command("attach", f"'{tmp_path / 'photo.png'}' '{tmp_path / 'report.txt'}'")
            await stage.see("attached: photo.png")
            await stage.write("What is it?")
            await stage.see_no_more("Alt.P")
            await check_all(stage, "writing-attached")
            await stage.press("enter")
            await stage.see("A red square")
            await stage.see("412 tokens")
            await check_all(stage, "chat-attached")


async def test_questions_that_wait() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("than nginx expects:")
            await stage.ask(
                "And how do I see which socket nginx expects, and who listens on it, and with which rights?"
            )
            await stage.see("waiting: And")
            await check_all(stage, "writing-waiting")
            await stage.ask("Thanks.")
            await stage.see("Thanks")
            await stage.press("escape")
            await stage.see("2 questions wait")
            await check_all(stage, "writing-held")


async def answered(stage: Stage, count: int) -> None:
    """Wait until so many questions have whole answers."""

    def is_so() -> bool:
        session = stage.app.chat.session
        return not stage.app.chat.doing and session is not None and len(session.conversation) == 2 * count

    await stage.until(is_so, f"{count} answers are there")


async def test_searching_in_earlier_prompts() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as stage:
            await ready(stage)
            for number, prompt in enumerate((QUESTION, "What is nginx?", "Zażółć gęślą jaźń"), 1):
                await stage.ask(prompt)
                await answered(stage, number)
            await stage.press("ctrl+r")
            await stage.write("nginx")
            await stage.see("1 of 2")
            await check_all(stage, "writing-search")
            await stage.write("?!")
            await stage.see("nothing found")
            await check_all(stage, "writing-search-nothing")


# -- models -------------------------------------------------------------------------------------------------------------


async def test_models_of_ollama() -> None:
    async with ollama() as server:
        server.on("/api/tags", recorded("ollama/tags")).on("/api/ps", recorded("ollama/ps-two"))
        async with running(server.url) as stage:
            await stage.see("Preset")
            await stage.press("f3")
            await stage.see("in memory")
            await stage.press("down", "down")
            await check_all(stage, "models-ollama")


async def test_models_of_a_router() -> None:
    async with replay() as server, running(like_router(server).url) as stage:
        await stage.see("ctx 0 of 4k")
        await stage.press("f3")
        await stage.see("failed")
        await stage.press("end")
        await stage.see("could not be loaded")
        await check_all(stage, "models-router")


async def test_models_without_a_server() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await stage.press("f3")
        await stage.see("looks again")
        await check_all(stage, "models-no-server")


# -- settings -----------------------------------------------------------------------------------------------------------


async def test_settings() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await stage.press("f4")
        await stage.see("band 0.3–0.5")
        await check_all(stage, "settings")
        await stage.press("1", ".", "2", "enter")
        await stage.see("outside 0.3–0.5")
        await check_all(stage, "settings-outside-band")
        await stage.press("9", "enter")
        await stage.see("cannot be")
        await check_all(stage, "settings-wrong-value")
        await stage.press("escape")
        await stage.see_no_more("cannot be")
        await stage.press("down", "down", "down", "down", "down", "down", "down", "down")
        await stage.press("right")
        await stage.see("top_n_sigma: keeps")
        await check_all(stage, "settings-not-for-this-server")


async def test_settings_with_values_of_this_run() -> None:
    async with ollama() as server, running(server.url, overrides={"temperature": 0.9, "seed": 7}) as stage:
        await ready(stage)
        await stage.press("f4")
        await stage.see("this run")
        await check_all(stage, "settings-this-run")


# -- pages over it ------------------------------------------------------------------------------------------------------


async def test_the_key_page_and_the_palette() -> None:
    async with ollama() as server, running(server.url) as stage:
        await ready(stage)
        await stage.press("f1")
        await stage.see("Everywhere")
        await check_all(stage, "keys")
        await stage.press("escape")
        await stage.see("Connected")
        await stage.press("ctrl+p")
        await stage.see("Ask again")
        await check_all(stage, "palette")
        await stage.write("crea")
        await stage.see("Preset: creative")
        await stage.see_no_more("Ask again")
        await check_all(stage, "palette-search")


# -- small screens ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 15), (50, 24)], ids=["low", "narrow"])
async def test_small_screens(size: tuple[int, int]) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING))
        async with running(server.url, size=size) as stage:
            await ready(stage)
            await check(stage, "empty-connected")
            await stage.ask(QUESTION)
            await stage.see(r"expects:")
            await stage.see(r"ctx 1\.2k.* Enter send")
            await check(stage, "chat")
            await stage.press("f3")
            await stage.see("NAME +")
            await check(stage, "models")
            await stage.press("f4")
            await stage.see("›temperature ")
            await check(stage, "settings")
            await stage.press("f1")
            await stage.see("Everywhere")
            await check(stage, "keys")


# -- themes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["lokal-light", "high-contrast", "terminal"])
async def test_themes(theme: str) -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN), stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url, theme=theme) as stage:
            await ready(stage)
            await stage.ask("How do I read a file line by line?")
            await stage.see("A plain 👍 closes it")
            await stage.see("ctx 1.2k of 8k")
            await stage.press("ctrl+home")
            await stage.see("Reading a file")
            await check(stage, f"{theme}-chat")
            await stage.press("f4")
            await stage.see("band")
            await stage.press("1", ".", "2", "enter", "9", "enter")
            await stage.see("cannot be")
            await check(stage, f"{theme}-settings")
            await stage.press("escape", "f3")
            await stage.see("in memory")
            await check(stage, f"{theme}-models")
            await stage.press("ctrl+p")
            await stage.see("Ask again")
            await check(stage, f"{theme}-palette")


async def test_without_colour() -> None:
    """NO_COLOR is kept to: not one colour is left, and what colour said is said by attributes and words."""
    async with ollama() as server:
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        async with running(server.url, theme="terminal", environ={"NO_COLOR": "1"}) as stage:
            await ready(stage)
            await stage.ask(QUESTION)
            await stage.see("F5 asks again")
            await check(stage, "no-color-failed")
            for line in stage.lines():
                for segment in line:
                    style = segment.style
                    assert style is None or style.color is None or style.color.is_default, (segment, style)


def test_every_picture_belongs_to_a_test() -> None:
    """A picture whose test is gone would never be looked at again."""
    source = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "ui").glob("test_*.py"))
    for path in FOLDER.glob("*.txt"):
        name = path.stem.rpartition("-")[0]
        known = f'"{name}"' in source or any(
            name.startswith(f"{theme}-") and f"-{name.removeprefix(f'{theme}-')}" in source
            for theme in ("lokal-light", "high-contrast", "terminal")
        )
        assert known, f"{path.name} is used by no test"
