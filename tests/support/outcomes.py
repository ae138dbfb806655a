"""How a run of pytest ended: recorded by a plugin (`-p tests.support.outcomes --outcomes FILE`), judged over two runs.

A machine that is busy for a moment can fail a test that waits for a process or a screen. What failed in the parallel run is
therefore run once more by itself, and only what fails twice fails. Nothing else is forgiven: neither an error while tests
are collected, nor a worker that died, nor a run that did not come to its end.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

CRASHED = "???"
"""The phase that xdist gives a test whose worker died while it ran."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """One run. `failed` are node ids of tests, also of those whose setup or teardown failed; `broken` are what no second
    run can clear, in words; `counts` are of tests, by pytest's words for them (passed, skipped, ...)."""

    status: int
    failed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What two runs amount to. `reasons` say why it failed, a line each; none where all holds. `cleared` are the tests
    that passed only by themselves."""

    reasons: tuple[str, ...]
    cleared: tuple[str, ...]
    counts: Mapping[str, int]

    @property
    def status(self) -> int:
        """The exit status."""
        return 1 if self.reasons else 0

    def closing_line(self, seconds: float) -> str:
        """What pytest would have written last, had it been one run."""
        said = [f"{self.counts[word]} {word}" for word in _WORDS if self.counts.get(word)]
        return f"{', '.join(said) or 'no tests ran'} in {seconds:.2f}s"


_WORDS = ("failed", "passed", "skipped", "xfailed", "xpassed", "error")
_OK, _TESTS_FAILED = 0, 1  # pytest.ExitCode; all others mean that the run did not come to its end


def to_repeat(first: Outcomes | None) -> tuple[str, ...]:
    """The tests to run once more; none where that could change nothing."""
    return () if first is None or _reasons_beyond_tests(first) else first.failed


def judge(first: Outcomes | None, second: Outcomes | None = None) -> Verdict:
    """The verdict over the first run and, where `to_repeat` had something, the second; None = it left no record."""
    if first is None:
        return Verdict(("pytest ended without a record of what it ran",), (), {})
    repeated = to_repeat(first)
    reasons = list(_reasons_beyond_tests(first))
    if not repeated:
        return Verdict((*reasons, *(f"failed: {name}" for name in first.failed)), (), first.counts)
    if second is None:
        return Verdict(tuple(f"failed, and not run again: {name}" for name in repeated), (), first.counts)
    reasons += _reasons_beyond_tests(second)
    twice = tuple(name for name in repeated if name in second.failed)
    reasons += (f"failed twice: {name}" for name in twice)
    again = sum(second.counts.values())
    if again < len(repeated):
        reasons.append(f"{len(repeated)} tests were to be run again, {again} were")
    cleared = () if len(reasons) > len(twice) else tuple(name for name in repeated if name not in twice)
    counts = {word: first.counts.get(word, 0) + second.counts.get(word, 0) for word in _WORDS}
    counts |= {"failed": second.counts.get("failed", 0), "error": second.counts.get("error", 0)}
    return Verdict(tuple(reasons), cleared, counts)


def _reasons_beyond_tests(run: Outcomes) -> tuple[str, ...]:
    reasons = list(run.broken)
    if run.status not in (_OK, _TESTS_FAILED):
        reasons.append(f"pytest did not come to its end (exit status {run.status})")
    if run.status == _TESTS_FAILED and not run.failed and not run.broken:
        reasons.append("pytest failed, and no test did")
    return tuple(reasons)


def read(file: Path) -> Outcomes | None:
    """What the plugin wrote; None where it wrote nothing."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Outcomes(told["status"], tuple(told["failed"]), tuple(told["broken"]), told["counts"])


# -- the plugin -----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--outcomes", type=Path, default=None, help="write what failed into this file, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    file = config.getoption("--outcomes")
    if file is not None and not hasattr(
        config, "workerinput"
    ):  # xdist's workers report to the one that counts
        config.pluginmanager.register(Recorder(file), "outcomes recorder")


class Recorder:
    """Writes the outcomes of one run at its end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._failed: dict[str, None] = {}
        self._broken: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.failed:
            return
        self._failed[report.nodeid] = None
        if str(report.when) == CRASHED:
            self._broken.append(f"a worker died while it ran {report.nodeid}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._broken.append(f"cannot be collected: {report.nodeid or 'the tests'}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """xdist: a worker has ended; `error` is set where it was not meant to."""
        if error:
            self._broken.append(f"worker {node.gateway.id} died: {str(error).splitlines()[0]}")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, object, object]:
        result = yield  # the others first: pytest-cov may change the exit status
        reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
        counts = {word: len(reporter.stats.get(word, ())) for word in _WORDS} if reporter is not None else {}
        outcomes = Outcomes(int(session.exitstatus), tuple(self._failed), tuple(self._broken), counts)
        self._file.write_text(json.dumps(asdict(outcomes)), encoding="utf-8")
        return result
