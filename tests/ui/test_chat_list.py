"""The list of chats in the running app: walking it, opening a chat from it, beside the transcript; and how it looks."""

from __future__ import annotations

import re

from tests.support.app import configure
from tests.support.app_driver import SIZES
from tests.support.canned_servers import ollama_answer, questions
from tests.support.chat_list import check_all, stored, under_cursor, with_chats
from tests.support.many_chats import store_of_home
from tests.support.replay import stalling
from tui.core.draft import Draft

# -- walking ------------------------------------------------------------------------------------------------------------


async def test_the_list_opens_and_goes_and_what_was_written_stays() -> None:
    async with with_chats(5) as (driver, _):
        await driver.write("half a thought")
        await driver.press("f7")
        await driver.see("Chats  5 .*messages +last used")
        rows = [line for line in driver.screen() if line.endswith(("-15", "-14", "-13", "-12", "-11"))]
        assert [row.split()[-1] for row in rows] == [
            "2024-03-13",
            "2024-03-15",
            "2024-03-14",
            "2024-03-12",
            "2024-03-11",
        ]
        assert "haiku" in rows[0]
        assert "pinned" in rows[0]
        await driver.see("› half a thought")
        await driver.see("Enter open  Esc back  F1 keys")
        await driver.press("f7")
        await driver.see("Enter send")
        await driver.write("!")
        await driver.see("› half a thought!")
        await driver.press("f7", "escape")
        await driver.write("!")
        await driver.see("› half a thought!!")


async def test_walking_through_hundreds_of_chats() -> None:
    async with with_chats(700) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  700")
        assert "haiku" in under_cursor(driver)
        await driver.press("down")
        assert under_cursor(driver).startswith("›Why does nginx")
        await driver.press("end")
        await driver.see("\n›.*699")
        assert driver.listed_chats_in_memory < 300, "never all in memory"
        await driver.press("pageup")
        await driver.see("\n›.*681")
        await driver.press("home")
        await driver.see("\n›Write a haiku about rain .*pinned")
        for _ in range(13):
            await driver.press("pagedown")
        await driver.see("\n›.*234")
        await driver.see_no_more("\n.…\n")
        await driver.press("up", "up", "enter")
        await driver.see("Here is answer 232")
        await driver.press("f7")
        await driver.see("\n›.*232 +open")


async def test_every_key_is_shown_where_there_is_room_for_it() -> None:
    keys = "/ search  r rename  p pin  d delete  a archive  u undo  A archived  e export"
    async with with_chats(60) as (driver, _):
        await driver.press("f7")
        for columns, rows in (*SIZES, (50, 15), (119, 60)):
            await driver.resize(columns, rows)
            await driver.see("Chats  60")
            for hint in keys.split("  "):
                await driver.see(re.escape(hint))
        await driver.resize(50, 10)
        await driver.see("/ search")
        assert "e export" not in driver.text(), "where there is hardly any the chats have it"


async def test_the_keys_can_be_others() -> None:
    configure('[keys]\n"chats.open" = "f12"\n"chats.delete" = "x"\n"chats.use" = "o"\n"chats.leave" = "q"\n')
    async with with_chats(3) as (driver, _):
        await driver.press("f12")
        await driver.see("o open  q back")
        await driver.see("x delete")
        await driver.press("d")
        await driver.press("x")
        await driver.see("deleted “Write a haiku about rain”")
        await driver.press("/")
        await driver.write("odd oxen quit")
        await driver.see("search odd oxen quit")
        await driver.press("escape", "down", "o")
        await driver.see("Here is answer 1")


async def test_no_chat_yet() -> None:
    async with with_chats(0) as (driver, _):
        await driver.press("f7")
        await driver.see("No chats yet")
        await driver.press("enter", "d", "r", "p", "a", "e", "down", "end")
        await driver.press("A")
        await driver.see("The archive is empty")
        await driver.press("u")
        await driver.see("No chat was deleted")
        await driver.press("escape")
        await driver.see("Enter send")


# -- opening ------------------------------------------------------------------------------------------------------------


async def test_a_chat_is_opened_and_gone_on_with() -> None:
    async with with_chats(5) as (driver, server):
        await driver.press("f7")
        await driver.see("Chats  5")
        await driver.press("down", "down", "enter")
        await driver.see("Here is answer 1")
        await driver.ask("And then?")
        await driver.see("Yes.")
        assert questions(server) == ["And then?"]
        await driver.press("f7")
        await driver.see("\n›A shopping list.* open +4 ")


