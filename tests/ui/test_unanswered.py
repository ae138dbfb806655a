"""A chat that ends in a question: what answers it is shown, and told when nothing is sent."""

from __future__ import annotations

from tests.support.app import configure
from tests.support.canned_servers import ollama_answer, questions
from tests.support.replay import stalling
from tests.support.walk import answered, walked

HINT = r"F5 answer  Ctrl\+T preset  F1 keys"


async def test_a_branch_that_ends_in_a_question() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second.")) as (driver, server):
        await answered(driver, "One?", r"First\.")
        await driver.see("Enter send")
        await driver.press("shift+tab", "up", "b")
        await driver.see("A new chat with 1 message")
        assert driver.messages == ["One?"]
        await driver.see(HINT)
        await driver.press("enter")
        await driver.see("── Nothing is written; F5 answers the question that is there ─")
        assert len(questions(server)) == 1, "nothing is asked unasked"
        await driver.press("f5")
        await driver.see(r"Second\.")
        await driver.see("Enter send")
        assert driver.messages == ["One?", "Second."]
        await driver.press("enter")
        await driver.see_no_more("Nothing is written")


async def test_it_is_not_offered_while_an_answer_comes_in_and_again_when_that_is_deleted() -> None:
    async with walked(stalling(ollama_answer("Half", ended=False))) as (driver, _):
        await driver.ask("One?")
        await driver.see("Half")
        await driver.see("Esc stop")
        await driver.press("escape")
        await driver.see("F6 continue")
        await driver.press("shift+tab", "d", "escape")
        await driver.see(HINT)
        await driver.press("f3")
        await driver.see("Enter use")


async def test_the_key_is_that_of_the_config() -> None:
    configure('[keys]\n"answer.retry" = "f11"\n')
    async with walked() as (driver, _):
        await answered(driver, "One?", r"Yes\.")
        await driver.press("shift+tab", "up", "b")
        await driver.see("F11 answer")
        await driver.press("enter")
        await driver.see("F11 answers the question")
