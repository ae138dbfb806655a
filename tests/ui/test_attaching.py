"""`/attach` without a file: in the empty composer the names are offered, over a draft the name is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support import snapshot
from tests.support.fitting import ASKED, LONG, nearly_full
from tests.support.stage import SIZES, Stage, chatting, questions
from tests.support.walk import answered, contents, walked
from tests.support.writing import asked
from tui.ui.chat.slip import Slip

WANTED = "attach which file"


@pytest.fixture
def here(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lokal was started in, with a file to attach and one that cannot be."""
    folder = own_home / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "notes.txt").write_text("one\ntwo\n")
    (folder / "bin.dat").write_bytes(bytes(range(256)))
    return folder


async def by_palette(stage: Stage) -> None:
    await stage.press("ctrl+p")
    await stage.see("Search for commands")
    await stage.write("attach a file")
    await stage.see_no_more("Stop at once and keep what came")
    await stage.press("enter")
    await stage.until(lambda: len(stage.app.screen_stack) == 1, "the palette is gone")


async def by_command(stage: Stage) -> None:
    await stage.ask("/attach")


@pytest.mark.parametrize("way", [by_palette, by_command])
@pytest.mark.usefixtures("here")
async def test_with_nothing_written_the_names_are_offered(way: Callable[[Stage], Awaitable[None]]) -> None:
    async with chatting() as (stage, server):
        await way(stage)
        await stage.see("\n› /attach\n")
        await stage.see(r"\n notes\.txt +8 B\n")
        await stage.press("down", "down", "enter", "enter")
        await stage.see(r"attached: notes\.txt 2 lines")
        await stage.ask("What is it?")
        assert (await asked(stage, server, 1))[0].endswith("What is it?")


@pytest.mark.usefixtures("here")
async def test_over_a_draft_the_name_is_asked_for_and_the_draft_stays() -> None:
    async with chatting() as (stage, server):
        await stage.write("What is it")
        await by_palette(stage)
        await stage.see("── attach which file\\? Enter attaches it, Esc leaves it ─")
        await stage.see("Enter attach  Esc back")
        await stage.see_no_more("What is it")
        for size in reversed(SIZES):
            await stage.resize(*size)
            await snapshot.check(stage, "attach-which")
        await stage.write("nofile.txt\r")
        await stage.see(r"Could not attach “nofile\.txt”: there is no such file\. Check the name ─")
        assert stage.app.screen.focused is stage.app.chat.query_one(Slip)
        await stage.press("ctrl+u")
        await stage.see_no_more("no such file")
        await stage.write("bin.dat\r")
        await stage.see("it is not text, nor a PNG")
        await stage.press("ctrl+u")
        await stage.write("notes.txt\r")
        await stage.see(r"attached: notes\.txt 2 lines")
        await stage.see("› What is it")
        await stage.write("?\r")
        assert len(await asked(stage, server, 1)) == 1
        assert "What is it?" in questions(server)[0]
        assert "two" in questions(server)[0]


@pytest.mark.usefixtures("here")
async def test_esc_and_nothing_leave_it() -> None:
    async with chatting() as (stage, _):
        await stage.write("draft")
        await by_palette(stage)
        await stage.press("enter")
        await stage.see("Nothing is written: Esc leaves it as it was")
        await stage.press("escape")
        await stage.see("› draft")
        await stage.see_no_more(WANTED)
        assert stage.app.chat.attached == ()
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.write("s")
        await stage.see("› drafts")


@pytest.mark.usefixtures("here")
async def test_from_another_tab() -> None:
    async with chatting() as (stage, _):
        await stage.write("draft")
        for key in ("f3", "f7"):
            await stage.press(key)
            await by_palette(stage)
            await stage.see(WANTED)
            await stage.write("notes.txt\r")
            await stage.see("attached: notes.txt")
            await stage.see("› draft")


@pytest.mark.usefixtures("here")
async def test_an_edit_that_was_begun_is_kept() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.write("draft")
        await stage.press("shift+tab", "up", "e")
        await stage.write(" And?")
        await by_palette(stage)
        await stage.see(WANTED)
        assert stage.app.chat.query_one(Slip).text == ""
        await stage.press("escape")
        await stage.see("› draft")
        await stage.press("shift+tab", "up", "e")
        await stage.see(r"› One\? And\?")
        assert contents(stage) == ["One?", "Yes."]


@pytest.mark.usefixtures("here")
async def test_a_file_for_the_next_question_while_there_is_something_to_choose() -> None:
    async with nearly_full() as (stage, _):
        await stage.ask(LONG)
        await stage.see(ASKED)
        await by_palette(stage)
        await stage.see("› /attach\n")
        await stage.press("ctrl+u")
        await stage.write("And this?")
        await by_palette(stage)
        await stage.see("attach which file")
        await stage.press("escape")
        await stage.see("› And this?")
        await stage.see(ASKED)
        await stage.press("escape")
        await stage.see_no_more(ASKED)
        assert stage.app.chat.composer.plain == f"{LONG}\n\nAnd this?"