async def test_an_answer_goes_on_under_the_list_and_is_stopped_by_another_chat() -> None:
    async with with_chats(3) as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("Mine?")
        await driver.see("Half")
        await driver.press("f7")
        await driver.see("Chats  4")
        await driver.press("escape")
        await driver.see("Half")
        assert driver.activity, "Esc leaves the list, it does not stop the answer"
        await driver.press("f7")
        await driver.see("\n›Mine.*open")
        await driver.press("home", "enter")
        await driver.see("The answer in “Mine\\?” was stopped")
        await driver.see("Here is answer 2")
        await driver.press("f7")
        await driver.see("Mine")
        await driver.press("down", "enter")
        await driver.see("Half\n")
        await driver.see("stopped when you left this chat")


async def test_what_is_typed_in_one_piece_goes_where_it_is_meant() -> None:
    async with with_chats(5) as (driver, server):
        await driver.press("f7")
        await driver.see("Chats  5")
        driver.press_at_once("down", "enter", *"Hello", "enter")
        await driver.see("Yes.")
        assert questions(server) == ["Hello"]
        session = driver.session
        assert session.conversation.id == "chat-0000"
        driver.press_at_once("f7", "escape", *"Well", "enter")
        await driver.until(lambda: len(questions(server)) == 2, "it was asked")
        assert questions(server)[-1] == "Well"


async def test_a_chat_that_another_lokal_has_deleted_leaves_the_list() -> None:
    async with with_chats(4) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  4")
        with store_of_home() as other:
            other.delete_chat("chat-0000")
            other.purge_chat("chat-0001")
        await driver.press("down", "enter")
        await driver.see("The chat “Why does nginx.*” was deleted")
        await driver.see("Chats  2")
        assert "Zażółć" in under_cursor(driver)
        await driver.press("r", "x", "enter")
        await driver.see("\n›Zażółć gęślą jaźńx")


async def test_the_open_chat_goes_on_as_a_new_one_when_another_lokal_deletes_it() -> None:
    async with with_chats(2) as (driver, server):
        await driver.press("f7")
        await driver.see("Chats  2")
        await driver.press("enter")
        await driver.see("Here is answer 0")
        with store_of_home() as other:
            other.delete_chat("chat-0000")
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.write("A draft")
        await driver.press("up")
        await driver.ask("Are you there?")
        await driver.see("This chat was deleted in another lokal; it goes on here as a new chat")
        await driver.see("Half")
        await driver.press("escape")
        await driver.see("stopped by you")
        server.on("/api/chat", ollama_answer("Yes."))
        await driver.ask("Really?")
        await driver.see("Yes.")
        session = driver.session
        new_id = session.conversation.id
        assert new_id != "chat-0000"
        await driver.until(lambda: not driver.activity, "the answer is done")
        await driver.until(lambda: stored(driver).find(new_id).message_count == 6, "all is written down")
        await driver.press("f7")
        await driver.see("\n›Why does nginx.*open +6 ")

        def kept() -> list[str]:
            return [message.content for message in stored(driver).load(new_id).path()]

        whole = ["Are you there?", "Half", "Really?", "Yes."]
        await driver.until(lambda: kept()[2:] == whole, "all is written down whole")
        assert stored(driver).draft("chat-0000") == Draft(), "the draft went along"
        with store_of_home() as other:
            other.restore_chat("chat-0000")
            assert len(other.load("chat-0000")) == 2


# -- beside ------------------------------------------------------------------------------------------------------------


async def test_beside_the_transcript_where_there_is_room() -> None:
    async with with_chats(5, (120, 40)) as (driver, server):
        await driver.press("f7")
        await driver.see("›.*│ Connected")
        await driver.press("down", "enter")
        await driver.see("\nHere is answer 0")
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("More?")
        await driver.press("f7")
        await driver.see("│Half")
        await driver.resize(100, 30)
        await driver.see_no_more("Half")
        await driver.see("Chats  5 .*messages")
        await driver.resize(120, 40)
        await driver.see("│Half")
        await driver.press("f3")
        await driver.see("NAME")
        await driver.press("f7")
        await driver.see("Chats  5")
        await driver.press("f2")
        await driver.see("\nHalf")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_the_list_looks() -> None:
    async with with_chats(60) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  60")
        await driver.press("down", "down", "enter")
        await driver.see("Here is answer 1")
        await driver.press("f7")
        await driver.see("\n›A shopping list")
        await check_all(driver, "chats")
        await driver.press("r")
        await check_all(driver, "chats-rename")


async def test_no_chats_look() -> None:
    async with with_chats(0) as (driver, _):
        await driver.press("f7")
        await driver.see("No chats yet")
        await check_all(driver, "chats-none")
        await driver.press("A")
        await driver.see("The archive is empty")
        await check_all(driver, "chats-archive-none")
