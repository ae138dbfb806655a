"""While a question is held because it does not fit: nothing goes around the choice, and nothing that was written is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.app import answer, becomes_llamacpp, configure, model_server
from tests.support.app_driver import AppDriver, running
from tests.support.canned_servers import chats, like_ollama, questions
from tests.support.fitting import ASKED, choose, choosing
from tests.support.fitting_prompts import HUGE, LONG, counted
from tests.support.replay import Replay, replay
from tui.core.message import Status


@asynccontextmanager
async def nearly_full() -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A chat of two questions with Ollama, whose window of 8k has 7.6k taken."""
    async with replay() as server:
        like_ollama(server).on(
            "/api/chat", counted("One.", 2400), counted("Two.", 7600), counted("Three.", 900)
        )
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            for question, said in (("Who was Euler?", "One."), ("And Gauss?", "Two.")):
                await driver.ask(question)
                await driver.see(said)
                await driver.until_idle()
            await driver.see("ctx 7.6k of 8k")
            yield driver, server


async def is_asked(driver: AppDriver, question: str = LONG) -> None:
    """Ask what does not fit."""
    await driver.ask(question)
    await driver.see(ASKED)


# -- around the choice --------------------------------------------------------------------------------------------------


async def test_nothing_is_asked_beside_the_choice() -> None:
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.press("f5")
        driver.run_command("answer.continue")
        driver.run_command("compare", "technical creative")
        await driver.settle()
        assert choosing(driver)
        assert len(chats(server)) == 2
        await choose(driver, "fit.drop")
        await driver.see(r"Three\.")
        await driver.until_idle()
        assert len(chats(server)) == 3
        session = driver.session
        assert all(message.status is not Status.STREAMING for message in session.conversation)


async def test_the_branch_stays_while_there_is_a_choice() -> None:
    async with nearly_full() as (driver, server):
        server.on("/api/chat", counted("Again.", 7600))
        await driver.press("f5")
        await driver.see(r"Again\.")
        await driver.until_idle()
        session = driver.session
        path = [message.id for message in session.conversation.path()]
        await is_asked(driver)
        driver.run_command("sibling.previous")
        await driver.see("Choose first what is done about the question")
        assert [message.id for message in session.conversation.path()] == path
        assert choosing(driver)


async def test_nobody_walks_while_there_is_a_choice() -> None:
    async with nearly_full() as (driver, _):
        await is_asked(driver)
        await driver.press("shift+tab")
        assert driver.focus == "decision"
        driver.focus_messages()
        await driver.settle()
        assert driver.focus == "decision"
        assert driver.cursor is None
        await driver.press("escape")
        await driver.see_no_more(ASKED)
        assert driver.focus == "composer"
        assert driver.composer_plain == LONG


async def test_what_is_written_beside_the_choice_is_the_next_question() -> None:
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.press("enter")
        await driver.see("Choose first what is done about the question: Tab goes to the list")
        await driver.write("dsla: so dear a cat")
        await driver.paste(" and dogs")
        assert choosing(driver)
        await driver.press("enter")
        await driver.see("waiting: dsla: so dear a cat and dogs")
        assert len(chats(server)) == 2
        await choose(driver, "fit.drop")
        await driver.until(lambda: len(chats(server)) == 4, "both are asked")
        assert questions(server)[2:] == [LONG, "dsla: so dear a cat and dogs"]


async def test_typing_in_the_list_goes_on_in_the_composer() -> None:
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.press("tab")
        assert driver.focus == "decision"
        await driver.write("C and 2 dogs")
        assert driver.focus == "composer"
        assert driver.composer_plain == "C and 2 dogs"
        await driver.press("tab")
        await driver.write("1")
        assert driver.composer_plain == "C and 2 dogs1", "a number chooses only where nothing is written"
        await driver.press("tab")
        await driver.paste("1")
        assert driver.composer_plain == "C and 2 dogs11"
        assert choosing(driver)
        assert len(chats(server)) == 2


@pytest.mark.parametrize("keys", ["\t1", "\x1b[B1", "\x1b[B\r", "\t\x1b[B\x1b[A\r"])
async def test_keys_that_come_in_one_piece_count_in_their_order(keys: str) -> None:
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.write(keys)
        await driver.see(r"Three\.")
        assert questions(server)[-1] == LONG
        assert driver.composer_plain == ""
        assert driver.focus == "composer"


async def test_two_enters_are_one_choice() -> None:
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.write("A draft\t\x1b[B\r\r")
        await driver.see("summary")
        assert driver.composer_plain == "A draft", "the second is for no other list, and sends nothing"
        await driver.until(lambda: len(chats(server)) >= 3, "the summary is asked for")


async def test_a_choice_that_comes_behind_the_list_of_chats_leaves_it_the_keys() -> None:
    async with nearly_full() as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  1")
        driver.submit(LONG)
        await driver.see(ASKED)
        await driver.press("d")
        await driver.see("No chats yet")
        await driver.press("u")
        await driver.see("Chats  1")
        await driver.press("escape")
        await driver.see_no_more("Chats  1")


async def test_a_walk_ends_where_the_choice_begins() -> None:
    async with nearly_full() as (driver, _):
        await driver.press("shift+tab")
        driver.submit(LONG)
        await driver.see(ASKED)
        assert driver.cursor is None
        assert driver.focus == "composer"


# -- nothing is lost ----------------------------------------------------------------------------------------------------


async def test_an_edit_that_does_not_fit_is_kept_with_its_chat() -> None:
    async with nearly_full() as (driver, _):
        first = driver.session
        await driver.press("shift+tab")
        await driver.press("up")
        driver.run_command("message.edit")
        await driver.settle()
        driver.fill_edit(HUGE)
        await driver.press("enter")
        await driver.see(ASKED)
        await driver.press("ctrl+n")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == ""
        driver.open_chat(first)
        await driver.until(lambda: driver.composer_plain == HUGE, "the edit is there")


# -- keys of one's own ----------------------------------------------------------------------------------------------


async def test_a_way_that_was_given_a_key_is_taken_by_it() -> None:
    configure('[keys]\n"fit.drop" = "alt+d"\n"fit.cancel" = "x"\n')
    async with nearly_full() as (driver, server):
        await is_asked(driver)
        await driver.see(r"\(Alt\+D\)")
        await driver.write("x")
        assert choosing(driver), "a letter is text"
        await driver.press("alt+d")
        await driver.see(r"Three\.")
        assert len(chats(server)) == 3
        assert driver.composer_plain == "x"


async def test_what_would_change_the_held_question_waits() -> None:
    async with nearly_full() as (driver, _):
        await is_asked(driver)
        await driver.ask("/system " + LONG)
        await driver.see("Choose first what is done about the question")
        session = driver.session
        assert session.conversation.system == ""


# -- the meter ------------------------------------------------------------------------------------------------------


async def test_a_draft_is_counted_by_a_server_of_this_machine_only() -> None:
    async with model_server(answer("Yes.")) as server:
        becomes_llamacpp(server)
        for url, may in ((server.url, True), (server.url.replace("127.0.0.1", "127.1"), False)):
            async with running(url) as driver:
                await driver.see("ctx .+ of 4k")  # the second time with the draft of the first
                driver.fill(LONG)
                await driver.see(r"ctx ~\d+ of 4")
                assert driver.counts_draft is may, url
