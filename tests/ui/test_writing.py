"""What is written and not asked yet: questions that wait in line, and drafts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.app_driver import AppDriver, chatting
from tests.support.canned_servers import ollama_answer, questions
from tests.support.replay import held, stalling
from tests.support.writing import CHIP, PASTE, asked, opened
from tui.chat.session import ChatSession
from tui.core.draft import Draft

# -- in line ------------------------------------------------------------------------------------------------------------


async def test_questions_that_wait_are_asked_one_after_the_other() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."), ollama_answer("Three."))
        await driver.ask("first")
        await driver.see("connecting|reading the prompt")
        await driver.ask("second")
        await driver.see("waiting: second +Alt.↑ takes it back")
        await driver.ask("third")
        await driver.see("waiting: second · third")
        await driver.write("not sent")
        await driver.until(lambda: questions(server) == ["first"], "the first one is asked, and no other")
        server.release.set()
        assert await asked(driver, server, 3) == ["first", "second", "third"]
        await driver.see_no_more("waiting")
        assert driver.composer_text == "not sent"
        await driver.see(r"Three\.")


async def test_several_lines_that_come_at_once_are_one_text_that_is_not_sent() -> None:
    """A terminal or tmux that pastes without saying so; with Tabs, which complete nothing and lead nowhere then."""
    async with chatting() as (driver, server):
        await driver.write("/he\r\tb\rc\r")
        assert driver.composer_text == "/he\n\tb\nc\n"
        await driver.write("\x15\x15One?\r")
        await driver.see(r"Yes\.")
        assert questions(server) == ["One?"]


async def test_several_lines_at_once_in_an_edit_and_in_a_search() -> None:
    async with chatting() as (driver, server):
        await driver.ask("One?")
        await driver.see(r"Yes\.")
        await driver.press("shift+tab", "up", "e")
        await driver.see("edit")
        await driver.write("\x15\x15a\rb\r")
        assert driver.edit_text == "a\nb\n"
        await driver.press("escape", "escape", "ctrl+f")
        await driver.write("a\rb\r")
        await driver.see("search +a b|search: a b|a b")
        assert questions(server) == ["One?"]


async def test_what_is_typed_right_behind_enter_is_not_lost() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."))
        for text in ("first\r", "second\r", "draft"):
            await driver.write(text)
        await driver.see("waiting: second")
        assert driver.composer_text == "draft"
        server.release.set()
        assert await asked(driver, server, 2) == ["first", "second"]


async def test_after_an_answer_that_is_not_whole_nothing_is_sent_blindly() -> None:
    async with chatting() as (driver, server):
        half = stalling(ollama_answer("Half", ended=False))
        server.on("/api/chat", half, ollama_answer("Two."), ollama_answer("Three."))
        await driver.ask("first")
        await driver.see("Half")
        await driver.ask("second")
        await driver.ask("third")
        await driver.see("waiting: second")
        await driver.press("escape")
        await driver.see("2 questions wait: second · third +Enter sends · Alt.↑ takes back")
        assert questions(server) == ["first"]

        await driver.ask("another, now")
        await asked(driver, server, 2)
        await driver.see("2 questions wait")
        await driver.press("enter")
        await driver.until(lambda: len(questions(server)) == 4, "all were asked")
        latest = [question.split("\n\n")[-1] for question in questions(server)]
        assert latest == ["first", "another, now", "second", "third"]
        await driver.see_no_more("wait")


async def test_waiting_questions_come_back_the_last_one_first() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("first")
        await driver.ask("second")
        await driver.ask("third")
        await driver.write("written")
        await driver.press("alt+up")
        assert driver.composer_text == "third\n\nwritten"
        await driver.see("waiting: second +Alt")
        await driver.press("alt+up")
        assert driver.composer_text == "second\n\nthird\n\nwritten"
        await driver.see_no_more("waiting")
        await driver.press("alt+up")
        await driver.see("No question waits")


# -- drafts -------------------------------------------------------------------------------------------------------------


async def test_each_chat_has_its_draft() -> None:
    async with chatting() as (driver, server):
        await driver.ask("first")
        await asked(driver, server, 1)
        first = driver.session
        await driver.write("draft of the first")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.session is not first, "there is a new chat")
        assert driver.composer_text == ""
        await driver.write("draft of the second")
        driver.open_chat(first)
        await driver.until(lambda: driver.composer_text == "draft of the first", "it is back")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.composer_text == "draft of the second", "so is this one")
        assert questions(server) == ["first"]


async def test_what_is_made_of_an_earlier_prompt_stays_with_its_chat() -> None:
    async with chatting() as (driver, server):
        await driver.ask("first")
        await asked(driver, server, 1)
        first = driver.session
        await driver.until_idle()
        await driver.write("mine")
        await driver.press("up")
        await driver.write(", but żółty")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.session is not first, "there is a new chat")
        second = driver.session
        await driver.write("other")
        await driver.press("up")
        assert driver.composer_text == "first"
        await driver.press("down")
        assert driver.composer_text == "other"
        driver.open_chat(first)
        both = "mine\n\nfirst, but żółty"
        await driver.until(lambda: driver.composer_text == both, "nothing is lost")
        assert second.load_draft(second.draft_key) == Draft("other")


async def test_a_draft_outlives_lokal_and_is_gone_when_it_was_sent() -> None:
    async with chatting() as (driver, _):
        await opened(driver)
        await driver.write("look at ")
        await driver.paste(PASTE)
        await driver.see(CHIP)
    async with chatting() as (driver, server):
        await driver.until(lambda: driver.composer_text == f"look at {CHIP}", "the draft is back")
        await driver.press("enter")
        assert await asked(driver, server, 1) == [f"look at {PASTE}"]
    async with chatting() as (driver, _):
        await opened(driver)
        await driver.see("Connected")
        assert driver.composer_text == ""


async def test_what_is_typed_before_the_draft_is_read_comes_after_it() -> None:
    async with left_with_draft() as (driver, chat):
        driver.open_chat(chat)
        driver.fill("new")
        await driver.until(lambda: driver.composer_text == "old\n\nnew", "both are there")


@asynccontextmanager
async def left_with_draft() -> AsyncIterator[tuple[AppDriver, ChatSession]]:
    """A new chat is open; the one before has the draft `old`."""
    async with chatting() as (driver, server):
        await driver.ask("first")
        await asked(driver, server, 1)
        chat = driver.session
        await driver.write("old")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.session is not chat, "there is a new chat")
        await driver.until(lambda: chat.load_draft(chat.draft_key) == Draft("old"), "the draft is kept")
        yield driver, chat
