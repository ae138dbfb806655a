"""Walking the messages in the running app: moving, copying, writing, editing, siblings, branches, deleting and undoing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.app import configure
from tests.support.replay import Canned, Replay, replay, stalling
from tests.support.stage import (
    MODEL,
    NOBODY,
    Stage,
    chats,
    like_ollama,
    ollama_answer,
    options,
    questions,
    running,
)

LONG_CODE = "\n".join(f"line_{number} = {number}" for number in range(40))
LONG = f"Here it is:\n\n```python\n{LONG_CODE}\n```\n\nAnd:\n\n```makefile\nall:\n\tcc a.c\n```\n\nDone."
OTHER = "qwen2.5:7b"


@asynccontextmanager
async def walked(
    *answers: Canned, models: tuple[str, ...] = (MODEL, OTHER)
) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal whose server gives these answers, the last one for ever."""
    async with replay() as server:
        like_ollama(server, *((name, "3.2B", 2_000_000_000) for name in models))
        server.on("/api/chat", *(answers or (ollama_answer("Yes."),)))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            yield stage, server


async def answered(stage: Stage, question: str, last_words: str) -> None:
    """Ask, and wait until the answer is there and done."""
    await stage.ask(question)
    await stage.see(last_words)
    await stage.until(lambda: not stage.app.chat.doing, "the answer is done")


def names_in(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


def contents(stage: Stage) -> list[str]:
    """The texts of the open branch."""
    session = stage.app.chat.session
    assert session is not None
    return [message.content for message in session.conversation.path()]


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
        await stage.see("C copy  R retry  F1 keys")
        await stage.press("up")
        await stage.see("message 3 of 4 ──")
        await stage.see("›─ you")
        await stage.see("E edit  C copy  F1 keys")
        await stage.press("]")
        await stage.see(r"message 4 of 4 · block \[1\], 40 lines")
        await stage.see(r"› line_0 = 0 +\[1\]")
        await stage.see("┃ line_5 = 5")
        assert "›─" not in stage.text(), "there is one cursor"
        await stage.press("]")
        await stage.see(r"block \[2\], 2 lines")
        await stage.see("C copy  W write  F1 keys")
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
        await stage.see(r"reading back · Ctrl\+G to the end|^────")


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
        await stage.see("Everywhere")
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


# -- copying and writing ------------------------------------------------------------------------------------------------


async def test_what_is_copied_is_said() -> None:
    async with walked(ollama_answer(LONG)) as (stage, _):
        await answered(stage, "Why?", r"Done\.")
        for keys, said in (
            (("c",), f"{len(LONG)} characters by OSC 52; the terminal may ignore it · W writes a file"),
            (("1",), f"{len(LONG_CODE)} characters by OSC 52"),
            (("2",), "12 characters by OSC 52"),
            (("3",), r"There is no code block \[3\] in this message: there is \[1\] to \[2\]"),
            (("]", "]", "c"), "12 characters by OSC 52"),
            (("up", "up", "1"), r"There is no code block \[1\] in this message: there is none"),
            (("c",), "4 characters by OSC 52"),
        ):
            if stage.app.chat.walk.mark is None:
                await stage.press("shift+tab")
            await stage.press(*keys)
            await stage.see(said)
        await stage.press("C")
        await stage.see(r"\d{3} characters by OSC 52")


async def test_the_slash_command_copies_the_last_answer() -> None:
    async with walked(ollama_answer(LONG)) as (stage, _):
        stage.app.run_command("copy")
        await stage.see("There is nothing to copy yet")
        await answered(stage, "Why?", r"Done\.")
        for argument, said in (
            ("", f"{len(LONG)} characters by OSC 52; the terminal may ignore it ─"),
            ("2", "12 characters by OSC 52"),
            ("9", r"no code block \[9\]"),
            ("all", r"\d+ characters by OSC 52"),
            ("x", "“x” is no code block: /copy, /copy 2 or /copy all"),
        ):
            stage.app.run_command("copy", argument)
            await stage.see(said)


async def test_a_running_answer_is_copied_as_far_as_it_came() -> None:
    async with walked(stalling(ollama_answer("So far", ended=False))) as (stage, _):
        await stage.ask("Why?")
        await stage.see("So far")
        await stage.press("shift+tab", "c")
        await stage.see("6 characters by OSC 52")
        for key in ("e", "r", "t", "m", "g", "b", "u", "left"):
            await stage.press(key)
            await stage.see("An answer is coming in: Esc in the composer stops it|There is no other answer")
            stage.app.chat.divider.clear_notice()
        await stage.press("w", "escape")
        await stage.see("message 2 of 2")
        await stage.press("escape")
        await stage.see_no_more("message 2 of 2")
        assert stage.app.chat.doing, "the first Esc leaves, the next one stops"
        await stage.press("escape")
        await stage.see("stopped by you")
        await stage.press("shift+tab")
        await stage.see("message 2 of 2")
        await stage.see("G continue  C copy")


async def test_writing_a_file_never_takes_the_place_of_another_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with walked(ollama_answer(LONG)) as (stage, _):
        await answered(stage, "How do I build it?", r"Done\.")
        await stage.write("my draft")
        await stage.press("shift+tab", "]", "]", "w")
        await stage.see(r"block \[2\] to which file\? Enter writes it, Esc leaves it")
        await stage.see("› block-2.mk")
        await stage.press("enter")
        await stage.see(r"13 characters written to .*/block-2\.mk ─")
        assert (tmp_path / "block-2.mk").read_text() == "all:\n\tcc a.c\n"
        await stage.see("› my draft")

        (tmp_path / "block-2.mk").write_text("mine")
        await stage.press("w", "enter")
        await stage.see("There is such a file: Enter again overwrites it, or give another name")
        assert (tmp_path / "block-2.mk").read_text() == "mine"
        await stage.write("2")
        await stage.press("enter")
        await stage.see("characters written to")
        assert (tmp_path / "block-2.mk2").exists()
        assert (tmp_path / "block-2.mk").read_text() == "mine"
        await stage.press("w", "enter")
        await stage.see("There is such a file")
        await stage.press("enter")
        await stage.see("13 characters written to")
        assert (tmp_path / "block-2.mk").read_text() == "all:\n\tcc a.c\n"

        await stage.press("up", "w")
        await stage.see("› How-do-I-build-it.md")
        await stage.press("escape")
        await stage.see("message 2 of 2")
        assert "How-do-I-build-it.md" not in names_in(tmp_path)


async def test_a_file_that_cannot_be_written_is_said_and_can_be_named_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    async with walked() as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab")
        for name, said in (
            ("missing/a.md", "There is no folder"),
            ("folder", "is not a file"),
            ("~nobody-here/a", "There is no ~nobody-here/a"),
            ("/proc/a.md", "Cannot write /proc/a.md"),
            ("x" * 300, "Cannot write"),
        ):
            await stage.press("w")
            await stage.press("ctrl+u")
            await stage.write(name)
            await stage.press("enter")
            await stage.see(said)
            await stage.press("escape")
        await stage.press("w", "ctrl+u", "enter")
        await stage.see("Nothing is written: Esc leaves it as it was")
        await stage.write("~/a.md")
        await stage.press("enter")
        await stage.see("5 characters written to ~/a.md")
        assert (Path.home() / "a.md").read_text() == "Yes.\n"


# -- other questions and answers ----------------------------------------------------------------------------------------


async def test_an_edited_question_is_asked_beside_the_old_one() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        stage,
        server,
    ):
        await answered(stage, "One?", r"First\.")
        await answered(stage, "Two?", r"Second\.")
        await stage.write("my draft")
        await stage.press("shift+tab", "up", "e")
        await stage.see("editing: Enter asks it beside the old one, Esc leaves it")
        await stage.see("› Two\\?")
        await stage.press("enter")
        await stage.see("Nothing was changed: Esc leaves it as it is")
        await stage.press("escape")
        await stage.see("› my draft")
        await stage.press("e")
        await stage.write(" Really?")
        await stage.press("enter")
        await stage.see(r"Third\.")
        assert contents(stage) == ["One?", "First.", "Two? Really?", "Third."]
        assert questions(server)[-1] == "Two? Really?"
        await stage.see("── you ─+ 2/2 ─")
        await stage.see("› my draft")
        assert stage.app.screen.focused is stage.app.chat.composer

        await stage.press("shift+tab", "up", "left")
        await stage.see("›─ you ─+ 1/2 ─")
        assert contents(stage) == ["One?", "First.", "Two?", "Second."]
        await stage.press("left")
        await stage.see("This is the first of 2")
        await stage.press("up", "right")
        await stage.see("There is no other answer in this place")


