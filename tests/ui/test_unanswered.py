"""A chat that ends in a question: what answers it is shown, and told when nothing is sent."""

from __future__ import annotations

from tests.support.app import configure
from tests.support.replay import stalling
from tests.support.stage import ollama_answer, questions
from tests.support.walk import answered, contents, walked

HINT = r"F5 answer  Ctrl\+T preset  F1 keys"


async def test_a_branch_that_ends_in_a_question() -> None:
    async with walked(ollama_answer("First."), ollama_answer("Second.")) as (stage, server):
        await answered(stage, "One?", r"First\.")
        await stage.see("Enter send")
        await stage.press("shift+tab", "up", "b")
        await stage.see("A new chat with 1 message")
        assert contents(stage) == ["One?"]
        await stage.see(HINT)
        await stage.press("enter")
        await stage.see("── Nothing is written; F5 answers the question that is there ─")
        assert len(questions(server)) == 1, "nothing is asked unasked"
        await stage.press("f5")
        await stage.see(r"Second\.")
        await stage.see("Enter send")
        assert contents(stage) == ["One?", "Second."]
        await stage.press("enter")
        await stage.see_no_more("Nothing is written")


async def test_it_is_not_offered_while_an_answer_comes_in_and_again_when_that_is_deleted() -> None:
    async with walked(stalling(ollama_answer("Half", ended=False))) as (stage, _):
        await stage.ask("One?")
        await stage.see("Half")
        await stage.see("Esc stop")
        await stage.press("escape")
        await stage.see("F6 continue")
        await stage.press("shift+tab", "d", "escape")
        await stage.see(HINT)
        await stage.press("f3")
        await stage.see("Enter use")


async def test_the_key_is_that_of_the_config() -> None:
    configure('[keys]\n"answer.retry" = "f11"\n')
    async with walked() as (stage, _):
        await answered(stage, "One?", r"Yes\.")
        await stage.press("shift+tab", "up", "b")
        await stage.see("F11 answer")
        await stage.press("enter")
        await stage.see("F11 answers the question")
