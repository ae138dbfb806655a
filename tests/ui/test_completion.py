"""What is offered while a slash command is written: which, where, by which keys, and never in the way of writing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import snapshot
from tests.support.app import configure
from tests.support.app_driver import SIZES, AppDriver, chatting
from tests.support.canned_servers import ollama_answer, questions


def popup_rows(driver: AppDriver) -> int:
    """How many choices are seen."""
    return max(0, driver.region("completion").height - 1)


async def test_a_name_is_completed_and_done() -> None:
    async with chatting() as (driver, server):
        await driver.write("/pre")
        await driver.see(
            r"── 1 of 1 ─+ ↑↓ choose · Enter does it · Tab fills in · Esc closes ──\n›/preset \[NAME\] +Switch to that"
        )
        await driver.press("tab")
        assert driver.composer_text == "/preset "
        await driver.see(r"\n technical +exact and short.*\n creative .*\n chatbot .*\n──")
        await driver.press("enter")
        await driver.see("technical is in use")
        assert driver.composer_text == "/preset ", "nothing is taken that nobody chose"
        await driver.press("down", "down")
        await driver.see(r"\n›creative ")
        await driver.press("tab")
        assert driver.composer_text == "/preset creative"
        await driver.see_no_more("exact and short")
        await driver.press("enter")
        await driver.see("preset creative")
        assert driver.composer_text == ""
        assert questions(server) == []


async def test_enter_does_what_is_marked() -> None:
    async with chatting() as (driver, _):
        await driver.write("/se")
        await driver.see(r"›/search")
        await driver.press("down", "down", "down")
        await driver.see(r"\n›/settings")
        await driver.press("enter")
        await driver.see(r"›temperature")
        assert driver.composer_text == ""
        await driver.press("f2")
        await driver.write("/pre")
        await driver.see("›/preset")
        await driver.press("enter", "down", "down")
        await driver.see(r"\n›creative ")
        await driver.press("enter")
        await driver.see("preset creative")
        assert driver.preset.name == "creative"
        assert driver.composer_text == ""


@pytest.mark.parametrize(
    ("written", "keys", "filled"),
    [("/ren", [], "/rename "), ("/rename", [], "/rename "), ("/set top_k", ["down"], "/set top_k=")],
)
async def test_what_needs_an_argument_is_filled_in_and_waits(
    written: str, keys: list[str], filled: str
) -> None:
    async with chatting() as (driver, server):
        await driver.write(written)
        await driver.see("Enter does it")
        await driver.press(*keys, "enter")
        assert driver.composer_text == filled
        await driver.see_no_more("wants")
        assert questions(server) == []


async def test_enter_does_it_where_another_key_sends() -> None:
    configure('[keys]\nsend = "alt+enter"\n')
    async with chatting() as (driver, _):
        await driver.write("/theme lokal-l")
        await driver.press("down", "enter")
        await driver.see("theme lokal-light")


async def test_a_whole_name_is_done_at_once() -> None:
    async with chatting() as (driver, _):
        await driver.write("/set")
        await driver.see(r"›/set \[NAME=VALUE\]")
        await driver.press("enter")
        await driver.see("What is sent with technical")


async def test_up_and_down_go_round() -> None:
    async with chatting() as (driver, _):
        await driver.write("/")
        await driver.see(r"── 1 of \d+ ─")
        count = len([line for line in driver.screen() if line.startswith((" /", "›/"))])
        assert count == 6
        first = driver.row("^›/")
        await driver.press("up")
        assert driver.row("^›/") != first
        await driver.see(r"── (\d+) of \1 ─")
        await driver.press("down")
        assert driver.row("^›/") == first
        await driver.press(*["down"] * 7)
        await driver.see(r"── 8 of \d+ ─")
        assert driver.row("^›/")


async def test_escape_closes_it_and_stops_no_answer() -> None:
    async with chatting() as (driver, server):
        from tests.support.replay import stalling

        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.write("/pre")
        await driver.see("Tab fills in")
        await driver.press("escape")
        await driver.see_no_more("Tab fills in")
        assert driver.activity
        assert driver.composer_text == "/pre"
        await driver.press("up")
        assert driver.composer_text == "Well?", "the history has its keys again"
        await driver.press("down")
        assert driver.composer_text == "/pre"
        assert not driver.completion_is_open, "what comes from the history is not offered anything"
        await driver.press("tab")
        await driver.see("Tab fills in")
        await driver.press("escape", "escape")
        await driver.see("stopped by you")


async def test_it_is_there_only_for_a_command_in_one_line_with_the_cursor_at_its_end() -> None:
    async with chatting() as (driver, _):
        for keys, shown in (
            (["/"], True),
            (["p"], True),
            (["left"], False),
            (["end"], False),  # nothing was written
            (["r"], True),
            (["backspace"], True),
            (["backspace", "/"], False),
            (["backspace"], True),
            (["ctrl+j"], False),
            (["p"], False),
            (["ctrl+u", "backspace", "r"], True),
            (["f4"], False),
            (["f2"], False),
        ):
            for key in keys:
                if len(key) == 1:
                    await driver.write(key)
                else:
                    await driver.press(key)
            assert driver.completion_is_open is shown, (keys, driver.text())
        driver.fill("")
        await driver.paste("/theme ")
        await driver.see(r"\n lokal-dark")


async def test_the_page_of_keys_and_the_palette_name_slash_commands() -> None:
    async with chatting() as (driver, _):
        await driver.press("f1")
        await driver.press("end")
        await driver.see("While you write a slash command")
        await driver.write("/help")
        await driver.see(r"/help \[COMMAND\] +Show every key")
        await driver.press("escape")
        await driver.press("escape", "ctrl+p")
        await driver.see("Search for commands")
        await driver.write("statist")
        await driver.see(r"Statistics +\(/stats\)")
        await driver.press("enter")
        await driver.see("No answer yet")


async def test_files_are_read_and_taken(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_home / "with [b]odd[b] names"
    folder.mkdir()
    (folder / "chat.json").write_text("[]")
    (folder / "photo.png").touch()
    (own_home / "notes.md").touch()
    monkeypatch.chdir(own_home)
    async with chatting() as (driver, _):
        await driver.write("/import ")
        await driver.see(r"\n with \[b\]odd\[b\] names/ +folder\n notes\.md +0 B\n")
        await driver.write("wi")
        await driver.see_no_more(r"\n notes\.md")
        await driver.press("tab")
        await driver.see(r"\n chat\.json +2 B\n──")
        await driver.press("tab")
        assert driver.composer_text == "/import with [b]odd[b] names/chat.json"
        await driver.press("enter")
        await driver.see("There is no message in")


async def test_tab_before_the_files_are_there(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_home / "notes.md").touch()
    monkeypatch.chdir(own_home)
    monkeypatch.setattr("tui.ui.chat.completion.PATIENCE_S", 60.0)
    async with chatting() as (driver, _):
        await driver.write("/export no\t")
        await driver.until(lambda: driver.composer_text == "/export notes.md", "the file is taken")


@pytest.mark.parametrize("size", [*SIZES, (50, 15)])
async def test_on_the_screen(size: tuple[int, int]) -> None:
    async with chatting(size=size) as (driver, server):
        server.on("/api/chat", ollama_answer("\n\n".join(f"Line {n}." for n in range(40))))
        await driver.ask("Well?")
        await driver.until(lambda: not driver.activity, "the answer is there")
        await driver.write("/set t")
        await driver.press("down", "down")
        await driver.until(lambda: popup_rows(driver) == 6, "six rows are seen")
        await snapshot.check(driver, "completion")


@pytest.mark.parametrize("theme", ["lokal-light", "terminal"])
async def test_in_other_themes(theme: str) -> None:
    async with chatting(theme=theme) as (driver, _):
        await driver.write("/")
        await driver.press("down")
        await snapshot.check(driver, f"{theme}-completion")


async def test_the_chosen_one_stays_in_sight_on_a_smaller_screen() -> None:
    async with chatting() as (driver, _):
        await driver.write("/")
        await driver.press(*["down"] * 5)
        await driver.see("(?m)^›/")
        chosen = driver.row("^›/")
        for size in ((80, 8), (80, 24), (50, 7)):
            await driver.resize(*size)
            await driver.see("(?m)^›" + re.escape(chosen[1:9]))


async def test_the_last_one_stays_in_sight_on_a_larger_screen() -> None:
    async with chatting(size=(50, 8)) as (driver, _):
        await driver.write("/")
        await driver.press("up")
        await driver.see("(?m)^›/")
        last = driver.row("^›/")
        await driver.resize(80, 24)
        assert popup_rows(driver) == 6
        await driver.see("(?m)^›" + re.escape(last[1:9]) + r".*\n──")


async def test_small_screens() -> None:
    async with chatting() as (driver, _):
        await driver.write("/")
        for size in ((50, 15), (40, 8), (20, 6), (10, 4), (1, 1), (200, 60), (80, 24)):
            await driver.resize(*size)
            await driver.press("down")
            assert len(driver.screen()) == size[1]
        assert driver.completion_is_open
        await driver.resize(40, 8)
        await driver.press("backspace")
        await driver.write("/")
        await driver.until(lambda: 1 <= popup_rows(driver) <= 3, "it leaves room for the chat")
        await driver.see(r"\n› /")
