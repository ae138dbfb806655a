"""The app around the chat: keys and where they are shown, presets, tabs, the palette, themes, notices, small screens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.color import Color

from tests.support.app import configure
from tests.support.replay import Replay, replay, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.stage import MODEL, Stage, chats, like_ollama, ollama_answer, options, questions, running
from tui.core.commands import COMMANDS
from tui.ui.divider import Divider
from tui.ui.help import key_page
from tui.ui.palette_commands import Commands

SLOWLY = stalling(ollama_answer("Slowly", ended=False))


@asynccontextmanager
async def chatting(
    size: tuple[int, int] = (80, 24), theme: str = "lokal-dark"
) -> AsyncIterator[tuple[Stage, Replay]]:
    """A connected lokal whose server answers `Yes.` to everything."""
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer("Yes."))
        async with running(server.url, size=size, theme=theme) as stage:
            await stage.see("ctx 0 of 8k")
            yield stage, server


def _has_style(stage: Stage, text: str, style: str) -> bool:
    return stage.style_of(text) == style


def _has_top_line(stage: Stage, there: bool) -> bool:
    return stage.screen()[0].startswith(" lokal") is there


# -- keys ---------------------------------------------------------------------------------------------------------------


async def test_other_keys_are_shown_everywhere_and_used() -> None:
    configure(
        '[keys]\n"preset.next" = "f7"\n"help" = "f12"\n"answer.stop" = "ctrl+x"\n"answer.retry" = "ctrl+r"\n'
        '"answer.continue" = "ctrl+y"\n"tab.settings" = "ctrl+e"\n"palette" = "f10"\n"quit" = "ctrl+d"\n'
        '"reasoning.toggle" = "f11"\n"scroll.end" = "ctrl+l"\n"preset.1" = "ctrl+1"\n'
    )
    async with chatting() as (stage, server):
        await stage.see("F7 another preset")
        await stage.see(r"Ctrl\+E what temperature")
        await stage.see("F12 every key")
        await stage.see("Enter send  F7 preset  F12 keys")

        await stage.press("ctrl+t")
        assert stage.app.desk.preset.name == "technical", "Ctrl+T was given away"
        await stage.press("f7")
        await stage.see("Preset +creative")

        server.on("/api/chat", stalling(ollama_answer("Half", thought="Hm.", ended=False)))
        await stage.ask("Well?")
        await stage.see("Half")
        await stage.see(r"\^X stop")
        await stage.see("F11 shows it")
        await stage.press("f11")
        await stage.see("F11 folds it")
        await stage.write("next")
        await stage.press("enter")
        await stage.see(r"Ctrl\+X stops it")
        await stage.press("escape")
        assert stage.app.chat.doing, "Esc was given away"
        await stage.press("ctrl+x")
        await stage.see(r"stopped by you · Ctrl\+Y continues · Ctrl\+R asks again")
        await stage.see(r"\^Y continue")
        server.on("/api/chat", ollama_answer("Whole."))
        await stage.press("ctrl+r")
        await stage.see("Whole.")
        await stage.see("2/2")

        await stage.press("ctrl+c")
        await stage.see(r"Ctrl\+D leaves lokal")
        await stage.press("f12")
        await stage.see("F7 +Switch to the next preset")
        await stage.see(r"Ctrl\+E +Show the presets")
        await stage.press("f12")
        await stage.see("Whole.")
        await stage.press("f10")
        await stage.see(r"Next preset  \(F7\)")
        await stage.press("escape")
        await stage.press("ctrl+e")
        await stage.see("F7 next")


async def test_a_key_that_is_given_twice_is_refused_and_told() -> None:
    configure('[keys]\n"preset.next" = "f3"\n')
    async with chatting() as (stage, _):
        await stage.see("F3 belongs to")
        await stage.see(r"\^T preset")
        await stage.press("ctrl+t")
        await stage.see("Preset +creative")


async def test_the_key_page_has_every_key_and_fits() -> None:
    async with chatting() as (stage, _):
        keys = stage.app.desk.keys
        for width in (40, 80, 120):
            lines = ["".join(text for text, _ in line) for line in key_page(keys, width)]
            assert max(cell_len(line) for line in lines) <= width
            page = " ".join(" ".join(lines).split())
            for command in COMMANDS:
                if command.id in keys and not command.id.startswith("preset."):
                    assert command.help in page
        await stage.press("f1")
        await stage.see("Everywhere")
        await stage.press("end")
        await stage.see("Ctrl.Z undoes")
        await stage.press("home")
        await stage.see("Everywhere")
        await stage.press("ctrl+t", "f3")
        assert stage.app.tabs.current == "chat", "the page takes the keys"
        for key in ("escape", "q", "f1", "enter"):
            if key != "escape":
                await stage.press("f1")
                await stage.see("Everywhere")
            await stage.press(key)
            await stage.see("Connected")
        assert stage.app.desk.preset.name == "technical"


# -- presets ------------------------------------------------------------------------------------------------------------


async def test_presets_by_key() -> None:
    async with chatting() as (stage, server):
        await stage.press("alt+3")
        await stage.see("Preset +chatbot")
        await stage.see("chatbot · temp 0.6")
        await stage.press("ctrl+t")
        await stage.see("Preset +technical")
        await stage.press("alt+9")
        await stage.see("There is no preset number 9")
        await stage.press("alt+2")
        await stage.ask("Well?")
        await stage.see(f"── {MODEL} · creative ──")
        await stage.see("412 tokens")
        sent = options(chats(server)[-1])
        assert (sent["temperature"], sent["num_predict"]) == (0.85, 1024)


async def test_a_running_answer_keeps_its_preset() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", SLOWLY)
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.press("ctrl+t")
        await stage.see("creative from the next answer on")
        await stage.see(f"── {MODEL} · technical ──")
        await stage.press("escape")
        await stage.see("stopped by you")
        await stage.see(f"── {MODEL} · technical ──")
        server.on("/api/chat", ollama_answer("Yes."))
        await stage.ask("And now?")
        await stage.see(f"── {MODEL} · creative ──")


async def test_changes_that_are_not_saved_are_kept_and_told_when_leaving_a_preset() -> None:
    async with chatting() as (stage, _):
        await stage.press("f4", "right", "f2")
        await stage.see(r"technical\*")
        await stage.press("ctrl+t")
        await stage.see("The changes to technical hold until lokal ends; they are not saved")
        await stage.press("alt+1")
        await stage.see(r"technical\* · temp 0\.45")


# -- tabs ---------------------------------------------------------------------------------------------------------------


async def test_tabs_by_key_take_the_keys_that_follow_at_once() -> None:
    async with chatting() as (stage, _):
        await stage.write("a draft")
        await stage.write("\x1bOS\x1b[C\x1b[C")  # F4 and two arrows in one piece
        await stage.see(r"temperature +0\.5 ")
        await stage.write("\x1bOR\x1bOQ, and more")  # F3, F2
        await stage.see("› a draft, and more")
        assert stage.app.chat.composer.has_focus


async def test_the_open_tab_is_marked() -> None:
    async with chatting() as (stage, _):
        marked = stage.style_of("Chat")
        assert "underline" in marked
        for key, name in (("f3", "Models"), ("f4", "Settings"), ("f2", "Chat")):
            await stage.press(key)
            await stage.until(partial(_has_style, stage, name, marked), f"{name} is marked")


async def test_an_answer_goes_on_behind_another_tab() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", SLOWLY)
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.press("f3")
        await stage.see("NAME")
        await stage.press("f2")
        await stage.see("Slowly")
        assert stage.app.chat.doing
        await stage.press("escape")
        await stage.see("stopped by you")


async def test_a_new_chat_keeps_nothing_of_the_one_before() -> None:
    async with chatting() as (stage, server):
        await stage.ask("Old?")
        await stage.see("412 tokens")
        await stage.press("f3", "ctrl+n")
        await stage.see("Connected")
        await stage.ask("New?")
        await stage.see("412 tokens")
        messages = chats(server)[-1]["messages"]
        assert messages == [{"role": "user", "content": "New?"}]


# -- the palette --------------------------------------------------------------------------------------------------------


async def test_palette_entries_do_what_they_say() -> None:
    async with chatting() as (stage, _):
        for text, seen in (
            ("creative", "Preset +creative"),
            ("theme: lokal-light", "theme lokal-light"),
            (f"model: {MODEL}", f"model {MODEL}"),
            ("settings", r"temperature +0\.85"),
        ):
            await stage.press("ctrl+p")
            await stage.see("Search for commands")
            await stage.write(text)
            await stage.see_no_more("Look for servers")
            await stage.press("enter")
            await stage.see(seen)
            assert len(stage.app.screen_stack) == 1


async def test_every_palette_entry_runs() -> None:
    async with chatting() as (stage, _):
        offers = [hit async for hit in Commands(stage.app.screen).discover()]
        titles = [str(hit.text) for hit in offers]
        assert any(title.startswith("Next preset") for title in titles)
        assert {f"Preset: {name}" for name in ("technical", "creative", "chatbot")} < set(titles)
        for hit in offers:
            if str(hit.text).startswith("Quit"):
                continue
            hit.command()
            await stage.settle()
            while len(stage.app.screen_stack) > 1:
                await stage.press("escape")
        await stage.press("f2")
        await stage.see("Connected")


async def test_what_looks_like_markup_in_a_preset_is_text_in_the_palette() -> None:
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "presets"
    folder.mkdir(parents=True)
    (folder / "[b]odd.toml").write_text('description = "[red]for [/x] brackets"\n', encoding="utf-8")
    async with running() as stage:
        await stage.see("No server answers")
        await stage.press("ctrl+p")
        await stage.write("odd")
        await stage.see(r"Preset: \[b\]odd")
        await stage.see(r"\[red\]for \[/x\] brackets")
        await stage.press("enter")
        await stage.see(r"\n \[b\]odd · no server")


# -- themes -------------------------------------------------------------------------------------------------------------


async def test_switching_the_theme_redraws_everything_and_is_remembered() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer(MARKDOWN, thought=THOUGHT))
        await stage.ask("Well?")
        await stage.see("412 tokens|closes it")
        await stage.press("f4", "f3", "f2")
        await stage.write("draft")
        for name in ("lokal-light", "high-contrast", "terminal", "lokal-dark", "lokal-light"):
            await stage.press("f9")
            await stage.see(f"theme {name}")
            for key in ("f4", "f3", "f1", "f2"):
                await stage.press(key)
                grounds = {
                    (segment.style.bgcolor or Color.default()).name
                    for line in stage.lines()
                    for segment in line
                    if segment.style
                }
                known = {
                    (style.bgcolor or Color.default()).name
                    for style in map(
                        stage.app.palette.__getitem__, ("background", "cursor_line", "selection")
                    )
                }
                assert grounds <= known, f"{name}, {key}: {grounds - known} is of another theme"
                if key == "f1":
                    await stage.press("escape")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert config.read_text(encoding="utf-8") == 'theme = "lokal-light"\n'


async def test_without_colours_there_is_nothing_to_switch() -> None:
    async with replay() as server, running(like_ollama(server).url, environ={"NO_COLOR": "1"}) as stage:
        await stage.see("Connected")
        await stage.press("f9")
        await stage.see("NO_COLOR is set")
        assert stage.app.theme == "terminal"
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "lokal" / "config.toml"
    assert not config.exists(), "the theme for a terminal with colours is not touched"


# -- reasoning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [True, False])
async def test_reasoning_is_shown_from_the_start_if_the_person_wants_it(shown: bool) -> None:
    configure(f"show_reasoning = {str(shown).lower()}\n")
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer("Line by line.", thought=THOUGHT))
        await stage.ask("Well?")
        await stage.see("Line by line.")
        assert ("Let me check" in stage.text()) is shown
        await stage.press("ctrl+o")
        await stage.until(lambda: ("Let me check" in stage.text()) is not shown, "it is the other way round")
        assert questions(server) == ["Well?"]


# -- notices ------------------------------------------------------------------------------------------------------------


async def test_the_rule_says_what_happened_and_goes_back_to_what_it_said_before() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer(MARKDOWN))
        await stage.ask("Well?")
        await stage.see("412 tokens|closes it")
        await stage.press("pageup")
        await stage.see(r"── reading back · Ctrl\+G to the end ─+\n")
        await stage.press("alt+9")
        await stage.see(r"── There is no preset number 9 ─+\n")
        stage.app.query_one(Divider).clear_notice()
        await stage.see(r"── reading back · Ctrl\+G to the end ─+\n")
        await stage.press("ctrl+g")
        await stage.see(r"\n─{80}\n›")


async def test_new_lines_below_are_counted() -> None:
    text = "\n\n".join(f"Paragraph {number}" for number in range(60))
    async with chatting() as (stage, server):
        whole = ollama_answer(text)
        server.on("/api/chat", stalling(ollama_answer(text, ended=False)))
        await stage.ask("Well?")
        await stage.see("Paragraph 59")
        await stage.press("escape")
        await stage.see("stopped by you")
        await stage.press("ctrl+home")
        await stage.see("reading back")
        server.on("/api/chat", whole)
        await stage.press("f6")
        await stage.until(lambda: not stage.app.chat.doing, "it is continued")
        await stage.see("Paragraph 59")


async def test_a_long_notice_is_cut_and_a_toast_is_shown_in_other_tabs() -> None:
    async with chatting(size=(50, 20)) as (stage, _):
        stage.app.tell("a very long notice " * 8, "warning")
        await stage.see("── a very long notice .*… ─")
        assert all(cell_len(line) <= 50 for line in stage.screen())
        await stage.press("f4")
        stage.app.tell("[not markup]")
        await stage.see(r"\[not markup\]")


# -- small and large screens --------------------------------------------------------------------------------------------


async def test_low_screens_do_without_the_top_line_and_say_the_model_below() -> None:
    async with chatting() as (stage, _):
        assert stage.screen()[0].startswith(" lokal   Chat")
        for rows, there in ((20, True), (19, False), (24, True), (10, False)):
            await stage.resize(80, rows)
            await stage.until(partial(_has_top_line, stage, there), f"the top line at {rows}")
            assert (MODEL in stage.screen()[-1]) is not there


async def test_the_instrument_line_keeps_what_matters() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", SLOWLY)
        await stage.ask("Well?")
        await stage.see("Slowly")
        for width in range(30, 130, 7):
            await stage.resize(width, 24)
            line = stage.screen()[-1]
            assert cell_len(line) <= width
            assert line.startswith(" answering"), (width, line)
            assert "Esc stop" in line, (width, line)
        await stage.press("escape")
        await stage.resize(130, 24)
        await stage.see("technical · temp 0.4 · top_p 0.8 · ctx . of 8k +F6 continue  .T preset  F1 keys")


async def test_no_size_breaks_anything() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer(MARKDOWN))
        await stage.ask("Well?")
        await stage.see("412 tokens|closes it")
        for size in ((20, 6), (200, 60), (1, 1), (7, 3), (300, 10), (80, 24)):
            for key in ("f3", "f4", "f1", "escape", "f2"):
                await stage.press(key)
                await stage.resize(*size)
                assert len(stage.screen()) == size[1]
                assert all(cell_len(line) <= size[0] for line in stage.screen())
        await stage.see("closes it")


# -- stopping and writing down ------------------------------------------------------------------------------------------


async def test_an_answer_that_is_stopped_and_continued_at_once_is_kept_once() -> None:
    """What had not been written down when it was stopped must not be written down again into what follows."""
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("One ", ended=False)))
        await stage.ask("Well?")
        await stage.see("One")
        await stage.press("escape")
        await stage.see("stopped by you")
        server.on("/api/chat", stalling(ollama_answer("two", ended=False)))
        await stage.press("f6")
        await stage.see("One two")
        session = stage.app.chat.session
        assert session is not None
        leaf = session.conversation.leaf
        assert leaf is not None
        store = session._store

        def kept() -> str:
            return store.load(session.conversation.id)[leaf.id].content

        await stage.until(lambda: kept().endswith("two"), "it is written down while it comes in")
        assert kept() == "One two"


async def test_the_app_ends_while_an_answer_comes_in() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", SLOWLY)
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.press("ctrl+q")
        async with asyncio.timeout(10):
            await server.left.wait()
