"""What does not fit into the context window is not sent before the person has said what is to be done about it."""

from __future__ import annotations

from dataclasses import replace

from tests.support.app_driver import SIZES, running
from tests.support.canned_servers import chats, like_ollama, options
from tests.support.fitting import ASKED, choose, choosing, nearly_full
from tests.support.fitting_prompts import HUGE, LONG, counted
from tests.support.replay import CannedResponse, as_json, held, recorded, replay, stalling
from tests.support.snapshot import check


def overflow(prompt: int, window: int) -> CannedResponse:
    """Ollama's refusal of what does not fit, as it hands on that of its runner."""
    said = (
        '{"error":{"code":400,"message":"request exceeds the available context size","type":'
        f'"exceed_context_size_error","n_prompt_tokens":{prompt},"n_ctx":{window}}}}}'
    )
    return as_json(400, {"error": said})


def messages(body: dict[str, object]) -> list[tuple[str, str]]:
    """Roles and texts of a request."""
    found = body["messages"]
    assert isinstance(found, list)
    return [(message["role"], message["content"]) for message in found]


async def test_what_fits_is_asked_at_once() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask("And Hilbert?")
        await driver.see("Four.")
        assert len(messages(chats(server)[-1])) == 7
        assert ASKED not in driver.text()


async def test_a_question_that_alone_is_too_long() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.ask(HUGE)
            await driver.see(ASKED)
            await driver.see(r"The window has 8k; this takes ~9\.9k tokens, and 256 for the answer")
            await driver.see("nothing can be left out: the question alone is too long")
            await driver.see("a window of 16k")
            assert "fit.drop" not in driver.decision, "what cannot be done is not to choose"
            await driver.press("escape")
            assert not choosing(driver)
            await driver.see_no_more(ASKED)
            assert driver.composer_plain.strip() == HUGE
            assert driver.focus == "composer"
            assert chats(server) == []
            assert len(driver.conversation) == 0, "it was not asked, so it is not in the chat"
            await driver.press("enter")
            await driver.see(ASKED)
            await choose(driver, "fit.anyway")
            await driver.see(r"Yes\.")
            assert len(chats(server)) == 1


async def test_the_oldest_are_left_out() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        await driver.see("leave out the 2 oldest questions and answers, from “Who was Euler\\?” on")
        assert len(chats(server)) == 3
        await choose(driver, "fit.drop")
        await driver.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert asked == [("user", "And Noether?"), ("assistant", "Three."), ("user", LONG)]
        assert "Euler" not in str(asked)
        await driver.press("ctrl+home")
        await driver.see(r"── you ─+ not seen ─")
        await driver.see(r"40 tokens · 41 tok/s · not seen ─")
        await driver.see("▲ The model no longer sees what is above")
        assert driver.text().count("not seen") == 4
        await driver.see("ctx 940 of 8k")

        await driver.press("ctrl+g")
        server.on("/api/chat", counted("Five.", 990))
        await driver.ask("And Hilbert?")
        await driver.see(r"Five\.")
        assert "Euler" not in str(messages(chats(server)[-1])), "what was decided holds"
        assert "Noether" in str(messages(chats(server)[-1]))
        last = driver.conversation.leaf
        assert last is not None
        assert "left_out_to" in last.parameters


async def test_another_branch_is_seen_as_a_whole() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        await choose(driver, "fit.drop")
        await driver.see(r"Four\.")
        await driver.until(lambda: not driver.busy, "the answer is done")
        session = driver.session
        first = session.conversation.path()[0]
        driver.submit("Who was Leonhard Euler?", instead_of=first)
        await driver.until(lambda: len(chats(server)) == 5, "it is asked")
        assert messages(chats(server)[-1]) == [("user", "Who was Leonhard Euler?")]
        await driver.see("1|2/2")
        assert "not seen" not in driver.text()


async def test_a_summary_takes_the_place_of_the_oldest() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        server.on("/api/chat", stalling(counted("They spoke of", 300, ended=False)))
        await choose(driver, "fit.summary")
        await driver.see(r"── summary ─+")
        await driver.see("They spoke of")
        await driver.see(r"stop, and choose again \(Esc\)")
        await driver.see(r"summary: ")
        await driver.press("escape")
        await driver.see(ASKED)
        assert "They spoke of" not in driver.text()
        assert len(chats(server)) == 4
        asked = messages(chats(server)[-1])
        assert len(asked) == 1
        assert "Person: Who was Euler?" in asked[0][1]
        assert "Assistant: One." in asked[0][1]
        assert "Noether" not in asked[0][1]
        assert options(chats(server)[-1])["num_predict"] == 512

        server.on("/api/chat", counted("They spoke of **mathematicians**.", 300), counted("Four.", 900))
        await choose(driver, "fit.summary")
        await driver.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert asked[0][0] == "system"
        assert asked[0][1].endswith("They spoke of **mathematicians**.")
        assert [text for _, text in asked[1:]] == ["And Noether?", "Three.", LONG]
        await driver.press("ctrl+home")
        await driver.see("▲ The model no longer sees what is above, only this summary of it:")
        await driver.see(r"They spoke of \*\*mathematicians\*\*\.")


async def test_a_summary_that_fails_leaves_the_choice() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        server.on("/api/chat", recorded("ollama/chat-runner-cannot-load"))
        await choose(driver, "fit.summary")
        await driver.see("No summary: Ollama cannot do this")
        await driver.see(ASKED)
        server.on("/api/chat", counted("", 300))
        await choose(driver, "fit.summary")
        await driver.see("No summary: The model wrote none")
        await driver.see(ASKED)
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain.strip() == LONG
        assert "not seen" not in driver.text()


