"""Undo, redo and emptying: on a long text, in the composer and on the slip over it."""

from __future__ import annotations

import random

import pytest

from tests.support.app_driver import AppDriver, chatting
from tests.support.walk import answered, walked
from tests.support.writing import CHIP, PASTE, paste
from tui.ui.chat.chips import ChipArea
from tui.ui.chat.slip import Slip

TEN = "\n".join(f"row {number}" for number in range(1, 11))


def area(driver: AppDriver) -> ChipArea:
    focused = driver.app.screen.focused
    assert isinstance(focused, ChipArea)
    return focused


async def on_the_slip(driver: AppDriver) -> None:
    await answered(driver, "One?", r"Yes\.")
    await driver.press("shift+tab", "up", "e", "ctrl+u")
    assert isinstance(area(driver), Slip)


@pytest.mark.parametrize("slip", [False, True])
async def test_undo_and_redo_take_a_text_over_the_height_of_its_place_and_back(slip: bool) -> None:
    async with walked() as (driver, _):
        if slip:
            await on_the_slip(driver)
        await paste(driver, TEN)
        await driver.press("ctrl+z")
        assert area(driver).text == ""
        await driver.press("ctrl+y")
        assert area(driver).text == TEN
        await driver.see("row 10")
        await driver.press("ctrl+u", "ctrl+u")
        assert area(driver).text == ""
        await driver.press("ctrl+z", "ctrl+z")
        assert area(driver).text == TEN
        await driver.press("ctrl+y", "ctrl+y")
        assert area(driver).text == "", "redo takes away again what undo brought back"
        await driver.write("on")
        await driver.see("› on\n")


async def test_undo_line_by_line() -> None:
    async with chatting() as (driver, _):
        await driver.press(*["ctrl+j"] * 10)
        await driver.write("abc")
        for _ in range(11):
            await driver.press("ctrl+z")
        assert area(driver).text == ""
        for _ in range(11):
            await driver.press("ctrl+y")
        assert area(driver).text == "\n" * 10 + "abc"
        assert area(driver).cursor_location == (10, 3)
        await driver.see("abc")


async def test_undo_folds_an_opened_piece_again() -> None:
    async with chatting() as (driver, _):
        await paste(driver, PASTE)
        await driver.press("alt+p", "ctrl+z")
        assert area(driver).text == CHIP
        await driver.press("ctrl+y")
        assert area(driver).text == PASTE


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
                await paste(driver, dice.choice((TEN, PASTE, "two\nlines", "漢" * 100)))
            else:
                await driver.press(*["ctrl+z" if what == "undo" else "ctrl+y"] * dice.randint(1, 6))
            written = area(driver)
            assert written.wrapped_document.lines
            row, column = written.cursor_location
            assert row < written.document.line_count
            assert column <= len(written.document.get_line(row))


@pytest.mark.parametrize("slip", [False, True])
async def test_the_key_that_takes_a_line_takes_everything_when_it_is_pressed_again(slip: bool) -> None:
    async with walked() as (driver, _):
        if slip:
            await on_the_slip(driver)
        await paste(driver, f"{TEN}\n\n")
        await paste(driver, PASTE)
        whole = area(driver).plain
        await driver.press("ctrl+u")
        assert area(driver).text == f"{TEN}\n\n"
        await driver.see("Ctrl.U again deletes everything")
        await driver.press("ctrl+u")
        assert area(driver).text == ""
        await driver.see("Everything is deleted; Ctrl.Z brings it back")
        await driver.press("ctrl+z")
        assert area(driver).text == f"{TEN}\n\n"
        await driver.press("ctrl+z")
        assert area(driver).plain == whole, "and so does the piece"


@pytest.mark.parametrize("between", [("up",), ("up", "down"), ("x", "backspace"), ("ctrl+z", "end")])
async def test_only_at_once_after_it(between: tuple[str, ...]) -> None:
    async with chatting() as (driver, _):
        await paste(driver, TEN)
        await driver.press("ctrl+u", *between, "ctrl+u")
        assert "row 1\nrow 2\n" in area(driver).text


async def test_a_line_that_is_all_there_is_needs_no_word() -> None:
    async with chatting() as (driver, _):
        await driver.write("one line")
        await driver.press("ctrl+u")
        assert area(driver).text == ""
        assert "again deletes everything" not in driver.text()
