"""What does not fit into the context window is not sent before the person has said what is to be done about it."""

from __future__ import annotations

from tests.support.app_driver import SIZES, running
from tests.support.canned_servers import chats, like_ollama, options
from tests.support.fitting import ASKED, choose, choosing, nearly_full
from tests.support.fitting_prompts import HUGE, LONG, counted, messages, refusal
from tests.support.replay import replay, stalling
from tests.support.snapshot import check


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


async def test_the_server_refuses_and_the_same_choice_comes() -> None:
    async with nearly_full() as (driver, server):
        server.on("/api/chat", refusal(9000, 8192))
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
