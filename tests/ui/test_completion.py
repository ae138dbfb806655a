"""What is offered while a slash command is written: which, where, by which keys, and never in the way of writing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual import events

from tests.support import snapshot
from tests.support.app import configure
from tests.support.stage import SIZES, Stage, chatting, ollama_answer, questions


def popup_rows(stage: Stage) -> int:
    """How many choices are seen."""
    return stage.app.chat.completion.size.height - 1 if stage.app.chat.completion.display else 0


async def test_a_name_is_completed_and_done() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        await stage.write("/pre")
        await stage.see(
            r"── 1 of 1 ─+ ↑↓ choose · Enter does it · Tab fills in · Esc closes ──\n›/preset \[NAME\] +Switch to that"
        )
        await stage.press("tab")
        assert composer.text == "/preset "
        await stage.see(r"\n technical +exact and short.*\n creative .*\n chatbot .*\n──")
        await stage.press("enter")
        await stage.see("technical is in use")
        assert composer.text == "/preset ", "nothing is taken that nobody chose"
        await stage.press("down", "down")
        await stage.see(r"\n›creative ")
        await stage.press("tab")
        assert composer.text == "/preset creative"
        await stage.see_no_more("exact and short")
        await stage.press("enter")
        await stage.see("preset creative")
        assert composer.text == ""
        assert questions(server) == []


async def test_enter_does_what_is_marked() -> None:
    async with chatting() as (stage, _):
        await stage.write("/se")
        await stage.see(r"›/search")
        await stage.press("down", "down", "down")
        await stage.see(r"\n›/settings")
        await stage.press("enter")
        await stage.see(r"›temperature")
        assert stage.app.chat.composer.text == ""
        await stage.press("f2")
        await stage.write("/pre")
        await stage.see("›/preset")
        await stage.press("enter", "down", "down")
        await stage.see(r"\n›creative ")
        await stage.press("enter")
        await stage.see("preset creative")
        assert stage.app.state.preset.name == "creative"
        assert stage.app.chat.composer.text == ""


@pytest.mark.parametrize(
    ("written", "keys", "filled"),
    [("/ren", [], "/rename "), ("/rename", [], "/rename "), ("/set top_k", ["down"], "/set top_k=")],
)
async def test_what_needs_an_argument_is_filled_in_and_waits(
    written: str, keys: list[str], filled: str
) -> None:
    async with chatting() as (stage, server):
        await stage.write(written)
        await stage.see("Enter does it")
        await stage.press(*keys, "enter")
        assert stage.app.chat.composer.text == filled
        await stage.see_no_more("wants")
        assert questions(server) == []


async def test_enter_does_it_where_another_key_sends() -> None:
    configure('[keys]\nsend = "alt+enter"\n')
    async with chatting() as (stage, _):
        await stage.write("/theme lokal-l")
        await stage.press("down", "enter")
        await stage.see("theme lokal-light")


async def test_a_whole_name_is_done_at_once() -> None:
    async with chatting() as (stage, _):
        await stage.write("/set")
        await stage.see(r"›/set \[NAME=VALUE\]")
        await stage.press("enter")
        await stage.see("What is sent with technical")


async def test_up_and_down_go_round() -> None:
    async with chatting() as (stage, _):
        await stage.write("/")
        await stage.see(r"── 1 of \d+ ─")
        count = len([line for line in stage.screen() if line.startswith((" /", "›/"))])
        assert count == 6
        first = stage.row("^›/")
        await stage.press("up")
        assert stage.row("^›/") != first
        await stage.see(r"── (\d+) of \1 ─")
        await stage.press("down")
        assert stage.row("^›/") == first
        await stage.press(*["down"] * 7)
        await stage.see(r"── 8 of \d+ ─")
        assert stage.row("^›/")


async def test_escape_closes_it_and_stops_no_answer() -> None:
    async with chatting() as (stage, server):
        from tests.support.replay import stalling

        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.write("/pre")
        await stage.see("Tab fills in")
        await stage.press("escape")
        await stage.see_no_more("Tab fills in")
        assert stage.app.chat.doing
        assert stage.app.chat.composer.text == "/pre"
        await stage.press("up")
        assert stage.app.chat.composer.text == "Well?", "the history has its keys again"
        await stage.press("down")
        assert stage.app.chat.composer.text == "/pre"
        assert not stage.app.chat.completion.is_open, "what comes from the history is not offered anything"
        await stage.press("tab")
        await stage.see("Tab fills in")
        await stage.press("escape", "escape")
        await stage.see("stopped by you")


async def test_it_is_there_only_for_a_command_in_one_line_with_the_cursor_at_its_end() -> None:
    async with chatting() as (stage, _):
        popup = stage.app.chat.completion
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
                    await stage.write(key)
                else:
                    await stage.press(key)
            assert popup.is_open is shown, (keys, stage.text())
        stage.app.chat.composer.fill("")
        stage.app.post_message(events.Paste("/theme "))
        await stage.see(r"\n lokal-dark")


async def test_the_page_of_keys_and_the_palette_name_slash_commands() -> None:
    async with chatting() as (stage, _):
        await stage.press("f1")
        await stage.press("end")
        await stage.see("While you write a slash command")
        await stage.write("/help")
        await stage.see(r"/help \[COMMAND\] +Show every key")
        await stage.press("escape")
        await stage.press("escape", "ctrl+p")
        await stage.see("Search for commands")
        await stage.write("statist")
        await stage.see(r"Statistics +\(/stats\)")
        await stage.press("enter")
        await stage.see("No answer yet")


async def test_files_are_read_and_taken(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own_home / "with [b]odd[b] names"
    folder.mkdir()
    (folder / "chat.json").write_text("[]")
    (folder / "photo.png").touch()
    (own_home / "notes.md").touch()
    monkeypatch.chdir(own_home)
    async with chatting() as (stage, _):
        await stage.write("/import ")
        await stage.see(r"\n with \[b\]odd\[b\] names/ +folder\n notes\.md +0 B\n")
        await stage.write("wi")
        await stage.see_no_more(r"\n notes\.md")
        await stage.press("tab")
        await stage.see(r"\n chat\.json +2 B\n──")
        await stage.press("tab")
        assert stage.app.chat.composer.text == "/import with [b]odd[b] names/chat.json"
        await stage.press("enter")
        await stage.see("There is no message in")


async def test_tab_before_the_files_are_there(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own_home / "notes.md").touch()
    monkeypatch.chdir(own_home)
    monkeypatch.setattr("tui.ui.chat.completion.PATIENCE_S", 60.0)
    async with chatting() as (stage, _):
        await stage.write("/export no\t")
        await stage.until(lambda: stage.app.chat.composer.text == "/export notes.md", "the file is taken")


@pytest.mark.parametrize("size", [*SIZES, (50, 15)])
async def test_on_the_screen(size: tuple[int, int]) -> None:
    async with chatting(size=size) as (stage, server):
        server.on("/api/chat", ollama_answer("A line.\n\n" * 40))
        await stage.ask("Well?")
        await stage.until(lambda: not stage.app.chat.doing, "the answer is there")
        await stage.write("/set t")
        await stage.press("down", "down")
        await stage.until(lambda: popup_rows(stage) == 6, "six rows are seen")
        await snapshot.check(stage, "completion")


@pytest.mark.parametrize("theme", ["lokal-light", "terminal"])
async def test_in_other_themes(theme: str) -> None:
    async with chatting(theme=theme) as (stage, _):
        await stage.write("/")
        await stage.press("down")
        await snapshot.check(stage, f"{theme}-completion")


async def test_the_chosen_one_stays_in_sight_on_a_smaller_screen() -> None:
    async with chatting() as (stage, _):
        await stage.write("/")
        await stage.press(*["down"] * 5)
        chosen = stage.row("^›/")
        for size in ((80, 8), (80, 24), (50, 7)):
            await stage.resize(*size)
            await stage.see("(?m)^›" + re.escape(chosen[1:9]))


async def test_small_screens() -> None:
    async with chatting() as (stage, _):
        await stage.write("/")
        for size in ((50, 15), (40, 8), (20, 6), (10, 4), (1, 1), (200, 60), (80, 24)):
            await stage.resize(*size)
            await stage.press("down")
            assert len(stage.screen()) == size[1]
        assert stage.app.chat.completion.is_open
        await stage.resize(40, 8)
        await stage.press("backspace")
        await stage.write("/")
        await stage.until(lambda: 1 <= popup_rows(stage) <= 3, "it leaves room for the chat")
        await stage.see(r"\n› /")
