"""An edit of a message in the person's own editor, and what else the inline input's keys do."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.app import configure
from tests.support.canned_servers import ollama_answer
from tests.support.editor import editor
from tests.support.replay import stalling
from tests.support.walk import answered, walked
from tests.support.writing import CHIP, PASTE


def found(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


@pytest.mark.parametrize(
    ("keys", "asked"),
    [
        (("shift+tab", "up", "e"), ["One? And two?", "Yes."]),
        (("shift+tab", "e"), ["One?", "Yes. And two?Yes."]),
    ],
)
async def test_an_edit_goes_on_in_the_editor(
    keys: tuple[str, ...], asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'printf "%s And two?" "$(cat "$1")" > "$1"'))
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press(*keys, "alt+e")
        await driver.see("Back from the editor; Enter takes it")
        assert driver.focus == "edit"
        assert driver.composer_text == "", "the draft is another text"
        after = driver.edit_text
        await driver.press("ctrl+z")
        assert after.startswith(f"{driver.edit_text} And"), "one undo takes back what the editor did"
        await driver.press("ctrl+y", "enter")
        await driver.until(lambda: driver.messages == asked, "it is handed in")


async def test_the_palette_takes_the_edit_to_the_editor_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'echo more >> "$1"'))
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.write("draft")
        await driver.press("shift+tab", "up", "e")
        await driver.paste(PASTE)
        driver.run_command("editor")
        await driver.until(lambda: driver.edit_text == f"One?{CHIP}\nmore", "the piece is one again")
        assert driver.composer_text == "draft"


@pytest.mark.parametrize(
    ("does", "words", "kept"),
    [
        (": > $1", r"The editor left an empty file\. Ctrl\+U twice", False),
        ("exit 3", r"an editor ended with\s+status 3", False),
        ("true", "Nothing was changed in the editor", False),
        ("echo written > $1; exit 1", r"What it wrote is\s+kept", True),
        ("printf '\\351t\\351' > $1", "is not UTF-8", True),
    ],
)
async def test_an_editor_that_fails_leaves_the_edit(
    does: str, words: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, f'set -- "$1"; {does}'.replace("$1;", '"$1";')))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "up", "e")
        await driver.write(" Or")
        await driver.press("alt+e")
        await driver.see(words)
        assert driver.edit_text == "One? Or"
        await driver.write(" two?")
        await driver.press("enter")
        await driver.until(lambda: driver.messages[:1] == ["One? Or two?"], "it is asked")
    assert bool(found(tmp_path, "lokal-*/draft.md")) is kept


async def test_an_edit_that_was_left_before_the_editor_began_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = tmp_path / "gate"
    monkeypatch.setenv("VISUAL", editor(tmp_path, f'cat "{gate}" > "$1"'))
    os.mkfifo(gate)
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "up", "e", "alt+e", "escape")
        assert not driver.region("edit")
        await asyncio.to_thread(gate.write_text, "Two?\n")
        await driver.see("The edit is kept: e goes on with it")
        await driver.press("e")
        assert driver.edit_text == "Two?"


async def test_a_file_name_does_not_go_to_the_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", editor(tmp_path, 'echo changed > "$1"'))
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "w")
        name = driver.edit_text
        await driver.press("alt+e")
        await driver.see("A file's name is one line: it is written here")
        assert driver.edit_text == name


async def test_a_key_of_the_composer_writes_nothing_on_the_slip() -> None:
    configure('[keys]\n"history.search" = "alt+h"\n')
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "up", "e")
        await driver.write("\x1bh")
        assert driver.edit_text == "One?"


async def test_the_key_line_says_what_enter_does() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.see("Enter send")
        await driver.press("shift+tab", "w")
        await driver.see("Enter write  Esc back")
        await driver.press("escape", "e")
        await driver.see("Enter go on  Esc back")
        await driver.press("escape", "up", "e")
        await driver.see("Enter ask  Esc back")
        await driver.press("escape", "escape", "ctrl+r")
        await driver.see("Enter take ")
        await driver.press("escape")
        await driver.see("Enter send")


@pytest.mark.parametrize("keys", [("r",), ("f5",), ("t",)])
async def test_a_word_on_the_answers_that_there_were_goes_when_another_is_asked_for(
    keys: tuple[str, ...],
) -> None:
    async with walked() as (driver, server):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "left")
        await driver.see("There is no other answer in this place")
        server.on("/api/chat", stalling(ollama_answer("So far", ended=False)))
        await driver.press(*keys)
        await driver.see("So far")
        assert "There is no other" not in driver.text()


async def test_a_word_on_one_key_goes_with_the_next() -> None:
    async with walked(ollama_answer("```sh\n" + "ls\n" * 40 + "```\nDone.")) as (driver, _):
        await answered(driver, "One?", r"Done\.")
        await driver.press("shift+tab", "left")
        await driver.see("There is no other answer in this place")
        await driver.press("space")
        await driver.see("message 2 of 2")
        await driver.press("up", "e", "enter")
        await driver.see("Nothing was changed")
        await driver.write("!")
        await driver.press("enter")
        await driver.see("2/2")
        assert "Nothing was changed" not in driver.text()