async def test_an_edited_answer_is_gone_on_with_beside_the_old_one() -> None:
    async with walked(ollama_answer("Red is best."), ollama_answer(" then green.")) as (stage, server):
        await answered(stage, "Colours?", "Red is best")
        await stage.press("shift+tab", "e")
        await stage.see("editing the answer: Enter goes on from it, Esc leaves it")
        await stage.press("ctrl+u")
        await stage.write("Blue,")
        await stage.press("enter")
        await stage.see("Blue, then green")
        await stage.see(r"── llama3\.2:3b · technical · edited ─+ 41 tok/s · 2/2 ─")
        assert "412 tokens" not in stage.row("edited")
        messages = chats(server)[-1]["messages"]
        assert isinstance(messages, list)
        assert {"role": "assistant", "content": "Blue,"} in messages
        assert contents(stage) == ["Colours?", "Blue, then green."]
        await stage.press("shift+tab", "left")
        await stage.see(r"Red is best")
        assert contents(stage) == ["Colours?", "Red is best."]


async def test_other_answers_with_the_next_preset_and_the_next_model() -> None:
    async with walked() as (stage, server):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab", "r")
        await stage.see("2/2")
        await stage.press("shift+tab", "t")
        await stage.see(rf"{MODEL} · creative .* 3/3")
        await stage.see(f"with creative on {MODEL}, this once")
        assert stage.app.desk.preset.name == "technical"
        await stage.press("shift+tab", "t")
        await stage.see(rf"{MODEL} · chatbot .* 4/4")
        assert options(chats(server)[-1])["temperature"] == 0.6
        await stage.press("shift+tab", "m")
        await stage.see(rf"{OTHER} · technical .* 5/5")
        assert chats(server)[-1]["model"] == OTHER
        assert stage.app.desk.model == MODEL
        await stage.press("shift+tab", "up", "r")
        await stage.see(rf"{MODEL} · technical .* 6/6")
        assert questions(server) == ["Why?"] * 6


