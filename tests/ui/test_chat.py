"""The chat in the running app: keys and where they are shown, presets, tabs, notices, what is written down."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from rich.cells import cell_len

from tests.support.app import configure
from tests.support.replay import ndjson, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tests.support.stage import MODEL, Stage, chats, chatting, ollama_answer, options, questions
from tui.core.commands import COMMANDS
from tui.ui.divider import Divider
from tui.ui.help import lines_of, sections

SLOWLY = stalling(ollama_answer("Slowly", ended=False))


def _has_style(stage: Stage, text: str, style: str) -> bool:
    return stage.style_of(text) == style


# -- keys ---------------------------------------------------------------------------------------------------------------


async def test_other_keys_are_shown_everywhere_and_used() -> None:
    configure(
        '[keys]\n"preset.next" = "f6"\n"help" = "f12"\n"answer.stop" = "ctrl+x"\n"answer.retry" = "ctrl+b"\n'
        '"answer.continue" = "ctrl+y"\n"tab.settings" = "ctrl+e"\n"palette" = "f10"\n"quit" = "ctrl+d"\n'
        '"reasoning.toggle" = "f11"\n"scroll.end" = "ctrl+l"\n"preset.1" = "ctrl+1"\n'
    )
    async with chatting() as (stage, server):
        await stage.see("F6 another preset")
        await stage.see(r"Ctrl\+E what temperature")
        await stage.see("F12 every key")
        await stage.see("Enter send  F6 preset  F12 keys")

        await stage.press("ctrl+t")
        assert stage.app.state.preset.name == "technical", "Ctrl+T was given away"
        await stage.press("f6")
        await stage.see("Preset +creative")

        server.on("/api/chat", stalling(ollama_answer("Half", thought="Hm.", ended=False)))
        await stage.ask("Well?")
        await stage.see("Half")
        await stage.see(r"Ctrl\+X stop")
        await stage.see("F11 shows it")
        await stage.press("f11")
        await stage.see("F11 folds it")
        await stage.write("next")
        await stage.press("enter")
        await stage.see(r"waiting: next")
        await stage.press("escape")
        assert stage.app.chat.doing, "Esc was given away"
        await stage.press("ctrl+x")
        await stage.see(r"stopped by you · Ctrl\+Y continues · Ctrl\+B asks again")
        await stage.see(r"Ctrl\+Y continue")
        server.on("/api/chat", ollama_answer("Whole."))
        await stage.press("ctrl+b")
        await stage.see("Whole.")
        await stage.see("2/2")
        await stage.until(lambda: not stage.app.chat.busy, "the answer is done")

        await stage.press("ctrl+c")
        await stage.see(r"Ctrl\+D leaves lokal")
        await stage.press("f12")
        await stage.write("next preset")
        await stage.see("F6 +Switch to the next preset")
        await stage.press("escape")
        await stage.write("show the presets")
        await stage.see(r"Ctrl\+E +Show the presets")
        await stage.press("f12")
        await stage.see("Whole.")
        await stage.press("f10")
        await stage.write("next pres")
        await stage.see(r"Next preset  \(F6\)")
        await stage.press("escape")
        await stage.press("ctrl+e")
        await stage.see("F6 next")


async def test_a_key_that_is_given_twice_is_refused_and_told() -> None:
    configure('[keys]\n"preset.next" = "f3"\n')
    async with chatting() as (stage, _):
        await stage.see("F3 belongs to")
        await stage.see(r"Ctrl\+T preset")
        await stage.press("ctrl+t")
        await stage.see("Preset +creative")


async def test_the_key_page_has_every_key_and_fits() -> None:
    async with chatting() as (stage, _):
        keys = stage.app.state.keys
        for width in (40, 80, 120):
            lines = ["".join(text for text, _ in line) for line in lines_of(sections(keys), width)]
            assert max(cell_len(line) for line in lines) <= width
            page = " ".join(" ".join(lines).split())
            for command in COMMANDS:
                if command.id in keys and not command.id.startswith("preset."):
                    assert command.help in page
        await stage.press("f1")
        await stage.see("you are here")
        await stage.press("end")
        await stage.see("// at its start")
        await stage.press("home")
        await stage.see("you are here")
        await stage.press("ctrl+t", "f3")
        assert stage.app.tabs.current == "chat", "the page takes the keys"
        for key in ("escape", "f1", "enter"):
            if key != "escape":
                await stage.press("f1")
                await stage.see("you are here")
            await stage.press(key)
            await stage.see("Connected")
        assert stage.app.state.preset.name == "technical"


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
        await stage.see("The next answer uses creative")
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
        await stage.see("The changes to technical are not saved; they last until lokal ends")
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
        await stage.see(r"── scrolled up · Ctrl\+G to the end ─+\n")
        await stage.press("alt+9")
        await stage.see(r"── There is no preset number 9 ─+\n")
        stage.app.query_one(Divider).clear_notice()
        await stage.see(r"── scrolled up · Ctrl\+G to the end ─+\n")
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
        await stage.see("scrolled up")
        server.on("/api/chat", whole)
        await stage.press("f6")
        await stage.until(lambda: not stage.app.chat.doing, "it is continued")
        await stage.see("Paragraph 59")


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
        store = stage.app.backstage._store
        assert store is not None

        def kept() -> str:
            return store.load(session.conversation.id)[leaf.id].content

        await stage.until(lambda: kept().endswith("two"), "it is written down while it comes in")
        assert kept() == "One two"


async def test_a_continued_answer_counts_all_its_tokens() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer("One ", tokens=40, reason="length"))
        await stage.ask("Well?")
        await stage.see("40 tokens")
        server.on("/api/chat", ollama_answer("two", tokens=2))
        await stage.press("f6")
        await stage.see("42 tokens")
        session = stage.app.chat.session
        leaf = session.conversation.leaf if session is not None else None
        assert leaf is not None
        assert (leaf.content, leaf.usage.prompt, leaf.usage.completion) == ("One two", 812, 42)


async def test_a_call_that_nobody_asked_for_is_said() -> None:
    async with chatting() as (stage, server):
        call = {"function": {"name": "get_weather", "arguments": {"city": "Tashkent"}}}
        end = {"message": {"content": "", "tool_calls": [call]}, "done": True, "done_reason": "stop"}
        server.on("/api/chat", ndjson([end]))
        await stage.ask("Well?")
        await stage.see("The model asked for a function; lokal has none to give · F5 asks again")


async def test_the_app_ends_while_an_answer_comes_in() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", SLOWLY)
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.press("ctrl+q")
        async with asyncio.timeout(60):
            await server.left.wait()
