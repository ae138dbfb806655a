"""The list of chats in the running app: walking it, opening a chat from it, beside the transcript; and how it looks."""

from __future__ import annotations

import re

from textual import events

from tests.support.app import configure
from tests.support.chat_list import check_all, stored, under_cursor, with_chats
from tests.support.many_chats import store_of_home
from tests.support.replay import stalling
from tests.support.stage import SIZES, Stage, ollama_answer, questions
from tui.core.draft import Draft
from tui.ui.chats.pane import ChatsPane


def pane(stage: Stage) -> ChatsPane:
    return stage.app.query_one(ChatsPane)


# -- walking ------------------------------------------------------------------------------------------------------------


async def test_the_list_opens_and_goes_and_what_was_written_stays() -> None:
    async with with_chats(5) as (stage, _):
        await stage.write("half a thought")
        await stage.press("f7")
        await stage.see("Chats  5 .*messages +last used")
        rows = [line for line in stage.screen() if line.endswith(("-15", "-14", "-13", "-12", "-11"))]
        assert [row.split()[-1] for row in rows] == [
            "2024-03-13",
            "2024-03-15",
            "2024-03-14",
            "2024-03-12",
            "2024-03-11",
        ]
        assert "haiku" in rows[0]
        assert "pinned" in rows[0]
        await stage.see("› half a thought")
        await stage.see("Enter open  Esc back  F1 keys")
        await stage.press("f7")
        await stage.see("Enter send")
        await stage.write("!")
        await stage.see("› half a thought!")
        await stage.press("f7", "escape")
        await stage.write("!")
        await stage.see("› half a thought!!")


async def test_walking_through_hundreds_of_chats() -> None:
    async with with_chats(700) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  700")
        assert "haiku" in under_cursor(stage)
        await stage.press("down")
        assert under_cursor(stage).startswith("›Why does nginx")
        await stage.press("end")
        await stage.see("\n›.*699")
        assert sum(1 for place in range(700) if pane(stage).listed.at(place)) < 300, "never all in memory"
        await stage.press("pageup")
        await stage.see("\n›.*681")
        await stage.press("home")
        await stage.see("\n›Write a haiku about rain .*pinned")
        for _ in range(13):
            await stage.press("pagedown")
        await stage.see("\n›.*234")
        await stage.see_no_more("\n.…\n")
        await stage.press("up", "up", "enter")
        await stage.see("Here is answer 232")
        await stage.press("f7")
        await stage.see("\n›.*232 +open")


async def test_every_key_is_shown_where_there_is_room_for_it() -> None:
    keys = "/ search  r rename  p pin  d delete  a archive  u undo  A archived  e export"
    async with with_chats(60) as (stage, _):
        await stage.press("f7")
        for columns, rows in (*SIZES, (50, 15), (119, 60)):
            await stage.resize(columns, rows)
            await stage.see("Chats  60")
            for hint in keys.split("  "):
                await stage.see(re.escape(hint))
        await stage.resize(50, 10)
        await stage.see("/ search")
        assert "e export" not in stage.text(), "where there is hardly any the chats have it"


async def test_the_keys_can_be_others() -> None:
    configure('[keys]\n"chats.open" = "f12"\n"chats.delete" = "x"\n"chats.use" = "o"\n"chats.leave" = "q"\n')
    async with with_chats(3) as (stage, _):
        await stage.press("f12")
        await stage.see("o open  q back")
        await stage.see("x delete")
        await stage.press("d")
        await stage.press("x")
        await stage.see("deleted “Write a haiku about rain”")
        await stage.press("/")
        await stage.write("odd oxen quit")
        await stage.see("search odd oxen quit")
        await stage.press("escape", "down", "o")
        await stage.see("Here is answer 1")


async def test_no_chat_yet() -> None:
    async with with_chats(0) as (stage, _):
        await stage.press("f7")
        await stage.see("No chats yet")
        await stage.press("enter", "d", "r", "p", "a", "e", "down", "end")
        await stage.press("A")
        await stage.see("The archive is empty")
        await stage.press("u")
        await stage.see("No chat was deleted")
        await stage.press("escape")
        await stage.see("Enter send")


# -- opening ------------------------------------------------------------------------------------------------------------


async def test_a_chat_is_opened_and_gone_on_with() -> None:
    async with with_chats(5) as (stage, server):
        await stage.press("f7")
        await stage.see("Chats  5")
        await stage.press("down", "down", "enter")
        await stage.see("Here is answer 1")
        await stage.ask("And then?")
        await stage.see("Yes.")
        assert questions(server) == ["And then?"]
        await stage.press("f7")
        await stage.see("\n›A shopping list.* open +4 ")


