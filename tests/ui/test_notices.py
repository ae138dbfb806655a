"""What lokal tells on the rule above the composer: whole at every width, in the place of what was told before, covering
nothing; and that a command that could not be done is not lost."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.support.app_driver import NOBODY, AppDriver, chatting
from tests.support.canned_servers import ollama_answer
from tests.support.editor import editor
from tests.support.walk import answered, walked
from tests.support.writing import opened
from tui.ui.notice_bar import LONGEST, NOTICE_S
from tui.ui.terminal.clipboard import Delivery

WORDS = "a notice that goes on and on"
HUGE, BINARY, SCHEMA, EMPTY = "huge.txt", "bin.dat", "bad.json", "empty.json"


@pytest.fixture
def here(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lokal was started in, with files that nothing can be done with."""
    folder = own_home / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with (folder / HUGE).open("wb") as file:
        file.truncate(200_000_000)
    (folder / BINARY).write_bytes(bytes(range(256)))
    (folder / SCHEMA).write_text('{"type": "nope"}')
    (folder / EMPTY).write_text("[]")
    return folder


def told(driver: AppDriver) -> str:
    """What is on the rule and under it, as one line."""
    return re.sub(r" +", " ", " ".join(row.strip("─ ") for row in driver.rows_of("notices")))


def height(driver: AppDriver) -> int:
    return driver.region("notices").height


def rescued(folder: Path) -> list[Path]:
    """What was left of drafts."""
    return list(folder.glob("lokal-*/draft.md"))


# -- how it is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [120, 80, 50, 31])
async def test_a_notice_is_whole_at_every_width(width: int) -> None:
    async with chatting() as (driver, _):
        await driver.resize(width, 24)
        driver.show_notice("It is done")
        await driver.see("── It is done ─")
        assert height(driver) == 1
        words = f"{WORDS}, with /a/path/that/is/{'long/' * 8}notes.md in it"
        driver.show_notice(words, "warning")
        await driver.until(lambda: told(driver).replace(" ", "") == words.replace(" ", ""), "it is told")
        assert all(cell_len(line) <= width for line in driver.screen())
        assert driver.screen()[driver.region("composer").y].startswith("›")
        await driver.resize(140, 24)
        assert told(driver) == words
        driver.clear_notice()
        await driver.until(lambda: height(driver) == 1, "the rule is one line again")


async def test_a_notice_without_end_leaves_half_of_the_screen() -> None:
    async with chatting() as (driver, _):
        driver.show_notice("word " * LONGEST, "warning")
        await driver.until(lambda: height(driver) == 12, "it has half of the screen")
        await driver.see(r"…\n›")


async def test_a_notice_covers_neither_the_choices_nor_the_answer() -> None:
    async with walked(ollama_answer("One.\n\n" * 20 + "The last line.")) as (driver, _):
        await answered(driver, "Why?", "The last line")
        driver.show_notice(WORDS * 5, "warning")
        await driver.see("The last line(.*\n)+.*a notice that")
        await driver.write("/c")
        await driver.see("closes")
        assert driver.region("completion").bottom == driver.region("notices").y
        assert driver.region("completion").height > 3
        assert WORDS in told(driver)


async def test_the_next_notice_takes_the_place_of_the_one_before() -> None:
    async with chatting() as (driver, _):
        await driver.press("f4")
        driver.show_notice(f"first {WORDS * 9}", "warning")
        await driver.see("first a notice")
        driver.show_notice("second [not markup]")
        await driver.see(r"second \[not markup\]")
        await driver.see_no_more("first")
        await driver.press("f2")
        driver.show_chat_notice("third")
        await driver.see("── third ─")
        await driver.see_no_more("second")


async def test_what_went_wrong_where_nobody_saw_it_waits() -> None:
    async with chatting() as (driver, _):
        await driver.press("f1")
        driver.show_notice("It went wrong", "warning")
        await driver.pass_notice_time(3 * NOTICE_S)
        await driver.press("escape")
        await driver.see("── It went wrong ─")
        await driver.pass_notice_time(NOTICE_S)
        await driver.see_no_more("It went wrong")


async def test_a_longer_notice_stays_longer() -> None:
    async with chatting() as (driver, _):
        driver.show_notice(WORDS * 8, "warning")
        await driver.pass_notice_time(NOTICE_S)
        assert WORDS in told(driver)
        await driver.pass_notice_time(2 * NOTICE_S)
        await driver.see_no_more("a notice")


async def test_what_goes_with_a_question_that_is_edited_is_said_whole(here: Path) -> None:
    for name in ("first-notes.txt", "second-notes.txt"):
        (here / name).write_text("one line\n")
    async with walked() as (driver, _):
        await driver.ask("/attach first-notes.txt second-notes.txt")
        await driver.see("attached:")
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab", "up", "e")
        await driver.until(lambda: told(driver).endswith("Esc leaves it"), "it is told whole")
        assert "first-notes.txt" in told(driver)
        assert "second-notes.txt" in told(driver)
        await driver.press("escape")
        await driver.see("message 1 of 2")
        await driver.until(lambda: height(driver) == 1, "the rule is one line again")


