"""Titles by a model: what it is shown, and what is left of what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.conversation import MAX_TITLE
from tui.core.message import Message, Role
from tui.core.text import safe_line
from tui.core.titling import SEEN, title_in, title_turns, typed_title
from tui.errors import UsageError


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("Nginx and 502", "Nginx and 502"),
        ("\n\n**Title: “Nginx and 502”.**\n\nI chose it because …", "Nginx and 502"),
        ('"Nginx"', "Nginx"),
        ("# Nginx 502 after a deploy", "Nginx 502 after a deploy"),
        ("Заголовок: Почему nginx", "Почему nginx"),
        ("---\nNginx\x1b[31m and 502", "--- Nginx and 502"),
        ("C#", "C"),
        ("", ""),
        ("  \n\t\n", ""),
        ("**", ""),
    ],
)
def test_what_is_left_of_an_answer(said: str, title: str) -> None:
    assert title_in(said) == (title if not said.startswith("---") else "---")


@given(st.text(max_size=500))
def test_any_answer_makes_one_short_line(said: str) -> None:
    title = title_in(said)
    assert len(title) <= MAX_TITLE
    assert title == safe_line(title)


def test_what_the_model_is_shown() -> None:
    def message(number: int, role: Role, content: str) -> Message:
        return Message(str(number), str(number - 1) if number else None, role, content, 0.0)

    assert title_turns([]) == ()
    assert title_turns([message(0, Role.USER, "  ")]) == ()
    path = [
        message(0, Role.USER, "Why a 502?" + "x" * 5000),
        message(1, Role.ASSISTANT, "Since."),
        message(2, Role.USER, "And between?"),
        message(3, Role.ASSISTANT, "So."),
        message(4, Role.USER, "And then?"),
    ]
    (turn,) = title_turns(path)
    assert turn.role is Role.USER
    assert turn.content.startswith("Question: Why a 502?")
    assert "Answer: Since." in turn.content
    assert "And then?" in turn.content
    assert "And between?" not in turn.content
    assert len(turn.content) < 2 * SEEN


def test_a_title_that_is_typed_has_words_and_is_no_command() -> None:
    assert typed_title("/etc/hosts and more") == "/etc/hosts and more"
    for wrong, said in (
        ("  ", "A title needs words"),
        ("/stats", "“/stats” is a command"),
        ("/Set x=1", "“/Set x=1” is"),
    ):
        with pytest.raises(UsageError, match=said):
            typed_title(wrong)
