"""Undo, redo and emptying: on a long text, in the composer and on the inline input over it."""

from __future__ import annotations

import random

import pytest

from tests.support.app_driver import AppDriver, chatting
from tests.support.walk import answered, walked
from tests.support.writing import CHIP, PASTE

TEN = "\n".join(f"row {number}" for number in range(1, 11))


async def on_the_slip(driver: AppDriver) -> None:
    await answered(driver, "One?", r"Yes\.")
    await driver.press("shift+tab", "up", "e", "ctrl+u")
    assert driver.focus == "edit"


@pytest.mark.parametrize("slip", [False, True])
async def test_undo_and_redo_take_a_text_over_the_height_of_its_place_and_back(slip: bool) -> None:
    async with walked() as (driver, _):
        if slip:
            await on_the_slip(driver)
        await driver.paste(TEN)
        await driver.press("ctrl+z")
        assert driver.focused_text == ""
        await driver.press("ctrl+y")
        assert driver.focused_text == TEN
        await driver.see("row 10")
        await driver.press("ctrl+u", "ctrl+u")
        assert driver.focused_text == ""
        await driver.press("ctrl+z", "ctrl+z")
        assert driver.focused_text == TEN
        await driver.press("ctrl+y", "ctrl+y")
        assert driver.focused_text == "", "redo takes away again what undo brought back"
        await driver.write("on")
        await driver.see("› on\n")


async def test_undo_line_by_line() -> None:
    async with chatting() as (driver, _):
        await driver.press(*["ctrl+j"] * 10)
        await driver.write("abc")
        for _ in range(11):
            await driver.press("ctrl+z")
        assert driver.focused_text == ""
        for _ in range(11):
            await driver.press("ctrl+y")
        assert driver.focused_text == "\n" * 10 + "abc"
        assert driver.text_cursor == (10, 3)
        await driver.see("abc")


async def test_undo_folds_an_opened_piece_again() -> None:
    async with chatting() as (driver, _):
        await driver.paste(PASTE)
        await driver.press("alt+p", "ctrl+z")
        assert driver.focused_text == CHIP
        await driver.press("ctrl+y")
        assert driver.focused_text == PASTE


@pytest.mark.parametrize("seed", range(3))
async def test_undo_and_redo_after_edits_of_all_kinds(seed: int) -> None:
    dice = random.Random(seed)
    keys = (
        "ctrl+j",
        "backspace",
        "ctrl+u",
        "ctrl+k",
        "ctrl+w",
        "up",
        "left",
        "shift+up",
        "delete",
        "a",
        " ",
        "alt+p",
    )
    async with chatting() as (driver, _):
        for _ in range(60):
            what = dice.choice(("keys", "paste", "undo", "undo", "redo"))
            if what == "keys":
                await driver.press(*dice.choices(keys, k=4))
            elif what == "paste":
                await driver.paste(dice.choice((TEN, PASTE, "two\nlines", "漢" * 100)))
            else:
                await driver.press(*["ctrl+z" if what == "undo" else "ctrl+y"] * dice.randint(1, 6))
            lines = driver.focused_text.split("\n")
            row, column = driver.text_cursor
            assert row < len(lines)
            assert column <= len(lines[row])
            assert driver.region("composer").height > 0


@pytest.mark.parametrize("slip", [False, True])
async def test_the_key_that_takes_a_line_takes_everything_when_it_is_pressed_again(slip: bool) -> None:
    async with walked() as (driver, _):
        if slip:
            await on_the_slip(driver)
        await driver.paste(f"{TEN}\n\n")
        await driver.paste(PASTE)
        whole = driver.focused_plain
        await driver.press("ctrl+u")
        assert driver.focused_text == f"{TEN}\n\n"
        await driver.see("Ctrl.U again deletes everything")
        await driver.press("ctrl+u")
        assert driver.focused_text == ""
        await driver.see("Everything is deleted; Ctrl.Z brings it back")
        await driver.press("ctrl+z")
        assert driver.focused_text == f"{TEN}\n\n"
        await driver.press("ctrl+z")
        assert driver.focused_plain == whole, "and so does the piece"


@pytest.mark.parametrize("between", [("up",), ("up", "down"), ("x", "backspace"), ("ctrl+z", "end")])
async def test_only_at_once_after_it(between: tuple[str, ...]) -> None:
    async with chatting() as (driver, _):
        await driver.paste(TEN)
        await driver.press("ctrl+u", *between, "ctrl+u")
        assert "row 1\nrow 2\n" in driver.focused_text


async def test_a_line_that_is_all_there_is_needs_no_word() -> None:
    async with chatting() as (driver, _):
        await driver.write("one line")
        await driver.press("ctrl+u")
        assert driver.focused_text == ""
        assert "again deletes everything" not in driver.text()
