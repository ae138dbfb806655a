"""Searching the chats in the running app, and jumping to what was found; and how it looks."""

from __future__ import annotations

from tests.support.app_driver import running
from tests.support.canned_servers import like_ollama, ollama_answer, questions
from tests.support.chat_list import check_all, stored, with_chats
from tests.support.database import database_of
from tests.support.many_chats import DAY, NOON, chat, fill, store_of_home
from tests.support.replay import replay
from tui.core.message import Message, Role

# -- searching ----------------------------------------------------------------------------------------------------------


async def test_a_word_is_found_and_jumped_to() -> None:
    async with with_chats(30) as (driver, _):
        await driver.press("ctrl+f")
        await driver.see("search")
        await driver.see("Chats|haiku")
        await driver.write("THING17 gate")
        await driver.see("1 hit")
        await driver.see("\n›Zażółć gęślą jaźń 17 +answer · 2024-02-27")
        assert "underline" in driver.style_of("thing17")
        await driver.press("enter")
        await driver.see("Enter send")
        await driver.see("It speaks of thing17 and of a bad gateway")
        assert "bold underline" in driver.style_of("thing17")
        assert "underline" in driver.style_of("gateway"[:4])
        assert "underline" not in driver.style_of("speaks")
        await driver.press("escape")
        assert "underline" not in driver.style_of("thing17")
        await driver.write("Go on")
        await driver.see("› Go on")


async def test_enter_before_the_hits_are_there_opens_the_first() -> None:
    async with with_chats(30) as (driver, server):
        driver.press_at_once("ctrl+f", *"thing23", "enter", *"Hm", "enter")
        await driver.see("Yes.")
        assert questions(server) == ["Hm"]
        session = driver.session
        assert session.conversation.id == "chat-0023"


async def test_searching_from_the_list_and_back() -> None:
    async with with_chats(10) as (driver, _):
        await driver.press("f7")
        await driver.see("Chats  10")
        await driver.press("/")
        await driver.write("gateway")
        await driver.see("10 hits")
        await driver.press("down", "down", "pagedown", "pageup", "down")
        await driver.press("escape")
        await driver.see("Chats  10")
        await driver.press("ctrl+f")
        await driver.write("nothing of the kind")
        await driver.see("Nothing found for “nothing of the kind”")
        await driver.press("enter")
        await driver.see("no hits")
        await driver.press("ctrl+u")
        await driver.see_no_more("Nothing found")
        await driver.see("Zażółć")
        await driver.press("down", "enter")
        await driver.see("Here is answer 0")


async def test_more_hits_come_as_one_goes_down() -> None:
    async with with_chats(120) as (driver, _):
        await driver.press("ctrl+f")
        await driver.write("gateway")
        await driver.see("over 50 hits")
        await driver.press("pagedown", "pagedown", "pagedown", "pagedown", "pagedown", "pagedown")
        await driver.see("over 100 hits")
        for _ in range(20):
            await driver.press("pagedown")
        await driver.see("120 hits")
        await driver.press("enter")
        await driver.see("bad gateway")


async def test_keys_that_come_before_the_chats_are_open() -> None:
    fill(9)
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url) as driver:
            driver.press_at_once("f7", "down", "down", "enter")
            await driver.see("Here is answer 1")
        async with running(server.url) as driver:
            driver.press_at_once("ctrl+f", *"thing5", "enter")
            await driver.see("It speaks of thing5")


async def test_a_title_is_found() -> None:
    async with with_chats(5) as (driver, _):
        with store_of_home() as other:
            other.rename("chat-0004", "Quarterly figures")
        await driver.press("ctrl+f")
        await driver.write("figures")
        await driver.see("\n›Quarterly figures +title")
        await driver.press("enter")
        await driver.see("Here is answer 4")


async def test_a_chat_that_was_deleted_elsewhere_is_called_by_its_title() -> None:
    async with with_chats(5) as (driver, _):
        await driver.press("ctrl+f")
        await driver.write("thing3")
        await driver.see("1 hit")
        title = stored(driver).find("chat-0003").title
        with store_of_home() as other:
            other.purge_chat("chat-0003")
        await driver.press("enter")
        await driver.see(f"The chat “{title[:29]}.*” was deleted")
        await driver.see("no hits")
        assert "chat-0003" not in driver.text()
        assert "lokal chats" not in driver.text()


