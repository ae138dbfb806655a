"""Slash commands in the running app: what each does, and what is said where it cannot be done."""

from __future__ import annotations

import pytest

from tests.support import snapshot
from tests.support.app import configure
from tests.support.replay import as_json, replay, stalling
from tests.support.stage import (
    MODEL,
    NOBODY,
    SIZES,
    Stage,
    chats,
    chatting,
    like_ollama,
    ollama_answer,
    options,
    questions,
    running,
)


async def ready(stage: Stage) -> None:
    """Wait until the chats are open."""
    await stage.until(lambda: stage.app.chat.session is not None, "the chats are open")


async def answered(stage: Stage, question: str) -> None:
    """Ask, and wait until the answer is there."""
    await ready(stage)
    await stage.ask(question)
    await stage.until(lambda: not stage.app.chat.doing, "the answer is there")


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("refused", ["/retry", "/hom", "/export /nowhere/x.md"])
async def test_what_is_typed_after_a_refusal_takes_its_place(refused: str) -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        if refused.startswith("/export"):
            await answered(stage, "Hello")
        await stage.write(f"{refused}\r")
        await stage.until(lambda: composer.text == refused, "refused")
        assert composer.selected_text == refused
        await stage.write("/stats")
        assert composer.text == "/stats"
        await stage.press("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z")
        assert composer.text == refused, "undo brings it back"
        await stage.press("end", "left", "left")
        await stage.write("x")
        assert composer.text == f"{refused[:-2]}x{refused[-2:]}", "arrows edit it"
        assert len(questions(server)) == refused.startswith("/export")


async def test_enter_says_what_was_refused_again() -> None:
    async with chatting() as (stage, server):
        await stage.write("/retry\r")
        await stage.see("Nothing was asked here yet")
        await stage.press("enter")
        await stage.see("Nothing was asked here yet")
        await stage.write("/continue\r")
        await stage.see("There is nothing to continue")
        assert stage.app.chat.composer.text == "/continue"
        await stage.write("Hello\r")
        await stage.until(lambda: questions(server) == ["Hello"], "it is asked")


async def test_a_draft_lies_under_a_command_that_is_begun_over_it() -> None:
    async with chatting() as (stage, _):
        composer = stage.app.chat.composer
        await stage.write("a draft")
        stage.app.run_command("preset.use")
        await stage.see("What you were writing comes back after the command")
        await stage.write("loud\r")
        await stage.see("There is no preset “loud”")
        assert composer.selected_text == "/preset loud"
        await stage.write("/preset creative\r")
        await stage.see("preset creative")
        assert composer.text == "a draft"
        for key in ("escape", "down", "backspace"):
            stage.app.run_command("chat.rename")
            await stage.until(lambda: composer.text == "/rename ", "it waits for a title")
            if key == "backspace":
                await stage.press("ctrl+u")
            await stage.press(key)
            assert composer.text == "a draft"


# -- what is a command --------------------------------------------------------------------------------------------------


async def test_what_is_sent_and_what_is_not() -> None:
    async with chatting() as (stage, server):
        composer = stage.app.chat.composer
        for text, said in (
            ("/hom", r"There is no command /hom\. Did you mean /help\? // sends it as text"),
            ("/stop the server?", r"/stop takes nothing after it\. // at the start sends it as text"),
            ("/rename", r"/rename wants TITLE"),
            ("/stop", "No answer is coming in, so there is none to stop"),
            ("/retry", "Nothing was asked here yet"),
            ("/continue", "There is nothing to continue"),
            ("/preset loud", r"There is no preset “loud”\. There are: technical, creative, chatbot"),
        ):
            await stage.ask(text)
            await stage.see(said)
            assert composer.text == text, "a text that cannot be done is not lost"
            assert questions(server) == []
        await answered(stage, "//hom is no command")
        await answered(stage, "/home/user is full, why?")
        assert questions(server) == ["/hom is no command", "/home/user is full, why?"]
        await stage.press("up", "up")
        assert composer.text == "//hom is no command", "the history has it as it was typed"


async def test_commands_are_in_the_prompt_history_and_no_questions() -> None:
    async with chatting() as (stage, server):
        await ready(stage)
        await stage.ask("/preset creative")
        await stage.see("\n creative ")
        assert stage.app.chat.composer.text == ""
        await stage.press("up")
        assert stage.app.chat.composer.text == "/preset creative"
        assert not chats(server)
        session = stage.app.chat.session
        assert session is not None
        assert len(session.conversation) == 0


