"""`python -m tests` runs what failed once more by itself: what that forgives, and what it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.outcomes import Outcomes, judge, read, to_repeat

ROOT = Path(__file__).resolve().parents[2]
GREEN = Outcomes(0, counts={"passed": 9, "skipped": 1})
TWO_FAILED = Outcomes(1, ("a.py::one", "a.py::two"), counts={"failed": 2, "passed": 8})


def test_where_all_passed_nothing_is_run_again() -> None:
    assert to_repeat(GREEN) == ()
    assert judge(GREEN).status == 0


def test_what_passes_by_itself_is_forgiven_and_named() -> None:
    assert to_repeat(TWO_FAILED) == ("a.py::one", "a.py::two")

    verdict = judge(TWO_FAILED, Outcomes(0, counts={"passed": 2}))

    assert (verdict.status, verdict.cleared) == (0, ("a.py::one", "a.py::two"))
    assert verdict.closing_line(12.0) == "10 passed in 12.00s"


def test_what_fails_twice_fails_the_run() -> None:
    verdict = judge(TWO_FAILED, Outcomes(1, ("a.py::two",), counts={"failed": 1, "passed": 1}))

    assert verdict.status == 1
    assert verdict.reasons == ("failed twice: a.py::two",)
    assert verdict.cleared == ("a.py::one",)
    assert verdict.closing_line(1.5) == "1 failed, 9 passed in 1.50s"


def test_a_test_that_is_not_found_again_is_not_forgiven() -> None:
    assert judge(TWO_FAILED, Outcomes(4)).status == 1
    assert judge(TWO_FAILED, Outcomes(0, counts={"passed": 1})).status == 1
    assert judge(TWO_FAILED, None).status == 1


def test_a_broken_run_is_not_run_again_and_fails() -> None:
    for broken in (
        Outcomes(1, ("a.py::one",), ("a worker died while it ran a.py::one",)),
        Outcomes(2, (), ("cannot be collected: a.py",)),
        Outcomes(2, ("a.py::one",)),  # interrupted
        Outcomes(3),  # an error of pytest's own
        Outcomes(5),  # no tests
        Outcomes(1),  # a plugin failed the run, and no test
        None,  # killed
    ):
        assert to_repeat(broken) == ()
        assert judge(broken).status == 1, broken
        assert judge(broken).reasons


def test_a_worker_that_dies_in_the_second_run_is_not_hidden() -> None:
    verdict = judge(TWO_FAILED, Outcomes(0, (), ("worker gw0 died",), {"passed": 2}))

    assert verdict.status == 1
    assert verdict.cleared == ()


def test_the_plugin_tells_failed_tests_from_dead_workers(tmp_path: Path) -> None:
    tests = tmp_path / "test_some.py"
    tests.write_text(
        "import os, pytest\n"
        "def test_passes(): pass\n"
        "@pytest.mark.parametrize('text', ['a::b [c] ü'])\n"
        "def test_fails(text): assert False\n"
        "@pytest.fixture\n"
        "def broken(): assert False\n"
        "def test_setup(broken): pass\n"
        "def test_dies(): os._exit(3)\n"
    )

    ran = _pytest(tmp_path, str(tests), "--numprocesses=1")

    assert ran is not None
    assert ran.status == 1
    assert len(ran.failed) == 3
    assert any("test_dies" in words for words in ran.broken)
    assert ran.counts["passed"] == 1

    again = _pytest(tmp_path, *(name for name in ran.failed if "test_dies" not in name))

    assert again is not None
    assert (again.counts["failed"], again.counts["error"], again.broken) == (1, 1, ())


def test_the_plugin_tells_what_cannot_be_collected(tmp_path: Path) -> None:
    tests = tmp_path / "test_some.py"
    tests.write_text("import nothing_of_that_name\n")

    ran = _pytest(tmp_path, str(tests))

    assert ran is not None
    assert ran.status == 2
    assert "test_some.py" in "".join(ran.broken)


def _pytest(folder: Path, *arguments: str) -> Outcomes | None:
    record = folder / "outcomes"
    command = [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(folder)]
    command += ["-p", "no:cacheprovider", "-p", "xdist", "-p", "tests.support.outcomes"]
    command += [f"--outcomes={record}", *arguments]
    found = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    subprocess.run(command, cwd=folder, env=found, capture_output=True, check=False)
    return read(record)
