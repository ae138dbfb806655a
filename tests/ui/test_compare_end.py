"""How a comparison ends: which answer the chat goes on from, what is no answer, and what can be read and done meanwhile."""

from __future__ import annotations

from tests.support.replay import as_json, held, replay, stalling
from tests.support.stage import Stage, chatting, like_ollama, ollama_answer
from tui.core.message import Message, Role, Status
from tui.ui.compare.screen import CompareScreen
from tui.ui.terminal.link import SLOW_INTERVAL_S

SKY = "Why is the sky blue?"
LINES = "\n\n".join(f"Line {number}" for number in range(60))


def answers(stage: Stage) -> list[Message]:
    """All answers of the open chat, in the order of their making."""
    session = stage.app.chat.session
    assert session is not None
    return [message for message in session.conversation if message.role is Role.ASSISTANT]


def leaf(stage: Stage) -> Message:
    """The last message of the open branch."""
    session = stage.app.chat.session
    assert session is not None
    assert session.conversation.leaf is not None
    return session.conversation.leaf


def on_disk(stage: Stage) -> list[str]:
    """The texts of all messages of the open chat, as the disk has them."""
    session, store = stage.app.chat.session, stage.app.backstage._store
    stage.app.backstage.flush(60)
    assert session is not None
    assert store is not None
    return [message.content for message in store.load(session.conversation.id)]


# -- where the chat goes on ---------------------------------------------------------------------------------------------


async def test_left_without_a_choice_the_chat_stands_on_the_column_with_the_cursor() -> None:
    async with replay() as other, chatting() as (stage, server):
        server.on("/api/chat", ollama_answer("First."))
        like_ollama(other).on("/api/chat", ollama_answer("Second."))
        for keys, said in ((("escape",), "First."), (("right", "escape"), "Second.")):
            await stage.press("ctrl+n")
            await stage.ask(f"/compare technical technical on {other.url}: {SKY}")
            await stage.see(r"\n 2 answers ")
            await stage.press(*keys)
            await stage.see("All answers stay, beside each other")
            assert leaf(stage).content == said


async def test_what_was_stopped_before_its_first_word_is_no_answer() -> None:
    async with replay() as other, replay() as third, chatting() as (stage, server):
        server.on("/api/chat", held(ollama_answer("Late.")))
        like_ollama(other).on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        like_ollama(third).on("/api/chat", held(ollama_answer("Later.")))
        columns = f"technical technical on {other.url} technical on {third.url}"
        await stage.ask(f"/compare {columns}: {SKY}")
        await stage.see("It is")
        await stage.press("escape")
        await stage.see(r"\n 1 answer · 2 stopped ")
        await stage.press("escape")
        await stage.see("The one answer stays")
        assert leaf(stage).content == "It is"
        assert [message.content for message in answers(stage)] == ["It is"]
        assert on_disk(stage) == [SKY, "It is"]
        assert "stopped by you" in stage.text()
        stage.app.run_command("message.undo")
        await stage.settle()
        assert len(answers(stage)) == 1


async def test_where_all_fail_one_says_why_and_is_tried_again() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await stage.ask(f"/compare technical creative: {SKY}")
        await stage.see(r"\n no answer · 2 failed ")
        await stage.press("right", "enter")
        await stage.see("There was no answer")
        assert [(message.preset, message.status) for message in answers(stage)] == [
            ("creative", Status.FAILED)
        ]
        server.on("/api/chat", ollama_answer("Now."))
        await stage.press("f5")
        await stage.see("Now.")
        assert on_disk(stage) == [SKY, "Now."]


async def test_an_answer_that_was_there_before_outlives_a_comparison_that_brings_none() -> None:
    async with chatting() as (stage, server):
        await stage.ask(SKY)
        await stage.see("Yes.")
        await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await stage.ask("/compare")
        await stage.see(r"\n no answer · 2 failed ")
        await stage.press("escape")
        await stage.see("There was no answer")
        assert [message.content for message in answers(stage)] == ["Yes."]
        assert on_disk(stage) == [SKY, "Yes."]


