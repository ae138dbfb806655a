"""`python -m tests`: everything that has to hold, in the order in which it is quick to know. CI runs the same."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from tests.support.outcomes import Outcomes, judge, read, to_repeat

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 3
"""One more than a small machine has cores: a test that waits for a process or a screen leaves its own to another."""
COVERAGE_FLOOR_PERCENT = 86
NOT_COVERED = "tui/ui/*,tui/cli/*"
"""What whole screens and processes are asserted of, without coverage (`tests/conftest.py` says which tests have it)."""


def main() -> int:
    """Run every check; the exit status of the first that fails."""
    python = sys.executable
    steps: tuple[tuple[str, Sequence[str]], ...] = (
        ("ruff: lint", (python, "-m", "ruff", "check", ".")),
        ("ruff: format", (python, "-m", "ruff", "format", "--check", ".")),
        ("mypy --strict", (python, "-m", "mypy", "--strict", "tui", "tests")),
        (
            "import contracts",
            (python, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
        ),
    )
    for title, command in steps:
        status = _run(title, command)
        if status:
            return status
    return _pytest() or _wheel()


def _pytest() -> int:
    """Run the tests side by side, then what failed once more by itself, and judge both and the coverage."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # The first run names no test as failed at its end: what has failed is known only after the second.
        first = _tests(
            "pytest",
            Path(folder, "first"),
            f"--numprocesses={WORKERS}",
            "--dist=worksteal",
            "-rN",
            "--cov-report=",
        )
        second = None
        if repeated := to_repeat(first):
            title = f"pytest: what failed, once more by itself ({len(repeated)})"
            second = _tests(title, Path(folder, "second"), "--cov-append", "--cov-report=", *repeated)
    verdict = judge(first, second)
    for name in verdict.cleared:
        print(f"   needed a second run: {name}")
    for reason in verdict.reasons:
        print(f"   {reason}")
    if second is not None:
        print(verdict.closing_line(time.monotonic() - started), flush=True)
    return verdict.status or _run(
        f"coverage of at least {COVERAGE_FLOOR_PERCENT} % by unit and contract tests",
        (
            sys.executable,
            "-m",
            "coverage",
            "report",
            "--skip-covered",
            f"--omit={NOT_COVERED}",
            f"--fail-under={COVERAGE_FLOOR_PERCENT}",
        ),
    )


def _tests(title: str, record: Path, *options: str) -> Outcomes | None:
    plugin = ("-p", "tests.support.outcomes", f"--outcomes={record}")
    _run(title, (sys.executable, "-m", "pytest", *plugin, "--cov=tui", *options))
    return read(record)


def _wheel() -> int:
    """Build the wheel, install it into an empty environment, and run what it installed."""
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        status = _run("build", (sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT)))
        if status:
            return status
        wheel = next(where.glob("lokal-*.whl"))
        venv.create(where / "venv", with_pip=True)
        bin = where / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
        smoke: tuple[tuple[str, Sequence[str]], ...] = (
            ("install the wheel", (str(bin / "python"), "-m", "pip", "install", "--quiet", str(wheel))),
            ("lokal --version", (str(bin / "lokal"), "--version")),
            ("lokal presets list", (str(bin / "lokal"), "presets", "list")),
            ("lokal doctor", (str(bin / "lokal"), "doctor")),
            ("themes in the wheel", (str(bin / "python"), "-c", _THEMES)),
        )
        for title, command in smoke:
            status = _run(title, command, cwd=where)
            if status:
                return status
    return 0


_THEMES = (
    "from pathlib import Path; from tui.config.themes import load_themes; "
    "found = load_themes(Path('none')); assert len(found.value) >= 4 and not found.problems, found"
)


def _run(title: str, command: Sequence[str], cwd: Path = ROOT) -> int:
    print(f"── {title}", flush=True)
    started = time.monotonic()
    # What was compiled is kept, as on a person's machine: else each of some hundred starts of lokal compiles it again.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    status = subprocess.run(command, cwd=cwd, check=False, env=environment).returncode
    print(
        f"   {'ok' if status == 0 else f'FAILED with {status}'} in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    return status


if __name__ == "__main__":
    raise SystemExit(main())
