"""Other questions and answers beside those that the walk is at: editing, siblings, branches, deleting and undoing."""

from __future__ import annotations

from tests.support.replay import stalling
from tests.support.stage import MODEL, NOBODY, chats, ollama_answer, options, questions, running
from tests.support.walk import OTHER, answered, contents, walked, whole

# -- other questions and answers ----------------------------------------------------------------------------------------


async def test_an_edited_question_is_asked_beside_the_old_one() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        stage,
        server,
    ):
        await answered(stage, "One?", r"First\.")
        await answered(stage, "Two?", r"Second\.")
        await stage.write("my draft")
        await stage.press("shift+tab", "up", "e")
        await stage.see("editing: Enter asks it beside the old one, Esc leaves it")
        await stage.see("› Two\\?")
        await stage.press("enter")
        await stage.see("Nothing was changed: Esc leaves it as it is")
        await stage.press("escape")
        await stage.see("› my draft")
        await stage.press("e")
        await stage.write(" Really?")
        await stage.press("enter")
        await whole(stage, r"Third\.")
        assert contents(stage) == ["One?", "First.", "Two? Really?", "Third."]
        assert questions(server)[-1] == "Two? Really?"
        await stage.see("── you ─+ 2/2 ─")
        await stage.see("› my draft")
        assert stage.app.screen.focused is stage.app.chat.composer

        await stage.press("shift+tab", "up", "left")
        await stage.see("›─ you ─+ 1/2 ─")
        assert contents(stage) == ["One?", "First.", "Two?", "Second."]
        await stage.press("left")
        await stage.see("This is the first of 2")
        await stage.press("up", "right")
        await stage.see("There is no other answer in this place")


async def test_an_edited_answer_is_gone_on_with_beside_the_old_one() -> None:
    async with walked(ollama_answer("Red is best."), ollama_answer(" then green.")) as (stage, server):
        await answered(stage, "Colours?", "Red is best")
        await stage.press("shift+tab", "e")
        await stage.see("editing the answer: Enter goes on from it, Esc leaves it")
        await stage.press("ctrl+u")
        await stage.write("Blue,")
        await stage.press("enter")
        await stage.see("Blue, then green")
        await stage.see(r"── llama3\.2:3b · technical · edited ─+ 2/2 ─")
        assert "tok" not in stage.row("edited"), "what was measured is not of what is shown"
        messages = chats(server)[-1]["messages"]
        assert isinstance(messages, list)
        assert {"role": "assistant", "content": "Blue,"} in messages
        assert contents(stage) == ["Colours?", "Blue, then green."]
        await stage.press("shift+tab", "left")
        await stage.see(r"Red is best")
        assert contents(stage) == ["Colours?", "Red is best."]


async def test_other_answers_with_the_next_preset_and_the_next_model() -> None:
    async with walked() as (stage, server):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab", "r")
        await whole(stage, "2/2")
        await stage.press("shift+tab", "t")
        await stage.see(rf"{MODEL} · creative .* 3/3")
        await stage.see(f"with creative on {MODEL}, this once")
        assert stage.app.state.preset.name == "technical"
        await whole(stage, "3/3")
        await stage.press("shift+tab", "t")
        await whole(stage, rf"{MODEL} · chatbot .* 4/4")
        assert options(chats(server)[-1])["temperature"] == 0.6
        await stage.press("shift+tab", "m")
        await whole(stage, rf"{OTHER} · technical .* 5/5")
        assert chats(server)[-1]["model"] == OTHER
        assert stage.app.state.model == MODEL
        await stage.press("shift+tab", "up", "r")
        await whole(stage, rf"{MODEL} · technical .* 6/6")
        assert questions(server) == ["Why?"] * 6


async def test_where_there_is_no_other_model_or_no_server_it_is_said() -> None:
    async with walked(models=(MODEL,)) as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("shift+tab", "m")
        await stage.see(f"This server has no other model than {MODEL}")
        await stage.press("g")
        await stage.see("This answer is complete: r asks for another")
        await stage.press("up", "g")
        await stage.see("A question cannot be continued: e edits it")
    async with running(NOBODY) as stage:
        await stage.see("No server answers")
        await stage.ask("Why?")
        await stage.see("asks again")
        await stage.press("shift+tab", "t")
        await stage.see("No server answers: F8 looks again")
        await stage.press("m")
        await stage.see("No server answers: F8 looks again")


