"""Slash commands in the running app: what each does, and what is said where it cannot be done."""

from __future__ import annotations

import pytest

from tests.support import snapshot
from tests.support.app import configure
from tests.support.app_driver import NOBODY, SIZES, AppDriver, chatting, running
from tests.support.canned_servers import MODEL, chats, like_ollama, ollama_answer, options, questions
from tests.support.replay import as_json, replay, stalling


async def ready(driver: AppDriver) -> None:
    """Wait until the chats are open."""
    await driver.until(lambda: driver.chats_are_open, "the chats are open")


async def answered(driver: AppDriver, question: str) -> None:
    """Ask, and wait until the answer is there."""
    await ready(driver)
    await driver.ask(question)
    await driver.until(lambda: not driver.activity, "the answer is there")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", ["/retry", "/hom", "/export /nowhere/x.md"])
async def test_what_is_typed_after_a_refusal_takes_its_place(refused: str) -> None:
    async with chatting() as (driver, server):
        if refused.startswith("/export"):
            await answered(driver, "Hello")
        await driver.write(f"{refused}\r")
        await driver.until(lambda: driver.composer_text == refused, "refused")
        assert driver.selected_text == refused
        await driver.write("/stats")
        assert driver.composer_text == "/stats"
        await driver.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        assert driver.composer_text == refused, "undo brings it back"
        await driver.press("end", "left", "left")
        await driver.write("x")
        assert driver.composer_text == f"{refused[:-2]}x{refused[-2:]}", "arrows edit it"
        assert len(questions(server)) == refused.startswith("/export")


async def test_enter_says_what_was_refused_again() -> None:
    async with chatting() as (driver, server):
        await driver.write("/retry\r")
        await driver.see("Nothing was asked here yet")
        await driver.press("enter")
        await driver.see("Nothing was asked here yet")
        await driver.write("/continue\r")
        await driver.see("There is nothing to continue")
        assert driver.composer_text == "/continue"
        await driver.write("Hello\r")
        await driver.until(lambda: questions(server) == ["Hello"], "it is asked")


async def test_a_draft_lies_under_a_command_that_is_begun_over_it() -> None:
    async with chatting() as (driver, _):
        await driver.write("a draft")
        driver.run_command("preset.use")
        await driver.see("What you were writing comes back after the command")
        await driver.write("loud\r")
        await driver.see("There is no preset “loud”")
        assert driver.selected_text == "/preset loud"
        await driver.write("/preset creative\r")
        await driver.see("preset creative")
        assert driver.composer_text == "a draft"
        for key in ("escape", "down", "backspace"):
            driver.run_command("chat.rename")
            await driver.until(lambda: driver.composer_text == "/rename ", "it waits for a title")
            if key == "backspace":
                await driver.press("ctrl+u")
            await driver.press(key)
            assert driver.composer_text == "a draft"


# -- what is a command --------------------------------------------------------------------------------------------------


async def test_what_is_sent_and_what_is_not() -> None:
    async with chatting() as (driver, server):
        for text, said in (
            ("/hom", r"There is no command /hom\. Did you mean /help\? // sends it as text"),
            ("/stop the server?", r"/stop takes nothing after it\. // at the start sends it as text"),
            ("/rename", r"/rename wants TITLE"),
            ("/stop", "No answer is coming in, so there is none to stop"),
            ("/retry", "Nothing was asked here yet"),
            ("/continue", "There is nothing to continue"),
            ("/preset loud", r"There is no preset “loud”\. There are: technical, creative, chatbot"),
        ):
            await driver.ask(text)
            await driver.see(said)
            assert driver.composer_text == text, "a text that cannot be done is not lost"
            assert questions(server) == []
        await answered(driver, "//hom is no command")
        await answered(driver, "/home/user is full, why?")
        assert questions(server) == ["/hom is no command", "/home/user is full, why?"]
        await driver.press("up", "up")
        assert driver.composer_text == "//hom is no command", "the history has it as it was typed"


async def test_commands_are_in_the_prompt_history_and_no_questions() -> None:
    async with chatting() as (driver, server):
        await ready(driver)
        await driver.ask("/preset creative")
        await driver.see("\n creative ")
        assert driver.composer_text == ""
        await driver.press("up")
        assert driver.composer_text == "/preset creative"
        assert not chats(server)
        session = driver.session
        assert len(session.conversation) == 0


