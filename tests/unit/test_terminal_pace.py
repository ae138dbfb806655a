"""The pace of frames on fast, slow and unknown links."""

from __future__ import annotations

import pytest

from tui.ui.terminal.pace import ENGINE_INTERVAL_S, FAST_INTERVAL_S, SLOW_INTERVAL_S, Pace


def test_the_persons_word_counts() -> None:
    slow, fast = Pace("slow"), Pace("fast", over_ssh=True)
    fast.round_trip(3.0, 1.0)
    fast.wrote(2.0, 30, 1.0)
    assert slow.interval_s() == SLOW_INTERVAL_S == pytest.approx(1 / 5)
    assert fast.interval_s() == FAST_INTERVAL_S == pytest.approx(1 / 30)
    assert not slow.wants_round_trip(0.0)
    assert not fast.wants_round_trip(0.0)


def test_a_link_is_fast_until_it_shows_otherwise() -> None:
    assert Pace().interval_s() == FAST_INTERVAL_S


@pytest.mark.parametrize(("blocked_s", "queued"), [(0.2, 0), (0.0, 5)])
def test_writes_that_wait_make_it_slow_for_a_while(blocked_s: float, queued: int) -> None:
    pace = Pace()
    pace.wrote(blocked_s, queued, 10.0)
    assert pace.slow
    pace.wrote(0.0, 0, 14.9)
    assert pace.slow
    pace.wrote(0.0, 0, 15.1)
    assert not pace.slow


def test_slow_answers_make_it_slow_until_they_are_quick_again() -> None:
    pace = Pace(over_ssh=True)
    pace.round_trip(0.2, 1.0)
    assert not pace.slow
    pace.round_trip(0.4, 2.0)
    assert pace.slow
    pace.round_trip(0.2, 3.0)
    assert pace.slow
    pace.round_trip(0.1, 4.0)
    assert not pace.slow


def test_no_answer_yet_is_a_slow_answer() -> None:
    pace = Pace(over_ssh=True)
    pace.waiting(0.2, 1.0)
    assert not pace.slow
    pace.waiting(0.5, 1.3)
    assert pace.slow


def test_the_terminal_is_asked_now_and_then_and_only_over_ssh() -> None:
    assert not Pace().wants_round_trip(1.0)
    pace = Pace(over_ssh=True)
    asked = [second for second in range(10) if pace.wants_round_trip(float(second))]
    assert asked == [0, 2, 4, 6, 8]


def test_beside_the_engine_no_more_is_drawn_than_is_read() -> None:
    pace = Pace("fast")
    pace.engine_here = True
    assert pace.interval_s() == ENGINE_INTERVAL_S
    pace.engine_here = False
    assert pace.interval_s() == FAST_INTERVAL_S