async def test_a_cut_answer_is_continued_and_in_the_middle_beside_itself() -> None:
    cut = ollama_answer("Half", tokens=512, reason="length")
    async with walked(cut, ollama_answer("Next."), ollama_answer(" and whole.")) as (stage, _):
        await answered(stage, "One?", "cut at 512 tokens")
        await answered(stage, "Two?", r"Next\.")
        await stage.press("shift+tab", "up", "up")
        await stage.see("g continue  c copy  F1 keys")
        await stage.press("g")
        await whole(stage, "Half and whole")
        assert contents(stage) == ["One?", "Half and whole."]
        await stage.see("2/2")
        await stage.press("shift+tab", "left")
        assert contents(stage) == ["One?", "Half", "Two?", "Next."]
        await stage.press("e")
        await stage.write(" a word")
        await stage.press("enter")
        await stage.see("Half a word and whole")


# -- the tree -----------------------------------------------------------------------------------------------------------


async def test_what_was_deleted_comes_back_in_reverse() -> None:
    async with walked(*(ollama_answer(f"Answer {number}.") for number in range(1, 4))) as (stage, _):
        for number in range(1, 4):
            await answered(stage, f"Question {number}?", rf"Answer {number}\.")
        everything = contents(stage)
        session = stage.app.chat.session
        assert session is not None
        before = session.conversation.fingerprint()
        await stage.press("shift+tab", "d")
        await stage.see("Deleted 1 message: u brings it back")
        await stage.see("message 5 of 5")
        await stage.press("up", "up", "d")
        await stage.see("Deleted 3 messages: u brings them back")
        assert contents(stage) == everything[:2]
        await stage.press("up", "d")
        await stage.see("Deleted 2 messages: /undo brings them back")
        assert contents(stage) == []
        assert stage.app.screen.focused is stage.app.chat.composer
        await stage.see("Connected")
        for count in (2, 5, 6):
            stage.app.run_command("undo")
            await stage.see("back ──")
            assert contents(stage) == everything[:count]
        assert session.conversation.fingerprint() == before
        stage.app.run_command("undo")
        await stage.see("Nothing was deleted here that could come back")


async def test_deleting_shows_the_sibling_and_undo_shows_what_was_open() -> None:
    async with walked() as (stage, _):
        await answered(stage, "Why?", r"Yes\.")
        await stage.press("f5")
        await stage.see("2/2")
        await stage.until(lambda: not stage.app.chat.doing, "the answer is done")
        await stage.press("shift+tab", "d")
        await stage.see("Deleted 1 message: u brings it back")
        assert "2/2" not in stage.text()
        await stage.press("u")
        await stage.see("2/2")
        await stage.see("The message is back")
        await stage.press("up", "d")
        await stage.see("Deleted 3 messages, 1 in other branches: /undo brings them back")


async def test_deleting_stops_what_comes_in_below() -> None:
    async with walked(stalling(ollama_answer("Half", ended=False))) as (stage, _):
        await stage.ask("Why?")
        await stage.see("Half")
        await stage.press("shift+tab", "up", "d")
        await stage.see("Stopped the answer, deleted 2 messages: /undo brings them back")
        assert not stage.app.chat.doing
        stage.app.run_command("undo")
        await stage.see("stopped by you")
        assert contents(stage) == ["Why?", "Half"]


async def test_a_branch_is_a_chat_of_its_own() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second."), ollama_answer("Third.")) as (
        stage,
        _,
    ):
        stage.app.run_command("chat.branch")
        await stage.see("There is nothing to branch from yet")
        await answered(stage, "One?", r"First\.")
        await answered(stage, "Two?", r"Second\.")
        old = stage.app.chat.session
        await stage.press("shift+tab", "up", "up", "b")
        await stage.see("A new chat with 2 messages; the old one stays")
        assert contents(stage) == ["One?", "First."]
        stage.app.backstage.flush(60)
        await stage.press("f7")
        await stage.see(r"\n.One\? \(2\) ")
        await stage.see(r"\n.One\? +\S")
        await stage.press("escape")
        await answered(stage, "Other?", r"Third\.")
        new = stage.app.chat.session
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