async def test_commands_work_while_an_answer_comes_in() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("Slowly", ended=False)))
        await stage.ask("Well?")
        await stage.see("Slowly")
        await stage.ask("/preset creative")
        await stage.see("The next answer uses creative")
        await stage.ask("/retry")
        await stage.see("An answer is coming in. Esc stops it")
        stage.app.chat.composer.fill("")
        await stage.ask("/stop")
        await stage.see("stopped by you")


# -- presets, models, servers, themes -----------------------------------------------------------------------------------


async def test_presets() -> None:
    async with chatting() as (stage, server):
        await stage.ask("/preset crea")
        await stage.see("preset creative")
        await answered(stage, "Well?")
        assert options(chats(server)[0])["temperature"] == 0.85
        await stage.ask("/preset")
        await stage.see("creative is in use")
        await stage.see(r"\n technical +exact and short")
        await stage.press("down", "enter", "enter")
        await stage.see("preset technical")
        assert stage.app.state.preset.name == "technical"


async def test_models() -> None:
    async with replay() as server:
        like_ollama(server, (MODEL, "3.2B", 2), ("qwen2.5:7b", "7.6B", 3), ("qwen3:8b", "8B", 4))
        async with running(server.url) as stage:
            await stage.see("Connected")
            await stage.ask("/model qwen3")
            await stage.see("model qwen3:8b")
            await stage.ask("/model qwen")
            await stage.see(r"More than one model begins with “qwen”\. Say which: qwen2.5:7b, qwen3:8b")
            await stage.ask("/model mistral")
            await stage.see("There is no model “mistral”")
            await stage.ask("/model")
            await stage.see("qwen3:8b is in use")
            await stage.see(r"\n llama3.2:3b +3.2B, Q4_K_M")
            assert stage.app.state.model == "qwen3:8b"


async def test_without_a_server() -> None:
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await ready(stage)
        await stage.ask("/model x")
        await stage.see(r"No server, so no models\. F8 looks for one")
        await stage.ask("/title")
        await stage.see("Nothing was said here yet")
        stage.app.chat.composer.fill("")
        await stage.ask("/server :::")
        await stage.see("“:::” is no server address")
        stage.app.chat.composer.fill("")
        async with replay() as server:
            like_ollama(server)
            await stage.ask(f"/server {server.url}")
            await stage.see("Connected")
            assert stage.app.state.model == MODEL


async def test_another_server_keeps_the_chat_and_one_that_is_silent_changes_nothing() -> None:
    async with replay() as other:
        like_ollama(other, ("mistral:7b", "7B", 4))
        other.on("/api/chat", ollama_answer("From the other."))
        configure(f'[[servers]]\nname = "lab"\nurl = "{other.url}"\n')
        async with chatting() as (stage, server):
            await answered(stage, "One")
            await stage.ask("/server http://127.0.0.1:1")
            await stage.see("Nobody answers|No server answers|127.0.0.1:1 .*refused")
            assert stage.app.state.connection is not None
            assert stage.app.state.connection.server.endpoint.url == server.url
            await stage.until(
                lambda: stage.app.chat.composer.text != "", "the command is back, to be corrected"
            )
            stage.app.chat.composer.fill("")
            await stage.ask("/server lab")
            await stage.see("Ollama on this machine · mistral:7b")
            await answered(stage, "Two")
            await stage.see("From the other")
            assert questions(server) == ["One"]
            messages = chats(other)[0]["messages"]
            assert isinstance(messages, list)
            assert [message["content"] for message in messages] == ["One", "Yes.", "Two"]
            await stage.ask("/server")
            await stage.see(rf"\n {server.url} +Ollama")


async def test_themes() -> None:
    async with chatting() as (stage, _):
        await stage.ask("/theme term")
        await stage.see("theme terminal")
        await stage.ask("/theme")
        await stage.see("terminal is in use")
        await stage.see(r"\n lokal-light\n")
        assert stage.app.theme == "terminal", "alone it chooses nothing"
        await stage.press("down", "enter", "enter")
        await stage.see("theme lokal-dark")
        await stage.press("f9")
        await stage.see("theme lokal-light")
        await stage.ask("/theme pink")
        await stage.see("There is no theme “pink”")


# -- parameters ---------------------------------------------------------------------------------------------------------