async def test_a_column_that_is_to_be_kept_and_fails_is_not_gone_on_from() -> None:
    async with replay() as other, chatting() as (stage, server):
        server.on("/api/chat", held(as_json(500, {"error": "out of memory"})))
        like_ollama(other).on("/api/chat", ollama_answer("Second."))
        await stage.ask(f"/compare technical technical on {other.url}: {SKY}")
        await stage.see("Second.")
        await stage.press("enter")
        await stage.see("kept when it is whole")
        server.release.set()
        await stage.see("there is no answer in this column")
        assert isinstance(stage.app.screen, CompareScreen)
        await stage.press("right", "enter")
        await stage.see("─ Kept ─")
        assert [message.content for message in answers(stage)] == ["Second."]


async def test_leaving_lokal_takes_the_empty_columns_along() -> None:
    async with replay() as other, chatting() as (stage, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        like_ollama(other).on("/api/chat", held(ollama_answer("Late.")))
        await stage.ask(f"/compare technical technical on {other.url}: {SKY}")
        await stage.see("It is")
        stage.app.leave()
        assert [message.content for message in answers(stage)] == ["It is"]
        assert leaf(stage).content == "It is"


# -- what is seen -------------------------------------------------------------------------------------------------------


async def test_on_a_slow_link_the_page_is_full_when_the_answer_ends() -> None:
    async with chatting() as (stage, server):
        stage.app.use_link_speed("slow")
        assert stage.app.pace.interval_s() == SLOW_INTERVAL_S
        server.on("/api/chat", ollama_answer(LINES))
        await stage.ask(f"/compare: {SKY}")
        await stage.see(r"\n 2 answers ")
        assert stage.screen()[-2].count("Line 59") == 2
        assert stage.screen()[4].count("Line 50") == 2
        await stage.press("escape")
        await stage.see("All answers stay")
        await stage.ask("Again?")
        await stage.until(lambda: not stage.app.chat.busy, "the answer is whole")
        rows = [row for row in stage.screen() if row]
        assert rows[rows.index("Line 59") + 1].startswith("───")


async def test_on_a_slow_link_who_reads_above_stays_there() -> None:
    async with chatting() as (stage, server):
        stage.app.use_link_speed("slow")
        server.on("/api/chat", stalling(ollama_answer(LINES, ended=False)))
        await stage.ask(SKY)
        await stage.see("Line 5")
        await stage.press("ctrl+home")
        await stage.see("Line 0")
        await stage.press("escape")
        await stage.see("Line 0")
        assert not stage.app.chat.transcript.following


async def test_the_keys_are_named() -> None:
    async with chatting() as (stage, server):
        server.on("/api/chat", ollama_answer("Yes."))
        await stage.ask(f"/compare: {SKY}")
        await stage.see("Enter keep  Esc leave  F1 keys")
        await stage.press("f1")
        await stage.see("Keys of the columns")
        for name in ("← →", "↑ ↓ PgUp PgDn", "Home End", r"Ctrl\+O", "Enter", "Esc", r"Ctrl\+C"):
            await stage.see(rf"(?m)^  {name}  ")
        await stage.press("f1")
        await stage.see("Enter keep")
        await stage.press("f1", "escape")
        await stage.see("Enter keep")


async def test_in_a_narrow_column_the_word_comes_before_the_figures() -> None:
    async with replay() as other, replay() as third, chatting() as (stage, server):
        for each in (server, like_ollama(other), like_ollama(third)):
            each.on("/api/chat", ollama_answer("It is", ended=False))
        columns = f"technical technical on {other.url} technical on {third.url}"
        await stage.ask(f"/compare {columns}: {SKY}")
        await stage.see("(?m)^interrupted · 1 tok.*│ interrupted · 1 tok.*│ interrupted · 1 tok")
