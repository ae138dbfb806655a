"""Signals that end lokal: each way in its order, however many come. In a process of its own, which they end."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.preloaded import ROOT

START = """
import os, signal, sys
from tui import end_signals
def told(): print("leave", flush=True)
signals = end_signals.EndSignals(lambda: print("right", flush=True))
send = lambda number: os.kill(os.getpid(), number)
"""


def outcome(code: str, *, before: str = "") -> tuple[int, list[str]]:
    """The exit status and the lines of a process that does this."""
    done = subprocess.run(
        [sys.executable, "-c", before + START + code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.split()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGALRM"])
def test_before_the_app_a_signal_puts_the_terminal_right_and_ends(name: str) -> None:
    number = getattr(signal, name)
    assert outcome(f"send({number}); print('on')") == (128 + number, ["right"])


def test_the_app_is_asked_once_however_many_come() -> None:
    code = "signals.lead_to(told); [send(2) for _ in range(50)]; send(15); print(signals.number)"
    assert outcome(code) == (0, ["leave", "2"])


def test_what_takes_too_long_to_end_is_ended() -> None:
    code = "end_signals.PATIENCE_S = 0; signals.lead_to(told); send(15); send(2); print('on')"
    assert outcome(code) == (143, ["leave", "right"])


def test_at_the_end_none_breaks_in() -> None:
    assert outcome("signals.lead_to(told); signals.ending(); send(15); print(signals.number)") == (0, ["15"])


def test_what_is_to_be_ignored_stays_ignored() -> None:
    before = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
    assert outcome("send(1); print('on')", before=before) == (0, ["on"])
