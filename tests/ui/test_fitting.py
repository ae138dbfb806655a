"""What does not fit into the context window is not sent before the person has said what is to be done about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.app import CHAT, answer, becomes_llamacpp, model_server
from tests.support.replay import Canned, Replay, as_json, held, ndjson, recorded, replay, stalling
from tests.support.snapshot import check
from tests.support.stage import SIZES, Stage, chats, like_ollama, options, running
from tui.core.endpoint import Endpoint
from tui.ui.chat.choice import Choice

LONG = "Why is the sky blue, and why is it red in the evening? " * 60 + "So why?"
"""About 830 tokens by estimate."""
HUGE = LONG * 12
ASKED = "This does not fit into the context window"


@pytest.fixture(autouse=True)
def nobody_was_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key is meant for the choice from the moment that it appears."""
    monkeypatch.setattr("tui.ui.chat.choice.TYPING_S", 0.0)


def counted(text: str, prompt: int, completion: int = 40, *, ended: bool = True) -> Canned:
    """An answer of Ollama after a prompt of so many tokens."""
    records: list[object] = [{"message": {"role": "assistant", "content": text}, "done": False}]
    end = {"message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop"}
    figures = {
        "prompt_eval_count": prompt,
        "eval_count": completion,
        "eval_duration": completion * 10**9 // 41,
    }
    return ndjson([*records, {**end, **figures}] if ended else records, ended=ended)


def overflow(prompt: int, window: int) -> Canned:
    """Ollama's refusal of what does not fit, as it hands on that of its runner."""
    said = (
        '{"error":{"code":400,"message":"request exceeds the available context size","type":'
        f'"exceed_context_size_error","n_prompt_tokens":{prompt},"n_ctx":{window}}}}}'
    )
    return as_json(400, {"error": said})


@asynccontextmanager
async def nearly_full(
    size: tuple[int, int] = SIZES[0],
) -> AsyncIterator[tuple[Stage, Replay]]:
    """A chat of three questions with Ollama, whose window of 8k has 7.6k taken."""
    async with replay() as server:
        like_ollama(server).on(
            "/api/chat",
            counted("One.", 2400),
            counted("Two.", 5000),
            counted("Three.", 7600),
            counted("Four.", 900),
        )
        async with running(server.url, size=size) as stage:
            await stage.see("ctx 0 of 8k")
            for question, said in (
                ("Who was Euler?", "One."),
                ("And Gauss?", "Two."),
                ("And Noether?", "Three."),
            ):
                await stage.ask(question)
                await stage.see(said)
                await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
            await stage.see("ctx 7.6k of 8k")
            yield stage, server


def messages(body: dict[str, object]) -> list[tuple[str, str]]:
    """Roles and texts of a request."""
    found = body["messages"]
    assert isinstance(found, list)
    return [(message["role"], message["content"]) for message in found]


def choosing(stage: Stage) -> bool:
    """Whether the person is asked, and nothing can be written meanwhile."""
    shown = stage.app.query_one(Choice).display
    assert stage.app.query_one("#writing").display is not shown
    return bool(shown)


async def test_what_fits_is_asked_at_once() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask("And Hilbert?")
        await stage.see("Four.")
        assert len(messages(chats(server)[-1])) == 7
        assert ASKED not in stage.text()


async def test_a_question_that_alone_is_too_long() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 8k")
            await stage.ask(HUGE)
            await stage.see(ASKED)
            await stage.see(r"The window has 8k; this takes ~9\.9k tokens, and 256 for the answer")
            await stage.see("nothing can be left out: the question alone is too long")
            await stage.see("a window of 16k")
            await stage.press("d", "s")
            assert choosing(stage), "what cannot be done is done by no key"
            await stage.press("escape")
            await stage.see_no_more(ASKED)
            assert not choosing(stage)
            assert stage.app.chat.composer.plain.strip() == HUGE
            assert stage.app.focused is stage.app.chat.composer
            assert chats(server) == []
            assert stage.app.chat.session is not None
            assert len(stage.app.chat.session.conversation) == 0, "it was not asked, so it is not in the chat"
            await stage.press("enter")
            await stage.see(ASKED)
            await stage.press("a")
            await stage.see(r"Yes\.")
            assert len(chats(server)) == 1


