"""The beginning that a continued answer repeats."""

from __future__ import annotations

import pytest

from tui.core.events import Done, Event, Failed, Phase, Progress, TextDelta
from tui.errors import Interrupted
from tui.servers.repeated_start import RepeatedStart

DONE = Done("stop")
BROKEN = Failed(Interrupted("The answer broke off"))


def text_after(start: str, answer: str, size: int, end: Event = DONE) -> str:
    """What is handed on of an answer that comes in pieces of `size` characters."""
    taken = RepeatedStart(start)
    pieces: list[Event] = [TextDelta(answer[at : at + size]) for at in range(0, len(answer), size)]
    events = [each for event in [Progress(Phase.PREFILL), *pieces, end] for each in taken.take(event)]
    assert events[0] == Progress(Phase.PREFILL)
    assert events[-1] == end
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("start", "answer", "rest"),
    [
        ("The capital of", "The capital of France", " France"),
        ("The capital of ", "The capital of France", "France"),  # the server has stripped the blank
        ("The capital of ", "The capital of  France", " France"),
        ("A list:\n\n", "A list:\n\n- one", "- one"),
        ("A list:\n\n", "A list:\n- one", "- one"),
        ("  Indented", "Indented more", " more"),
        ("  Indented", "  Indented more", " more"),
        ("The capital of", " France is Paris", " France is Paris"),  # nothing is repeated
        ("The capital of", "The cat sat", "The cat sat"),
        ("Ja", "Ja", ""),
        ("   ", " and on", " and on"),
        ("", "Hello", "Hello"),
        ("na", "nana", "na"),
    ],
)
def test_it_is_taken_off_once(start: str, answer: str, rest: str, size: int) -> None:
    assert text_after(start, answer, size) == rest


def test_a_word_that_only_looks_like_it_is_kept_when_the_answer_is_whole() -> None:
    assert text_after("The capital of", "The", 1) == "The"


def test_an_answer_that_breaks_off_in_the_repetition_adds_nothing() -> None:
    assert text_after("The capital of", "The cap", 2, BROKEN) == ""