async def test_a_copy_in_tmux_is_said_with_its_hint_on_one_line() -> None:
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab")
        driver.text_was_copied(Delivery(1_234_567, 1_234_567, "tmux"))
        await driver.see("── 1,234,567 characters to tmux; the terminal may ignore it · w writes a file ─")
        assert height(driver) == 1


# -- commands that could not be done ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words", "hint"),
    [
        (f"/attach {HUGE}", "it has 200 MB", "with head, tail or grep"),
        (f"/attach {BINARY}", "it is not text", "Attach one of these"),
        ("/attach nofile.txt", "Could not attach “nofile.txt”: there is no such file", "Tab completes it"),
        (f"/schema {SCHEMA}", "is no schema that can be used", "or a list of these"),
        ("/schema nofile.json", "nofile.json", "Name a"),
        ("/copy 9", "There is no code block in this message", ""),
        ("/copy x", "“x” is no code block", "/copy all"),
        ("/open nofile.gguf", "There is no file ~/here/nofile.gguf", "stays"),
        (f"/import {EMPTY}", "There is no message in", EMPTY),
        (f"/server {NOBODY.url}", "No server answers", "is the address right"),
    ],
)
async def test_an_error_is_whole_and_the_command_is_back(
    here: Path, command: str, words: str, hint: str
) -> None:
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.ask(command)
        await driver.until(lambda: words in told(driver) and hint in told(driver), f"{words!r} is told")
        assert "…" not in told(driver)
        assert "Reading" not in driver.text()
        assert "Asking" not in driver.text()
        await driver.until(lambda: driver.composer_text == command, "the command is back")
        driver.fill("")
        await driver.ask("/stats extra")
        await driver.until(lambda: "/stats" in told(driver), "the next one is told")
        assert words not in driver.text()


async def test_no_code_block_under_the_cursor_is_said_by_the_key_too() -> None:
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab", "2")
        await driver.see(r"── There is no code block in this message ─")
        await driver.see("c copy")


async def test_what_is_not_checked_of_a_schema_is_said_whole(here: Path) -> None:
    parts = {"a": {"$ref": "http://x/y"}, "b": {"format": "date"}, "c": {"contentEncoding": "base64"}}
    (here / "refs.json").write_text(json.dumps({"properties": parts}))
    async with chatting() as (driver, _):
        await driver.ask("/schema refs.json")
        await driver.see("Answers fit refs.json")
        names = ("$ref http://x/y", "format date", "contentEncoding")
        await driver.until(lambda: all(name in told(driver) for name in names), "all of them are named")


# -- what is about the text that is written -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/zzz", "/preset loud", "/attach nofile.txt", "/open nofile.gguf"])
async def test_what_is_wrong_with_what_is_written_goes_when_that_is_changed(command: str) -> None:
    async with chatting() as (driver, _):
        await opened(driver)
        await driver.ask(command)
        await driver.until(lambda: told(driver) != "", "it is told")
        await driver.until(lambda: driver.composer_text == command, "the command is back")
        await driver.press("left", "end")
        assert told(driver) != "", "the cursor changes nothing"
        await driver.press("backspace")
        await driver.until(lambda: told(driver) == "", "it was about something else")


async def test_other_notices_stay_while_somebody_writes() -> None:
    async with chatting() as (driver, _):
        await driver.ask("/zzz")
        await driver.see("There is no command /zzz")
        driver.show_chat_notice("Something else")
        await driver.write("x")
        assert told(driver) == "Something else"


async def test_what_was_taken_away_is_not_told_of_when_it_is_back() -> None:
    async with chatting() as (driver, _):
        await driver.write("one\ntwo")
        await driver.press("ctrl+u")
        await driver.see("again deletes everything")
        await driver.press("ctrl+u")
        await driver.see("Everything is deleted; Ctrl.Z brings it back")
        await driver.press("ctrl+z")
        await driver.see("› one")
        await driver.see_no_more("Everything is deleted")


# -- what was written in an editor --------------------------------------------------------------------------------------


@pytest.mark.parametrize("goes", ["escape", "enter"])
async def test_where_rescued_text_is_stays_to_be_read(
    goes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'echo written > "$1"; exit 1'))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    async with chatting() as (driver, _):
        await driver.write("draft")
        await driver.press("alt+e")
        await driver.until(lambda: told(driver).count("ended with status 1") == 1, "it is told")
        await driver.press("alt+e")
        await driver.until(lambda: told(driver).count("ended with status 1") == 2, "both are told")
        paths = rescued(tmp_path)
        assert len(paths) == 2
        driver.show_notice("something else", "warning")
        await driver.see("── something else ─")
        await driver.pass_notice_time(9 * NOTICE_S)
        await driver.see_no_more("something else")
        said = told(driver).replace(" ", "")
        assert all(str(path) in said for path in paths)
        assert not said.endswith(".")
        await driver.press(goes)
        await driver.see_no_more("ended with status")
        assert all(path.read_text() == "written\n" for path in paths)