async def test_commands_work_while_an_answer_comes_in() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await driver.ask("Well?")
        await driver.see("Slowly")
        await driver.ask("/preset creative")
        await driver.see("The next answer uses creative")
        await driver.ask("/retry")
        await driver.see("An answer is coming in. Esc stops it")
        driver.fill("")
        await driver.ask("/stop")
        await driver.see("stopped by you")


# -- presets, models, servers, themes -----------------------------------------------------------------------------------


async def test_presets() -> None:
    async with chatting() as (driver, server):
        await driver.ask("/preset crea")
        await driver.see("preset creative")
        await answered(driver, "Well?")
        assert options(chats(server)[0])["temperature"] == 0.85
        await driver.ask("/preset")
        await driver.see("creative is in use")
        await driver.see(r"\n technical +exact and short")
        await driver.press("down", "enter", "enter")
        await driver.see("preset technical")
        assert driver.preset.name == "technical"


async def test_models() -> None:
    async with replay() as server:
        like_ollama(server, (MODEL, "3.2B", 2), ("qwen2.5:7b", "7.6B", 3), ("qwen3:8b", "8B", 4))
        async with running(server.url) as driver:
            await driver.see("Connected")
            await driver.ask("/model qwen3")
            await driver.see("model qwen3:8b")
            await driver.ask("/model qwen")
            await driver.see(r"More than one model begins with “qwen”\. Say which: qwen2.5:7b, qwen3:8b")
            await driver.ask("/model mistral")
            await driver.see("There is no model “mistral”")
            await driver.ask("/model")
            await driver.see("qwen3:8b is in use")
            await driver.see(r"\n llama3.2:3b +3.2B, Q4_K_M")
            assert driver.model == "qwen3:8b"


async def test_without_a_server() -> None:
    async with running(NOBODY) as driver:
        await driver.see("No server answers")
        await ready(driver)
        await driver.ask("/model x")
        await driver.see(r"No server, so no models\. F8 looks for one")
        await driver.ask("/title")
        await driver.see("Nothing was said here yet")
        driver.fill("")
        await driver.ask("/server :::")
        await driver.see("“:::” is no server address")
        driver.fill("")
        async with replay() as server:
            like_ollama(server)
            await driver.ask(f"/server {server.url}")
            await driver.see("Connected")
            assert driver.model == MODEL


async def test_another_server_keeps_the_chat_and_one_that_is_silent_changes_nothing() -> None:
    async with replay() as other:
        like_ollama(other, ("mistral:7b", "7B", 4))
        other.on("/api/chat", ollama_answer("From the other."))
        configure(f'[[servers]]\nname = "lab"\nurl = "{other.url}"\n')
        async with chatting() as (driver, server):
            await answered(driver, "One")
            await driver.ask("/server http://127.0.0.1:1")
            await driver.see("Nobody answers|No server answers|127.0.0.1:1 .*refused")
            assert driver.connection is not None
            assert driver.connection.server.endpoint.url == server.url
            await driver.until(lambda: driver.composer_text != "", "the command is back, to be corrected")
            driver.fill("")
            await driver.ask("/server lab")
            await driver.see("Ollama on this machine · mistral:7b")
            await answered(driver, "Two")
            await driver.see("From the other")
            assert questions(server) == ["One"]
            messages = chats(other)[0]["messages"]
            assert isinstance(messages, list)
            assert [message["content"] for message in messages] == ["One", "Yes.", "Two"]
            await driver.ask("/server")
            await driver.see(rf"\n {server.url} +Ollama")


async def test_themes() -> None:
    async with chatting() as (driver, _):
        await driver.ask("/theme term")
        await driver.see("theme terminal")
        await driver.ask("/theme")
        await driver.see("terminal is in use")
        await driver.see(r"\n lokal-light\n")
        assert driver.theme == "terminal", "alone it chooses nothing"
        await driver.press("down", "enter", "enter")
        await driver.see("theme lokal-dark")
        await driver.press("f9")
        await driver.see("theme lokal-light")
        await driver.ask("/theme pink")
        await driver.see("There is no theme “pink”")


# -- parameters ---------------------------------------------------------------------------------------------------------


