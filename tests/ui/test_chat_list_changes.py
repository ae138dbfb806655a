"""Changing chats in their list: another title, pinning, archiving, deleting and undoing, writing to a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events

from tests.support.chat_list import titles, under_cursor, with_chats
from tests.support.many_chats import store_of_home
from tests.support.replay import stalling
from tests.support.stage import ollama_answer


async def test_a_chat_gets_another_title_in_its_place() -> None:
    async with with_chats(4) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  4")
        await stage.press("down", "r")
        await stage.see("Enter saves the title")
        await stage.press("ctrl+u")
        stage.app.post_message(events.Paste("The [bold]proxy\x1b[31m\nquestion"))
        await stage.see(r"› The \[bold\]proxy question")
        await stage.press("enter")
        await stage.see(r"›The \[bold\]proxy question")
        await stage.until(lambda: "The [bold]proxy question" in titles(stage), "it is on the disk")
        await stage.press("r", "ctrl+u", "enter")
        await stage.see("A title needs words")
        await stage.press("r", "x", "escape")
        await stage.see(r"›The \[bold\]proxy question")


async def test_a_pinned_chat_goes_to_the_top_and_the_cursor_with_it() -> None:
    async with with_chats(50) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  50")
        await stage.press("end", "p")
        await stage.see("\n›Why.* pinned +2 +2024-01-26\n")
        assert titles(stage)[:2] == [
            "Write a haiku about rain",
            "Why does nginx answer 502 after a deploy? 49",
        ]
        await stage.press("p")
        await stage.see("is in its place by date again")
        await stage.see("\n›Why.*….* +2 +2024-01-26\n")
        assert titles(stage)[-1].endswith("49")


async def test_archived_chats_have_a_list_of_their_own() -> None:
    async with with_chats(4) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  4")
        await stage.press("down", "a", "a")
        await stage.see("Chats  2")
        await stage.see("archived “A shopping list.* · A shows the archive")
        assert "Zażółć" in under_cursor(stage)
        await stage.press("A")
        await stage.see("Archive  2")
        await stage.see("a take out .* A all others")
        await stage.press("a")
        await stage.see("is in the list again")
        await stage.press("A")
        await stage.see("Chats  3")
        assert len(titles(stage, archived=True)) == 1


async def test_deleted_chats_come_back_in_reverse() -> None:
    async with with_chats(6) as (stage, _):
        before = titles(stage)
        await stage.press("f7")
        await stage.see("Chats  6")
        await stage.press("down", "d", "d", "d")
        await stage.see("deleted “Zażółć gęślą jaźń” · u brings it back")
        await stage.see("Chats  3")
        assert [title for title in before if title not in titles(stage)] == before[1:4]
        await stage.press("u", "u")
        await stage.see("Chats  5")
        await stage.see("“A shopping list.*” is back")
        await stage.press("u")
        await stage.see("Chats  6")
        await stage.press("u")
        await stage.see("No chat was deleted")
        assert titles(stage) == before


async def test_deleting_the_open_chat_opens_an_empty_one_and_undo_opens_it_again() -> None:
    async with with_chats(3) as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("Mine?")
        await stage.see("Half")
        await stage.press("f7")
        await stage.see("\n›Mine\\?")
        await stage.press("d")
        await stage.see("deleted “Mine\\?”")
        assert not stage.app.chat.doing
        await stage.press("escape")
        await stage.see("Connected")
        await stage.press("f7", "u")
        await stage.see("Mine.*open")
        await stage.press("escape")
        await stage.see("Half\n")
        await stage.see("stopped by you")


@pytest.mark.parametrize("key", ["enter", "p", "e", "a", "d"])
async def test_a_chat_that_is_gone_meanwhile_is_called_by_its_title(key: str) -> None:
    async with with_chats(3) as (stage, _):
        await stage.press("f7")
        await stage.see("\n›Write a haiku")
        with store_of_home() as other:
            other.purge_chat("chat-0002")
        await stage.press(key)
        await stage.see("The chat “Write a haiku about rain” was deleted")
        await stage.see("Chats  2")
        assert "chat-00" not in stage.text()


async def test_a_chat_is_written_to_a_new_file_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with with_chats(3) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  3")
        await stage.press("e")
        await stage.see("Write-a-haiku-about-rain.md")
        await stage.press("e")
        await stage.see("rain-2.md")
        for name in ("Write-a-haiku-about-rain.md", "Write-a-haiku-about-rain-2.md"):
            assert "Here is answer **2**" in (tmp_path / name).read_text(encoding="utf-8")
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        await stage.press("e")
        await stage.see("Cannot|cannot|No such|no folder")
