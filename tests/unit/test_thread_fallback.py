"""When one thread computes in the place of several, by figures that are made up."""

from __future__ import annotations

import pytest

from tui.servers.engine.thread_fallback import (
    CALM_S,
    LEAST_TOKENS,
    MOST_CALM_S,
    AnswerTiming,
    ThreadFallback,
)

USUAL = 100.0
STARVED = AnswerTiming(64, 20.0, 2.0)
FAIR = AnswerTiming(64, 36.0, 2.0)
QUIET = AnswerTiming(64, 98.0, 0.1)


def starved(threads: int = 2, now: float = 0.0) -> ThreadFallback:
    """One that has gone on with one thread."""
    one = ThreadFallback(threads)
    assert one.answered(STARVED, USUAL, now) == 1
    assert one.is_single
    return one


def calm(one: ThreadFallback, since: float, seconds: float) -> int | None:
    """What it says when others were quiet for so long."""
    assert one.looked(0.0, since) is None
    return one.looked(0.0, since + seconds)


def test_a_quiet_machine_keeps_its_threads() -> None:
    one = ThreadFallback(2)
    for now in range(100):
        assert one.answered(QUIET, USUAL, now) is None
    assert not one.is_single
    assert one.looked(0.0, 1000) is None


@pytest.mark.parametrize(
    ("timing", "usual"),
    [
        (AnswerTiming(64, 41.0, 2.0), USUAL),  # slow, and not starved
        (AnswerTiming(64, 20.0, 0.4), USUAL),  # nobody else is busy: the conversation is long
        (AnswerTiming(64, 20.0, None), USUAL),  # nobody knows why
        (AnswerTiming(64, 20.0, 0.9), None),  # nobody knows what is usual
        (AnswerTiming(LEAST_TOKENS - 1, 20.0, 2.0), USUAL),  # too short to tell
    ],
)
def test_what_does_not_starve_it_changes_nothing(timing: AnswerTiming, usual: float | None) -> None:
    one = ThreadFallback(2)
    assert one.answered(timing, usual, 0) is None
    assert not one.is_single


def test_one_thread_is_never_replaced() -> None:
    assert ThreadFallback(1).answered(AnswerTiming(64, 0.1, 9.0), USUAL, 0) is None


@pytest.mark.parametrize(
    ("threads", "rate", "falls_back"), [(8, 20.0, False), (8, 9.0, True), (4, 19.0, True), (2, 39.0, True)]
)
def test_more_threads_have_to_be_slower_to_be_given_up(threads: int, rate: float, falls_back: bool) -> None:
    assert (ThreadFallback(threads).answered(AnswerTiming(64, rate, 2.0), USUAL, 0) == 1) is falls_back


def test_the_usual_threads_come_back_when_the_load_has_gone_for_long_enough() -> None:
    one = starved(3)
    assert one.answered(FAIR, USUAL, 5) is None
    assert one.looked(0.0, 10) is None
    assert one.looked(2.0, 20) is None  # it came again
    assert one.looked(0.0, 30) is None
    assert one.looked(0.0, 30 + CALM_S - 1) is None
    assert one.looked(0.0, 30 + CALM_S) == 3
    assert not one.is_single


def test_it_does_not_flap() -> None:
    one, now, changes = ThreadFallback(2), 0.0, 0
    for _ in range(1000):  # a load that comes and goes each two minutes, for a day and more
        changes += one.answered(FAIR if one.is_single else STARVED, USUAL, now) is not None
        for _ in range(4):
            now += 31
            changes += one.looked(0.0, now) is not None
        changes += one.looked(2.0, now) is not None
    assert changes <= 4


def test_each_return_of_the_load_makes_it_wait_longer() -> None:
    one, now, waits = ThreadFallback(2), 0.0, []
    for _ in range(8):
        assert one.answered(STARVED, USUAL, now) == 1
        waits.append(one.calm_s)
        assert calm(one, now, one.calm_s - 1) is None
        now += MOST_CALM_S
        assert one.looked(0.0, now) == 2
    assert waits == sorted(waits)
    assert waits[:2] == [CALM_S, 2 * CALM_S]
    assert waits[-1] == MOST_CALM_S


def test_one_thread_that_is_no_help_is_given_up_and_not_tried_again_soon() -> None:
    one = starved(now=100)
    assert one.answered(AnswerTiming(64, 21.0, 2.0), USUAL, 110) == 2
    assert one.answered(STARVED, USUAL, 120) is None
    assert one.answered(STARVED, USUAL, 110 + MOST_CALM_S) == 1
    assert one.answered(STARVED, USUAL, 120 + MOST_CALM_S) == 2
    assert one.answered(STARVED, USUAL, 120 + 2 * MOST_CALM_S) is None  # twice as long each time


def test_nothing_told_of_the_load_is_no_calm() -> None:
    one = starved()
    for now in range(0, 10_000, 60):
        assert one.looked(None, now) is None


def test_beside_others_one_thread_is_tried_where_nothing_is_known_and_kept_only_if_it_helps() -> None:
    assert ThreadFallback(4).answered(STARVED, None, 0) is None  # which have more to lose
    one = ThreadFallback(2)
    assert one.answered(STARVED, None, 0) == 1
    assert one.answered(FAIR, None, 10) is None
    assert one.is_single
    other = ThreadFallback(2)
    assert other.answered(STARVED, None, 0) == 1
    assert other.answered(STARVED, None, 10) == 2
    assert other.answered(STARVED, None, 20) is None