async def test_the_branch_of_the_message_that_was_found_is_opened() -> None:
    with store_of_home() as store:
        first, *_ = chat(store, "tree", ("Root?", "The old answer has a zebra."))
        other = Message("other", first.id, Role.ASSISTANT, "The new answer has none.", NOON + 5)
        store.add_message("tree", other)
    async with with_chats(0) as (driver, _):

        def leaf_of(chat_id: str) -> str:
            leaf = stored(driver).load(chat_id).leaf
            return leaf.id if leaf is not None else ""

        await driver.press("f7", "enter")
        await driver.see("The new answer")
        await driver.press("ctrl+f")
        await driver.write("zebra")
        await driver.see("1 hit")
        await driver.press("enter")
        await driver.see("Enter send")
        await driver.see("The old answer has a zebra")
        assert "underline" in driver.style_of("zebra")
        await driver.see("1/2")
        await driver.until(lambda: leaf_of("tree") == "tree-1", "it is the open one, also on the disk")


async def test_the_jump_goes_to_the_line() -> None:
    with store_of_home() as store:
        text = "\n\n".join(f"Paragraph {number} of many." for number in range(200))
        chat(
            store,
            "long",
            ("Speak", text.replace("Paragraph 120 of", "The needle lies in"), "Thanks", "Welcome"),
        )
    async with with_chats(0) as (driver, _):
        await driver.press("f7", "enter")
        await driver.see("Welcome")
        await driver.press("ctrl+f")
        await driver.write("needle")
        await driver.see("1 hit")
        await driver.press("enter")
        await driver.see("The needle lies in")
        await driver.see("scrolled up")
        place = next(at for at, line in enumerate(driver.screen()) if "The needle lies in" in line)
        assert 3 <= place <= 12
        await driver.press("ctrl+g")
        await driver.see("Welcome")


async def test_the_slash_commands() -> None:
    async with with_chats(5) as (driver, _):
        await driver.ask("/search thing3")
        await driver.see("search thing3")
        await driver.see("1 hit")
        await driver.press("escape")
        await driver.see("Enter send")
        await driver.ask("/chats")
        await driver.see("Chats  5")


async def test_an_index_that_is_behind_is_told_and_caught_up_with() -> None:
    with store_of_home() as store:
        for number in range(30):
            chat(store, f"c{number}", (f"Question {number}", "An answer with a zebra"), NOON + number * DAY)
        while store.index_some():
            pass
        # As a database of the first release comes out of its migration.
        with database_of(store).writing("test") as connection:
            connection.execute("INSERT INTO unindexed (chat_id, message_id) SELECT chat_id, id FROM messages")
            connection.execute("DELETE FROM search")
            connection.execute("DELETE FROM documents")
    async with with_chats(0) as (driver, _):
        await driver.until(lambda: stored(driver).index_backlog() == 0, "the index is made in the background")
        await driver.press("ctrl+f")
        await driver.write("zebra")
        await driver.see("30 hits")


async def test_a_hit_may_not_say_what_it_wants_to_the_terminal() -> None:
    with store_of_home() as store:
        chat(
            store,
            "evil",
            ("zebra \x1b]0;pwned\x07\x1b[31m[bold]red[/]\u202e", "Hm"),
            title="T\x1b[2J\u202etitle",
        )
    async with with_chats(0) as (driver, _):
        await driver.press("ctrl+f")
        await driver.write("zebra")
        await driver.see("1 hit")
        assert not set(driver.text()) & set("\x1b\x07\u202e")
        await driver.see(r"zebra \[bold\]red\[/\]")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_a_search_looks() -> None:
    async with with_chats(60) as (driver, _):
        await driver.press("ctrl+f")
        await driver.write("gate thing")
        await driver.see("over 50 hits")
        await driver.press("down")
        await check_all(driver, "chats-search")
        await driver.write("x")
        await driver.see("Nothing found")
        await check_all(driver, "chats-search-nothing")


async def test_a_found_place_looks() -> None:
    async with with_chats(10) as (driver, _):
        await driver.press("ctrl+f")
        await driver.write("“bad gateway” thing3")
        await driver.see("1 hit")
        await driver.press("enter")
        await driver.see("It speaks of")
        await check_all(driver, "chats-found")
