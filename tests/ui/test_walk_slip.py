"""Leaving the slip over the composer and the walk: who has the keys then, and what becomes of what was written."""

from __future__ import annotations

import threading

import pytest

from tests.support.app import configure
from tests.support.replay import stalling
from tests.support.stage import ollama_answer, running
from tests.support.walk import LONG, answered, contents, walked
from tui.chat.session import ChatSession
from tui.core.draft import Draft
from tui.ui.chat.slip import Slip


@pytest.mark.parametrize("key", ["e", "w"])
@pytest.mark.parametrize("way", [("ctrl+n",), ("f3", "f2")])
async def test_after_the_slip_the_composer_has_the_keys(key: str, way: tuple[str, ...]) -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", key, "escape", "escape", *way)
        await stage.settle()
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.write("Two?\r")
        await stage.until(lambda: contents(stage)[-2:] == ["Two?", "Yes."], "it is asked")


async def test_an_open_slip_has_the_keys_after_another_tab() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", "e", "f3", "f2")
        await stage.write(" Or no.")
        assert stage.app.chat.query_one(Slip).text == "Yes. Or no."
        assert stage.app.screen.focused is stage.app.chat.query_one(Slip)


async def test_the_cursor_goes_to_the_answer_that_takes_the_place_of_its_own() -> None:
    async with walked(ollama_answer(LONG)) as (stage, _):
        await answered(stage, "Why?", r"Done\.")
        await stage.press("shift+tab")
        before = stage.app.chat.walk.mark
        await stage.press("f5")
        await stage.see("2/2")
        await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
        assert before is not None
        assert stage.app.chat.walk.mark != before
        await stage.see("message 2 of 2")
        assert stage.app.chat.walked.toggle_fold(before) is None, "what is not shown does not fold"
        await stage.press("space")
        await stage.see("32 more lines")


@pytest.mark.parametrize("way", [("shift+tab",), ("ctrl+n",), ("f7", "escape", "escape"), ("escape",)])
async def test_an_edit_that_was_begun_is_gone_on_with(way: tuple[str, ...]) -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        session = stage.app.chat.session
        assert session is not None
        await stage.press("shift+tab", "up", "e")
        await stage.write(" And why?")
        await stage.press(way[0])
        if way[0] != "f7":
            await stage.see("The edit is kept: e goes on with it")
        await stage.press(*way[1:])
        if way[0] == "ctrl+n":
            await stage.until(lambda: stage.app.chat.session is not session, "there is a new chat")
            stage.app.chat.open(session)
            await stage.settle()
        if stage.app.chat.walk.mark is None:
            await stage.press("shift+tab", "up")
        await stage.press("e")
        await stage.see(r"› One\? And why\?")
        await stage.press("enter")
        await stage.until(lambda: contents(stage) == ["One? And why?", "Yes."], "it is asked")
        await stage.until(lambda: not stage.app.chat.doing, "the answer is done")

        await stage.press("shift+tab", "up", "left", "e")
        assert stage.app.chat.query_one(Slip).text == "One?", "what was handed in is no longer kept"
        await stage.press("ctrl+u", "escape", "e")
        assert stage.app.chat.query_one(Slip).text == "One?", "nor is nothing"


async def test_where_stopping_has_a_key_of_its_own_it_stops_at_once() -> None:
    configure('[keys]\n"answer.stop" = "ctrl+x"\n')
    async with walked(stalling(ollama_answer("So far", ended=False))) as (stage, _):
        await stage.ask("Why?")
        await stage.see("So far")
        await stage.press("shift+tab", "r")
        await stage.see(r"An answer is coming in: Ctrl\+X stops it")
        await stage.press("ctrl+x")
        await stage.see("stopped by you")
        await stage.see("message 2 of 2")


async def test_what_is_too_large_to_copy_is_said_with_the_way_out() -> None:
    async with walked(ollama_answer("x" * 800_000 + " end")) as (stage, _):
        await answered(stage, "Why?", r"\nend\n")
        await stage.press("shift+tab", "c")
        await stage.see("Not copied: 800 kB is too large for OSC 52 · w writes a file")
        await stage.press("escape")
        stage.app.run_command("copy")
        await stage.see(r"too large for OSC 52 · Shift\+Tab w writes a file")


