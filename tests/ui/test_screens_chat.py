"""How the conversation looks, and what is written for it, held to the pictures in tests/snapshots."""

from __future__ import annotations

from pathlib import Path

from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import ollama_answer
from tests.support.pictures import png, says_who_can_see
from tests.support.replay import recorded, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.screens import BEGINNING, QUESTION, ollama, ready
from tests.support.snapshot import check_all

# -- answers ------------------------------------------------------------------------------------------------------------


async def test_a_chat_with_markdown() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask("How do I read a file line by line?")
            await driver.see("A plain 👍 closes it")
            await driver.see("ctx 1.2k of 8k")
            await check_all(driver, "chat-end")
            await driver.press("ctrl+home")
            await check_all(driver, "chat-start")
            await driver.press("pagedown")
            await check_all(driver, "chat-middle")


async def test_an_answer_comes_in_and_is_stopped() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("than nginx expects:")
            await driver.write("and if the socket exists but")
            await driver.see("socket exists but")
            await check_all(driver, "chat-answering")
            await driver.press("escape")
            await driver.see("stopped by you")
            await check_all(driver, "chat-stopped")


async def test_a_failed_answer() -> None:
    async with ollama() as server:
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("F5 asks again")
            await check_all(driver, "chat-failed")


async def test_an_interrupted_answer() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING, ended=False))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("F6 continues")
            await check_all(driver, "chat-interrupted")


async def test_an_answer_that_was_cut() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(BEGINNING, tokens=512, reason="length"))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("cut at 512 tokens")
            await check_all(driver, "chat-cut")


async def test_reasoning() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(thought=THOUGHT, ended=False)))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask("Read a file!")
            await driver.see(r"thinking … \d lines")
            await check_all(driver, "reasoning-live")
            await driver.press("escape")
            await driver.see("stopped by you")

            server.on("/api/chat", ollama_answer("Line by line.", thought=THOUGHT))
            await driver.press("ctrl+n")
            await driver.see("Connected")
            await driver.ask("Read a file!")
            await driver.see(r"thought for \d lines")
            await driver.see("412 tokens")
            await check_all(driver, "reasoning-folded")
            await driver.press("ctrl+o")
            await driver.see("Let me check")
            await check_all(driver, "reasoning-unfolded")


async def test_reading_back_while_an_answer_comes_in() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer(MARKDOWN))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask("How do I read a file line by line?")
            await driver.see("412 tokens|👍 closes it")
            await driver.press("ctrl+home")
            await driver.see("Ctrl\\+G to the end")
            await check_all(driver, "chat-reading-back")


# -- writing ------------------------------------------------------------------------------------------------------------


async def test_pasted_pieces_and_files_that_go_along(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "report.txt").write_text("row\n" * 320)
    async with ollama() as server:
        says_who_can_see(server, sees=True).on("/api/chat", ollama_answer("A red square."))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.write("Compare ")
            await driver.paste("row\n" * 4200)
            await driver.see("⟦pasted 4,200 lines · 1⟧")
            await driver.see("ctx ~")
            await check_all(driver, "writing-pasted")
            driver.fill("")
            driver.run_command("attach", f"'{tmp_path / 'photo.png'}' '{tmp_path / 'report.txt'}'")
            await driver.see("attached: photo.png")
            await driver.write("What is it?")
            driver.clear_notice()
            await check_all(driver, "writing-attached")
            await driver.press("enter")
            await driver.see("A red square")
            await driver.see("412 tokens")
            await check_all(driver, "chat-attached")


async def test_questions_that_wait() -> None:
    async with ollama() as server:
        server.on("/api/chat", stalling(ollama_answer(BEGINNING, ended=False)))
        async with running(server.url) as driver:
            await ready(driver)
            await driver.ask(QUESTION)
            await driver.see("than nginx expects:")
            await driver.ask(
                "And how do I see which socket nginx expects, and who listens on it, and with which rights?"
            )
            await driver.see("waiting: And")
            await check_all(driver, "writing-waiting")
            await driver.ask("Thanks.")
            await driver.see("Thanks")
            await driver.press("escape")
            await driver.see("2 questions wait")
            await check_all(driver, "writing-held")


async def answered(driver: AppDriver, count: int) -> None:
    """Wait until so many questions have whole answers."""

    def is_so() -> bool:
        return driver.draft_is_read and not driver.activity and len(driver.conversation) == 2 * count

    await driver.until(is_so, f"{count} answers are there")


async def test_searching_in_earlier_prompts() -> None:
    async with ollama() as server:
        server.on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as driver:
            await ready(driver)
            for number, prompt in enumerate((QUESTION, "What is nginx?", "Zażółć gęślą jaźń"), 1):
                await driver.ask(prompt)
                await answered(driver, number)
            await driver.press("ctrl+r")
            await driver.write("nginx")
            await driver.see("1 of 2")
            await check_all(driver, "writing-search")
            await driver.write("?!")
            await driver.see("nothing found")
            await check_all(driver, "writing-search-nothing")