async def test_what_the_model_cannot_is_not_sent_and_said() -> None:
    async with chatting() as (stage, server):
        await stage.ask("/set think=high")
        await stage.see("think high, was default; not sent: llama3.2:3b has no thinking mode")
        await answered(stage, "Well?")
        await stage.see("Not sent, llama3.2:3b has no thinking mode: think")
        leaf = stage.app.chat.session.conversation.leaf if stage.app.chat.session else None
        assert leaf is not None
        assert "think" not in leaf.parameters
        await stage.ask("/set think=off")
        await stage.see("think off, was high")
        await answered(stage, "And now?")
        assert "Not sent" not in stage.text(), "it is off without being told so"
        assert ["think" in body for body in chats(server)] == [False, False]


async def test_parameters_for_this_run() -> None:
    async with chatting() as (stage, server):
        await stage.ask("/set temp=0.3")
        await stage.see(r"temperature 0\.3, was 0\.4, for this run")
        await stage.ask("/set top_k=7 top_p=")
        await stage.see(r"top_k 7, was 30, for this run; top_p default, was 0\.8")
        await stage.ask("/set min_p=2")
        await stage.see(r"min_p cannot be 2\.0\. It takes a number from 0 to 1")
        await stage.ask("/set tmperature=1")
        await stage.see(r"There is no parameter “tmperature”\. Did you mean temperature")
        await stage.ask("/set dry_multiplier=1")
        await stage.see("dry_multiplier 1, was default; not sent: Ollama does not take it")
        await stage.ask("/set context_window=4096")
        await stage.see("reloads the model")
        await answered(stage, "Well?")
        sent = options(chats(server)[0])
        assert (sent["temperature"], sent["top_k"], sent["num_ctx"]) == (0.3, 7, 4096)
        assert "top_p" not in sent
        await stage.ask("/set -")
        await stage.see("is removed; the preset is used")
        await answered(stage, "And now?")
        assert options(chats(server)[1])["temperature"] == 0.4


async def test_what_is_set_and_what_a_parameter_means() -> None:
    async with chatting() as (stage, _):
        await stage.ask("/set temperature=0.3")
        await stage.ask("/set")
        await stage.see("What is sent with technical")
        await stage.see(r"temperature=0\.3 +for this run; technical has 0\.4")
        await stage.see(r"top_k=30 +how many candidates")
        await stage.press("escape")
        await stage.ask("/set top_k")
        await stage.see(r"Now +30, by the preset technical")
        await stage.press("escape")
        await stage.ask("/help min_p")
        await stage.see(r"Takes +a number from 0 to 1")
        await stage.press("enter")
        await stage.ask("/help preset")
        await stage.see(r"Write it +/preset \[NAME\]")
        await stage.press("escape")
        await stage.ask("/help nothing")
        await stage.see("There is no command “nothing”")
        await stage.ask("/help")
        await stage.see("Writing · you are here")


# -- figures ------------------------------------------------------------------------------------------------------------


async def test_figures_of_an_empty_chat() -> None:
    async with chatting() as (stage, _):
        await ready(stage)
        await stage.ask("/stats")
        await stage.see("No answer yet")
        await stage.press("escape")
        await stage.see("Connected")


@pytest.mark.parametrize("size", SIZES)
async def test_figures_on_the_screen(size: tuple[int, int]) -> None:
    async with chatting(size=size) as (stage, server):
        await answered(stage, "Why does nginx answer 502 after a deploy, and what is to be looked at first?")
        server.on("/api/chat", ollama_answer("And so.", tokens=30))
        await answered(stage, "Почему так?")
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await answered(stage, "And now?")
        conversation = stage.app.chat.session.conversation  # type: ignore[union-attr]
        from dataclasses import replace

        for answer in list(conversation):
            if answer.timings.total_s is not None:
                timings = replace(
                    answer.timings, first_token_s=0.42, total_s=10.5, load_s=None, prompt_tokens_per_s=812.5
                )
                conversation.update(replace(answer, timings=timings))
        await stage.ask("/stats")
        await stage.see("Tokens out")
        await snapshot.check(stage, "stats")


async def test_set_page_on_the_screen() -> None:
    async with chatting() as (stage, _):
        await stage.ask("/set think=off dry_multiplier=0.8")
        await stage.ask("/set")
        await stage.see("What is sent")
        await snapshot.check(stage, "set")
