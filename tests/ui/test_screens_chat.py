"""How the conversation looks, and what is written for it, held to the pictures in tests/snapshots."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tests.support.pictures import png, says_who_can_see
from tests.support.replay import recorded, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import check_all
from tests.support.stage import Stage, ollama_answer, running

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
