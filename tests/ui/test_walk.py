"""Walking the messages in the running app: moving by message and code block, folding, looking at one in an editor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.app import configure
from tests.support.stage import ollama_answer
from tests.support.walk import LONG, answered, walked

# -- moving -------------------------------------------------------------------------------------------------------------


async def test_the_cursor_goes_by_message_and_by_code_block() -> None:
    async with walked(ollama_answer("First."), ollama_answer(LONG)) as (stage, _):
        await stage.press("shift+tab")
        await stage.see("There is no message yet")
        await answered(stage, "One?", "First")
        await answered(stage, "Two?", r"Done\.")
        await stage.press("shift+tab")
        await stage.see("message 4 of 4 · 2 code blocks")
        await stage.see(r"›─ llama3\.2:3b · technical")
        await stage.see("c copy  r retry  F1 keys")
        await stage.press("up")
        await stage.see("message 3 of 4 ──")
        await stage.see("›─ you")
        await stage.see("e edit  c copy  F1 keys")
        await stage.press("]")
        await stage.see(r"message 4 of 4 · block \[1\], 40 lines")
        await stage.see(r"› line_0 = 0 +\[1\]")
        await stage.see("┃ line_5 = 5")
        assert "›─" not in stage.text(), "there is one cursor"
        await stage.press("]")
        await stage.see(r"block \[2\], 2 lines")
        await stage.see("c copy  w write  F1 keys")
        await stage.press("]")
        await stage.see("There is no code block below")
        await stage.press("[", "[")
        await stage.see("There is no code block above")
        await stage.press("up")
        await stage.see("message 4 of 4 · 2 code blocks")
        await stage.press("up", "up", "up", "up")
        await stage.see("This is the first message")
        await stage.press("down")
        await stage.see("message 2 of 4")
        await stage.press("shift+tab")
        await stage.see_no_more("message 2 of 4")
        await stage.see(r"scrolled up · Ctrl\+G to the end|^────")


async def test_esc_letters_and_pastes_go_back_to_writing() -> None:
    async with walked(ollama_answer(LONG)) as (stage, _):
        await answered(stage, "One?", r"Done\.")
        await stage.write("a")
        await stage.press("shift+tab", "escape")
        assert stage.app.screen.focused is stage.app.chat.composer
        assert stage.app.chat.transcript.following, "it was left where it was entered"
        # In one piece, as on a slow line: into the messages, a letter that is no command, and on.
        await stage.write("\x1b[Zxyz")
        assert stage.app.chat.composer.text == "axyz"
        await stage.write("\x1b[Z\x1b[200~pasted\x1b[201~")
        await stage.see("› axyzpasted")
        await stage.press("shift+tab", "tab")
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.see_no_more("message 2 of 2")


async def test_the_palette_and_other_tabs_leave_the_walk_in_order() -> None:
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", "f1")
        await stage.see("Among the messages · you are here")
        await stage.press("escape")
        await stage.see("message 2 of 2")
        await stage.press("c")
        await stage.see("4 characters by OSC 52")
        await stage.press("f3", "f2")
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.see_no_more("message 2 of 2")


async def test_the_keys_can_be_others() -> None:
    configure(
        '[keys]\n"messages.enter" = "ctrl+e"\n"message.copy" = "y"\n"message.previous" = "k"\n"messages.leave" = "q"\n'
        '"answer.stop" = "ctrl+x"\n'
    )
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("ctrl+e", "k")
        await stage.see("message 1 of 2")
        await stage.press("y")
        await stage.see("4 characters by OSC 52")
        await stage.press("c")
        assert stage.app.chat.composer.text == "c", "it is no command any more"
        await stage.press("backspace", "ctrl+e", "q")
        assert stage.app.screen.focused is stage.app.chat.composer


# -- folding ------------------------------------------------------------------------------------------------------------


async def test_long_blocks_and_reasoning_fold() -> None:
    thinking = ollama_answer(LONG, thought="Let me think.\nAnd again.")
    async with walked(thinking) as (stage, _):
        await answered(stage, "Why?", r"Done\.")
        await stage.press("shift+tab", "]", "space")
        await stage.see("… 32 more lines · Space shows them")
        assert "line_8 = 8" not in stage.text()
        await stage.press("space")
        await stage.see("line_8 = 8")
        await stage.press("]", "space")
        await stage.see("This code block is short enough")
        await stage.press("up", "space")
        await stage.see("32 more lines")
        await stage.press("space")
        await stage.see("Let me think")
        await stage.see("line_8 = 8")
        await stage.press("ctrl+o")
        await stage.see("Let me think")
        await stage.press("ctrl+o")
        await stage.see_no_more("Let me think")


async def test_a_long_question_folds_and_a_short_message_says_so() -> None:
    async with walked() as (stage, _):
        question = "\n".join(f"log line {number}" for number in range(50))
        await answered(stage, question, r"Yes\.")
        await stage.press("shift+tab", "space")
        await stage.see("Nothing here is long enough to fold")
        await stage.press("up", "space")
        await stage.see("… 42 more lines · Space shows them")
        await stage.see("log line 7\n")
        await stage.press("c")
        await stage.see(f"{len(question)} characters by OSC 52")


# -- the tree -----------------------------------------------------------------------------------------------------------


async def test_a_message_is_looked_at_in_the_persons_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncat "$1" > {tmp_path}/part && mv {tmp_path}/part {tmp_path}/seen\n')
    editor.chmod(0o755)
    monkeypatch.setenv("VISUAL", str(editor))
    async with walked() as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab", "v")
        await stage.until(lambda: (tmp_path / "seen").exists(), "the editor has run")
        assert re.match(r"Yes\.\n?$", (tmp_path / "seen").read_text())
        monkeypatch.setenv("VISUAL", "no-such-editor")
        await stage.press("v")
        await stage.see("There is no editor “no-such-editor”")
        await stage.see_no_more("Connected")
