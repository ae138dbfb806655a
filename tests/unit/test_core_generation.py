"""The reducer of one answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.core.events import (
    Done,
    Event,
    Failed,
    Phase,
    Progress,
    ReasoningDelta,
    TextDelta,
    TextWasReasoning,
    ToolCall,
)
from tui.core.generation import FINISHED, Generation
from tui.core.message import CONTINUED, Message, Problem, Role, Status, Timings, Usage
from tui.errors import Interrupted, Refused

EMPTY = Message("b", "a", Role.ASSISTANT, "", 0.0, status=Status.STREAMING, preset="technical")


def fed(*events: Event, start: float = 100.0) -> Generation:
    """A generation that took in one event a second."""
    generation = Generation(start)
    for second, event in enumerate(events, 1):
        generation.apply(event, start + second)
    return generation


def test_the_phases_come_in_their_order() -> None:
    generation = Generation(0.0)
    phases = [generation.phase]
    events: list[Event] = [
        Progress(Phase.LOADING, 1, 4, "GB"),
        Progress(Phase.PREFILL, 10, 40, "tokens"),
        ReasoningDelta("hm"),
        TextDelta("Hi"),
        Done("stop"),
    ]
    for event in events:
        generation.apply(event, 1.0)
        phases.append(generation.phase)
    assert phases == [
        Phase.CONNECTING, Phase.LOADING, Phase.PREFILL, Phase.STREAMING, Phase.STREAMING, Phase.DONE,
    ]  # fmt: skip


def test_text_and_reasoning_are_kept_apart() -> None:
    generation = fed(ReasoningDelta("I "), ReasoningDelta("think"))
    assert generation.thinking
    generation.apply(TextDelta("Hello "), 3.0)
    generation.apply(TextDelta(""), 3.0)
    generation.apply(TextDelta("there"), 3.0)
    assert not generation.thinking
    assert generation.content == "Hello there"
    assert generation.content == "Hello there"
    assert generation.reasoning == "I think"
    assert generation.deltas == 4


def test_text_can_turn_out_to_have_been_reasoning() -> None:
    generation = fed(TextDelta("let me see"), TextWasReasoning(), TextDelta("42"))
    assert generation.reasoning == "let me see"
    assert generation.content == "42"


def test_progress_says_how_far_and_ends_with_the_first_token() -> None:
    generation = fed(Progress(Phase.PREFILL, 10, 40, "tokens"))
    assert generation.progress is not None
    assert generation.progress.fraction == 0.25
    generation.apply(TextDelta("a"), 2.0)
    generation.apply(Progress(Phase.PREFILL, 40, 40), 3.0)
    assert generation.progress is None
    assert generation.phase is Phase.STREAMING
    assert Progress(Phase.LOADING).fraction is None
    assert Progress(Phase.LOADING, 9, 4).fraction == 1.0


def test_a_complete_answer_becomes_a_message() -> None:
    done = Done("length", Usage(prompt=12, completion=3), Timings(load_s=0.5, tokens_per_s=41.0))
    answer = fed(TextDelta("one "), TextDelta("two"), done).as_message(EMPTY)
    assert answer.content == "one two"
    assert answer.status is Status.COMPLETE
    assert answer.finish_reason == "length"
    assert answer.usage == Usage(prompt=12, completion=3)
    assert answer.timings == Timings(first_token_s=1.0, total_s=3.0, load_s=0.5, tokens_per_s=41.0)
    assert answer.preset == "technical"
    assert answer.resumable


def test_without_the_servers_figures_lokal_counts_itself() -> None:
    generation = fed(*[TextDelta("x")] * 5)
    assert generation.tokens_per_s() == pytest.approx(1.0)
    assert generation.usage == Usage(completion=5)
    assert fed(TextDelta("x")).tokens_per_s() is None
    assert fed().usage == Usage()


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (Failed(Interrupted("The answer broke off")), Status.INTERRUPTED),
        (Failed(Refused("No", "why", "what to do")), Status.FAILED),
    ],
)
def test_what_came_before_an_error_is_kept_and_the_error_beside_it(last: Failed, status: Status) -> None:
    answer = fed(TextDelta("half"), last).as_message(EMPTY)
    assert answer.content == "half"
    assert answer.status is status
    assert answer.problem == Problem(last.error.title, last.error.detail, last.error.hint)
    assert answer.resumable


def test_stopping_keeps_what_came_and_nothing_comes_after() -> None:
    generation = fed(TextDelta("half"))
    generation.stop(103.0)
    generation.apply(TextDelta(" more"), 104.0)
    generation.apply(Failed(Interrupted("late")), 105.0)
    answer = generation.as_message(EMPTY)
    assert (answer.content, answer.status, answer.problem) == ("half", Status.STOPPED, None)
    assert generation.timings().total_s == 3.0


def test_what_stopped_an_answer_by_the_way_is_kept_with_it() -> None:
    generation = fed(TextDelta("half"))
    generation.stop(103.0, "stopped when you left this chat")
    generation.stop(104.0)
    answer = generation.as_message(EMPTY)
    assert (answer.status, answer.problem) == (Status.STOPPED, Problem("stopped when you left this chat"))


def test_a_continued_answer_goes_on_where_it_was() -> None:
    generation = Generation(0.0, content="one", reasoning="why")
    generation.apply(TextDelta(" two"), 1.0)
    assert generation.content == "one two"
    assert generation.reasoning == "why"
    assert generation.usage.completion == 1


events = st.one_of(
    st.builds(TextDelta, st.text(max_size=5)),
    st.builds(ReasoningDelta, st.text(max_size=5)),
    st.builds(
        Progress, st.sampled_from([Phase.LOADING, Phase.PREFILL]), st.integers(0, 9), st.integers(0, 9)
    ),
    st.builds(ToolCall, st.just("1"), st.just("f"), st.just("{}")),
    st.just(Done("stop")),
    st.just(Failed(Refused("no"))),
)


@settings(deadline=None)
@given(st.lists(events, max_size=30))
def test_the_text_is_all_text_up_to_the_end_and_nothing_changes_after(came: list[Event]) -> None:
    ends = [index for index, event in enumerate(came) if isinstance(event, Done | Failed)]
    heard = came[: ends[0]] if ends else came
    generation = fed(*came)
    assert generation.content == "".join(event.text for event in heard if isinstance(event, TextDelta))
    assert generation.reasoning == "".join(event.text for event in heard if isinstance(event, ReasoningDelta))
    assert generation.tool_calls == [event for event in heard if isinstance(event, ToolCall)]
    assert generation.finished is bool(ends)
    assert (generation.phase in FINISHED) is bool(ends)
    assert (generation.ended_at is not None) is bool(ends)


def continued(before: Usage, after: Usage, made: int = 2) -> Message:
    """An answer that was continued: what it took before, and what the server counts of the second request."""
    generation = Generation(
        0.0, "one", "why", before, Timings(first_token_s=9.0, total_s=20.0, tokens_per_s=7.0)
    )
    for second in range(made):
        generation.apply(TextDelta(" two"), 1.0 + second)
    generation.apply(Done("length", after, Timings(tokens_per_s=40.0)), 5.0)
    return generation.as_message(EMPTY)


@pytest.mark.parametrize(
    ("before", "after", "usage"),
    [
        (Usage(100, 30), Usage(131, 12), Usage(100, 42)),
        (Usage(100, 30, 90), Usage(131, 12, 131), Usage(100, 42, 90)),
        (
            Usage(None, 30),
            Usage(131, 12, 120),
            Usage(101, 42, 101),
        ),  # it was stopped: the pieces were counted here
        (Usage(None, 30), Usage(), Usage(None, 32)),
        (Usage(None, 30), Usage(10, 12), Usage(0, 42)),
    ],
)
def test_a_continued_answer_counts_all_its_tokens(before: Usage, after: Usage, usage: Usage) -> None:
    answer = continued(before, after)
    assert answer.usage == usage
    assert answer.timings == Timings(first_token_s=9.0, total_s=25.0, tokens_per_s=40.0)


def test_an_answer_that_is_continued_and_stopped_again_counts_all_its_tokens() -> None:
    generation = Generation(0.0, "one", "", Usage(100, 30))
    generation.apply(TextDelta(" two"), 1.0)
    generation.stop(2.0)
    assert generation.usage == Usage(100, 31)


def test_figures_of_an_answer_that_is_asked_anew_are_its_own() -> None:
    generation = Generation(0.0, "", "", Usage(100, 30), Timings(total_s=20.0))
    generation.apply(TextDelta("one"), 1.0)
    generation.apply(Done("stop", Usage(50, 1)), 2.0)
    assert (generation.usage, generation.timings().total_s) == (Usage(50, 1), 2.0)


@pytest.mark.parametrize(("made", "limit"), [(42, None), (62, 32)])
def test_the_limit_of_a_continued_answer_is_that_of_its_last_request(made: int, limit: int | None) -> None:
    answer = replace(EMPTY, usage=Usage(100, made), parameters={"max_tokens": 32, CONTINUED: 30})
    assert answer.cut_at == limit