async def test_a_larger_window() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see("a window of 16k: reloads the model")
        await choose(driver, "fit.window")
        await driver.see(r"Four\.")
        assert options(chats(server)[-1])["num_ctx"] == 16384
        assert len(messages(chats(server)[-1])) == 7
        assert "not seen" not in driver.text()
        await driver.see("of 16k")


async def test_the_larger_window_holds_the_answer_too() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 6700))
        limits = {"context_window": 2048, "max_tokens": 100_000}
        async with running(server.url, overrides=limits) as driver:
            await driver.see("ctx 0 of 2k")
            await driver.ask(LONG * 8)
            await driver.see("a window of 16k")  # 8k would hold the question, but not the 4k for its answer
            await choose(driver, "fit.window")
            await driver.see(r"Yes\.")
            assert options(chats(server)[-1])["num_ctx"] == 16384


async def test_an_old_ollama_is_asked_how_large_the_window_can_be() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        server.on("/api/tags", as_json(200, {"models": [{"name": "teacher:latest", "size": 9}]}))
        server.on("/api/show", held(recorded("ollama/show")))
        async with running(server.url, overrides={"context_window": 1024}) as driver:
            await driver.see("ctx 0 of 1k")
            await driver.ask(LONG)
            await driver.see("no larger window: the server does not say what the model was made for")
            server.release.set()
            await driver.see("a window of 2k")
            await choose(driver, "fit.window")
            await driver.see(r"Yes\.")
            assert options(chats(server)[-1])["num_ctx"] == 2048


async def test_no_larger_window_than_the_model_was_made_for() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url, overrides={"context_window": 131072}) as driver:
            await driver.see("ctx 0 of 128k")
            await driver.ask(HUGE * 15)
            await driver.see("no larger window: the model was made for 128k")


async def test_a_window_that_was_set_counts_and_not_the_one_that_is_loaded() -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", counted("Yes.", 12))
        async with running(server.url, overrides={"context_window": 1024}) as driver:
            await driver.see("ctx 0 of 1k")
            await driver.ask(LONG)
            await driver.see(ASKED)
            await driver.see("The window has 1k")


async def test_the_server_refuses_and_the_same_choice_comes() -> None:
    async with nearly_full() as (driver, server):
        server.on("/api/chat", overflow(9000, 8192))
        await driver.ask("And Hilbert?")
        await driver.see("The conversation does not fit into the context window")
        await driver.see(ASKED)
        await driver.see(r"this takes 9k|9\.0k tokens")
        assert "ask anyway" not in driver.text(), "it has just refused"
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == "And Hilbert?", "the text is back"
        await driver.see_no_more("does not fit")
        await driver.press("enter")
        await driver.see(ASKED)
        server.on("/api/chat", counted("Four.", 900))
        await choose(driver, "fit.drop")
        await driver.see(r"Four\.")
        asked = messages(chats(server)[-1])
        assert asked[-1] == ("user", "And Hilbert?")
        assert "Euler" not in str(asked)
        assert "does not fit" not in driver.text(), "the answer took the place of the refusal"


async def test_a_refused_question_stays_where_a_deleted_answer_hangs_on_it() -> None:
    async with nearly_full() as (driver, server):
        await driver.press("shift+tab", "d", "escape")
        server.on("/api/chat", overflow(9000, 8192))
        await driver.press("f5")
        await driver.see("The conversation does not fit into the context window")
        await driver.see(ASKED)
        await driver.see(r"do not ask \(Esc\)\n")
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == ""
        await driver.ask("/undo")
        await driver.see(r"The message is back")
        await driver.see(r"Two\.")


async def test_asking_again_is_guarded_too_and_loses_nothing() -> None:
    async with nearly_full() as (driver, server):
        driver.set_settings(replace(driver.settings, overrides={"context_window": 128}))
        session = driver.session
        before = session.conversation.fingerprint()
        await driver.press("f5")
        await driver.see(ASKED)
        assert choosing(driver)
        await driver.see(r"do not ask \(Esc\)\n")
        await choose(driver, "answer.stop")
        await driver.see_no_more(ASKED)
        assert driver.composer_plain == ""
        assert session.conversation.fingerprint() == before
        assert len(chats(server)) == 3


async def test_the_choice_stays_while_another_tab_is_looked_at() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        await driver.press("f3")
        await driver.see("NAME")
        await driver.press("f2")
        await driver.see(ASKED)
        assert choosing(driver)
        await choose(driver, "fit.drop")
        await driver.see(r"Four\.")
        assert len(chats(server)) == 4


async def test_a_new_chat_does_not_take_the_question_along() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        await driver.press("ctrl+n")
        await driver.see("ctx 0 of 8k")
        assert not choosing(driver)
        assert driver.composer_plain == ""
        server.on("/api/chat", counted("Fresh.", 20))
        await driver.ask("Hello?")
        await driver.see(r"Fresh\.")


async def test_how_the_choice_looks() -> None:
    async with nearly_full() as (driver, server):
        await driver.ask(LONG)
        await driver.see(ASKED)
        for size in ((50, 15), *reversed(SIZES)):
            await driver.resize(*size)
            await check(driver, "fit-choice")
        server.on("/api/chat", stalling(counted("They spoke of Euler and Gauss.", 300, ended=False)))
        await choose(driver, "fit.summary")
        await driver.see("They spoke of")
        for size in reversed(SIZES):
            await driver.resize(*size)
            await check(driver, "fit-summarising")
        await driver.press("escape")
        await driver.see(ASKED)
        server.on("/api/chat", counted("They spoke of Euler and Gauss.", 300), counted("Four.", 900))
        await choose(driver, "fit.summary")
        await driver.see(r"Four\.")
        await driver.press("ctrl+home")
        for size in reversed(SIZES):
            await driver.resize(*size)
            await check(driver, "fit-left-out")
