"""What goes along in one piece with what is written: long pastes and files."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.app_driver import AppDriver, chatting, running
from tests.support.canned_servers import chats, like_ollama, ollama_answer, questions
from tests.support.pictures import png, says_who_can_see
from tests.support.replay import Replay, replay
from tests.support.writing import CHIP, PASTE, asked, opened

# -- pasted pieces ------------------------------------------------------------------------------------------------------


async def test_a_long_paste_is_one_unit() -> None:
    async with chatting() as (driver, server):
        await driver.write("a")
        await driver.paste(PASTE)
        await driver.write("b")
        await driver.see(f"› a{CHIP}b")
        await driver.see("A long paste is one piece; Alt.P opens it")
        await driver.press("left", "left")
        assert driver.text_cursor == (0, 1)
        await driver.press("right")
        assert driver.text_cursor == (0, 1 + len(CHIP))
        await driver.press("ctrl+left")
        assert driver.text_cursor in ((0, 1), (0, 0))
        await driver.press("home", "right", "right", "backspace")
        assert driver.composer_text == "ab"
        await driver.press("ctrl+z")
        assert driver.composer_text == f"a{CHIP}b"
        await driver.press("home", "right", "delete")
        assert driver.composer_text == "ab"
        await driver.press("ctrl+z", "end", "enter")
        assert await asked(driver, server, 1) == [f"a{PASTE}b"]
        await driver.press("up")
        assert driver.composer_text == f"a{CHIP}b", "earlier prompts keep their pieces"
        await driver.press("alt+p")
        assert driver.composer_text == f"a{PASTE}b"
        await driver.press("alt+p")
        await driver.see("Nothing here was pasted as one piece")
    async with chatting() as (driver, _):
        await driver.until(lambda: driver.chats_are_open, "the store is open")
        await driver.press("up")
        assert driver.composer_text == f"a{CHIP}b", "also those of the last run"


async def test_a_selection_that_cuts_through_a_piece_takes_all_of_it() -> None:
    async with chatting() as (driver, _):
        await driver.paste(PASTE)
        await driver.write(" tail")
        await driver.press("home", "shift+right", "x")
        assert driver.composer_text == "x tail"
        await driver.press("ctrl+z", "ctrl+z", "end", "ctrl+u")
        assert driver.composer_text == ""


async def test_the_piece_at_the_cursor_is_opened() -> None:
    async with chatting() as (driver, _):
        await driver.paste(PASTE)
        await driver.write(" and ")
        await driver.paste("x" * 2500)
        assert driver.composer_text == f"{CHIP} and ⟦pasted 2,500 characters · 2⟧"
        await driver.press("home", "alt+p")
        assert driver.composer_text == f"{PASTE} and ⟦pasted 2,500 characters · 2⟧"


async def test_a_command_with_a_paste_behind_it_is_not_sent() -> None:
    async with chatting() as (driver, server):
        await opened(driver)
        await driver.write("/attach notes.txt ")
        await driver.paste(PASTE)
        await driver.press("enter")
        await driver.see(r"/attach is one line, and there is more\. // at the start sends it as text")
        assert driver.composer_text == f"/attach notes.txt {CHIP}"
        assert questions(server) == []
        await driver.press("home", "/")
        await driver.see_no_more("is one line")
        await driver.press("enter")
        assert await asked(driver, server, 1) == [f"/attach notes.txt {PASTE}"]
        await driver.ask("/system Be terse.\nBe exact.")
        await driver.see("System prompt of this chat")
        await driver.ask("/etc/hosts\nis what?")
        assert (await asked(driver, server, 2))[1] == "/etc/hosts\nis what?"


# -- files --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def looking(**models: bool) -> AsyncIterator[tuple[AppDriver, Replay]]:
    """A connected lokal whose server has these models, which see or do not."""
    async with replay() as server:
        says_who_can_see(like_ollama(server), **models).on("/api/chat", ollama_answer("Red."))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await opened(driver)
            yield driver, server


async def test_a_picture_and_a_text_go_along(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "report.txt").write_text("row\n" * 320)
    async with looking(sees=True) as (driver, server):
        driver.run_command("attach", str(tmp_path / "photo.png"))
        await driver.see("attached: photo.png 79 B|attached: photo.png")
        driver.run_command("attach", f"{tmp_path / 'report.txt'} {tmp_path / 'photo.png'}")
        await driver.see(r"photo.png \d+ B · report.txt 320 lines · p.*…  Backspace takes one back")
        await driver.press("backspace")
        await driver.see("“photo.png” is no longer attached")
        await driver.press("enter")
        await driver.see("Write a question to go with what is attached")
        await driver.ask("What is it?")
        await driver.see(r"What is it\?\n\[image photo.png, \d+ B\]\n\[file report.txt, 320 lines\]")
        await driver.see(r"Red\.")
        await driver.see_no_more("attached:")
        rows = "\n".join(["row"] * 320)
        question = {
            "role": "user",
            "content": f"--- FILE report.txt ---\n{rows}\n--- END OF report.txt ---\n\nWhat is it?",
            "images": [base64.b64encode(png()).decode()],
        }
        await driver.until(lambda: not driver.activity, "the answer is there")
        await driver.ask("Really?")
        await asked(driver, server, 2)
        for body in chats(server):
            messages = body["messages"]
            assert isinstance(messages, list)
            assert messages[0] == question, "it goes along with every later question"


async def test_a_model_that_cannot_see_is_not_sent_a_picture(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    async with looking(blind=False, sees=True) as (driver, server):
        driver.run_command("attach", str(tmp_path / "photo.png"))
        await driver.see("blind cannot look at images, says the server. These can: sees")
        driver.run_command("model.choose", "sees")
        driver.run_command("attach", str(tmp_path / "photo.png"))
        await driver.see("attached: photo.png")
        driver.run_command("model.choose", "blind")
        await driver.ask("What is it?")
        await driver.see("blind cannot look at images")
        assert driver.composer_text == "What is it?"
        assert questions(server) == []


async def test_what_cannot_be_attached_is_said(tmp_path: Path) -> None:
    async with looking(sees=True) as (driver, _):
        driver.run_command("attach", "/dev/zero")
        await driver.see("Could not attach “zero”: it is a device, which may never end")
        driver.run_command("attach", str(tmp_path))
        await driver.see("it is a folder")


async def test_files_stay_with_the_chat_for_which_they_were_attached(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    async with looking(sees=True) as (driver, server):
        await driver.ask("first")
        await asked(driver, server, 1)
        first = driver.session
        driver.run_command("attach", str(tmp_path / "notes.txt"))
        await driver.see("attached: notes.txt 1 line")
        await driver.press("ctrl+n")
        await driver.see_no_more("attached:")
        driver.open_chat(first)
        await driver.see("attached: notes.txt 1 line")