async def test_the_oldest_are_left_out() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        await stage.see("leave out the 2 oldest questions and answers, from “Who was Euler\\?” on")
        assert len(chats(server)) == 3
        await stage.press("d")
        await stage.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert [text for _, text in asked] == ["And Noether?", "Three.", LONG] or asked[0][0] == "system"
        assert "Euler" not in str(asked)
        await stage.press("ctrl+home")
        await stage.see(r"── you ─+ not seen ─")
        await stage.see(r"40 tokens · 41 tok/s · not seen ─")
        await stage.see("▲ the model sees nothing up to here")
        assert stage.text().count("not seen") == 4
        await stage.see("ctx 940 of 8k")

        await stage.press("ctrl+g")
        server.on("/api/chat", counted("Five.", 990))
        await stage.ask("And Hilbert?")
        await stage.see(r"Five\.")
        assert "Euler" not in str(messages(chats(server)[-1])), "what was decided holds"
        assert "Noether" in str(messages(chats(server)[-1]))
        assert stage.app.chat.session is not None
        last = stage.app.chat.session.conversation.leaf
        assert last is not None
        assert "left_out_to" in last.parameters


async def test_another_branch_is_seen_as_a_whole() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        await stage.press("d")
        await stage.see(r"Four\.")
        session = stage.app.chat.session
        assert session is not None
        first = session.conversation.path()[0]
        stage.app.chat.ask("Who was Leonhard Euler?", instead_of=first)
        await stage.until(lambda: len(chats(server)) == 5, "it is asked")
        assert messages(chats(server)[-1]) == [("user", "Who was Leonhard Euler?")]
        await stage.see("1|2/2")
        assert "not seen" not in stage.text()


async def test_a_summary_takes_the_place_of_the_oldest() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        server.on("/api/chat", stalling(counted("They spoke of", 300, ended=False)))
        await stage.press("s")
        await stage.see(r"── summary ─+")
        await stage.see("They spoke of")
        await stage.see("esc  stop, and choose again")
        await stage.see(r"summary: ")
        await stage.press("escape")
        await stage.see(ASKED)
        assert "They spoke of" not in stage.text()
        assert len(chats(server)) == 4
        asked = messages(chats(server)[-1])
        assert len(asked) == 1
        assert "Person: Who was Euler?" in asked[0][1]
        assert "Assistant: One." in asked[0][1]
        assert "Noether" not in asked[0][1]
        assert options(chats(server)[-1])["num_predict"] == 512

        server.on("/api/chat", counted("They spoke of **mathematicians**.", 300), counted("Four.", 900))
        await stage.press("s")
        await stage.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert asked[0][0] == "system"
        assert asked[0][1].endswith("They spoke of **mathematicians**.")
        assert [text for _, text in asked[1:]] == ["And Noether?", "Three.", LONG]
        await stage.press("ctrl+home")
        await stage.see("▲ the model sees nothing up to here, but this summary of it:")
        await stage.see(r"They spoke of \*\*mathematicians\*\*\.")


async def test_a_summary_that_fails_leaves_the_choice() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        await stage.press("s")
        await stage.see("No summary: Ollama cannot do this")
        await stage.see(ASKED)
        server.on("/api/chat", counted("", 300))
        await stage.press("s")
        await stage.see("No summary: The model wrote none")
        await stage.see(ASKED)
        await stage.press("c")
        await stage.see_no_more(ASKED)
        assert stage.app.chat.composer.plain.strip() == LONG
        assert "not seen" not in stage.text()


async def test_a_larger_window() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see("a window of 16k: loads the model anew")
        await stage.press("l")
        await stage.see(r"Four\.")
        assert options(chats(server)[-1])["num_ctx"] == 16384
        assert len(messages(chats(server)[-1])) == 7
        assert "not seen" not in stage.text()
        await stage.see("of 16k")


