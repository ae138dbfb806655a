"""Writing: what Enter sends, what makes a new line, earlier prompts, long lines and wide characters."""

from __future__ import annotations

import pytest

from tests.support.app import configure
from tests.support.app_driver import AppDriver, chatting
from tests.support.canned_servers import ollama_answer, questions
from tests.support.replay import Replay, stalling


async def sent(driver: AppDriver, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await driver.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await driver.until(lambda: not driver.activity, "the answer is there")
    return questions(server)


async def test_enter_sends_and_blank_text_is_not_sent() -> None:
    async with chatting() as (driver, server):
        await driver.press("enter")
        await driver.write("   ")
        await driver.press("enter")
        assert driver.composer_text == "   "
        await driver.press("ctrl+u")
        await driver.write("Привет, świecie 日本語 ệ")
        await driver.paste(" 👍")
        await driver.see("› Привет, świecie 日本語 ệ 👍")
        await driver.press("enter")
        assert await sent(driver, server, 1) == ["Привет, świecie 日本語 ệ 👍"]
        assert driver.composer_text == ""
        await driver.see("── you ──+\nПривет, świecie 日本語 ệ 👍\n")


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter", "ctrl+enter"])
async def test_keys_that_make_a_new_line(key: str) -> None:
    async with chatting() as (driver, server):
        await driver.write("one")
        await driver.press(key)
        await driver.write("two")
        await driver.see("› one\n  two")
        await driver.press("enter")
        assert await sent(driver, server, 1) == ["one\ntwo"]


async def test_a_new_line_takes_the_place_of_what_is_selected() -> None:
    async with chatting() as (driver, _):
        await driver.write("one two")
        await driver.press("shift+left", "shift+left", "shift+left", "shift+left", "ctrl+j")
        await driver.write("three")
        assert driver.composer_text == "one\nthree"


async def test_earlier_prompts_and_the_draft() -> None:
    async with chatting() as (driver, server):
        for number, text in enumerate(("first", "second", "second"), 1):
            await driver.ask(text)
            await sent(driver, server, number)
        await driver.write("draft")
        await driver.press("up")
        assert driver.composer_text == "second"
        await driver.press("up")
        assert driver.composer_text == "first", "a prompt that came twice is remembered once"
        await driver.press("up")
        assert driver.composer_text == "first", "there is nothing before the first"
        await driver.press("down", "down")
        assert driver.composer_text == "draft"
        await driver.press("down")
        assert driver.composer_text == "draft"
        await driver.press("up", "enter")
        assert (await sent(driver, server, 4))[-1].endswith("second")


async def test_up_and_down_move_inside_a_text_of_several_rows() -> None:
    async with chatting() as (driver, server):
        await driver.ask("before")
        await sent(driver, server, 1)
        driver.fill("a long line " * 8)
        await driver.see("a long line a long line")
        assert len(driver.rows_of("composer")) == 2
        await driver.press("up")
        assert driver.composer_text == "a long line " * 8, "the cursor went up one row"
        await driver.press("up")
        assert driver.composer_text == "before"
        await driver.press("down")
        assert driver.composer_text == "a long line " * 8


async def test_prompts_of_the_last_run() -> None:
    async with chatting() as (driver, server):
        await driver.ask("of the\nlast run")
        await sent(driver, server, 1)
    async with chatting() as (driver, _):
        await driver.see("Connected")
        await driver.until(lambda: driver.chats_are_open, "the store is open")
        await driver.press("up")
        assert driver.composer_text == "of the\nlast run"


async def test_a_long_text_leaves_room_for_the_chat() -> None:
    async with chatting() as (driver, server):
        text = "\n".join(f"line {number}" for number in range(1, 31))
        driver.fill(text)

        def rows() -> int:
            return len([row for row in driver.screen() if "line " in row])

        await driver.until(lambda: rows() == 8, "a third of the screen is written on")
        assert "Connected" in driver.text(), "the chat is still to be seen"
        await driver.resize(80, 15)
        await driver.until(lambda: rows() == 5, "also of a low screen")
        assert driver.region("messages").height >= 7
        await driver.press("enter")
        assert await sent(driver, server, 1) == [text]


async def test_wide_characters_are_wrapped_by_cells() -> None:
    async with chatting() as (driver, _):
        driver.fill("漢" * 45)
        await driver.see("漢" * 38)
        rows = [row for row in driver.screen() if "漢" in row]
        assert [row.count("漢") for row in rows] in ([38, 7], [39, 6]), rows


async def test_writing_while_an_answer_comes_in() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.ask("A long one")
        await driver.see("Slowly")
        await driver.write("the next")
        await driver.press("enter")
        await driver.see(r"waiting: the next +Alt\+↑ takes it back")
        assert driver.composer_text == ""
        assert questions(server) == ["A long one"]
        server.on("/api/chat", ollama_answer("Yes."))
        await driver.press("escape")
        await driver.see("stopped by you")
        await driver.press("enter")
        assert (await sent(driver, server, 2))[-1] == "the next"


async def test_undo_belongs_to_the_composer_in_the_chat() -> None:
    """Ctrl+Z undoes writing here, and changes to a preset in the settings."""
    async with chatting() as (driver, _):
        await driver.write("kept")
        await driver.press("ctrl+u")
        assert driver.composer_text == ""
        await driver.press("ctrl+z")
        assert driver.composer_text == "kept"


async def test_other_keys_for_sending_and_for_new_lines() -> None:
    configure('[keys]\nsend = "f10"\n')
    async with chatting() as (driver, server):
        await driver.see("F10 send")
        await driver.write("one")
        await driver.press("enter")
        await driver.write("two")
        await driver.press("f10")
        assert await sent(driver, server, 1) == ["one\ntwo"]


async def test_sending_and_new_lines_may_change_places() -> None:
    configure('[keys]\nsend = "ctrl+j"\nnewline = "enter"\n')
    async with chatting() as (driver, server):
        await driver.see(r"Ctrl\+J send")
        await driver.write("one")
        await driver.press("enter")
        await driver.write("two")
        await driver.press("ctrl+j")
        assert await sent(driver, server, 1) == ["one\ntwo"]


async def test_a_key_before_one_that_opens_the_list_in_one_piece_is_done() -> None:
    async with chatting() as (driver, _):
        await driver.see("Connected")
        await driver.write("abc\x15\x1b[18~")
        await driver.see("No chats yet")
        assert driver.composer_text == ""
