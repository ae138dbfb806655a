"""Walking the messages in the running app: moving by message and code block, folding, looking at one in an editor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.app import configure
from tests.support.canned_servers import ollama_answer
from tests.support.walk import LONG, answered, walked

# -- moving -------------------------------------------------------------------------------------------------------------


async def test_the_cursor_goes_by_message_and_by_code_block() -> None:
    async with walked(ollama_answer("First."), ollama_answer(LONG)) as (driver, _):
        await driver.press("shift+tab")
        await driver.see("There is no message yet")
        await answered(driver, "One?", "First")
        await answered(driver, "Two?", r"Done\.")
        await driver.press("shift+tab")
        await driver.see("message 4 of 4 · 2 code blocks")
        await driver.see(r"›─ llama3\.2:3b · technical")
        await driver.see("c copy  r retry  F1 keys")
        await driver.press("up")
        await driver.see("message 3 of 4 ──")
        await driver.see("›─ you")
        await driver.see("e edit  c copy  F1 keys")
        await driver.press("]")
        await driver.see(r"message 4 of 4 · block \[1\], 40 lines")
        await driver.see(r"› line_0 = 0 +\[1\]")
        await driver.see("┃ line_5 = 5")
        assert "›─" not in driver.text(), "there is one cursor"
        await driver.press("]")
        await driver.see(r"block \[2\], 2 lines")
        await driver.see("c copy  w write  F1 keys")
        await driver.press("]")
        await driver.see("There is no code block below")
        await driver.press("[", "[")
        await driver.see("There is no code block above")
        await driver.press("up")
        await driver.see("message 4 of 4 · 2 code blocks")
        await driver.press("up", "up", "up", "up")
        await driver.see("This is the first message")
        await driver.press("down")
        await driver.see("message 2 of 4")
        await driver.press("shift+tab")
        await driver.see_no_more("message 2 of 4")
        await driver.see(r"scrolled up · Ctrl\+G to the end|^────")


async def test_esc_letters_and_pastes_go_back_to_writing() -> None:
    async with walked(ollama_answer(LONG)) as (driver, _):
        await answered(driver, "One?", r"Done\.")
        await driver.write("a")
        await driver.press("shift+tab", "escape")
        assert driver.focus == "composer"
        assert driver.follows_end, "it was left where it was entered"
        # In one piece, as on a slow line: into the messages, a letter that is no command, and on.
        await driver.write("\x1b[Zxyz")
        assert driver.composer_text == "axyz"
        await driver.write("\x1b[Z\x1b[200~pasted\x1b[201~")
        await driver.see("› axyzpasted")
        await driver.press("shift+tab", "tab")
        assert driver.focus == "composer"
        await driver.see_no_more("message 2 of 2")


async def test_the_palette_and_other_tabs_leave_the_walk_in_order() -> None:
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "f1")
        await driver.see("Among the messages · you are here")
        await driver.press("escape")
        await driver.see("message 2 of 2")
        await driver.press("c")
        await driver.see("4 characters by OSC 52")
        await driver.press("f3", "f2")
        assert driver.focus == "composer"
        await driver.see_no_more("message 2 of 2")


async def test_the_keys_can_be_others() -> None:
    configure(
        '[keys]\n"messages.enter" = "ctrl+e"\n"message.copy" = "y"\n"message.previous" = "k"\n"messages.leave" = "q"\n'
        '"answer.stop" = "ctrl+x"\n'
    )
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("ctrl+e", "k")
        await driver.see("message 1 of 2")
        await driver.press("y")
        await driver.see("4 characters by OSC 52")
        await driver.press("c")
        assert driver.composer_text == "c", "it is no command any more"
        await driver.press("backspace", "ctrl+e", "q")
        assert driver.focus == "composer"


# -- folding ------------------------------------------------------------------------------------------------------------


async def test_long_blocks_and_reasoning_fold() -> None:
    thinking = ollama_answer(LONG, thought="Let me think.\nAnd again.")
    async with walked(thinking) as (driver, _):
        await answered(driver, "Why?", r"Done\.")
        await driver.press("shift+tab", "]", "space")
        await driver.see("… 32 more lines · Space shows them")
        assert "line_8 = 8" not in driver.text()
        await driver.press("space")
        await driver.see("line_8 = 8")
        await driver.press("]", "space")
        await driver.see("This code block is short enough")
        await driver.press("up", "space")
        await driver.see("32 more lines")
        await driver.press("space")
        await driver.see("Let me think")
        await driver.see("line_8 = 8")
        await driver.press("ctrl+o")
        await driver.see("Let me think")
        await driver.press("ctrl+o")
        await driver.see_no_more("Let me think")


async def test_a_long_question_folds_and_a_short_message_says_so() -> None:
    async with walked() as (driver, _):
        question = "\n".join(f"log line {number}" for number in range(50))
        await answered(driver, question, r"Yes\.")
        await driver.press("shift+tab", "space")
        await driver.see("Nothing here is long enough to fold")
        await driver.press("up", "space")
        await driver.see("… 42 more lines · Space shows them")
        await driver.see("log line 7\n")
        await driver.press("c")
        await driver.see(f"{len(question)} characters by OSC 52")


# -- the tree -----------------------------------------------------------------------------------------------------------


async def test_a_message_is_looked_at_in_the_persons_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncat "$1" > {tmp_path}/part && mv {tmp_path}/part {tmp_path}/seen\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab", "v")
        await driver.until(lambda: (tmp_path / "seen").exists(), "the editor has run")
        assert re.match(r"Yes\.\n?$", (tmp_path / "seen").read_text())
        monkeypatch.setenv("VISUAL", "no-such-editor")
        await driver.press("v")
        await driver.see("There is no editor “no-such-editor”")
        await driver.see_no_more("Connected")