async def test_an_edit_that_was_begun_outlives_lokal() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.write("a draft")
        await stage.press("shift+tab", "up", "e")
        await stage.write(" I dlaczego?")
        await stage.press("escape", "down", "e")
        await stage.write(" Nie")
        session = stage.app.chat.session
        assert session is not None
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (stage, _):
        await stage.until(lambda: stage.app.chat.composer.text == "a draft", "the draft is there")
        await stage.press("shift+tab", "e")
        assert stage.app.chat.query_one(Slip).text == "Yes. Nie", "also what was open to the end"
        await stage.press("escape", "up", "e")
        await stage.see(r"› One\? I dlaczego\?")
        await stage.press("enter")
        await stage.until(lambda: contents(stage) == ["One? I dlaczego?", "Yes."], "it is asked")


async def test_what_was_deleted_comes_back_when_the_chat_is_open_again() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await answered(stage, "Two?", r"Two\?[^$]+Yes\.")
        await stage.press("shift+tab", "d")
        await stage.see("u brings it back")
        session = stage.app.chat.session
        assert session is not None
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (stage, _):
        await stage.until(lambda: contents(stage) == ["One?", "Yes.", "Two?"], "the answer is deleted")
        await stage.ask("/undo")
        await stage.until(lambda: contents(stage) == ["One?", "Yes.", "Two?", "Yes."], "it is back")
        await stage.ask("/undo")
        await stage.see("Nothing was deleted here that could come back")
        await stage.press("shift+tab", "up", "up", "up", "d")
        await stage.see("Deleted 4 messages")
    async with walked(resume=chat_id) as (stage, _):
        await stage.until(lambda: stage.app.chat.session is not None, "the chat is open, and empty")
        assert contents(stage) == []
        await stage.ask("/undo")
        await stage.until(lambda: contents(stage) == ["One?", "Yes.", "Two?", "Yes."], "all is back")


async def test_an_edit_of_a_deleted_message_comes_back_with_it() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", "e")
        await stage.write(" Nie")
        await stage.press("escape", "d")
        await stage.see("u brings it back")
        session = stage.app.chat.session
        assert session is not None
        chat_id = session.conversation.id
    async with walked(resume=chat_id) as (stage, _):
        await stage.until(lambda: contents(stage) == ["One?"], "the answer is deleted")
        await stage.ask("/undo")
        await stage.until(lambda: contents(stage) == ["One?", "Yes."], "it is back")
        await stage.press("shift+tab", "e")
        assert stage.app.chat.query_one(Slip).text == "Yes. Nie"


async def test_an_edit_that_is_read_late_is_on_the_slip_that_is_open_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", "e")
        await stage.write(" Nie")
        await stage.press("escape")
        session = stage.app.chat.session
        assert session is not None
        chat_id = session.conversation.id
    there, read = threading.Event(), ChatSession.load_draft

    def slowly(self: ChatSession, key: str) -> Draft:
        there.wait(60)
        return read(self, key)

    monkeypatch.setattr(ChatSession, "load_draft", slowly)
    async with running(resume=chat_id) as stage:
        await stage.see(r"Yes\.")
        await stage.press("shift+tab", "e")
        slip = stage.app.chat.query_one(Slip)
        assert slip.text == "Yes."
        there.set()
        await stage.until(lambda: slip.text == "Yes. Nie", "it is gone on with")


async def test_the_cursor_of_a_long_edit_is_in_sight() -> None:
    async with walked(ollama_answer("\n".join(f"line {number}" for number in range(60)))) as (stage, _):
        await answered(stage, "Why?", "line 59")
        await stage.press("shift+tab")
        for _ in range(2):
            await stage.press("e")
            await stage.see("line 59")
            await stage.write("!")
            await stage.press("escape")
        await stage.press("e")
        await stage.see("line 59!!")
        await stage.resize(50, 24)
        await stage.see("line 59!!")
