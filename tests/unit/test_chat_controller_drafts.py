"""Drafts and files of a chat without a screen: read late or not at all, and for another chat than the open one."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.canned_servers import ollama_answer
from tests.support.headless_chat import HeadlessChat, headless
from tests.support.replay import stalling
from tui.chat import attachments
from tui.chat.events import DraftLoaded, FilesNotRead
from tui.chat.session import ChatSession
from tui.core.draft import Draft
from tui.core.message import Attachment
from tui.errors import LokalError, StoreError

AGES_S = 60.0


async def left_with_draft(chat: HeadlessChat) -> ChatSession:
    """A new chat is open; the one before has the draft `old`."""
    chat.server.on("/api/chat", ollama_answer("Yes."))
    await chat.ask("first")
    before = chat.session
    chat.front.text = "old"
    await chat.open()
    assert before.load_draft(before.draft_key) == Draft("old")
    chat.front.events.clear()
    return before


def drafts(chat: HeadlessChat) -> list[str]:
    """The drafts that were shown."""
    return [event.draft.text for event in chat.front.all(DraftLoaded)]


async def test_a_draft_is_read_when_its_chat_is_opened(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        before = await left_with_draft(chat)
        await chat.open(before)
        assert drafts(chat) == ["old"]


async def test_the_draft_goes_when_it_is_sent(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        before = await left_with_draft(chat)
        await chat.open(before)
        await chat.ask("old")
        assert before.load_draft(before.draft_key) == Draft()


async def test_a_draft_that_cannot_be_read_is_read_again_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.chat.outbox.READ_AGAIN_S", 0.001)
    async with headless(tmp_path) as chat:
        before = await left_with_draft(chat)
        read, tried, there = before.load_draft, list[str](), threading.Event()

        def load(key: str) -> Draft:
            tried.append(key)
            if len(tried) > 3:
                there.set()
            if not there.is_set():
                raise StoreError("The draft cannot be read", "The disk is not there")
            return read(key)

        monkeypatch.setattr(before, "load_draft", load)
        await chat.open(before)
        assert drafts(chat) == ["old"]
        assert [said for said in chat.front.notices if "cannot be read" in said] == [
            "The draft cannot be read. The disk is not there"
        ]


async def test_a_chat_that_is_left_before_its_draft_is_read_loses_neither(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        before, empty = await left_with_draft(chat), chat.session
        chat.controller.open(before)
        chat.front.text = "new"
        await chat.open(empty)
        assert drafts(chat) == [""], "that of the other chat is not shown here"
        assert before.load_draft(before.draft_key) == Draft("old\n\nnew")


async def test_a_chat_that_is_left_and_opened_again_at_once_has_its_draft_once(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        before, empty = await left_with_draft(chat), chat.session
        chat.controller.open(before)
        chat.controller.open(empty)
        await chat.open(before)
        assert drafts(chat) == ["old"]


async def test_a_draft_that_is_read_after_the_chat_got_its_id_goes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("Yes."))
        chat.front.text = "begun"
        chat.controller.outbox.save()
        session, asked = chat.new_session(), threading.Event()
        read = session.load_draft

        def load(key: str) -> Draft:
            kept = read(key)
            assert asked.wait(AGES_S)
            return kept

        monkeypatch.setattr(session, "load_draft", load)
        chat.controller.open(session)
        chat.submit("Question?")
        asked.set()
        await chat.until(lambda: drafts(chat)[-1] == "begun")
        await chat.idle()
        chat.front.text = "begun"
        chat.controller.outbox.save()
        chat.flush()
        assert chat.store.draft(session.conversation.id) == Draft("begun")
        assert chat.store.draft("") == Draft()


async def test_edits_that_were_begun_are_part_of_the_draft(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("Yes."))
        await chat.ask("first")
        before = chat.session
        chat.front.edits = ((chat.leaf.id, "No."),)
        chat.controller.outbox.save()
        chat.flush()
        assert chat.store.draft(before.conversation.id).edits == chat.front.edits


# -- files ----------------------------------------------------------------------------------------------------------------


def notes(folder: Path) -> str:
    (folder / "notes.txt").write_text("x")
    return str(folder / "notes.txt")


def attached(chat: HeadlessChat) -> list[str]:
    """The names of the files that go with the next prompt."""
    return [file.name for file in chat.controller.outbox.attached]


async def test_a_file_goes_with_the_next_prompt_only(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("Yes."))
        chat.controller.outbox.read_files(notes(tmp_path))
        await chat.until(lambda: len(chat.controller.outbox.attached) == 1)
        chat.submit("")
        assert chat.front.notices[-1] == "Write a question to go with what is attached"
        await chat.ask("What is in it?")
        question = chat.session.conversation.path()[0]
        assert [file.name for file in question.attachments] == ["notes.txt"]
        assert attached(chat) == []


async def test_a_prompt_waits_for_a_file_that_is_still_read(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.controller.outbox.read_files(notes(tmp_path))
        chat.submit("What is in it?")
        assert chat.returned == ["What is in it?"]
        assert chat.front.notices[-1].startswith("A file is still being read")
        await chat.until(lambda: bool(chat.controller.outbox.attached))


async def test_a_file_that_comes_late_waits_in_the_chat_for_which_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, read = threading.Event(), attachments.read_attachments

    def slowly(argument: str, folder: Path) -> tuple[Attachment, ...]:
        assert opened.wait(AGES_S)
        return read(argument, folder)

    monkeypatch.setattr(attachments, "read_attachments", slowly)
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", ollama_answer("Yes."))
        await chat.ask("first")
        first = chat.session
        chat.controller.outbox.read_files(notes(tmp_path))
        await chat.open()
        opened.set()
        await chat.until(
            lambda: chat.front.notices[-1:] == ["The file is attached in the chat that was open before"]
        )
        assert attached(chat) == []
        await chat.open(first)
        assert attached(chat) == ["notes.txt"]


async def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.controller.outbox.read_files("nothing.txt")
        await chat.until(lambda: bool(chat.front.all(FilesNotRead)))
        (told,) = chat.front.all(FilesNotRead)
        assert (told.argument, told.here) == ("nothing.txt", True)
        told_of: list[LokalError | None] = []
        chat.controller.outbox.read_files(notes(tmp_path), told_of.append)
        await chat.until(lambda: told_of == [None])


async def test_the_files_of_a_prompt_that_waits_come_back_with_it(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        chat.submit("Short?")
        await chat.sees("Half")
        chat.controller.outbox.read_files(notes(tmp_path))
        await chat.until(lambda: bool(chat.controller.outbox.attached))
        first = chat.session
        chat.submit("What is in it?")
        await chat.open()
        assert attached(chat) == []
        await chat.open(first)
        assert attached(chat) == ["notes.txt"]
        assert drafts(chat)[-1] == "What is in it?"
