"""What goes along in one piece with what is written: long pastes and files."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.pictures import png, says_who_can_see
from tests.support.replay import Replay, replay
from tests.support.stage import Stage, chats, chatting, like_ollama, ollama_answer, questions, running
from tests.support.writing import CHIP, PASTE, asked, opened, paste

# -- pasted pieces ------------------------------------------------------------------------------------------------------


async def test_a_long_paste_is_one_unit() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        await stage.write("a")
        await paste(stage, PASTE)
        await stage.write("b")
        await stage.see(f"› a{CHIP}b")
        await stage.see("A long paste is one piece; Alt.P opens it")
        await stage.press("left", "left")
        assert composer.cursor_location == (0, 1)
        await stage.press("right")
        assert composer.cursor_location == (0, 1 + len(CHIP))
        await stage.press("ctrl+left")
        assert composer.cursor_location in ((0, 1), (0, 0))
        composer.move_cursor((0, 1 + len(CHIP)))
        await stage.press("backspace")
        assert composer.text == "ab"
        await stage.press("ctrl+z")
        assert composer.text == f"a{CHIP}b"
        await stage.press("home", "right", "delete")
        assert composer.text == "ab"
        await stage.press("ctrl+z", "end", "enter")
        assert await asked(stage, server, 1) == [f"a{PASTE}b"]
        await stage.press("up")
        assert composer.text == f"a{CHIP}b", "earlier prompts keep their pieces"
        await stage.press("alt+p")
        assert composer.text == f"a{PASTE}b"
        await stage.press("alt+p")
        await stage.see("Nothing here was pasted as one piece")
    async with chatting() as (stage, _):
        await stage.until(lambda: stage.app.chat.session is not None, "the store is open")
        await stage.press("up")
        assert stage.app.chat.composer.text == f"a{CHIP}b", "also those of the last run"


async def test_a_selection_that_cuts_through_a_piece_takes_all_of_it() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        await paste(stage, PASTE)
        await stage.write(" tail")
        await stage.press("home", "shift+right", "x")
        assert composer.text == "x tail"
        await stage.press("ctrl+z", "ctrl+z", "end", "ctrl+u")
        assert composer.text == ""


async def test_the_piece_at_the_cursor_is_opened() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        await paste(stage, PASTE)
        await stage.write(" and ")
        await paste(stage, "x" * 2500)
        assert composer.text == f"{CHIP} and ⟦pasted 2,500 characters · 2⟧"
        await stage.press("home", "alt+p")
        assert composer.text == f"{PASTE} and ⟦pasted 2,500 characters · 2⟧"


async def test_a_command_with_a_paste_behind_it_is_not_sent() -> None:
    async with chatting() as (stage, server):
        await opened(stage)
        await stage.write("/attach notes.txt ")
        await paste(stage, PASTE)
        await stage.press("enter")
        await stage.see(r"/attach is one line, and there is more\. // at the start sends it as text")
        assert stage.app.chat.composer.text == f"/attach notes.txt {CHIP}"
        assert questions(server) == []
        await stage.press("home", "/")
        await stage.see_no_more("is one line")
        await stage.press("enter")
        assert await asked(stage, server, 1) == [f"/attach notes.txt {PASTE}"]
        await stage.ask("/system Be terse.\nBe exact.")
        await stage.see("System prompt of this chat")
        await stage.ask("/etc/hosts\nis what?")
        assert (await asked(stage, server, 2))[1] == "/etc/hosts\nis what?"


# -- files --------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def looking(**models: bool) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal whose server has these models, which see or do not."""
    async with replay() as server:
        says_who_can_see(like_ollama(server), **models).on("/api/chat", ollama_answer("Red."))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            await opened(stage)
            yield stage, server


async def test_a_picture_and_a_text_go_along(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    (tmp_path / "report.txt").write_text("row\n" * 320)
    async with looking(sees=True) as (stage, server):
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("attached: photo.png 79 B|attached: photo.png")
        stage.app.run_command("attach", f"{tmp_path / 'report.txt'} {tmp_path / 'photo.png'}")
        await stage.see(r"photo.png \d+ B · report.txt 320 lines · p.*…  Backspace takes one back")
        await stage.press("backspace")
        await stage.see("“photo.png” is no longer attached")
        await stage.press("enter")
        await stage.see("Write a question to go with what is attached")
        await stage.ask("What is it?")
        await stage.see(r"What is it\?\n\[image photo.png, \d+ B\]\n\[file report.txt, 320 lines\]")
        await stage.see(r"Red\.")
        await stage.see_no_more("attached:")
        rows = "\n".join(["row"] * 320)
        question = {
            "role": "user",
            "content": f"--- FILE report.txt ---\n{rows}\n--- END OF report.txt ---\n\nWhat is it?",
            "images": [base64.b64encode(png()).decode()],
        }
        await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
        await stage.ask("Really?")
        await asked(stage, server, 2)
        for body in chats(server):
            messages = body["messages"]
            assert isinstance(messages, list)
            assert messages[0] == question, "it goes along with every later question"


async def test_a_model_that_cannot_see_is_not_sent_a_picture(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(png())
    async with looking(blind=False, sees=True) as (stage, server):
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("blind cannot look at images, says the server. These can: sees")
        stage.app.use_model("sees")
        stage.app.run_command("attach", str(tmp_path / "photo.png"))
        await stage.see("attached: photo.png")
        stage.app.use_model("blind")
        await stage.ask("What is it?")
        await stage.see("blind cannot look at images")
        assert stage.app.chat.composer.text == "What is it?"
        assert questions(server) == []


async def test_what_cannot_be_attached_is_said(tmp_path: Path) -> None:
    async with looking(sees=True) as (stage, _):
        stage.app.run_command("attach", "/dev/zero")
        await stage.see("Could not attach “zero”: it is a device, which may never end")
        stage.app.run_command("attach", str(tmp_path))
        await stage.see("it is a folder")


async def test_files_stay_with_the_chat_for_which_they_were_attached(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    async with looking(sees=True) as (stage, server):
        await stage.ask("first")
        await asked(stage, server, 1)
        first = stage.app.chat.session
        assert first is not None
        stage.app.run_command("attach", str(tmp_path / "notes.txt"))
        await stage.see("attached: notes.txt 1 line")
        await stage.press("ctrl+n")
        await stage.see_no_more("attached:")
        stage.app.chat.open(first)
        await stage.see("attached: notes.txt 1 line")
