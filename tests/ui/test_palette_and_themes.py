"""What lies around the chat: the palette of commands, themes, small and large screens."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.color import Color

from tests.support.app_driver import AppDriver, chatting, running
from tests.support.canned_servers import MODEL, like_ollama, ollama_answer, questions
from tests.support.replay import replay, stalling
from tests.support.sample import MARKDOWN, THOUGHT

SLOWLY = stalling(ollama_answer("Slowly", ended=False))


def _has_top_line(driver: AppDriver, there: bool) -> bool:
    return driver.screen()[0].startswith(" lokal") is there


# -- the palette --------------------------------------------------------------------------------------------------------


async def test_palette_entries_do_what_they_say() -> None:
    async with chatting() as (driver, _):
        for text, seen in (
            ("creative", "Preset +creative"),
            ("theme: lokal-light", "theme lokal-light"),
            (f"model: {MODEL}", f"model {MODEL}"),
            ("settings", r"›temperature +0\.85"),
        ):
            await driver.press("ctrl+p")
            await driver.see("Search for commands")
            await driver.write(text)
            await driver.see_no_more("Stop at once and keep what came")
            await driver.press("enter")
            await driver.see(seen)
            assert not driver.pages


async def test_every_palette_entry_runs() -> None:
    async with chatting() as (driver, _):
        offers = await driver.palette_commands()
        titles = [title for title, _ in offers]
        assert any(title.startswith("Next preset") for title in titles)
        assert {f"Preset: {name}" for name in ("technical", "creative", "chatbot")} < set(titles)
        for title, run in offers:
            if title.startswith("Quit"):
                continue
            run()
            await driver.settle()
            while driver.pages:
                await driver.press("escape")
        await driver.press("f2")
        await driver.see("The guide")  # which was asked for last
        await driver.press("f8")
        await driver.see("Connected")


async def open_palette(driver: AppDriver, text: str) -> None:
    await driver.press("ctrl+p")
    await driver.see("Search for commands")
    await driver.write(text)
    await driver.see_no_more("Stop at once and keep what came")


@pytest.mark.parametrize("keys", ["\r\r", "\r\r\r", "\x1b\x1b"])
async def test_of_keys_in_one_piece_the_first_leaves_the_palette(keys: str) -> None:
    async with chatting() as (driver, _):
        await open_palette(driver, "next preset")
        await driver.write(keys)
        await driver.until(lambda: not driver.pages, "the palette is left")
        await driver.settle()
        names = [preset.name for preset in driver.presets]
        assert driver.preset.name == names[1 if keys[0] == "\r" else 0], "it runs once"
        await driver.write("still here")
        assert driver.composer_text == "still here"


async def test_several_lines_in_the_palette_choose_nothing() -> None:
    async with chatting() as (driver, _):
        await open_palette(driver, "next\rpreset\r")
        await driver.see("^ next preset")
        await driver.write("\x15")
        await driver.paste("\nthe next\n preset\n")
        await driver.see(" the next preset")
        assert driver.pages == 1


async def test_keys_in_the_palette_count_in_their_order() -> None:
    async with chatting() as (driver, _):
        await open_palette(driver, "wrong\x15nexd\x7ft\x1b[D\x1b[Dy")
        await driver.see("Nothing matches “neyxt”")


@pytest.mark.parametrize("keys", ["\x1b\x1b\x1b", "\r\r", "\x1bOP\x1bOP\x1bOP", "\x1bOP\x1b\x1b"])
async def test_of_keys_in_one_piece_the_first_leaves_a_page(keys: str) -> None:
    async with chatting() as (driver, server):
        await driver.press("f1")
        await driver.see("Esc back")
        await driver.write(keys)
        await driver.until(lambda: not driver.pages, "the page is left")
        await driver.write("still here")
        await driver.see("still here")
        assert questions(server) == []


async def test_several_lines_are_looked_for_in_the_keys() -> None:
    async with chatting() as (driver, _):
        await driver.press("f1")
        await driver.write("new\rchat\r")
        await driver.see("Keys  new chat ▏")


async def test_a_palette_without_a_match_says_so_and_enter_does_nothing() -> None:
    async with chatting() as (driver, _):
        await driver.press("ctrl+p")
        await driver.see("Search for commands")
        await driver.write("quitz")
        await driver.see("Nothing matches “quitz”")
        await driver.see_no_more("Stop at once and keep what came")
        await driver.write("[b]")
        await driver.see(r"Nothing matches “quitz\[b\]”")
        await driver.see("Esc goes back")
        await driver.press("enter")
        await driver.see_no_more("Nothing matches")
        assert not driver.pages
        await driver.press("ctrl+p")
        await driver.write("quit")
        await driver.see("Save and leave")
        await driver.see_no_more("Nothing matches")


async def test_what_looks_like_markup_in_a_preset_is_text_in_the_palette() -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "presets"
    folder.mkdir(parents=True)
    (folder / "[b]odd.toml").write_text('description = "[red]for [/x] brackets"\n', encoding="utf-8")
    async with running() as driver:
        await driver.see("No server answers")
        await driver.press("ctrl+p")
        await driver.write("odd")
        await driver.see(r"Preset: \[b\]odd")
        await driver.see(r"\[red\]for \[/x\] brackets")
        await driver.press("enter")
        await driver.see(r"\n \[b\]odd · no server")


# -- themes -------------------------------------------------------------------------------------------------------------


async def test_switching_the_theme_redraws_everything_and_is_remembered() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(MARKDOWN, thought=THOUGHT))
        await driver.ask("Well?")
        await driver.see("412 tokens|closes it")
        await driver.press("f4", "f3", "f2")
        await driver.write("draft")
        for name in ("lokal-light", "high-contrast", "terminal", "lokal-dark", "lokal-light"):
            await driver.press("f9")
            await driver.see(f"theme {name}")
            for key in ("f4", "f3", "f1", "f2"):
                await driver.press(key)
                grounds = {
                    (segment.style.bgcolor or Color.default()).name
                    for line in driver.lines()
                    for segment in line
                    if segment.style
                }
                known = {
                    (style.bgcolor or Color.default()).name
                    for style in map(driver.palette.__getitem__, ("background", "cursor_line", "selection"))
                }
                assert grounds <= known, f"{name}, {key}: {grounds - known} is of another theme"
                if key == "f1":
                    await driver.press("escape")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert config.read_text(encoding="utf-8") == 'theme = "lokal-light"\n'


async def test_without_colours_there_is_nothing_to_switch() -> None:
    async with replay() as server, running(like_ollama(server).url, environ={"NO_COLOR": "1"}) as driver:
        await driver.see("Connected")
        await driver.press("f9")
        await driver.see("NO_COLOR is set")
        assert driver.theme == "terminal"
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert not config.exists(), "the theme for a terminal with colours is not touched"


# -- small and large screens --------------------------------------------------------------------------------------------


async def test_low_screens_do_without_the_top_line_and_say_the_model_below() -> None:
    async with chatting() as (driver, _):
        assert driver.screen()[0].startswith(" lokal   Chat")
        for rows, there in ((20, True), (19, False), (24, True), (10, False)):
            await driver.resize(80, rows)
            await driver.until(partial(_has_top_line, driver, there), f"the title bar at {rows}")
            assert (MODEL in driver.screen()[-1]) is not there


async def test_the_instrument_line_keeps_what_matters() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", SLOWLY)
        await driver.ask("Well?")
        await driver.see("Slowly")
        for width in range(30, 130, 7):
            await driver.resize(width, 24)
            line = driver.screen()[-1]
            assert cell_len(line) <= width
            assert line.startswith(" answering"), (width, line)
            assert "Esc stop" in line, (width, line)
        await driver.press("escape")
        await driver.resize(130, 24)
        await driver.see(
            "technical · temp 0.4 · top_p 0.8 · ctx ~14 of 8k +F6 continue +Ctrl.T preset  F1 keys"
        )


async def test_a_wait_for_the_first_token_is_said_where_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Yes."))
        monkeypatch.setattr("tui.ui.status_bar.NOTICED_S", 0.0)
        await driver.ask("Well?")
        await driver.see(r"Yes\.")
        await driver.resize(130, 24)
        await driver.see(r" · first token \d+\.\d s ")
        await driver.resize(80, 24)
        await driver.see_no_more("first token")


async def test_no_size_breaks_anything() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(MARKDOWN))
        await driver.ask("Well?")
        await driver.see("412 tokens|closes it")
        for size in ((20, 6), (200, 60), (1, 1), (7, 3), (300, 10), (80, 24)):
            for key in ("f3", "f4", "f1", "escape", "f2"):
                await driver.press(key)
                await driver.resize(*size)
                assert len(driver.screen()) == size[1]
                assert all(cell_len(line) <= size[0] for line in driver.screen())
        await driver.see("closes it")