async def test_what_the_model_cannot_is_not_sent_and_said() -> None:
    async with chatting() as (driver, server):
        await driver.ask("/set think=high")
        await driver.see("think high, was default; not sent: llama3.2:3b has no thinking mode")
        await answered(driver, "Well?")
        await driver.see("Not sent, llama3.2:3b has no thinking mode: think")
        leaf = driver.conversation.leaf if driver.session else None
        assert leaf is not None
        assert "think" not in leaf.parameters
        await driver.ask("/set think=off")
        await driver.see("think off, was high")
        await answered(driver, "And now?")
        assert "Not sent" not in driver.text(), "it is off without being told so"
        assert ["think" in body for body in chats(server)] == [False, False]


async def test_parameters_for_this_run() -> None:
    async with chatting() as (driver, server):
        await driver.ask("/set temp=0.3")
        await driver.see(r"temperature 0\.3, was 0\.4, for this run")
        await driver.ask("/set top_k=7 top_p=")
        await driver.see(r"top_k 7, was 30, for this run; top_p default, was 0\.8")
        await driver.ask("/set min_p=2")
        await driver.see(r"min_p cannot be 2\.0\. It takes a number from 0 to 1")
        await driver.ask("/set tmperature=1")
        await driver.see(r"There is no parameter “tmperature”\. Did you mean temperature")
        await driver.ask("/set dry_multiplier=1")
        await driver.see("dry_multiplier 1, was default; not sent: Ollama does not take it")
        await driver.ask("/set context_window=4096")
        await driver.see("reloads the model")
        await answered(driver, "Well?")
        sent = options(chats(server)[0])
        assert (sent["temperature"], sent["top_k"], sent["num_ctx"]) == (0.3, 7, 4096)
        assert "top_p" not in sent
        await driver.ask("/set -")
        await driver.see("is removed; the preset is used")
        await answered(driver, "And now?")
        assert options(chats(server)[1])["temperature"] == 0.4


async def test_what_is_set_and_what_a_parameter_means() -> None:
    async with chatting() as (driver, _):
        await driver.ask("/set temperature=0.3")
        await driver.ask("/set")
        await driver.see("What is sent with technical")
        await driver.see(r"temperature=0\.3 +for this run; technical has 0\.4")
        await driver.see(r"top_k=30 +how many candidates")
        await driver.press("escape")
        await driver.ask("/set top_k")
        await driver.see(r"Now +30, by the preset technical")
        await driver.press("escape")
        await driver.ask("/help min_p")
        await driver.see(r"Takes +a number from 0 to 1")
        await driver.press("enter")
        await driver.ask("/help preset")
        await driver.see(r"Write it +/preset \[NAME\]")
        await driver.press("escape")
        await driver.ask("/help nothing")
        await driver.see("There is no command “nothing”")
        await driver.ask("/help")
        await driver.see("Writing · you are here")


# -- figures ------------------------------------------------------------------------------------------------------------


async def test_figures_of_an_empty_chat() -> None:
    async with chatting() as (driver, _):
        await ready(driver)
        await driver.ask("/stats")
        await driver.see("No answer yet")
        await driver.press("escape")
        await driver.see("Connected")


@pytest.mark.parametrize("size", SIZES)
async def test_figures_on_the_screen(size: tuple[int, int]) -> None:
    async with chatting(size=size) as (driver, server):
        await answered(driver, "Why does nginx answer 502 after a deploy, and what is to be looked at first?")
        server.on("/api/chat", ollama_answer("And so.", tokens=30))
        await answered(driver, "Почему так?")
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await answered(driver, "And now?")
        conversation = driver.conversation
        from dataclasses import replace

        for answer in list(conversation):
            if answer.timings.total_s is not None:
                timings = replace(
                    answer.timings, first_token_s=0.42, total_s=10.5, load_s=None, prompt_tokens_per_s=812.5
                )
                conversation.update(replace(answer, timings=timings))
        await driver.ask("/stats")
        await driver.see("Tokens out")
        await snapshot.check(driver, "stats")


async def test_set_page_on_the_screen() -> None:
    async with chatting() as (driver, _):
        await driver.ask("/set think=off dry_multiplier=0.8")
        await driver.ask("/set")
        await driver.see("What is sent")
        await snapshot.check(driver, "set")