async def test_an_answer_goes_on_under_the_list_and_is_stopped_by_another_chat() -> None:
    async with with_chats(3) as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("Mine?")
        await stage.see("Half")
        await stage.press("f7")
        await stage.see("Chats  4")
        await stage.press("escape")
        await stage.see("Half")
        assert stage.app.chat.doing, "Esc leaves the list, it does not stop the answer"
        await stage.press("f7")
        await stage.see("\n›Mine.*open")
        await stage.press("home", "enter")
        await stage.see("The answer in “Mine\\?” was stopped")
        await stage.see("Here is answer 2")
        await stage.press("f7")
        await stage.see("Mine")
        await stage.press("down", "enter")
        await stage.see("Half\n")
        await stage.see("stopped when you left this chat")


async def test_what_is_typed_in_one_piece_goes_where_it_is_meant() -> None:
    async with with_chats(5) as (stage, server):
        await stage.press("f7")
        await stage.see("Chats  5")
        for key in ("down", "enter", *"Hello", "enter"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.see("Yes.")
        assert questions(server) == ["Hello"]
        session = stage.app.chat.session
        assert session is not None
        assert session.conversation.id == "chat-0000"
        for key in ("f7", "escape", *"Well", "enter"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.until(lambda: len(questions(server)) == 2, "it was asked")
        assert questions(server)[-1] == "Well"


async def test_a_chat_that_another_lokal_has_deleted_leaves_the_list() -> None:
    async with with_chats(4) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  4")
        with store_of_home() as other:
            other.delete_chat("chat-0000")
            other.purge_chat("chat-0001")
        await stage.press("down", "enter")
        await stage.see("The chat “Why does nginx.*” was deleted")
        await stage.see("Chats  2")
        assert "Zażółć" in under_cursor(stage)
        await stage.press("r", "x", "enter")
        await stage.see("\n›Zażółć gęślą jaźńx")


async def test_the_open_chat_goes_on_as_a_new_one_when_another_lokal_deletes_it() -> None:
    async with with_chats(2) as (stage, server):
        await stage.press("f7")
        await stage.see("Chats  2")
        await stage.press("enter")
        await stage.see("Here is answer 0")
        with store_of_home() as other:
            other.delete_chat("chat-0000")
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.write("A draft")
        await stage.press("up")
        await stage.ask("Are you there?")
        await stage.see("This chat was deleted in another lokal; it goes on here as a new chat")
        await stage.see("Half")
        await stage.press("escape")
        await stage.see("stopped by you")
        server.on("/api/chat", ollama_answer("Yes."))
        await stage.ask("Really?")
        await stage.see("Yes.")
        session = stage.app.chat.session
        assert session is not None
        new_id = session.conversation.id
        assert new_id != "chat-0000"
        await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
        await stage.until(lambda: stored(stage).find(new_id).message_count == 6, "all is written down")
        await stage.press("f7")
        await stage.see("\n›Why does nginx.*open +6 ")

        def kept() -> list[str]:
            return [message.content for message in stored(stage).load(new_id).path()]

        whole = ["Are you there?", "Half", "Really?", "Yes."]
        await stage.until(lambda: kept()[2:] == whole, "all is written down whole")
        assert stored(stage).draft("chat-0000") == Draft(), "the draft went along"
        with store_of_home() as other:
            other.restore_chat("chat-0000")
            assert len(other.load("chat-0000")) == 2


# -- beside ------------------------------------------------------------------------------------------------------------


async def test_beside_the_transcript_where_there_is_room() -> None:
    async with with_chats(5, (120, 40)) as (stage, server):
        await stage.press("f7")
        await stage.see("›.*│ Connected")
        await stage.press("down", "enter")
        await stage.see("\nHere is answer 0")
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await stage.ask("More?")
        await stage.press("f7")
        await stage.see("│Half")
        await stage.resize(100, 30)
        await stage.see_no_more("Half")
        await stage.see("Chats  5 .*messages")
        await stage.resize(120, 40)
        await stage.see("│Half")
        await stage.press("f3")
        await stage.see("NAME")
        await stage.press("f7")
        await stage.see("Chats  5")
        await stage.press("f2")
        await stage.see("\nHalf")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_the_list_looks() -> None:
    async with with_chats(60) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  60")
        await stage.press("down", "down", "enter")
        await stage.see("Here is answer 1")
        await stage.press("f7")
        await stage.see("\n›A shopping list")
        await check_all(stage, "chats")
        await stage.press("r")
        await check_all(stage, "chats-rename")


async def test_no_chats_look() -> None:
    async with with_chats(0) as (stage, _):
        await stage.press("f7")
        await stage.see("No chats yet")
        await check_all(stage, "chats-none")
        await stage.press("A")
        await stage.see("The archive is empty")
        await check_all(stage, "chats-archive-none")