async def test_an_old_ollama_is_asked_how_large_the_window_can_be() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        server.on("/api/tags", as_json(200, {"models": [{"name": "teacher:latest", "size": 9}]}))
        server.on("/api/show", held(recorded("ollama/show")))
        async with running(server.url, overrides={"context_window": 1024}) as stage:
            await stage.see("ctx 0 of 1k")
            await stage.ask(LONG)
            await stage.see("no larger window: the server does not say what the model was made for")
            server.release.set()
            await stage.see("a window of 2k")
            await stage.press("l")
            await stage.see(r"Yes\.")
            assert options(chats(server)[-1])["num_ctx"] == 2048


async def test_no_larger_window_than_the_model_was_made_for() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url, overrides={"context_window": 131072}) as stage:
            await stage.see("ctx 0 of 128k")
            await stage.ask(HUGE * 15)
            await stage.see("no larger window: the model was made for 128k")


async def test_a_window_that_was_set_counts_and_not_the_one_that_is_loaded() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url, overrides={"context_window": 1024}) as stage:
            await stage.see("ctx 0 of 1k")
            await stage.ask(LONG)
            await stage.see(ASKED)
            await stage.see("The window has 1k")


async def test_the_server_refuses_and_the_same_choice_comes() -> None:
    async with nearly_full() as (stage, server):
        server.on("/api/chat", overflow(9000, 8192))
        await stage.ask("And Hilbert?")
        await stage.see("The conversation does not fit into the context window")
        await stage.see(ASKED)
        await stage.see(r"this takes 9k|9\.0k tokens")
        assert "ask all the same" not in stage.text(), "it has just refused"
        await stage.press("c")
        await stage.see_no_more(ASKED)
        await stage.see("F5 asks again")
        await stage.press("f5")
        await stage.see(ASKED)
        server.on("/api/chat", counted("Four.", 900))
        await stage.press("d")
        await stage.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert asked[-1] == ("user", "And Hilbert?")
        assert "Euler" not in str(asked)
        assert "does not fit" not in stage.text(), "the answer took the place of the refusal"


async def test_asking_again_is_guarded_too_and_loses_nothing() -> None:
    async with nearly_full() as (stage, server):
        stage.app.set_desk(replace(stage.app.desk, overrides={"context_window": 128}))
        session = stage.app.chat.session
        assert session is not None
        before = session.conversation.fingerprint()
        await stage.press("f5")
        await stage.see(ASKED)
        assert choosing(stage)
        await stage.see("c  do not ask\n")
        await stage.press("c")
        await stage.see_no_more(ASKED)
        assert stage.app.chat.composer.plain == ""
        assert session.conversation.fingerprint() == before
        assert len(chats(server)) == 3


async def test_the_choice_stays_while_another_tab_is_looked_at() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        await stage.press("f3")
        await stage.see("NAME")
        await stage.press("f2")
        await stage.see(ASKED)
        assert choosing(stage)
        await stage.press("d")
        await stage.see(r"Four\.")
        assert len(chats(server)) == 4


async def test_a_new_chat_does_not_take_the_question_along() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        await stage.press("ctrl+n")
        await stage.see("ctx 0 of 8k")
        assert not choosing(stage)
        assert stage.app.chat.composer.plain == ""
        server.on("/api/chat", counted("Fresh.", 20))
        await stage.ask("Hello?")
        await stage.see(r"Fresh\.")


# -- counting -----------------------------------------------------------------------------------------------------------


def counting(server: Replay, tokens: int) -> Canned:
    """Let a replay server be a llama.cpp that counts so many tokens in every prompt."""
    becomes_llamacpp(server)
    server.on("/apply-template", as_json(200, {"prompt": "<user>…"}))
    return as_json(200, {"tokens": list(range(tokens))})


async def test_the_servers_count_decides_and_not_the_estimate() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 3000))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask("Short?")
            await stage.see(r"Yes\.")
            assert "/tokenize" not in server.paths(), "a short question is not held up"
            await stage.ask(LONG * 5)
            await stage.until(lambda: len([p for p in server.paths() if p == CHAT]) == 2, "it is asked")
            assert "/tokenize" in server.paths()
            server.on("/tokenize", as_json(200, {"tokens": list(range(3900))}))
            await stage.ask(LONG * 4)
            await stage.see(r"this takes 3\.9k tokens")
            await stage.see("no larger window: llama-server sets it when it starts: --ctx-size")
            assert "ask all the same" not in stage.text(), "the count is no estimate"


