"""What is written and not asked yet: questions that wait in line, and drafts."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.support.replay import held, recorded, stalling
from tests.support.stage import Stage, chatting, ollama_answer, questions
from tests.support.writing import CHIP, PASTE, asked, opened, paste
from tui.chat.session import ChatSession
from tui.core.draft import Draft
from tui.errors import StoreError
from tui.ui.chat.slip import Slip

# -- in line ------------------------------------------------------------------------------------------------------------


async def test_questions_that_wait_are_asked_one_after_the_other() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."), ollama_answer("Three."))
        await stage.ask("first")
        await stage.see("connecting|reading the prompt")
        await stage.ask("second")
        await stage.see("waiting: second +Alt.↑ takes it back")
        await stage.ask("third")
        await stage.see("waiting: second · third")
        await stage.write("not sent")
        await stage.until(lambda: questions(server) == ["first"], "the first one is asked, and no other")
        server.release.set()
        assert await asked(stage, server, 3) == ["first", "second", "third"]
        await stage.see_no_more("waiting")
        assert stage.app.chat.composer.text == "not sent"
        await stage.see(r"Three\.")


async def test_several_lines_that_come_at_once_are_one_text_that_is_not_sent() -> None:
    """A terminal or tmux that pastes without saying so; with Tabs, which complete nothing and lead nowhere then."""
    async with chatting() as (stage, server):
        await stage.write("/he\r\tb\rc\r")
        assert stage.app.chat.composer.text == "/he\n\tb\nc\n"
        await stage.write("\x15\x15One?\r")
        await stage.see(r"Yes\.")
        assert questions(server) == ["One?"]


async def test_several_lines_at_once_in_an_edit_and_in_a_search() -> None:
    async with chatting() as (stage, server):
        await stage.ask("One?")
        await stage.see(r"Yes\.")
        await stage.press("shift+tab", "up", "e")
        await stage.see("edit")
        await stage.write("\x15\x15a\rb\r")
        assert stage.app.screen.query_one(Slip).text == "a\nb\n"
        await stage.press("escape", "escape", "ctrl+f")
        await stage.write("a\rb\r")
        await stage.see("search +a b|search: a b|a b")
        assert questions(server) == ["One?"]


async def test_what_is_typed_right_behind_enter_is_not_lost() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", held(ollama_answer("One.")), ollama_answer("Two."))
        for text in ("first\r", "second\r", "draft"):
            await stage.write(text)
        await stage.see("waiting: second")
        assert stage.app.chat.composer.text == "draft"
        server.release.set()
        assert await asked(stage, server, 2) == ["first", "second"]


@pytest.mark.parametrize("why", ["stopped", "failed", "broken off"])
async def test_after_an_answer_that_is_not_whole_nothing_is_sent_blindly(why: str) -> None:
    async with chatting() as (stage, server):
        unfinished = {
            "stopped": stalling(ollama_answer("Half", ended=False)),
            "failed": held(recorded("ollama/chat-runner-cannot-load")),
            "broken off": held(ollama_answer("Half", ended=False)),
        }
        server.on("/api/chat", unfinished[why], ollama_answer("Two."), ollama_answer("Three."))
        await stage.ask("first")
        await stage.see("Half" if why == "stopped" else "connecting|reading the prompt")
        await stage.ask("second")
        await stage.ask("third")
        await stage.see("waiting: second")
        server.release.set()
        if why == "stopped":
            await stage.press("escape")
        await stage.see("2 questions wait: second · third +Enter sends · Alt.↑ takes back")
        assert questions(server) == ["first"]

        await stage.ask("another, now")
        await asked(stage, server, 2)
        await stage.see("2 questions wait")
        await stage.press("enter")
        await stage.until(lambda: len(questions(server)) == 4, "all were asked")
        latest = [question.split("\n\n")[-1] for question in questions(server)]
        assert latest == ["first", "another, now", "second", "third"]
        await stage.see_no_more("wait")


async def test_waiting_questions_come_back_the_last_one_first() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("first")
        await stage.ask("second")
        await stage.ask("third")
        await stage.write("written")
        await stage.press("alt+up")
        assert stage.app.chat.composer.text == "third\n\nwritten"
        await stage.see("waiting: second +Alt")
        await stage.press("alt+up")
        assert stage.app.chat.composer.text == "second\n\nthird\n\nwritten"
        await stage.see_no_more("waiting")
        await stage.press("alt+up")
        await stage.see("No question waits")


# -- drafts -------------------------------------------------------------------------------------------------------------


async def test_each_chat_has_its_draft() -> None:
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        first = stage.app.chat.session
        assert first is not None
        await stage.write("draft of the first")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not first, "there is a new chat")
        assert stage.app.chat.composer.text == ""
        await stage.write("draft of the second")
        stage.app.chat.open(first)
        await stage.until(lambda: stage.app.chat.composer.text == "draft of the first", "it is back")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.composer.text == "draft of the second", "so is this one")
        assert questions(server) == ["first"]


async def test_what_is_made_of_an_earlier_prompt_stays_with_its_chat() -> None:
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        first = stage.app.chat.session
        assert first is not None
        await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
        await stage.write("mine")
        await stage.press("up")
        await stage.write(", but żółty")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not first, "there is a new chat")
        second = stage.app.chat.session
        assert second is not None
        await stage.write("other")
        await stage.press("up")
        assert stage.app.chat.composer.text == "first"
        await stage.press("down")
        assert stage.app.chat.composer.text == "other"
        stage.app.chat.open(first)
        both = "mine\n\nfirst, but żółty"
        await stage.until(lambda: stage.app.chat.composer.text == both, "nothing is lost")
        assert second.load_draft(second.draft_key) == Draft("other")


async def test_a_draft_outlives_lokal_and_is_gone_when_it_was_sent() -> None:
    async with chatting() as (stage, _):
        await opened(stage)
        await stage.write("look at ")
        await paste(stage, PASTE)
        await stage.see(CHIP)
    async with chatting() as (stage, server):
        await stage.until(lambda: stage.app.chat.composer.text == f"look at {CHIP}", "the draft is back")
        await stage.press("enter")
        assert await asked(stage, server, 1) == [f"look at {PASTE}"]
    async with chatting() as (stage, _):
        await opened(stage)
        await stage.see("Connected")
        assert stage.app.chat.composer.text == ""


async def test_questions_that_waited_are_a_draft_at_the_next_start() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("first")
        await stage.see("Half")
        first = stage.app.chat.session
        await stage.ask("second")
        await stage.ask("third")
        await stage.write("fourth")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not first, "there is a new chat")
        await stage.see_no_more("wait")
        assert first is not None
        stage.app.chat.open(first)
        await stage.until(lambda: stage.app.chat.composer.text == "second\n\nthird\n\nfourth", "all is there")
        assert questions(server) == ["first"]


async def test_what_is_typed_before_the_draft_is_read_comes_after_it() -> None:
    async with left_with_draft() as (stage, chat):
        stage.app.chat.open(chat)
        stage.app.chat.composer.fill("new")
        await stage.until(lambda: stage.app.chat.composer.text == "old\n\nnew", "both are there")


async def test_a_draft_that_cannot_be_read_is_read_again_and_it_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tui.ui.chat.writing.AGAIN_S", 0.05)
    async with left_with_draft() as (stage, chat):
        read, tried, there = chat.load_draft, [0], threading.Event()

        def load(key: str) -> Draft:
            tried[0] += 1
            if not there.is_set():
                raise StoreError("The draft cannot be read", "The disk is not there")
            return read(key)

        monkeypatch.setattr(chat, "load_draft", load)
        stage.app.chat.open(chat)
        await stage.see("The draft cannot be read")
        stage.app.chat.divider.clear_notice()
        stage.app.chat.composer.fill("new")
        await stage.until(lambda: tried[0] > 3, "it was tried again")
        there.set()
        await stage.until(lambda: stage.app.chat.composer.text == "old\n\nnew", "both are there")
        assert "cannot be read" not in stage.text()


async def test_a_chat_that_is_left_and_opened_again_at_once_has_its_draft_once() -> None:
    async with left_with_draft() as (stage, chat):
        empty = stage.app.chat.session
        assert empty is not None
        stage.app.chat.open(chat)
        stage.app.chat.composer.fill("new")
        stage.app.chat.open(empty)
        stage.app.chat.open(chat)
        await stage.until(lambda: stage.app.chat.composer.text == "old\n\nnew", "both are there")
        await stage.settle()
        assert stage.app.chat.composer.text == "old\n\nnew"


async def test_a_chat_that_is_left_before_its_draft_is_read_loses_neither() -> None:
    async with left_with_draft() as (stage, chat):
        empty = stage.app.chat.session
        assert empty is not None
        stage.app.chat.open(chat)
        stage.app.chat.composer.fill("new")
        stage.app.chat.open(empty)
        await stage.settle()
        assert stage.app.chat.composer.text == ""
        await stage.until(lambda: chat.load_draft(chat.draft_key) == Draft("old\n\nnew"), "both are kept")


@asynccontextmanager
async def left_with_draft() -> AsyncIterator[tuple[Stage, ChatSession]]:
    """A new chat is open; the one before has the draft `old`."""
    async with chatting() as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        chat = stage.app.chat.session
        assert chat is not None
        await stage.write("old")
        await stage.press("ctrl+n")
        await stage.until(lambda: stage.app.chat.session is not chat, "there is a new chat")
        await stage.until(lambda: chat.load_draft(chat.draft_key) == Draft("old"), "the draft is kept")
        yield stage, chat
