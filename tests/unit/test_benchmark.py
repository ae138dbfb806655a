"""What a measured answer tells, and how a measurement stands to earlier ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.chat.benchmark_run import run_of
from tui.core.benchmark import (
    Benchmark,
    BenchmarkSubject,
    Measured,
    RateSource,
    Run,
    SpeedAtDepth,
    changes,
    speed_of,
)
from tui.core.message import Timings, Usage

SUBJECT = BenchmarkSubject("a processor, 2 cores", "Ollama", "0.33.0", "llama3.2:3b")


def at_depth(answers: float | None, prompts: float | None = 200.0, *, asked: int = 128) -> SpeedAtDepth:
    return SpeedAtDepth(
        asked,
        asked,
        3,
        0.5,
        None if prompts is None else Measured(prompts, RateSource.SERVER),
        None if answers is None else Measured(answers, RateSource.SERVER),
    )


def measured(at: float, *depths: SpeedAtDepth, version: str = "0.33.0", settings: str = "") -> Benchmark:
    return Benchmark(replace(SUBJECT, version=version), at, depths, settings=settings)


# -- one answer -----------------------------------------------------------------------------------------------------


def test_the_servers_own_rates_are_taken_where_it_sends_them() -> None:
    timings = Timings(prompt_tokens_per_s=250.0, tokens_per_s=90.0)
    run = run_of(Usage(1000, 64, 20), timings, ["a"] * 64, 4.1, 5.0)
    assert run.prompt_rate == Measured(250.0, RateSource.SERVER)
    assert run.answer_rate == Measured(90.0, RateSource.SERVER)


def test_without_them_it_is_the_clock_over_what_was_read_and_written() -> None:
    run = run_of(Usage(1020, 65, 20), Timings(load_s=1.0), ["a"] * 65, 6.0, 8.0)
    assert run.prompt_rate == Measured(200.0, RateSource.CLOCK)  # 1,000 tokens in 5 of 6 seconds
    assert run.answer_rate == Measured(32.0, RateSource.CLOCK)


def test_a_server_that_counts_nothing_has_an_estimate_and_no_rate_of_the_prompt() -> None:
    run = run_of(Usage(), Timings(), ["four"] * 41, 1.0, 5.0)
    assert run.prompt_rate is None
    assert run.answer_rate == Measured(10.0, RateSource.ESTIMATE)


@pytest.mark.parametrize(("cached", "counts"), [(60, True), (100, True), (101, False), (1000, False)])
def test_what_came_from_a_cache_fakes_no_rate(cached: int, counts: bool) -> None:
    timings = Timings(prompt_tokens_per_s=9000.0)
    run = run_of(Usage(1000, 64, cached), timings, ["a"] * 64, 0.2, 1.0)
    assert (run.prompt_rate is not None) is counts


def test_an_answer_of_a_few_tokens_has_no_rate() -> None:
    assert run_of(Usage(100, 7), Timings(tokens_per_s=90.0), ["a"] * 7, 1.0, 1.1).answer_rate is None


def test_a_depth_is_told_by_medians() -> None:
    rates = (
        Measured(10.0, RateSource.CLOCK),
        Measured(30.0, RateSource.CLOCK),
        Measured(11.0, RateSource.CLOCK),
    )
    runs = [
        Run(depth, 5, 64, float(depth), 9.0, None, rate) for depth, rate in zip((1, 2, 9), rates, strict=True)
    ]
    speed = speed_of(128, runs)
    assert (speed.asked, speed.depth, speed.runs, speed.first_token_s, speed.cached) == (128, 2, 3, 2.0, 5)
    assert speed.answer_rate == Measured(11.0, RateSource.CLOCK)
    assert speed.prompt_rate is None


# -- compared with earlier ones -------------------------------------------------------------------------------------


def test_nothing_is_said_the_first_time() -> None:
    assert changes(measured(5, at_depth(40)), []) == ()
    other = replace(measured(1, at_depth(80)), subject=replace(SUBJECT, model="another"))
    elsewhere = replace(measured(1, at_depth(80)), subject=replace(SUBJECT, machine="another"))
    assert changes(measured(5, at_depth(40)), [other, elsewhere]) == ()


def test_it_is_compared_with_the_last_one_also_of_another_version() -> None:
    old, last = measured(1, at_depth(10)), measured(2, at_depth(40, 100), version="0.32.1")
    (change,) = changes(measured(3, at_depth(30, 100)), [last, old])
    assert change.earlier == last
    assert change.answers == pytest.approx(0.75)
    assert change.prompts == pytest.approx(1.0)
    assert change.slower
    assert not change.faster


def test_slow_by_small_steps_is_found_against_the_fastest() -> None:
    fastest, last = measured(1, at_depth(40)), measured(2, at_depth(32))
    found = changes(measured(3, at_depth(31)), [fastest, last])
    assert [change.earlier for change in found] == [last, fastest]
    assert [change.slower for change in found] == [False, True]


def test_small_differences_are_none() -> None:
    (change,) = changes(measured(2, at_depth(37, 210)), [measured(1, at_depth(40, 200))])
    assert not change.slower
    assert not change.faster
    (change,) = changes(measured(2, at_depth(50, 210)), [measured(1, at_depth(40, 200))])
    assert change.faster


def test_only_what_was_measured_alike_is_compared() -> None:
    shallow = measured(1, at_depth(40, asked=128))
    assert changes(measured(2, at_depth(20, asked=4096)), [shallow]) == ()
    assert changes(measured(2, at_depth(20), settings="threads 1"), [shallow]) == ()
    by_clock = replace(
        shallow, depths=(replace(shallow.depths[0], answer_rate=Measured(9.0, RateSource.CLOCK)),)
    )
    (change,) = changes(measured(2, at_depth(20)), [by_clock])
    assert change.answers is None
    assert change.prompts == pytest.approx(1.0)
    assert changes(measured(1, at_depth(20)), [measured(1, at_depth(40))]) == ()  # the same moment: itself


def test_of_several_depths_the_mean_counts() -> None:
    old = measured(1, at_depth(40, asked=128), at_depth(20, asked=1024), at_depth(10, asked=4096))
    (change,) = changes(measured(2, at_depth(40, asked=128), at_depth(5, asked=1024)), [old])
    assert change.answers == pytest.approx(0.5)
