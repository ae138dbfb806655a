"""Other questions and answers beside those that the message cursor is at: editing, siblings, branches, deleting and undoing."""

from __future__ import annotations

from tests.support.app_driver import NOBODY, running
from tests.support.canned_servers import MODEL, chats, ollama_answer, options, questions
from tests.support.replay import stalling
from tests.support.walk import OTHER, answered, walked, whole

# -- other questions and answers ----------------------------------------------------------------------------------------


async def test_an_edited_question_is_asked_beside_the_old_one() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        driver,
        server,
    ):
        await answered(driver, "One?", r"First\.")
        await answered(driver, "Two?", r"Second\.")
        await driver.write("my draft")
        await driver.press("shift+tab", "up", "e")
        await driver.see("editing: Enter asks it beside the old one, Esc leaves it")
        await driver.see("› Two\\?")
        await driver.press("enter")
        await driver.see("Nothing was changed: Esc leaves it as it is")
        await driver.press("escape")
        await driver.see("› my draft")
        await driver.press("e")
        await driver.write(" Really?")
        await driver.press("enter")
        await whole(driver, r"Third\.")
        assert driver.messages == ["One?", "First.", "Two? Really?", "Third."]
        assert questions(server)[-1] == "Two? Really?"
        await driver.see("── you ─+ 2/2 ─")
        await driver.see("› my draft")
        assert driver.focus == "composer"

        await driver.press("shift+tab", "up", "left")
        await driver.see("›─ you ─+ 1/2 ─")
        assert driver.messages == ["One?", "First.", "Two?", "Second."]
        await driver.press("left")
        await driver.see("This is the first of 2")
        await driver.press("up", "right")
        await driver.see("There is no other answer in this place")


async def test_an_edited_answer_is_gone_on_with_beside_the_old_one() -> None:
    async with walked(ollama_answer("Red is best."), ollama_answer(" then green.")) as (driver, server):
        await answered(driver, "Colours?", "Red is best")
        await driver.press("shift+tab", "e")
        await driver.see("editing the answer: Enter goes on from it, Esc leaves it")
        await driver.press("ctrl+u")
        await driver.write("Blue,")
        await driver.press("enter")
        await driver.see("Blue, then green")
        await driver.see(r"── llama3\.2:3b · technical · edited ─+ 2/2 ─")
        assert "tok" not in driver.row("edited"), "what was measured is not of what is shown"
        messages = chats(server)[-1]["messages"]
        assert isinstance(messages, list)
        assert {"role": "assistant", "content": "Blue,"} in messages
        assert driver.messages == ["Colours?", "Blue, then green."]
        await driver.press("shift+tab", "left")
        await driver.see(r"Red is best")
        assert driver.messages == ["Colours?", "Red is best."]


async def test_other_answers_with_the_next_preset_and_the_next_model() -> None:
    async with walked() as (driver, server):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab", "r")
        await whole(driver, "2/2")
        await driver.press("shift+tab", "t")
        await driver.see(rf"{MODEL} · creative .* 3/3")
        await driver.see(f"with creative on {MODEL}, this once")
        assert driver.preset.name == "technical"
        await whole(driver, "3/3")
        await driver.press("shift+tab", "t")
        await whole(driver, rf"{MODEL} · chatbot .* 4/4")
        assert options(chats(server)[-1])["temperature"] == 0.6
        await driver.press("shift+tab", "m")
        await whole(driver, rf"{OTHER} · technical .* 5/5")
        assert chats(server)[-1]["model"] == OTHER
        assert driver.model == MODEL
        await driver.press("shift+tab", "up", "r")
        await whole(driver, rf"{MODEL} · technical .* 6/6")
        assert questions(server) == ["Why?"] * 6


async def test_where_there_is_no_other_model_or_no_server_it_is_said() -> None:
    async with walked(models=(MODEL,)) as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("shift+tab", "m")
        await driver.see(f"This server has no other model than {MODEL}")
        await driver.press("g")
        await driver.see("This answer is complete: r asks for another")
        await driver.press("up", "g")
        await driver.see("A question cannot be continued: e edits it")
    async with running(NOBODY) as driver:
        await driver.see("No server answers")
        await driver.ask("Why?")
        await driver.see("asks again")
        await driver.press("shift+tab", "t")
        await driver.see("No server answers: F8 looks again")
        await driver.press("m")
        await driver.see("No server answers: F8 looks again")