async def test_what_is_written_while_the_server_counts_waits() -> None:
    async with model_server(answer("Yes."), answer("Two.")) as server:
        server.on("/tokenize", held(counting(server, 900)))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 3)
            await stage.see("counting the tokens")
            await stage.ask("And then?")
            await stage.see("waiting: And then")
            assert CHAT not in server.paths()
            server.release.set()
            await stage.see(r"Two\.")
            assert [p for p in server.paths() if p == CHAT] == [CHAT, CHAT]


async def test_escape_ends_a_count() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", held(counting(server, 900)))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 3)
            await stage.see("counting the tokens")
            await stage.press("escape")
            await stage.see_no_more("counting the tokens")
            assert stage.app.chat.composer.plain.strip() == LONG * 3
            server.release.set()
            await stage.settle()
            assert CHAT not in server.paths()


@pytest.mark.parametrize("key", ["d", "s"])
async def test_with_a_real_server_of_a_small_window(
    start_llama: StartServer, script_gguf: Path, key: str
) -> None:
    endpoint: Endpoint = start_llama(script_gguf, context_window=1024).endpoint
    async with running(replace(endpoint, kind=None), overrides={"max_tokens": 200}) as stage:
        await stage.see("ctx 0 of 1k")
        for _ in range(3):
            await stage.ask("What is the difference between a list and a tuple, and when do I use which?")
            await stage.see("F6 continue")
        await stage.ask("And a set?")
        await stage.until(lambda: choosing(stage), "it does not fit")
        await stage.press(key)
        await stage.until(lambda: not stage.app.chat.busy, "it is answered")
        assert not choosing(stage)
        session = stage.app.chat.session
        assert session is not None
        path = session.conversation.path()
        assert path[-2].content == "And a set?"
        assert path[-1].content
        assert path[-1].problem is None
        assert (path[-1].usage.total or 0) <= 1024
        assert 1 <= session.conversation.view.cut(path) // 2 <= 3
        assert bool(session.conversation.view.summary) is (key == "s")


# -- the meter ----------------------------------------------------------------------------------------------------------


async def test_a_long_draft_counts() -> None:
    async with nearly_full() as (stage, _):
        stage.app.chat.composer.fill("Short")
        await stage.see("ctx 7.6k of 8k")
        stage.app.chat.composer.fill(LONG)
        await stage.see(r"ctx ~8\.\dk of 8k")
        stage.app.chat.composer.fill("")
        await stage.see("ctx 7.6k of 8k")


async def test_a_very_long_draft_is_counted_by_a_server_that_can() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 1234))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            stage.app.chat.composer.fill(LONG)
            await stage.see(r"ctx ~\d+ of 4")
            await stage.see(r"ctx 1\.2k of 4")
            await stage.write("x")
            await stage.see(r"ctx ~\d+ of 4")


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_how_the_choice_looks() -> None:
    async with nearly_full() as (stage, server):
        await stage.ask(LONG)
        await stage.see(ASKED)
        for size in ((50, 15), *reversed(SIZES)):
            await stage.resize(*size)
            await check(stage, "fit-choice")
        server.on("/api/chat", stalling(counted("They spoke of Euler and Gauss.", 300, ended=False)))
        await stage.press("s")
        await stage.see("They spoke of")
        for size in reversed(SIZES):
            await stage.resize(*size)
            await check(stage, "fit-summarising")
        await stage.press("escape")
        await stage.see(ASKED)
        server.on("/api/chat", counted("They spoke of Euler and Gauss.", 300), counted("Four.", 900))
        await stage.press("s")
        await stage.see(r"Four\.")
        await stage.press("ctrl+home")
        for size in reversed(SIZES):
            await stage.resize(*size)
            await check(stage, "fit-left-out")


async def test_how_a_question_looks_that_is_too_long() -> None:
    async with model_server(answer("Yes.")) as server:
        server.on("/tokenize", counting(server, 5000))
        async with running(server.url) as stage:
            await stage.see("ctx 0 of 4.1k|ctx 0 of 4k")
            await stage.ask(LONG * 6)
            await stage.see(ASKED)
            for size in reversed(SIZES):
                await stage.resize(*size)
                await check(stage, "fit-too-long")
