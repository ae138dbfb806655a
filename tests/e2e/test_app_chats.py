"""The list of chats and the search in the real program, with the real engine and with two lokals at once."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.app import answer, command, endless, model_server
from tests.support.many_chats import fill, store_of_home
from tests.support.terminal import context_used, lokal
from tui.core.message import Role

F7, CTRL_F, CTRL_N, ESC, DOWN = "\x1b[18~", "\x06", "\x0e", "\x1b", "\x1b[B"


def chats_on_disk() -> int:
    """How many chats there are, once what was done on a screen is written down."""
    with store_of_home() as store:
        return len(store.chats())


def answers_on_disk() -> int:
    """How many answers of the latest chat are whole there."""
    with store_of_home() as store:
        path = store.load(store.chats()[0].id).path() if store.chats() else ()
        return len([message for message in path if message.role is Role.ASSISTANT and not message.resumable])


async def test_a_word_of_the_first_chat_is_found_and_jumped_to(
    engine_installed: None, script_gguf: Path, own_home: Path
) -> None:
    async with lokal("--gguf", str(script_gguf), columns=120, rows=40) as terminal:
        await terminal.wait_for("· script")
        await terminal.wait_for("ctx 0 of")
        terminal.send("How do I count the words?\r")
        await terminal.wait_for("closes it")
        await terminal.wait_for(r"ctx [1-9]\d+ of .*Enter send")
        one_turn = context_used(terminal)
        terminal.send(CTRL_N)
        await terminal.wait_for("Connected")
        terminal.send("Something else\r")
        await terminal.wait_for("closes it")
        await terminal.wait_for("Enter send")

        terminal.send(F7)
        await terminal.wait_for("Chats  2")
        await terminal.wait_for(r"›● Something else")
        await terminal.wait_for(r"   How do I count the words\? ")
        terminal.send(ESC)
        await terminal.wait_until_gone("Chats  2")

        # The answers are the same; only the question of the first chat has the word.
        terminal.send(CTRL_F)
        await terminal.wait_for("search")
        terminal.send("how count")
        await terminal.wait_for("1 hit")
        terminal.send("\r")
        await terminal.wait_for(r"── you ─+\nHow do I count the words\?")
        await terminal.wait_until_gone("1 hit")

        # On a slow line all of it comes in one piece, and what follows is for the chat that was opened.
        terminal.send(f"{CTRL_F}something\r")
        await terminal.wait_for(r"── you ─+\nSomething else")
        terminal.send(f"{F7}{DOWN}\rAnd now?")
        await terminal.wait_for("› And now\\?")
        terminal.send("\r")
        # The answer is written in half a second: what is seen for certain is what the second turn takes of the window.
        await terminal.until(
            lambda: context_used(terminal) >= 2 * one_turn - 10, "two turns are in the window"
        )
        await terminal.wait_for("Enter send")
        await terminal.quit()
    listed = json.loads(await command("chats", "list", "--json"))
    assert [(chat["title"], chat["message_count"]) for chat in listed] == [
        ("How do I count the words?", 4),
        ("Something else", 2),
    ]


async def test_what_is_done_to_chats_is_on_the_disk_and_an_answer_goes_on_meanwhile(own_home: Path) -> None:
    fill(300)
    async with (
        model_server(endless("Never ", "ending")) as server,
        lokal("--server", server.url) as terminal,
    ):
        await terminal.wait_for("· replay-3b")
        terminal.send("Speak\r")
        await terminal.wait_for("Never ending")
        terminal.send(F7)
        await terminal.wait_for("Chats  301")
        await terminal.wait_for("›Speak +open")
        terminal.send(f"{DOWN}p")
        await terminal.wait_for(r"›Why does nginx.* pinned.*\n Write a haiku.* pinned.*\n")
        terminal.send(f"{DOWN * 3}dd")
        await terminal.wait_for("u brings it back")
        await terminal.wait_for("Chats  299")
        terminal.send("u")
        await terminal.wait_for("Chats  300")
        terminal.send(F7)
        await terminal.wait_for("Never ending")
        await terminal.wait_for("Esc stop")
        terminal.send(ESC)
        await terminal.wait_for("stopped by you")
        await terminal.quit()
    listed = json.loads(await command("chats", "list", "--json"))
    assert len(listed) == 300
    assert [chat["title"] for chat in listed if chat["pinned"]] == [
        "Why does nginx answer 502 after a deploy?",
        "Write a haiku about rain",
    ]


async def test_a_chat_that_the_other_lokal_deletes_goes_on_as_a_new_one(own_home: Path) -> None:
    async with (
        model_server(answer("Yes.")) as server,
        lokal("--server", server.url) as first,
        lokal("--server", server.url) as second,
    ):
        await first.wait_for("· replay-3b")
        first.send("Mine?\r")
        await first.wait_for("Yes.")
        await second.wait_for("· replay-3b")
        second.send(F7)
        await second.wait_for("›Mine")
        await first.until(lambda: answers_on_disk() == 1, "the answer is written down whole")
        second.send("d")
        await second.wait_for("No chats yet")
        await second.until(lambda: not chats_on_disk(), "it is deleted there too")
        first.send("Still there?\r")
        await first.wait_for("it goes on here as a new chat")
        await first.wait_for(r"Still there\?\n\n.*\nYes\.")
        await first.until(lambda: chats_on_disk() == 1, "the new one is on the disk")
        second.send("u")
        await second.wait_for("Chats  2")
        await first.quit()
        await second.quit()
    listed = json.loads(await command("chats", "list", "--json"))
    assert sorted(chat["message_count"] for chat in listed) == [2, 4]


async def test_an_open_list_costs_nothing_while_nothing_happens(own_home: Path) -> None:
    fill(50)
    async with model_server(answer("Yes.")) as server, lokal("--server", server.url) as terminal:
        await terminal.wait_for("· replay-3b")
        terminal.send(F7)
        await terminal.wait_for("Chats  50")
        terminal.send(DOWN)
        await terminal.wait_for("Chats  50(.*\n){2}›")
        before = len(terminal.raw)
        terminal.send("ä")  # means nothing here
        terminal.send(DOWN)
        await terminal.wait_for("Chats  50(.*\n){3}›")
        assert len(terminal.raw) - before < 600, "a step of the cursor repaints two lines"
        await terminal.quit()
