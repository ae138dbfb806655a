"""The chat in the running app: keys and where they are shown, presets, tabs, notices, what is written down."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest
from rich.cells import cell_len

from tests.support.app import configure
from tests.support.app_driver import AppDriver, chatting
from tests.support.canned_servers import MODEL, chats, ollama_answer, options, questions
from tests.support.replay import ndjson, stalling
from tests.support.sample import MARKDOWN, THOUGHT
from tui.chat.rate_record import RateRecord
from tui.core.commands import COMMANDS
from tui.paths import folders
from tui.ui.help import lines_of, sections

SLOWLY = stalling(ollama_answer("Slowly", ended=False))


def _has_style(driver: AppDriver, text: str, style: str) -> bool:
    return driver.style_of(text) == style


# -- keys ---------------------------------------------------------------------------------------------------------------


async def test_other_keys_are_shown_everywhere_and_used() -> None:
    configure(
        '[keys]\n"preset.next" = "f6"\n"help" = "f12"\n"answer.stop" = "ctrl+x"\n"answer.retry" = "ctrl+b"\n'
        '"answer.continue" = "ctrl+y"\n"tab.settings" = "ctrl+e"\n"palette" = "f10"\n"quit" = "ctrl+d"\n'
        '"reasoning.toggle" = "f11"\n"scroll.end" = "ctrl+l"\n"preset.1" = "ctrl+1"\n'
    )
    async with chatting() as (driver, server):
        await driver.see("F6 another preset")
        await driver.see(r"Ctrl\+E what temperature")
        await driver.see("F12 every key")
        await driver.see("Enter send  F6 preset  F12 keys")

        await driver.press("ctrl+t")
        assert driver.preset.name == "technical", "Ctrl+T was given away"
        await driver.press("f6")
        await driver.see("Preset +creative")

        server.on("/api/chat", stalling(ollama_answer("Half", thought="Hm.", ended=False)))
        await driver.ask("Well?")
        await driver.see("Half")
        await driver.see(r"Ctrl\+X stop")
        await driver.see("F11 shows it")
        await driver.press("f11")
        await driver.see("F11 folds it")
        await driver.write("next")
        await driver.press("enter")
        await driver.see(r"waiting: next")
        await driver.press("escape")
        assert driver.activity, "Esc was given away"
        await driver.press("ctrl+x")
        await driver.see(r"stopped by you · Ctrl\+Y continues · Ctrl\+B asks again")
        await driver.see(r"Ctrl\+Y continue")
        server.on("/api/chat", ollama_answer("Whole."))
        await driver.press("ctrl+b")
        await driver.see("Whole.")
        await driver.see("2/2")
        await driver.until_idle()

        await driver.press("ctrl+c")
        await driver.see(r"Ctrl\+D leaves lokal")
        await driver.press("f12")
        await driver.write("next preset")
        await driver.see("F6 +Switch to the next preset")
        await driver.press("escape")
        await driver.write("show the presets")
        await driver.see(r"Ctrl\+E +Show the presets")
        await driver.press("f12")
        await driver.see("Whole.")
        await driver.press("f10")
        await driver.write("next pres")
        await driver.see(r"Next preset  \(F6\)")
        await driver.press("escape")
        await driver.press("ctrl+e")
        await driver.see("F6 next")


async def test_a_key_that_is_given_twice_is_refused_and_told() -> None:
    configure('[keys]\n"preset.next" = "f3"\n')
    async with chatting() as (driver, _):
        await driver.see("F3 belongs to")
        await driver.see(r"Ctrl\+T preset")
        await driver.press("ctrl+t")
        await driver.see("Preset +creative")


async def test_the_key_page_has_every_key_and_fits() -> None:
    async with chatting() as (driver, _):
        keys = driver.keys
        for width in (40, 80, 120):
            lines = ["".join(text for text, _ in line) for line in lines_of(sections(keys), width)]
            assert max(cell_len(line) for line in lines) <= width
            page = " ".join(" ".join(lines).split())
            for command in COMMANDS:
                if command.id in keys and not command.id.startswith("preset."):
                    assert command.help in page
        await driver.press("f1")
        await driver.see("you are here")
        await driver.press("end")
        await driver.see("// at its start")
        await driver.press("home")
        await driver.see("you are here")
        await driver.press("ctrl+t", "f3")
        assert driver.tab == "chat", "the page takes the keys"
        for key in ("escape", "f1", "enter"):
            if key != "escape":
                await driver.press("f1")
                await driver.see("you are here")
            await driver.press(key)
            await driver.see("Connected")
        assert driver.preset.name == "technical"


# -- presets ------------------------------------------------------------------------------------------------------------


async def test_presets_by_key() -> None:
    async with chatting() as (driver, server):
        await driver.press("alt+3")
        await driver.see("Preset +chatbot")
        await driver.see("chatbot · temp 0.6")
        await driver.press("ctrl+t")
        await driver.see("Preset +technical")
        await driver.press("alt+9")
        await driver.see("There is no preset number 9")
        await driver.press("alt+2")
        await driver.ask("Well?")
        await driver.see(f"── {MODEL} · creative ──")
        await driver.see("412 tokens")
        sent = options(chats(server)[-1])
        assert (sent["temperature"], sent["num_predict"]) == (0.85, 1024)


async def test_a_running_answer_keeps_its_preset() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", SLOWLY)
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.press("ctrl+t")
        await driver.see("The next answer uses creative")
        await driver.see(f"── {MODEL} · technical ──")
        await driver.press("escape")
        await driver.see("stopped by you")
        await driver.see(f"── {MODEL} · technical ──")
        server.on("/api/chat", ollama_answer("Yes."))
        await driver.ask("And now?")
        await driver.see(f"── {MODEL} · creative ──")


async def test_changes_that_are_not_saved_are_kept_and_told_when_leaving_a_preset() -> None:
    async with chatting() as (driver, _):
        await driver.press("f4", "right", "f2")
        await driver.see(r"technical\*")
        await driver.press("ctrl+t")
        await driver.see("The changes to technical are not saved; they last until lokal ends")
        await driver.press("alt+1")
        await driver.see(r"technical\* · temp 0\.45")


# -- tabs ---------------------------------------------------------------------------------------------------------------


async def test_tabs_by_key_take_the_keys_that_follow_at_once() -> None:
    async with chatting() as (driver, _):
        await driver.write("a draft")
        await driver.write("\x1bOS\x1b[C\x1b[C")  # F4 and two arrows in one piece
        await driver.see(r"temperature +0\.5 ")
        await driver.write("\x1bOR\x1bOQ, and more")  # F3, F2
        await driver.see("› a draft, and more")
        assert driver.focus == "composer"


async def test_the_open_tab_is_marked() -> None:
    async with chatting() as (driver, _):
        marked = driver.style_of("Chat")
        assert "underline" in marked
        for key, name in (("f3", "Models"), ("f4", "Settings"), ("f2", "Chat")):
            await driver.press(key)
            await driver.until(partial(_has_style, driver, name, marked), f"{name} is marked")


async def test_an_answer_goes_on_behind_another_tab() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", SLOWLY)
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.press("f3")
        await driver.see("NAME")
        await driver.press("f2")
        await driver.see("Slowly")
        assert driver.activity
        await driver.press("escape")
        await driver.see("stopped by you")


async def test_a_new_chat_keeps_nothing_of_the_one_before() -> None:
    async with chatting() as (driver, server):
        await driver.ask("Old?")
        await driver.see("412 tokens")
        await driver.press("f3", "ctrl+n")
        await driver.see("Connected")
        await driver.ask("New?")
        await driver.see("412 tokens")
        messages = chats(server)[-1]["messages"]
        assert messages == [{"role": "user", "content": "New?"}]


# -- reasoning ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [True, False])
async def test_reasoning_is_shown_from_the_start_if_the_person_wants_it(shown: bool) -> None:
    configure(f"show_reasoning = {str(shown).lower()}\n")
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Line by line.", thought=THOUGHT))
        await driver.ask("Well?")
        await driver.see("Line by line.")
        assert ("Let me check" in driver.text()) is shown
        await driver.press("ctrl+o")
        await driver.until(
            lambda: ("Let me check" in driver.text()) is not shown, "it is the other way round"
        )
        assert questions(server) == ["Well?"]


# -- notices ------------------------------------------------------------------------------------------------------------


async def test_the_rule_says_what_happened_and_goes_back_to_what_it_said_before() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(MARKDOWN))
        await driver.ask("Well?")
        await driver.see("412 tokens|closes it")
        await driver.press("pageup")
        await driver.see(r"── scrolled up · Ctrl\+G to the end ─+\n")
        await driver.press("alt+9")
        await driver.see(r"── There is no preset number 9 ─+\n")
        driver.clear_notice()
        await driver.see(r"── scrolled up · Ctrl\+G to the end ─+\n")
        await driver.press("ctrl+g")
        await driver.see(r"\n─{80}\n›")


async def test_new_lines_below_are_counted() -> None:
    text = "\n\n".join(f"Paragraph {number}" for number in range(60))
    async with chatting() as (driver, server):
        whole = ollama_answer(text)
        server.on("/api/chat", stalling(ollama_answer(text, ended=False)))
        await driver.ask("Well?")
        await driver.see("Paragraph 59")
        await driver.press("escape")
        await driver.see("stopped by you")
        await driver.press("ctrl+home")
        await driver.see("scrolled up")
        server.on("/api/chat", whole)
        await driver.press("f6")
        await driver.until(lambda: not driver.activity, "it is continued")
        await driver.see("Paragraph 59")


# -- stopping and writing down ------------------------------------------------------------------------------------------


async def test_a_call_that_nobody_asked_for_is_said() -> None:
    async with chatting() as (driver, server):
        call = {"function": {"name": "get_weather", "arguments": {"city": "Tashkent"}}}
        end = {"message": {"content": "", "tool_calls": [call]}, "done": True, "done_reason": "stop"}
        server.on("/api/chat", ndjson([end]))
        await driver.ask("Well?")
        await driver.see("The model asked for a function; lokal has none to give · F5 asks again")


async def test_the_app_ends_while_an_answer_comes_in() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", SLOWLY)
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.press("ctrl+q")
        async with asyncio.timeout(60):
            await server.left.wait()


async def test_what_answers_reach_is_kept_in_the_record_of_rates() -> None:
    async with chatting() as (driver, server):
        await driver.ask("Well?")
        await driver.see("41 tok/s")
        record = RateRecord(folders().rates)
        await driver.until(lambda: bool(record.load().answers), "the rate of the answer is written down")
        (known,) = record.load().answers
        assert (known.subject.server, known.subject.model) == ("Ollama", MODEL)
        (rate,) = known.rates
        assert rate == pytest.approx(41, rel=0.01)

        server.on("/api/chat", ollama_answer("Half", ended=False))
        await driver.ask("And this?")
        await driver.see("Half")
        await driver.until_idle()
        assert record.load().answers == (known,), "an answer that broke off says little"