async def test_a_cut_answer_is_continued_and_in_the_middle_beside_itself() -> None:
    cut = ollama_answer("Half", tokens=512, reason="length")
    async with walked(cut, ollama_answer("Next."), ollama_answer(" and whole.")) as (driver, _):
        await answered(driver, "One?", "cut at 512 tokens")
        await answered(driver, "Two?", r"Next\.")
        await driver.press("shift+tab", "up", "up")
        await driver.see("g continue  c copy  F1 keys")
        await driver.press("g")
        await whole(driver, "Half and whole")
        assert driver.messages == ["One?", "Half and whole."]
        await driver.see("2/2")
        await driver.press("shift+tab", "left")
        assert driver.messages == ["One?", "Half", "Two?", "Next."]
        await driver.press("e")
        await driver.write(" a word")
        await driver.press("enter")
        await driver.see("Half a word and whole")


# -- the tree -----------------------------------------------------------------------------------------------------------


async def test_what_was_deleted_comes_back_in_reverse() -> None:
    async with walked(*(ollama_answer(f"Answer {number}.") for number in range(1, 4))) as (driver, _):
        for number in range(1, 4):
            await answered(driver, f"Question {number}?", rf"Answer {number}\.")
        everything = driver.messages
        session = driver.session
        before = session.conversation.fingerprint()
        await driver.press("shift+tab", "d")
        await driver.see("Deleted 1 message: u brings it back")
        driver.clear_notice()
        await driver.see("message 5 of 5")
        await driver.press("up", "up", "d")
        await driver.see("Deleted 3 messages: u brings them back")
        assert driver.messages == everything[:2]
        await driver.press("up", "d")
        await driver.see("Deleted 2 messages: /undo brings them back")
        assert driver.messages == []
        assert driver.focus == "composer"
        await driver.see("Connected")
        for count in (2, 5, 6):
            driver.clear_notice()
            driver.run_command("undo")
            await driver.see("back ──")
            assert driver.messages == everything[:count]
        assert session.conversation.fingerprint() == before
        driver.run_command("undo")
        await driver.see("Nothing was deleted here that could come back")


async def test_deleting_shows_the_sibling_and_undo_shows_what_was_open() -> None:
    async with walked() as (driver, _):
        await answered(driver, "Why?", r"Yes\.")
        await driver.press("f5")
        await driver.see("2/2")
        await driver.until(lambda: not driver.activity, "the answer is done")
        await driver.press("shift+tab", "d")
        await driver.see("Deleted 1 message: u brings it back")
        assert "2/2" not in driver.text()
        await driver.press("u")
        await driver.see("2/2")
        await driver.see("The message is back")
        await driver.press("up", "d")
        await driver.see("Deleted 3 messages, 1 in other branches: /undo brings them back")


async def test_deleting_stops_what_comes_in_below() -> None:
    async with walked(stalling(ollama_answer("Half", ended=False))) as (driver, _):
        await driver.ask("Why?")
        await driver.see("Half")
        await driver.press("shift+tab", "up", "d")
        await driver.see("Stopped the answer, deleted 2 messages: /undo brings them back")
        assert not driver.activity
        driver.run_command("undo")
        await driver.see("stopped by you")
        assert driver.messages == ["Why?", "Half"]


async def test_a_branch_is_a_chat_of_its_own() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        driver,
        _,
    ):
        driver.run_command("chat.branch")
        await driver.see("There is nothing to branch from yet")
        await answered(driver, "One?", r"First\.")
        await answered(driver, "Two?", r"Second\.")
        old = driver.session
        await driver.press("shift+tab", "up", "up", "b")
        await driver.see("A new chat with 2 messages; the old one stays")
        assert driver.messages == ["One?", "First."]
        driver.flush()
        await driver.press("f7")
        await driver.see(r"\n.One\? \(2\) ")
        await driver.see(r"\n.One\? +\S")
        await driver.press("escape")
        await answered(driver, "Other?", r"Third\.")
        new = driver.session
        assert old is not None
        assert new is not None
        assert new.conversation.id != old.conversation.id
        assert [message.content for message in old.conversation.path()] == [
            "One?",
            "First.",
            "Two?",
            "Second.",
        ]
        assert not {message.id for message in old.conversation} & {message.id for message in new.conversation}
