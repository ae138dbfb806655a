"""The file with what models reached here: bounded, private, and never fatal."""

from __future__ import annotations

import json
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from tests.unit.test_benchmark import SUBJECT, at_depth, measured
from tui.chat.rate_record import (
    LEAST_TOKENS,
    MOST_BENCHMARKS,
    MOST_RATES,
    MOST_SUBJECTS,
    WRITE_EVERY_S,
    RateRecord,
    Rates,
    depth_class,
)
from tui.files import LIMIT


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rates.json"


def test_what_was_measured_is_there_the_next_time(path: Path) -> None:
    first, second = (
        measured(1, at_depth(40, None)),
        replace(measured(2, at_depth(None)), load_s=1.5, memory=7),
    )
    assert RateRecord(path).add(first) == Rates()
    assert RateRecord(path).add(second).benchmarks == (first,)
    assert RateRecord(path).load().benchmarks == (first, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_stays_small() -> None:
    rates = Rates()
    for number in range(MOST_BENCHMARKS + 5):
        rates = rates.with_benchmark(
            measured(number, *(at_depth(1.23456789, asked=depth) for depth in range(16)))
        )
    for number in range(MOST_SUBJECTS + 5):
        subject = replace(SUBJECT, model="m" * 190 + str(number))
        for _ in range(MOST_RATES + 5):
            rates = rates.with_answer(subject, 1 / 3, number)
    assert len(rates.benchmarks) == MOST_BENCHMARKS
    assert rates.benchmarks[0].at == 5
    assert len(rates.answers) == MOST_SUBJECTS
    assert {len(each.rates) for each in rates.answers} == {MOST_RATES}
    assert len(json.dumps(asdict(rates))) < LIMIT


@pytest.mark.parametrize(
    "damaged",
    [
        b"", b"{", b"[]", b"null", b'{"version": 2, "benchmarks": [], "answers": []}', b'{"version": 1}', b"\xff\xfe",
        b'{"version": 1, "benchmarks": [3], "answers": []}', b'{"version": 1, "benchmarks": {}, "answers": []}',
        b'{"version": 1, "benchmarks": [], "answers": [{"subject": {}, "rates": [], "at": 1, "depth_class": 0}]}',
        b'{"version": 1, "benchmarks": [], "answers": [{"subject": {"machine": "", "server": "", "version": "", "model": ""},'
        b' "rates": [NaN], "at": 1, "depth_class": 0}]}',
        b"[" * 100_000, b" " * (LIMIT + 1),
    ],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_and_said(path: Path, damaged: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damaged)
    said: list[str] = []
    assert RateRecord(path, said.append).load() == Rates()
    aside = path.with_name("rates.damaged.json")
    assert aside.read_bytes() == damaged
    assert len(said) == 1
    assert str(aside) in said[0]
    RateRecord(path).add(measured(1, at_depth(1)))
    assert len(RateRecord(path).load().benchmarks) == 1


def test_where_nothing_can_be_written_nothing_breaks(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert RateRecord(tmp_path / "file" / "rates.json").add(measured(1, at_depth(1))) == Rates()
    record = RateRecord(tmp_path / "file" / "rates.json")
    assert record.note_answer(SUBJECT, 100, 40.0)
    record.flush()
    assert record.load().of(SUBJECT) is not None  # in memory still


def test_ordinary_answers_are_written_once_a_minute_at_the_most(path: Path) -> None:
    clock = Clock()
    record = RateRecord(path, now=clock)
    assert record.note_answer(SUBJECT, 100, 40.0)
    assert not path.exists()
    record.flush()
    assert not record.note_answer(SUBJECT, 100, 42.0)
    clock.now += WRITE_EVERY_S
    assert record.note_answer(SUBJECT, 100, 44.0)
    record.flush()
    known = RateRecord(path).load().of(SUBJECT)
    assert known is not None
    assert known.rates == (40.0, 42.0, 44.0)


def test_another_process_loses_nothing_that_was_written(path: Path) -> None:
    one, other = RateRecord(path), RateRecord(path)
    assert one.load() == other.load() == Rates()
    one.note_answer(SUBJECT, 100, 40.0)
    other.note_answer(SUBJECT, 100, 50.0)
    one.flush()
    other.flush()
    known = RateRecord(path).load().of(SUBJECT)
    assert known is not None
    assert known.rates == (40.0, 50.0)


@pytest.mark.parametrize(
    ("tokens", "rate"), [(None, 40.0), (LEAST_TOKENS - 1, 40.0), (100, None), (100, 0.0), (100, float("inf"))]
)
def test_what_says_nothing_is_not_noted(path: Path, tokens: int | None, rate: float | None) -> None:
    record = RateRecord(path)
    assert not record.note_answer(SUBJECT, tokens, rate)
    record.flush()
    assert not path.exists()


def test_the_usual_rate_is_that_of_a_machine_that_does_nothing_else() -> None:
    rates = Rates()
    for rate in (40.0, 41.0):
        rates = rates.with_answer(SUBJECT, rate, 1)
    assert rates.usual_rate(SUBJECT) is None  # two answers say too little
    for rate in (3.0, 42.0, 2.0, 40.0, 1.0):
        rates = rates.with_answer(SUBJECT, rate, 1)
    assert rates.usual_rate(SUBJECT) == 41.0
    assert rates.usual_rate(replace(SUBJECT, version="0.34.0")) is None


def test_before_there_are_answers_a_measurement_tells_the_usual_rate() -> None:
    quiet = measured(1, at_depth(40, asked=128), at_depth(30, asked=4096))
    busy = replace(measured(2, at_depth(4)), busy=2.0)
    rates = Rates().with_benchmark(quiet).with_benchmark(busy)
    assert rates.usual_rate(SUBJECT) == 40
    assert Rates().with_benchmark(busy).usual_rate(SUBJECT) is None


def test_only_finite_numbers_are_written(path: Path) -> None:
    RateRecord(path).add(measured(1, at_depth(float("inf"))))
    assert not path.exists()
    RateRecord(path).add(measured(1, at_depth(1)))
    assert json.loads(path.read_text())["version"] == 1


def test_long_conversations_have_rates_of_their_own(path: Path) -> None:
    record = RateRecord(path)
    for depth, rate in (
        (0, 60.0),
        (900, 62.0),
        (1024, 61.0),
        (1025, 40.0),
        (5000, 20.0),
        (8000, 21.0),
        (6000, 22.0),
    ):
        record.note_answer(SUBJECT, 100, rate, depth)
    assert record.usual_rate(SUBJECT, 512) == 62.0
    assert record.usual_rate(SUBJECT, 2000) is None  # one answer says too little
    assert record.usual_rate(SUBJECT, 7000) == 22.0
    record.flush()
    assert RateRecord(path).load() == record.load()
    quiet = measured(1, at_depth(40, asked=128), at_depth(30, asked=4096))
    assert Rates().with_benchmark(quiet).usual_rate(SUBJECT, 4000) == 30
    assert Rates().with_benchmark(quiet).usual_rate(SUBJECT, 100) == 40
    assert Rates().with_benchmark(quiet).usual_rate(SUBJECT, 9000) is None


@pytest.mark.parametrize(
    ("depth", "number"), [(0, 0), (1024, 0), (1025, 1), (2048, 1), (2049, 2), (4096, 2), (4097, 3)]
)
def test_a_depth_class_is_twice_as_deep_as_the_one_before(depth: int, number: int) -> None:
    assert depth_class(depth) == number
