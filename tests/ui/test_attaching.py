"""`/attach` without a file: in the empty composer the names are offered, over a draft the name is asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support import snapshot
from tests.support.app_driver import SIZES, AppDriver, chatting
from tests.support.canned_servers import questions
from tests.support.fitting import ASKED, nearly_full
from tests.support.fitting_prompts import LONG
from tests.support.walk import answered, walked
from tests.support.writing import asked

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


async def by_palette(driver: AppDriver) -> None:
    await driver.press("ctrl+p")
    await driver.see("Search for commands")
    await driver.write("attach a file")
    await driver.see_no_more("Stop at once and keep what came")
    await driver.press("enter")
    await driver.until(lambda: not driver.pages, "the palette is gone")


async def by_command(driver: AppDriver) -> None:
    await driver.ask("/attach")


@pytest.mark.parametrize("way", [by_palette, by_command])
@pytest.mark.usefixtures("here")
async def test_with_nothing_written_the_names_are_offered(
    way: Callable[[AppDriver], Awaitable[None]],
) -> None:
    async with chatting() as (driver, server):
        await way(driver)
        await driver.see("\n› /attach\n")
        await driver.see(r"\n notes\.txt +8 B\n")
        await driver.press("down", "down", "enter", "enter")
        await driver.see(r"attached: notes\.txt 2 lines")
        await driver.ask("What is it?")
        assert (await asked(driver, server, 1))[0].endswith("What is it?")


@pytest.mark.usefixtures("here")
async def test_over_a_draft_the_name_is_asked_for_and_the_draft_stays() -> None:
    async with chatting() as (driver, server):
        await driver.write("What is it")
        await by_palette(driver)
        await driver.see("── attach which file\\? Enter attaches it, Esc leaves it ─")
        await driver.see("Enter attach  Esc back")
        await driver.see_no_more("What is it")
        for size in reversed(SIZES):
            await driver.resize(*size)
            await snapshot.check(driver, "attach-which")
        await driver.write("nofile.txt\r")
        await driver.see(r"Could not attach “nofile\.txt”: there is no such file\. Check the name ─")
        assert driver.focus == "edit"
        await driver.press("ctrl+u")
        await driver.see_no_more("no such file")
        await driver.write("bin.dat\r")
        await driver.see("it is not text, nor a PNG")
        await driver.press("ctrl+u")
        await driver.write("notes.txt\r")
        await driver.see(r"attached: notes\.txt 2 lines")
        await driver.see("› What is it")
        await driver.write("?\r")
        assert len(await asked(driver, server, 1)) == 1
        assert "What is it?" in questions(server)[0]
        assert "two" in questions(server)[0]


@pytest.mark.usefixtures("here")
async def test_esc_and_nothing_leave_it() -> None:
    async with chatting() as (driver, _):
        await driver.write("draft")
        await by_palette(driver)
        await driver.press("enter")
        await driver.see("Nothing is written: Esc leaves it as it was")
        await driver.press("escape")
        await driver.see("› draft")
        await driver.see_no_more(WANTED)
        assert driver.attached == []
        assert driver.focus == "composer"
        await driver.write("s")
        await driver.see("› drafts")


@pytest.mark.usefixtures("here")
async def test_from_another_tab() -> None:
    async with chatting() as (driver, _):
        await driver.write("draft")
        for key in ("f3", "f7"):
            await driver.press(key)
            await by_palette(driver)
            await driver.see(WANTED)
            await driver.write("notes.txt\r")
            await driver.see("attached: notes.txt")
            await driver.see("› draft")


@pytest.mark.usefixtures("here")
async def test_an_edit_that_was_begun_is_kept() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.write("draft")
        await driver.press("shift+tab", "up", "e")
        await driver.write(" And?")
        await by_palette(driver)
        await driver.see(WANTED)
        assert driver.edit_text == ""
        await driver.press("escape")
        await driver.see("› draft")
        await driver.press("shift+tab", "up", "e")
        await driver.see(r"› One\? And\?")
        assert driver.messages == ["One?", "Yes."]


@pytest.mark.usefixtures("here")
async def test_a_file_for_the_next_question_while_there_is_something_to_choose() -> None:
    async with nearly_full() as (driver, _):
        await driver.ask(LONG)
        await driver.see(ASKED)
        await by_palette(driver)
        await driver.see("› /attach\n")
        await driver.press("ctrl+u")
        await driver.write("And this?")
        await by_palette(driver)
        await driver.see("attach which file")
        await driver.press("escape")
        await driver.see("› And this?")
        await driver.see(ASKED)
        await driver.press("escape")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == f"{LONG}\n\nAnd this?"
