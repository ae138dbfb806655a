"""Copying what the message cursor is at, and writing it to a file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.support.canned_servers import ollama_answer
from tests.support.replay import stalling
from tests.support.walk import LONG, LONG_CODE, answered, walked


def names_in(folder: Path) -> list[str]:
    """What is in a folder."""
    return [path.name for path in folder.iterdir()]


async def test_what_is_copied_is_said() -> None:
    async with walked(ollama_answer(LONG)) as (driver, _):
        await answered(driver, "Why?", r"Done\.")
        for keys, said in (
            (("c",), f"{len(LONG)} characters by OSC 52; the terminal may ignore it · w writes a file"),
            (("1",), f"{len(LONG_CODE)} characters by OSC 52"),
            (("2",), "12 characters by OSC 52"),
            (("3",), r"There is no code block \[3\] in this message: there is \[1\] to \[2\]"),
            (("]", "]", "c"), "12 characters by OSC 52"),
            (("up", "up", "1"), r"There is no code block in this message ─"),
            (("c",), "4 characters by OSC 52"),
        ):
            if driver.cursor is None:
                await driver.press("shift+tab")
            await driver.press(*keys)
            await driver.see(said)
        await driver.press("C")
        await driver.see(r"\d{3} characters by OSC 52")


async def test_the_slash_command_copies_the_last_answer() -> None:
    async with walked(ollama_answer(LONG)) as (driver, _):
        driver.run_command("copy")
        await driver.see("There is nothing to copy yet")
        await answered(driver, "Why?", r"Done\.")
        for argument, said in (
            ("", f"{len(LONG)} characters by OSC 52; the terminal may ignore it ─"),
            ("2", "12 characters by OSC 52"),
            ("9", r"no code block \[9\]"),
            ("all", r"\d+ characters by OSC 52"),
            ("x", "“x” is no code block: /copy, /copy 2 or /copy all"),
        ):
            driver.run_command("copy", argument)
            await driver.see(said)


async def test_the_text_that_was_copied_last_is_the_one_on_the_clipboard() -> None:
    async with walked() as (driver, _):
        gate, made = threading.Event(), list[str]()

        def first() -> str:
            gate.wait(60)
            made.append("first")
            return "the first one"

        def second() -> str:
            made.append("second")
            return "the second"

        driver.copy(first)
        driver.copy(second)
        await driver.settle()
        assert made == [], "one waits for the other"
        gate.set()
        await driver.see("10 characters by OSC 52")
        assert made == ["first", "second"]


async def test_a_running_answer_is_copied_as_far_as_it_came() -> None:
    async with walked(stalling(ollama_answer("So far", ended=False))) as (driver, _):
        await driver.ask("Why?")
        await driver.see("So far")
        await driver.press("shift+tab", "c")
        await driver.see("6 characters by OSC 52")
        for key in ("e", "r", "t", "m", "g", "b", "u", "left"):
            await driver.press(key)
            await driver.see("An answer is coming in: Esc in the composer stops it|There is no other answer")
            driver.clear_notice()
        await driver.press("w", "escape")
        await driver.see("message 2 of 2")
        await driver.press("escape")
        await driver.see_no_more("message 2 of 2")
        assert driver.activity, "the first Esc leaves, the next one stops"
        await driver.press("escape")
        await driver.see("stopped by you")
        await driver.press("shift+tab")
        await driver.see("message 2 of 2")
        await driver.see("g continue  c copy")


async def test_writing_a_file_never_takes_the_place_of_another_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with walked(ollama_answer(LONG)) as (driver, _):
        await answered(driver, "How do I build it?", r"Done\.")
        await driver.write("my draft")
        await driver.press("shift+tab", "]", "]", "w")
        await driver.see(r"block \[2\] to which file\? Enter writes it, Esc leaves it")
        await driver.see("› block-2.mk")
        await driver.press("enter")
        await driver.see(r"13 characters written to .*/block-2\.mk ─")
        assert (tmp_path / "block-2.mk").read_text() == "all:\n\tcc a.c\n"
        await driver.see("› my draft")

        (tmp_path / "block-2.mk").write_text("mine")
        await driver.press("w", "enter")
        await driver.see("The file exists: Enter again overwrites it, or give another name")
        assert (tmp_path / "block-2.mk").read_text() == "mine"
        await driver.write("2")
        await driver.press("enter")
        await driver.see("characters written to")
        assert (tmp_path / "block-2.mk2").exists()
        assert (tmp_path / "block-2.mk").read_text() == "mine"
        await driver.press("w", "enter")
        await driver.see("The file exists")
        await driver.press("enter")
        await driver.see("13 characters written to")
        assert (tmp_path / "block-2.mk").read_text() == "all:\n\tcc a.c\n"

        await driver.press("up", "w")
        await driver.see("› How-do-I-build-it.md")
        await driver.press("escape")
        await driver.see("message 2 of 2")
        assert "How-do-I-build-it.md" not in names_in(tmp_path)


async def test_a_file_that_cannot_be_written_is_said_and_can_be_named_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab")
        for name, said in (
            ("missing/a.md", "There is no folder"),
            ("folder", "is not a file"),
            ("~nobody-here/a", "There is no ~nobody-here/a"),
            ("/proc/a.md", "Cannot write /proc/a.md"),
            ("x" * 300, "Cannot write"),
        ):
            await driver.press("w")
            await driver.press("ctrl+u")
            await driver.write(name)
            await driver.press("enter")
            await driver.see(said)
            await driver.press("escape")
        await driver.press("w", "ctrl+u", "enter")
        await driver.see("Nothing is written: Esc leaves it as it was")
        await driver.write("~/a.md")
        await driver.press("enter")
        await driver.see("5 characters written to ~/a.md")
        assert (Path.home() / "a.md").read_text() == "Yes.\n"
