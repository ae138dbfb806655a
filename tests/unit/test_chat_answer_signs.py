"""What an answer shows of what is wrong with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.canned_servers import ollama_answer
from tests.support.headless_chat import headless
from tui.chat.answer_signs import loops, sign_of
from tui.core.message import Message, Role, Status

ANSWER = Message("a", "q", Role.ASSISTANT, "", 0.0, status=Status.COMPLETE)
STORY = "The keeper of the lighthouse wrote a letter home every evening, and then he lit the lamp. "


@pytest.mark.parametrize(
    "text",
    [
        "It is red. " + STORY * 4,
        "Da, da, " + "тогда он зажёг лампу. " * 9,
        "x" + "ha ha, he " * 20 + "\n\n",
    ],
)
def test_a_text_that_goes_round_in_circles(text: str) -> None:
    assert loops(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        STORY * 3,
        "-" * 400,
        "| a | b |\n" * 3,
        "".join(f"{number}. The {number}th keeper wrote a letter home.\n" for number in range(40)),
    ],
)
def test_a_text_that_does_not(text: str) -> None:
    assert not loops(text)


def test_an_answer_that_ran_into_its_limit() -> None:
    cut = replace(ANSWER, content="And then", finish_reason="length", parameters={"max_tokens": 64})
    assert sign_of(cut) == "ran into max_tokens 64"
    assert sign_of(replace(cut, parameters={})) == ""  # it was the server's own, or the window's
    assert sign_of(replace(cut, status=Status.STOPPED)) == ""
    assert sign_of(replace(cut, finish_reason="stop")) == ""


async def test_it_is_said_once_a_chat(tmp_path: Path) -> None:
    async with headless(tmp_path) as chat:
        chat.server.on("/api/chat", *[ollama_answer(STORY * 5)] * 3)
        for question in ("One?", "Two?"):
            await chat.ask(question)
        words = "The answer repeats itself; <advise> says what helps"
        assert chat.front.notices.count(words) == 1
        await chat.open()
        await chat.ask("Three?")
        assert chat.front.notices.count(words) == 2
