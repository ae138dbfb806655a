"""The list of chats in the running app: walking, changing, searching, opening; and how it looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from tests.support.app import configure
from tests.support.many_chats import DAY, NOON, chat, fill, store_of_home
from tests.support.replay import Replay, replay, stalling
from tests.support.snapshot import check
from tests.support.stage import SIZES, Stage, like_ollama, ollama_answer, questions, running
from tui.core.message import Message, Role
from tui.store.store import Store
from tui.ui.chats.pane import ChatsPane


@asynccontextmanager
async def with_chats(count: int, size: tuple[int, int] = SIZES[0]) -> AsyncIterator[tuple[Stage, Replay]]:
    """lokal with so many chats, connected to a server that answers `Yes.`"""
    fill(count)
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")
            yield stage, server


def pane(stage: Stage) -> ChatsPane:
    return stage.app.query_one(ChatsPane)


def under_cursor(stage: Stage) -> str:
    return stage.row("^›").strip()


def stored(stage: Stage) -> Store:
    store = stage.app.backstage._store
    assert store is not None
    return store


def titles(stage: Stage, *, archived: bool = False) -> list[str]:
    return [each.title for each in stored(stage).chats(1_000, archived=archived)]


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
        for _ in range(12):
            await stage.press("pagedown")
        await stage.see("\n›.*216")
        await stage.see_no_more("\n.…\n")
        await stage.press("up", "up", "enter")
        await stage.see("Here is answer 214")
        await stage.press("f7")
        await stage.see("\n›.*214 +open")


async def test_the_keys_can_be_others() -> None:
    configure('[keys]\n"chats.open" = "f12"\n"chats.delete" = "x"\n"chats.use" = "o"\n"chats.leave" = "q"\n')
    async with with_chats(3) as (stage, _):
        await stage.press("f12")
        await stage.see("O open  Q back")
        await stage.see("X delete")
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


# -- changing -----------------------------------------------------------------------------------------------------------


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
        await stage.see("A title wants words")
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
        await stage.see("is where its time puts it")
        await stage.see("\n›Why.*… +2 +2024-01-26\n")
        assert titles(stage)[-1].endswith("49")


async def test_archived_chats_have_a_list_of_their_own() -> None:
    async with with_chats(4) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  4")
        await stage.press("down", "a", "a")
        await stage.see("Chats  2")
        await stage.see("archived “A shopping list.* · Shift[+]A shows the archive")
        assert "Zażółć" in under_cursor(stage)
        await stage.press("A")
        await stage.see("Archive  2")
        await stage.see("A take out .* Shift[+]A all others")
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
        await stage.see("deleted “Zażółć gęślą jaźń” · U brings it back")
        await stage.see("Chats  3")
        assert [title for title in before if title not in titles(stage)] == before[1:4]
        await stage.press("u", "u")
        await stage.see("Chats  5")
        await stage.see("“A shopping list .*” is back")
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
        await stage.see("stopped by you")


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
        await stage.see("The chat “Why does nginx .*” was deleted")
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
        await stage.press("f7")
        await stage.see("\n›Why does nginx.*open +6 ")
        kept = [message.content for message in stored(stage).load(new_id).path()]
        assert kept[2:] == ["Are you there?", "Half", "Really?", "Yes."]
        with store_of_home() as other:
            other.restore_chat("chat-0000")
            assert len(other.load("chat-0000")) == 2


# -- searching ----------------------------------------------------------------------------------------------------------


async def test_a_word_is_found_and_jumped_to() -> None:
    async with with_chats(30) as (stage, _):
        await stage.press("ctrl+f")
        await stage.see("search")
        await stage.see("Chats|haiku")
        await stage.write("THING17 gate")
        await stage.see("1 hit")
        await stage.see("\n›Zażółć gęślą jaźń 17 +answer · 2024-02-27")
        assert "underline" in stage.style_of("thing17")
        await stage.press("enter")
        await stage.see("Enter send")
        await stage.see("It speaks of thing17 and of a bad gateway")
        assert "bold underline" in stage.style_of("thing17")
        assert "underline" in stage.style_of("gateway"[:4])
        assert "underline" not in stage.style_of("speaks")
        await stage.press("escape")
        assert "underline" not in stage.style_of("thing17")
        await stage.write("Go on")
        await stage.see("› Go on")


async def test_enter_before_the_hits_are_there_opens_the_first() -> None:
    async with with_chats(30) as (stage, server):
        for key in ("ctrl+f", *"thing23", "enter", *"Hm", "enter"):
            stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await stage.see("Yes.")
        assert questions(server) == ["Hm"]
        session = stage.app.chat.session
        assert session is not None
        assert session.conversation.id == "chat-0023"


async def test_searching_from_the_list_and_back() -> None:
    async with with_chats(10) as (stage, _):
        await stage.press("f7")
        await stage.see("Chats  10")
        await stage.press("/")
        await stage.write("gateway")
        await stage.see("10 hits")
        await stage.press("down", "down", "pagedown", "pageup", "down")
        await stage.press("escape")
        await stage.see("Chats  10")
        await stage.press("ctrl+f")
        await stage.write("nothing of the kind")
        await stage.see("Nothing found for “nothing of the kind”")
        await stage.press("enter")
        await stage.see("no hits")
        await stage.press("ctrl+u")
        await stage.see_no_more("Nothing found")
        await stage.see("Zażółć")
        await stage.press("down", "enter")
        await stage.see("Here is answer 0")


async def test_more_hits_come_as_one_goes_down() -> None:
    async with with_chats(120) as (stage, _):
        await stage.press("ctrl+f")
        await stage.write("gateway")
        await stage.see("over 50 hits")
        await stage.press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        await stage.see("over 100 hits")
        for _ in range(20):
            await stage.press("pagedown")
        await stage.see("120 hits")
        await stage.press("enter")
        await stage.see("bad gateway")


async def test_keys_that_come_before_the_chats_are_open() -> None:
    fill(9)
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as stage:
            for key in ("f7", "down", "down", "enter"):
                stage.app.post_message(events.Key(key, None))
            await stage.see("Here is answer 1")
        async with running(server.url) as stage:
            for key in ("ctrl+f", *"thing5", "enter"):
                stage.app.post_message(events.Key(key, key if len(key) == 1 else None))
            await stage.see("It speaks of thing5")


async def test_a_title_is_found() -> None:
    async with with_chats(5) as (stage, _):
        with store_of_home() as other:
            other.rename("chat-0004", "Quarterly figures")
        await stage.press("ctrl+f")
        await stage.write("figures")
        await stage.see("\n›Quarterly figures +title")
        await stage.press("enter")
        await stage.see("Here is answer 4")


async def test_the_branch_of_the_message_that_was_found_is_opened() -> None:
    with store_of_home() as store:
        first, *_ = chat(store, "tree", ("Root?", "The old answer has a zebra."))
        other = Message("other", first.id, Role.ASSISTANT, "The new answer has none.", NOON + 5)
        store.add_message("tree", other)
    async with with_chats(0) as (stage, _):
        await stage.press("f7", "enter")
        await stage.see("The new answer")
        await stage.press("ctrl+f")
        await stage.write("zebra")
        await stage.see("1 hit")
        await stage.press("enter")
        await stage.see("Enter send")
        await stage.see("The old answer has a zebra")
        assert "underline" in stage.style_of("zebra")
        await stage.see("1/2")
        leaf = stored(stage).load("tree").leaf
        assert leaf is not None
        assert leaf.id == "tree-1"


async def test_the_jump_goes_to_the_line() -> None:
    with store_of_home() as store:
        text = "\n\n".join(f"Paragraph {number} of many." for number in range(200))
        chat(
            store,
            "long",
            ("Speak", text.replace("Paragraph 120 of", "The needle lies in"), "Thanks", "Welcome"),
        )
    async with with_chats(0) as (stage, _):
        await stage.press("f7", "enter")
        await stage.see("Welcome")
        await stage.press("ctrl+f")
        await stage.write("needle")
        await stage.see("1 hit")
        await stage.press("enter")
        await stage.see("The needle lies in")
        await stage.see("reading back")
        place = next(at for at, line in enumerate(stage.screen()) if "The needle lies in" in line)
        assert 3 <= place <= 12
        await stage.press("ctrl+g")
        await stage.see("Welcome")


async def test_the_slash_commands() -> None:
    async with with_chats(5) as (stage, _):
        await stage.ask("/search thing3")
        await stage.see("search thing3")
        await stage.see("1 hit")
        await stage.press("escape")
        await stage.see("Enter send")
        await stage.ask("/chats")
        await stage.see("Chats  5")


async def test_an_index_that_is_behind_is_told_and_caught_up_with() -> None:
    with store_of_home() as store:
        for number in range(30):
            chat(store, f"c{number}", (f"Question {number}", "An answer with a zebra"), NOON + number * DAY)
        while store.index_some():
            pass
        # As a database of the first release comes out of its migration.
        with store._database.writing("test") as connection:
            connection.execute("INSERT INTO unindexed (chat_id, message_id) SELECT chat_id, id FROM messages")
            connection.execute("DELETE FROM search")
            connection.execute("DELETE FROM documents")
    async with with_chats(0) as (stage, _):
        await stage.until(lambda: stored(stage).index_backlog() == 0, "the index is made in the background")
        await stage.press("ctrl+f")
        await stage.write("zebra")
        await stage.see("30 hits")


async def test_a_hit_may_not_say_what_it_wants_to_the_terminal() -> None:
    with store_of_home() as store:
        chat(
            store,
            "evil",
            ("zebra \x1b]0;pwned\x07\x1b[31m[bold]red[/]\u202e", "Hm"),
            title="T\x1b[2J\u202etitle",
        )
    async with with_chats(0) as (stage, _):
        await stage.press("ctrl+f")
        await stage.write("zebra")
        await stage.see("1 hit")
        assert not set(stage.text()) & set("\x1b\x07\u202e")
        await stage.see(r"zebra \[bold\]red\[/\]")


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


async def check_all(stage: Stage, name: str) -> None:
    for size in ((50, 15), *reversed(SIZES)):
        await stage.resize(*size)
        await check(stage, name)


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


async def test_a_search_looks() -> None:
    async with with_chats(60) as (stage, _):
        await stage.press("ctrl+f")
        await stage.write("gate thing")
        await stage.see("over 50 hits")
        await stage.press("down")
        await check_all(stage, "chats-search")
        await stage.write("x")
        await stage.see("Nothing found")
        await check_all(stage, "chats-search-nothing")


async def test_no_chats_look() -> None:
    async with with_chats(0) as (stage, _):
        await stage.press("f7")
        await stage.see("No chats yet")
        await check_all(stage, "chats-none")
        await stage.press("A")
        await stage.see("The archive is empty")
        await check_all(stage, "chats-archive-none")


async def test_a_found_place_looks() -> None:
    async with with_chats(10) as (stage, _):
        await stage.press("ctrl+f")
        await stage.write("“bad gateway” thing3")
        await stage.see("1 hit")
        await stage.press("enter")
        await stage.see("It speaks of")
        await check_all(stage, "chats-found")
