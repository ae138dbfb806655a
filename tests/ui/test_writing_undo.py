"""Undo, redo and emptying: on a long text, in the composer and on the slip over it."""

from __future__ import annotations

import random

import pytest

from tests.support.stage import Stage, chatting
from tests.support.walk import answered, walked
from tests.support.writing import CHIP, PASTE, paste
from tui.ui.chat.chips import ChipArea
from tui.ui.chat.slip import Slip

TEN = "\n".join(f"row {number}" for number in range(1, 11))


def area(stage: Stage) -> ChipArea:
    focused = stage.app.screen.focused
    assert isinstance(focused, ChipArea)
    return focused


async def on_the_slip(stage: Stage) -> None:
    await answered(stage, "One?", r"Yes\.")
    await stage.press("shift+tab", "up", "e", "ctrl+u")
    assert isinstance(area(stage), Slip)


@pytest.mark.parametrize("slip", [False, True])
async def test_undo_and_redo_take_a_text_over_the_height_of_its_place_and_back(slip: bool) -> None:
    async with walked() as (stage, _):
        if slip:
            await on_the_slip(stage)
        await paste(stage, TEN)
        await stage.press("ctrl+z")
        assert area(stage).text == ""
        await stage.press("ctrl+y")
        assert area(stage).text == TEN
        await stage.see("row 10")
        await stage.press("ctrl+u", "ctrl+u")
        assert area(stage).text == ""
        await stage.press("ctrl+z", "ctrl+z")
        assert area(stage).text == TEN
        await stage.press("ctrl+y", "ctrl+y")
        assert area(stage).text == "", "redo takes away again what undo brought back"
        await stage.write("on")
        await stage.see("› on\n")


async def test_undo_line_by_line() -> None:
    async with chatting() as (stage, _):
        await stage.press(*["ctrl+j"] * 10)
        await stage.write("abc")
        for _ in range(11):
            await stage.press("ctrl+z")
        assert area(stage).text == ""
        for _ in range(11):
            await stage.press("ctrl+y")
        assert area(stage).text == "\n" * 10 + "abc"
        assert area(stage).cursor_location == (10, 3)
        await stage.see("abc")


async def test_undo_folds_an_opened_piece_again() -> None:
    async with chatting() as (stage, _):
        await paste(stage, PASTE)
        await stage.press("alt+p", "ctrl+z")
        assert area(stage).text == CHIP
        await stage.press("ctrl+y")
        assert area(stage).text == PASTE


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
    async with chatting() as (stage, _):
        for _ in range(60):
            what = dice.choice(("keys", "paste", "undo", "undo", "redo"))
            if what == "keys":
                await stage.press(*dice.choices(keys, k=4))
            elif what == "paste":
                await paste(stage, dice.choice((TEN, PASTE, "two\nlines", "漢" * 100)))
            else:
                await stage.press(*["ctrl+z" if what == "undo" else "ctrl+y"] * dice.randint(1, 6))
            written = area(stage)
            assert written.wrapped_document.lines
            row, column = written.cursor_location
            assert row < written.document.line_count
            assert column <= len(written.document.get_line(row))


@pytest.mark.parametrize("slip", [False, True])
async def test_the_key_that_takes_a_line_takes_everything_when_it_is_pressed_again(slip: bool) -> None:
    async with walked() as (stage, _):
        if slip:
            await on_the_slip(stage)
        await paste(stage, f"{TEN}\n\n")
        await paste(stage, PASTE)
        whole = area(stage).plain
        await stage.press("ctrl+u")
        assert area(stage).text == f"{TEN}\n\n"
        await stage.see("Ctrl.U again deletes everything")
        await stage.press("ctrl+u")
        assert area(stage).text == ""
        await stage.see("Everything is deleted; Ctrl.Z brings it back")
        await stage.press("ctrl+z")
        assert area(stage).text == f"{TEN}\n\n"
        await stage.press("ctrl+z")
        assert area(stage).plain == whole, "and so does the piece"


@pytest.mark.parametrize("between", [("up",), ("up", "down"), ("x", "backspace"), ("ctrl+z", "end")])
async def test_only_at_once_after_it(between: tuple[str, ...]) -> None:
    async with chatting() as (stage, _):
        await paste(stage, TEN)
        await stage.press("ctrl+u", *between, "ctrl+u")
        assert "row 1\nrow 2\n" in area(stage).text


async def test_a_line_that_is_all_there_is_needs_no_word() -> None:
    async with chatting() as (stage, _):
        await stage.write("one line")
        await stage.press("ctrl+u")
        assert area(stage).text == ""
        assert "again deletes everything" not in stage.text()
