"""Changing chats in their list: another title, pinning, archiving, deleting and undoing, writing to a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.canned_servers import ollama_answer
from tests.support.chat_list import titles, under_cursor, with_chats
from tests.support.many_chats import store_of_home
from tests.support.replay import stalling


async def test_a_chat_gets_another_title_in_its_place() -> None:
    async with with_chats(4) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  4")
        await driver.press("down", "r")
        await driver.see("Enter saves the title")
        await driver.press("ctrl+u")
        await driver.paste("The [bold]proxy\x1b[31m\nquestion")
        await driver.see(r"› The \[bold\]proxy question")
        await driver.press("enter")
        await driver.see(r"›The \[bold\]proxy question")
        await driver.until(lambda: "The [bold]proxy question" in titles(driver), "it is on the disk")
        await driver.press("r", "ctrl+u", "enter")
        await driver.see("A title needs words")
        await driver.press("r", "x", "escape")
        await driver.see(r"›The \[bold\]proxy question")


async def test_a_pinned_chat_goes_to_the_top_and_the_cursor_with_it() -> None:
    async with with_chats(50) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  50")
        await driver.press("end", "p")
        await driver.see("\n›Why.* pinned +2 +2024-01-26\n")
        assert titles(driver)[:2] == [
            "Write a haiku about rain",
            "Why does nginx answer 502 after a deploy? 49",
        ]
        await driver.press("p")
        await driver.see("is in its place by date again")
        await driver.see("\n›Why.*….* +2 +2024-01-26\n")
        assert titles(driver)[-1].endswith("49")


async def test_archived_chats_have_a_list_of_their_own() -> None:
    async with with_chats(4) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  4")
        await driver.press("down", "a", "a")
        await driver.see("Chats  2")
        await driver.see("archived “A shopping list.* · A shows the archive")
        assert "Zażółć" in under_cursor(driver)
        await driver.press("A")
        await driver.see("Archive  2")
        await driver.see("a take out .* A all others")
        await driver.press("a")
        await driver.see("is in the list again")
        await driver.press("A")
        await driver.see("Chats  3")
        assert len(titles(driver, archived=True)) == 1


async def test_deleted_chats_come_back_in_reverse() -> None:
    async with with_chats(6) as (driver, _):
        before = titles(driver)
        await driver.press("f7")
        await driver.see("Chats  6")
        await driver.press("down", "d", "d", "d")
        await driver.see("deleted “Zażółć gęślą jaźń” · u brings it back")
        await driver.see("Chats  3")
        assert [title for title in before if title not in titles(driver)] == before[1:4]
        await driver.press("u", "u")
        await driver.see("Chats  5")
        await driver.see("“A shopping list.*” is back")
        await driver.press("u")
        await driver.see("Chats  6")
        await driver.press("u")
        await driver.see("No chat was deleted")
        assert titles(driver) == before


async def test_deleting_the_open_chat_opens_an_empty_one_and_undo_opens_it_again() -> None:
    async with with_chats(3) as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("Mine?")
        await driver.see("Half")
        await driver.press("f7")
        await driver.see("\n›Mine\\?")
        await driver.press("d")
        await driver.see("deleted “Mine\\?”")
        assert not driver.activity
        await driver.press("escape")
        await driver.see("Connected")
        await driver.press("f7", "u")
        await driver.see("Mine.*open")
        await driver.press("escape")
        await driver.see("Half\n")
        await driver.see("stopped by you")


@pytest.mark.parametrize("key", ["enter", "p", "e", "a", "d"])
async def test_a_chat_that_is_gone_meanwhile_is_called_by_its_title(key: str) -> None:
    async with with_chats(3) as (driver, _):
        await driver.press("f7")
        await driver.see("\n›Write a haiku")
        with store_of_home() as other:
            other.purge_chat("chat-0002")
        await driver.press(key)
        await driver.see("The chat “Write a haiku about rain” was deleted")
        await driver.see("Chats  2")
        assert "chat-00" not in driver.text()


async def test_a_chat_is_written_to_a_new_file_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with with_chats(3) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  3")
        await driver.press("e")
        await driver.see("Write-a-haiku-about-rain.md")
        await driver.press("e")
        await driver.see("rain-2.md")
        for name in ("Write-a-haiku-about-rain.md", "Write-a-haiku-about-rain-2.md"):
            assert "Here is answer **2**" in (tmp_path / name).read_text(encoding="utf-8")
        (tmp_path / "gone").mkdir()
        monkeypatch.chdir(tmp_path / "gone")
        (tmp_path / "gone").rmdir()
        await driver.press("e")
        await driver.see("Cannot|cannot|No such|no folder")
