"""How a comparison ends: which answer the chat goes on from, what is no answer, and what can be read and done meanwhile."""

from __future__ import annotations

from tests.support.app import configure
from tests.support.app_driver import AppDriver, chatting
from tests.support.canned_servers import like_ollama, ollama_answer
from tests.support.replay import as_json, held, replay, stalling
from tui.core.message import Message, Role, Status

SKY = "Why is the sky blue?"
LINES = "\n\n".join(f"Line {number}" for number in range(60))


def answers(driver: AppDriver) -> list[Message]:
    """All answers of the open chat, in the order of their making."""
    return [message for message in driver.conversation if message.role is Role.ASSISTANT]


def leaf(driver: AppDriver) -> Message:
    """The last message of the open branch."""
    return driver.last_message


def on_disk(driver: AppDriver) -> list[str]:
    """The texts of all messages of the open chat, as the disk has them."""
    session, store = driver.session, driver.store
    driver.flush()
    assert session is not None
    assert store is not None
    return [message.content for message in store.load(session.conversation.id)]


# -- where the chat goes on ---------------------------------------------------------------------------------------------


async def test_left_without_a_choice_the_chat_stands_on_the_column_with_the_cursor() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("First."))
        like_ollama(other).on("/api/chat", ollama_answer("Second."))
        for keys, said in ((("escape",), "First."), (("right", "escape"), "Second.")):
            await driver.press("ctrl+n")
            await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
            await driver.see(r"\n 2 answers ")
            await driver.press(*keys)
            await driver.see("All answers stay, beside each other")
            assert leaf(driver).content == said


async def test_what_was_stopped_before_its_first_word_is_no_answer() -> None:
    async with replay() as other, replay() as third, chatting() as (driver, server):
        server.on("/api/chat", held(ollama_answer("Late.")))
        like_ollama(other).on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        like_ollama(third).on("/api/chat", held(ollama_answer("Later.")))
        columns = f"technical technical on {other.url} technical on {third.url}"
        await driver.ask(f"/compare {columns}: {SKY}")
        await driver.see("It is")
        await driver.press("escape")
        await driver.see(r"\n 1 answer · 2 stopped ")
        await driver.press("escape")
        await driver.see("The one answer stays")
        assert leaf(driver).content == "It is"
        assert [message.content for message in answers(driver)] == ["It is"]
        assert on_disk(driver) == [SKY, "It is"]
        assert "stopped by you" in driver.text()
        driver.run_command("message.undo")
        await driver.settle()
        assert len(answers(driver)) == 1


async def test_where_all_fail_one_says_why_and_is_tried_again() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await driver.ask(f"/compare technical creative: {SKY}")
        await driver.see(r"\n no answer · 2 failed ")
        await driver.press("right", "enter")
        await driver.see("There was no answer")
        assert [(message.preset, message.status) for message in answers(driver)] == [
            ("creative", Status.FAILED)
        ]
        server.on("/api/chat", ollama_answer("Now."))
        await driver.press("f5")
        await driver.see("Now.")
        assert on_disk(driver) == [SKY, "Now."]


async def test_an_answer_that_was_there_before_outlives_a_comparison_that_brings_none() -> None:
    async with chatting() as (driver, server):
        await driver.ask(SKY)
        await driver.see("Yes.")
        await driver.until_idle()
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await driver.ask("/compare")
        await driver.see(r"\n no answer · 2 failed ")
        await driver.press("escape")
        await driver.see("There was no answer")
        assert [message.content for message in answers(driver)] == ["Yes."]
        assert on_disk(driver) == [SKY, "Yes."]


async def test_a_column_that_is_to_be_kept_and_fails_is_not_gone_on_from() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", held(as_json(500, {"error": "out of memory"})))
        like_ollama(other).on("/api/chat", ollama_answer("Second."))
        await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
        await driver.see("Second.")
        await driver.press("enter")
        await driver.see("kept when it is whole")
        server.release.set()
        await driver.see("there is no answer in this column")
        assert driver.compares
        await driver.press("right", "enter")
        await driver.see("─ Kept ─")
        assert [message.content for message in answers(driver)] == ["Second."]


async def test_leaving_lokal_takes_the_empty_columns_along() -> None:
    async with replay() as other, chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("It is", ended=False)))
        like_ollama(other).on("/api/chat", held(ollama_answer("Late.")))
        await driver.ask(f"/compare technical technical on {other.url}: {SKY}")
        await driver.see("It is")
        driver.leave()
        assert [message.content for message in answers(driver)] == ["It is"]
        assert leaf(driver).content == "It is"


# -- what is seen -------------------------------------------------------------------------------------------------------


async def test_on_a_slow_link_the_page_is_full_when_the_answer_ends() -> None:
    configure('terminal_speed = "slow"\n')
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(LINES))
        await driver.ask(f"/compare: {SKY}")
        await driver.see(r"\n 2 answers ")
        assert driver.screen()[-2].count("Line 59") == 2
        assert driver.screen()[4].count("Line 50") == 2
        await driver.press("escape")
        await driver.see("All answers stay")
        await driver.ask("Again?")
        await driver.until_idle()
        rows = [row for row in driver.screen() if row]
        assert rows[rows.index("Line 59") + 1].startswith("───")


async def test_on_a_slow_link_who_reads_above_stays_there() -> None:
    configure('terminal_speed = "slow"\n')
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer(LINES, ended=False)))
        await driver.ask(SKY)
        await driver.see("Line 5")
        await driver.press("ctrl+home")
        await driver.see("Line 0")
        await driver.press("escape")
        await driver.see("Line 0")
        assert not driver.follows_end


async def test_the_keys_are_named() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Yes."))
        await driver.ask(f"/compare: {SKY}")
        await driver.see("Enter keep  Esc leave  F1 keys")
        await driver.press("f1")
        await driver.see("Keys of the columns")
        for name in ("← →", "↑ ↓ PgUp PgDn", "Home End", r"Ctrl\+O", "Enter", "Esc", r"Ctrl\+C"):
            await driver.see(rf"(?m)^  {name}  ")
        await driver.press("f1")
        await driver.see("Enter keep")
        await driver.press("f1", "escape")
        await driver.see("Enter keep")


async def test_in_a_narrow_column_the_word_comes_before_the_figures() -> None:
    async with replay() as other, replay() as third, chatting() as (driver, server):
        for each in (server, like_ollama(other), like_ollama(third)):
            each.on("/api/chat", ollama_answer("It is", ended=False))
        columns = f"technical technical on {other.url} technical on {third.url}"
        await driver.ask(f"/compare {columns}: {SKY}")
        await driver.see("(?m)^interrupted · 1 tok.*│ interrupted · 1 tok.*│ interrupted · 1 tok")
