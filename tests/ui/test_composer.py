"""Writing: what Enter sends, what makes a new line, earlier prompts, long lines and wide characters."""

from __future__ import annotations

import pytest
from textual import events

from tests.support.app import configure
from tests.support.replay import Replay, stalling
from tests.support.stage import Stage, chatting, ollama_answer, questions


async def sent(stage: Stage, server: Replay, count: int) -> list[str]:
    """The questions once `count` of them were asked and the last one is answered."""
    await stage.until(lambda: len(questions(server)) == count, f"{count} questions were asked")
    await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
    return questions(server)


async def test_enter_sends_and_blank_text_is_not_sent() -> None:
    async with chatting() as (stage, server):
        await stage.press("enter")
        await stage.write("   ")
        await stage.press("enter")
        assert stage.app.chat.composer.text == "   "
        await stage.press("ctrl+u")
        await stage.write("Привет, świecie 日本語 ệ")
        stage.app.post_message(events.Paste(" 👍"))
        await stage.see("› Привет, świecie 日本語 ệ 👍")
        await stage.press("enter")
        assert await sent(stage, server, 1) == ["Привет, świecie 日本語 ệ 👍"]
        assert stage.app.chat.composer.text == ""
        await stage.see("── you ──+\nПривет, świecie 日本語 ệ 👍\n")


@pytest.mark.parametrize("key", ["ctrl+j", "alt+enter", "shift+enter", "ctrl+enter"])
async def test_keys_that_make_a_new_line(key: str) -> None:
    async with chatting() as (stage, server):
        await stage.write("one")
        await stage.press(key)
        await stage.write("two")
        await stage.see("› one\n  two")
        await stage.press("enter")
        assert await sent(stage, server, 1) == ["one\ntwo"]


async def test_a_new_line_takes_the_place_of_what_is_selected() -> None:
    async with chatting() as (stage, _):
        await stage.write("one two")
        await stage.press("shift+left", "shift+left", "shift+left", "shift+left", "ctrl+j")
        await stage.write("three")
        assert stage.app.chat.composer.text == "one\nthree"


async def test_earlier_prompts_and_the_draft() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        for number, text in enumerate(("first", "second", "second"), 1):
            await stage.ask(text)
            await sent(stage, server, number)
        await stage.write("draft")
        await stage.press("up")
        assert composer.text == "second"
        await stage.press("up")
        assert composer.text == "first", "a prompt that came twice is remembered once"
        await stage.press("up")
        assert composer.text == "first", "there is nothing before the first"
        await stage.press("down", "down")
        assert composer.text == "draft"
        await stage.press("down")
        assert composer.text == "draft"
        await stage.press("up", "enter")
        assert (await sent(stage, server, 4))[-1].endswith("second")


async def test_up_and_down_move_inside_a_text_of_several_rows() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        await stage.ask("before")
        await sent(stage, server, 1)
        composer.fill("a long line " * 8)
        await stage.see("a long line a long line")
        assert composer.wrapped_document.height == 2
        await stage.press("up")
        assert composer.text == "a long line " * 8, "the cursor went up one row"
        await stage.press("up")
        assert composer.text == "before"
        await stage.press("down")
        assert composer.text == "a long line " * 8


async def test_prompts_of_the_last_run() -> None:
    async with chatting() as (stage, server):
        await stage.ask("of the\nlast run")
        await sent(stage, server, 1)
    async with chatting() as (stage, _):
        await stage.see("Connected")
        await stage.until(lambda: stage.app.chat.session is not None, "the store is open")
        await stage.press("up")
        assert stage.app.chat.composer.text == "of the\nlast run"


async def test_a_prompt_that_was_sent_before_the_others_were_read_is_the_newest() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        composer.remember("sent early")
        composer.set_history(["of the last run", "and another"])
        for prompt in ("sent early", "and another", "of the last run"):
            await stage.press("up")
            assert composer.text == prompt


async def test_a_long_text_leaves_room_for_the_chat() -> None:
    async with chatting() as (stage, server):
        text = "\n".join(f"line {number}" for number in range(1, 31))
        stage.app.chat.composer.fill(text)

        def rows() -> int:
            return len([row for row in stage.screen() if "line " in row])

        await stage.until(lambda: rows() == 8, "a third of the screen is written on")
        assert "Connected" in stage.text(), "the chat is still to be seen"
        await stage.resize(80, 15)
        await stage.until(lambda: rows() == 5, "also of a low screen")
        assert stage.app.chat.transcript.size.height >= 7
        await stage.press("enter")
        assert await sent(stage, server, 1) == [text]


async def test_wide_characters_are_wrapped_by_cells() -> None:
    async with chatting() as (stage, _):
        stage.app.chat.composer.fill("漢" * 45)
        await stage.see("漢" * 38)
        rows = [row for row in stage.screen() if "漢" in row]
        assert [row.count("漢") for row in rows] in ([38, 7], [39, 6]), rows


async def test_writing_while_an_answer_comes_in() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.ask("A long one")
        await stage.see("Slowly")
        await stage.write("the next")
        await stage.press("enter")
        await stage.see(r"waiting: the next +Alt\+↑ takes it back")
        assert stage.app.chat.composer.text == ""
        assert questions(server) == ["A long one"]
        server.on("/api/chat", ollama_answer("Yes."))
        await stage.press("escape")
        await stage.see("stopped by you")
        await stage.press("enter")
        assert (await sent(stage, server, 2))[-1] == "the next"


async def test_undo_belongs_to_the_composer_in_the_chat() -> None:
    """Ctrl+Z undoes writing here, and changes to a preset in the settings."""
    async with chatting() as (stage, _):
        await stage.write("kept")
        await stage.press("ctrl+u")
        assert stage.app.chat.composer.text == ""
        await stage.press("ctrl+z")
        assert stage.app.chat.composer.text == "kept"


async def test_other_keys_for_sending_and_for_new_lines() -> None:
    configure('[keys]\nsend = "f10"\n')
    async with chatting() as (stage, server):
        await stage.see("F10 send")
        await stage.write("one")
        await stage.press("enter")
        await stage.write("two")
        await stage.press("f10")
        assert await sent(stage, server, 1) == ["one\ntwo"]


async def test_sending_and_new_lines_may_change_places() -> None:
    configure('[keys]\nsend = "ctrl+j"\nnewline = "enter"\n')
    async with chatting() as (stage, server):
        await stage.see(r"Ctrl\+J send")
        await stage.write("one")
        await stage.press("enter")
        await stage.write("two")
        await stage.press("ctrl+j")
        assert await sent(stage, server, 1) == ["one\ntwo"]


async def test_a_key_before_one_that_opens_the_list_in_one_piece_is_done() -> None:
    async with chatting() as (stage, _):
        await stage.see("Connected")
        await stage.write("abc\x15\x1b[18~")
        await stage.see("No chats yet")
        assert stage.app.chat.composer.text == ""
