"""The figures of answers: of one, and of several together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.core.figures import AnswerFigures, figures_of, figures_of_all
from tui.core.message import Message, Role, Timings, Usage
from tui.ui.stats import stats_lines

QUESTION = Message("q", None, Role.USER, "Why?", 0.0)
ANSWER = Message("a", "q", Role.ASSISTANT, "So.", 0.0)


def answer(usage: Usage = Usage(), timings: Timings = Timings()) -> Message:
    return replace(ANSWER, usage=usage, timings=timings)


def test_of_one_and_of_several() -> None:
    first = answer(Usage(100, 50), Timings(0.5, 3.0, None, 200.0, 25.0))
    second = answer(Usage(200, 100, 150), Timings(1.5, 3.0, None, None, 50.0))
    assert figures_of(first) == AnswerFigures(1, 100, None, 50, 150, 0.5, 3.0, 200.0, 25.0)
    both = figures_of_all((QUESTION, first, QUESTION, second))
    assert both.tokens_per_s == pytest.approx(37.5)
    assert replace(both, tokens_per_s=None) == AnswerFigures(2, 300, 150, 150, 300, 1.0, 6.0, 200.0)
    assert figures_of_all((first, answer())).used == 150, "what was said last"
    assert figures_of_all((QUESTION,)) == AnswerFigures()
    assert figures_of(answer()) == AnswerFigures(1)


COUNTS = st.none() | st.integers(0, 2**40)
SECONDS = st.none() | st.just(0.0) | st.floats(0.001, 1e9)
ANSWERS = st.builds(
    answer,
    st.builds(Usage, COUNTS, COUNTS, COUNTS),
    st.builds(Timings, SECONDS, SECONDS, SECONDS, SECONDS, SECONDS),
)


@given(st.lists(ANSWERS, max_size=5), COUNTS, st.integers(1, 200))
def test_any_figures_make_a_page(answers: list[Message], window: int | None, width: int) -> None:
    figures = figures_of_all(answers)
    assert figures.answers == len(answers)
    rates = [one.timings.tokens_per_s for one in answers if one.timings.tokens_per_s and one.usage.completion]
    if rates and figures.tokens_per_s is not None:
        assert min(rates) * 0.999 <= figures.tokens_per_s <= max(rates) * 1.001
    assert stats_lines((QUESTION, *answers), 0, window, width)