async def test_where_there_is_no_other_model_or_no_server_it_is_said() -> None:
    async with walked(models=(MODEL,)) as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab", "m")
        await stage.see(f"This server has no other model than {MODEL}")
        await stage.press("g")
        await stage.see("This answer is complete: R asks for another")
        await stage.press("up", "g")
        await stage.see("A question cannot be continued: E edits it")
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await stage.ask("Why?")
        await stage.see("asks again")
        await stage.press("shift+tab", "t")
        await stage.see("No server answers: F8 looks again")
        await stage.press("m")
        await stage.see("No server answers: F8 looks again")


async def test_a_cut_answer_is_continued_and_in_the_middle_beside_itself() -> None:
    cut = ollama_answer("Half", reason="length")
    async with walked(cut, ollama_answer("Next."), ollama_answer(" and whole.")) as (stage, _):
        await answered(stage, "One?", "cut at 512 tokens")
        await answered(stage, "Two?", r"Next\.")
        await stage.press("shift+tab", "up", "up")
        await stage.see("G continue  C copy  F1 keys")
        await stage.press("g")
        await stage.see("Half and whole")
        assert contents(stage) == ["One?", "Half and whole."]
        await stage.see("2/2")
        await stage.press("shift+tab", "left")
        assert contents(stage) == ["One?", "Half", "Two?", "Next."]
        await stage.press("e")
        await stage.write(" a word")
        await stage.press("enter")
        await stage.see("Half a word and whole")


# -- the tree -----------------------------------------------------------------------------------------------------------


async def test_what_was_deleted_comes_back_in_reverse() -> None:
    async with walked(*(ollama_answer(f"Answer {number}.") for number in range(1, 4))) as (stage, _):
        for number in range(1, 4):
            await answered(stage, f"Question {number}?", rf"Answer {number}\.")
        everything = contents(stage)
        session = stage.app.chat.session
        assert session is not None
        before = session.conversation.fingerprint()
        await stage.press("shift+tab", "d")
        await stage.see("Deleted 1 message: U brings it back")
        await stage.see("message 5 of 5")
        await stage.press("up", "up", "d")
        await stage.see("Deleted 3 messages: U brings them back")
        assert contents(stage) == everything[:2]
        await stage.press("up", "d")
        await stage.see("Deleted 2 messages: /undo brings them back")
        assert contents(stage) == []
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.see("Connected")
        for count in (2, 5, 6):
            stage.app.run_command("undo")
            await stage.see("back ──")
            assert contents(stage) == everything[:count]
        assert session.conversation.fingerprint() == before
        stage.app.run_command("undo")
        await stage.see("Nothing was deleted here that could come back")


async def test_deleting_shows_the_sibling_and_undo_shows_what_was_open() -> None:
    async with walked() as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("f5")
        await stage.see("2/2")
        await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
        await stage.press("shift+tab", "d")
        await stage.see("Deleted 1 message: U brings it back")
        assert "2/2" not in stage.text()
        await stage.press("u")
        await stage.see("2/2")
        await stage.see("The message is back")
        await stage.press("up", "d")
        await stage.see("Deleted 3 messages, 1 in other branches: /undo brings them back")


async def test_deleting_stops_what_comes_in_below() -> None:
    async with walked(stalling(ollama_answer("Half", ended=False))) as (stage, _):
        await stage.ask("Why?")
        await stage.see("Half")
        await stage.press("shift+tab", "up", "d")
        await stage.see("Stopped the answer, deleted 2 messages: /undo brings them back")
        assert not stage.app.chat.doing
        stage.app.run_command("undo")
        await stage.see("stopped by you")
        assert contents(stage) == ["Why?", "Half"]


async def test_a_branch_is_a_chat_of_its_own() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        stage,
        _,
    ):
        stage.app.run_command("chat.branch")
        await stage.see("There is nothing to branch from yet")
        await answered(stage, "One?", r"First\.")
        await answered(stage, "Two?", r"Second\.")
        old = stage.app.chat.session
        await stage.press("shift+tab", "up", "up", "b")
        await stage.see("A new chat with 2 messages; the old one stays")
        assert contents(stage) == ["One?", "First."]
        await answered(stage, "Other?", r"Third\.")
        new = stage.app.chat.session
        assert old is not None
        assert new is not None
        assert new.conversation.id != old.conversation.id
        assert [message.content for message in old.conversation.path()] == [
            "One?",
            "First.",
            "Two?",
            "Second.",
        ]
        assert not {message.id for message in old.conversation} & {message.id for message in new.conversation}


async def test_a_message_is_looked_at_in_the_persons_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\ncat "$1" > {tmp_path}/seen\n')
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
