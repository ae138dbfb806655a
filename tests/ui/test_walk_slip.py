"""Leaving the inline input over the composer and the message cursor: who has the keys then, and what becomes of what was written."""

from __future__ import annotations

import threading

import pytest

from tests.support.app import configure
from tests.support.app_driver import running
from tests.support.canned_servers import ollama_answer
from tests.support.replay import stalling
from tests.support.walk import LONG, answered, walked
from tui.chat.session import ChatSession
from tui.core.draft import Draft


@pytest.mark.parametrize("key", ["e", "w"])
@pytest.mark.parametrize("way", [("ctrl+n",), ("f3", "f2")])
async def test_after_the_slip_the_composer_has_the_keys(key: str, way: tuple[str, ...]) -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", key, "escape", "escape", *way)
        await driver.settle()
        assert driver.focus == "composer"
        await driver.write("Two?\r")
        await driver.until(lambda: driver.messages[-2:] == ["Two?", "Yes."], "it is asked")


async def test_an_open_slip_has_the_keys_after_another_tab() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "e", "f3", "f2")
        await driver.write(" Or no.")
        assert driver.edit_text == "Yes. Or no."
        assert driver.focus == "edit"


async def test_the_cursor_goes_to_the_answer_that_takes_the_place_of_its_own() -> None:
    async with walked(ollama_answer(LONG)) as (driver, _):
        await answered(driver, "Why?", r"Done\.")
        await driver.press("shift+tab")
        before = driver.cursor
        await driver.press("f5")
        await driver.see("2/2")
        await driver.until(lambda: not driver.activity, "the answer is done")
        assert before is not None
        assert driver.cursor != before
        await driver.see("message 2 of 2")
        await driver.press("space")
        await driver.see("32 more lines")


@pytest.mark.parametrize("way", [("shift+tab",), ("ctrl+n",), ("f7", "escape", "escape"), ("escape",)])
async def test_an_edit_that_was_begun_is_gone_on_with(way: tuple[str, ...]) -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        session = driver.session
        await driver.press("shift+tab", "up", "e")
        await driver.write(" And why?")
        await driver.press(way[0])
        if way[0] != "f7":
            await driver.see("The edit is kept: e goes on with it")
        await driver.press(*way[1:])
        if way[0] == "ctrl+n":
            await driver.until(lambda: driver.session is not session, "there is a new chat")
            driver.open_chat(session)
            await driver.settle()
        if driver.cursor is None:
            await driver.press("shift+tab", "up")
        await driver.press("e")
        await driver.see(r"› One\? And why\?")
        await driver.press("enter")
        await driver.until(lambda: driver.messages == ["One? And why?", "Yes."], "it is asked")
        await driver.until(lambda: not driver.activity, "the answer is done")

        await driver.press("shift+tab", "up", "left", "e")
        assert driver.edit_text == "One?", "what was handed in is no longer kept"
        await driver.press("ctrl+u", "escape", "e")
        assert driver.edit_text == "One?", "nor is nothing"


async def test_where_stopping_has_a_key_of_its_own_it_stops_at_once() -> None:
    configure('[keys]\n"answer.stop" = "ctrl+x"\n')
    async with walked(stalling(ollama_answer("So far", ended=False))) as (driver, _):
        await driver.ask("Why?")
        await driver.see("So far")
        await driver.press("shift+tab", "r")
        await driver.see(r"An answer is coming in: Ctrl\+X stops it")
        await driver.press("ctrl+x")
        await driver.see("stopped by you")
        driver.clear_notice()
        await driver.see("message 2 of 2")


async def test_what_is_too_large_to_copy_is_said_with_the_way_out() -> None:
    async with walked(ollama_answer("x" * 800_000 + " end")) as (driver, _):
        await answered(driver, "Why?", r"\nend\n")
        await driver.press("shift+tab", "c")
        await driver.see("Not copied: 800 kB is too large for OSC 52 · w writes a file")
        await driver.press("escape")
        driver.run_command("copy")
        await driver.see(r"too large for OSC 52 · Shift\+Tab w writes a file")


async def test_an_edit_that_was_begun_outlives_lokal() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.write("a draft")
        await driver.press("shift+tab", "up", "e")
        await driver.write(" I dlaczego?")
        await driver.press("escape", "down", "e")
        await driver.write(" Nie")
        session = driver.session
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (driver, _):
        await driver.until(lambda: driver.composer_text == "a draft", "the draft is there")
        await driver.press("shift+tab", "e")
        assert driver.edit_text == "Yes. Nie", "also what was open to the end"
        await driver.press("escape", "up", "e")
        await driver.see(r"› One\? I dlaczego\?")
        await driver.press("enter")
        await driver.until(lambda: driver.messages == ["One? I dlaczego?", "Yes."], "it is asked")


async def test_what_was_deleted_comes_back_when_the_chat_is_open_again() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await answered(driver, "Two?", r"Two\?[^$]+Yes\.")
        await driver.press("shift+tab", "d")
        await driver.see("u brings it back")
        session = driver.session
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (driver, _):
        await driver.until(lambda: driver.messages == ["One?", "Yes.", "Two?"], "the answer is deleted")
        await driver.ask("/undo")
        await driver.until(lambda: driver.messages == ["One?", "Yes.", "Two?", "Yes."], "it is back")
        await driver.ask("/undo")
        await driver.see("Nothing was deleted here that could come back")
        await driver.press("shift+tab", "up", "up", "up", "d")
        await driver.see("Deleted 4 messages")
    async with walked(resume=chat_id) as (driver, _):
        await driver.until(lambda: driver.chats_are_open, "the chat is open, and empty")
        assert driver.messages == []
        await driver.ask("/undo")
        await driver.until(lambda: driver.messages == ["One?", "Yes.", "Two?", "Yes."], "all is back")


async def test_an_edit_of_a_deleted_message_comes_back_with_it() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "e")
        await driver.write(" Nie")
        await driver.press("escape", "d")
        await driver.see("u brings it back")
        session = driver.session
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (driver, _):
        await driver.until(lambda: driver.messages == ["One?"], "the answer is deleted")
        await driver.ask("/undo")
        await driver.until(lambda: driver.messages == ["One?", "Yes."], "it is back")
        await driver.press("shift+tab", "e")
        assert driver.edit_text == "Yes. Nie"


async def test_an_edit_that_is_read_late_is_on_the_slip_that_is_open_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "e")
        await driver.write(" Nie")
        await driver.press("escape")
        session = driver.session
        chat_id = session.conversation.id
    there, read = threading.Event(), ChatSession.load_draft

    def slowly(self: ChatSession, key: str) -> Draft:
        there.wait(60)
        return read(self, key)

    monkeypatch.setattr(ChatSession, "load_draft", slowly)
    async with running(resume=chat_id) as driver:
        await driver.see(r"Yes\.")
        await driver.press("shift+tab", "e")
        assert driver.edit_text == "Yes."
        there.set()
        await driver.until(lambda: driver.edit_text == "Yes. Nie", "it is gone on with")


async def test_the_cursor_of_a_long_edit_is_in_sight() -> None:
    async with walked(ollama_answer("\n".join(f"line {number}" for number in range(60)))) as (driver, _):
        await answered(driver, "Why?", "line 59")
        await driver.press("shift+tab")
        for _ in range(2):
            await driver.press("e")
            await driver.see("line 59")
            await driver.write("!")
            await driver.press("escape")
        await driver.press("e")
        await driver.see("line 59!!")
        await driver.resize(50, 24)
        await driver.see("line 59!!")
