"""What the environment tells of a terminal, and the question for its background, on a real tty."""

from __future__ import annotations

import os
import pty
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tui.ui.terminal.probe import (
    BackgroundQuery,
    Colours,
    Multiplexer,
    ask_background,
    describe,
    parse_background,
)


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "tmux-256color"}, "256"),
        ({"TERM": "xterm-kitty"}, "truecolor"),
        ({"TERM": "alacritty"}, "truecolor"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "truecolor"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, "256"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "vt220"}, "none"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, "none"),
        ({}, "none"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "none"),
    ],
)
def test_colours(environ: dict[str, str], colours: Colours) -> None:
    assert describe(environ).colours == colours


@pytest.mark.parametrize(
    ("environ", "multiplexer", "erases"),
    [
        ({"TERM": "xterm-256color"}, "", True),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, "tmux", True),
        ({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"}, "tmux", True),
        ({"TERM": "screen-256color"}, "screen", False),
        ({"TERM": "xterm-256color", "STY": "1.pts-0.host"}, "screen", False),
        ({"TERM": "xterm-256color", "ZELLIJ": "0"}, "zellij", True),
        ({"TERM": "vt100"}, "", False),
    ],
)
def test_multiplexers_and_erasing(environ: dict[str, str], multiplexer: Multiplexer, erases: bool) -> None:
    abilities = describe(environ)
    assert (abilities.multiplexer, abilities.erases_with_colour) == (multiplexer, erases)


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({"LANG": "uz_UZ.UTF-8"}, True),
        ({"LANG": "ru_RU.utf8"}, True),
        ({"LANG": "ca_ES.UTF-8@valencia"}, True),
        ({"LANG": "pl_PL.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "ru_RU.KOI8-R"}, False),
        ({"LC_CTYPE": "UTF-8"}, True),
        ({}, False),
    ],
)
def test_unicode(environ: dict[str, str], unicode: bool) -> None:
    assert describe(environ).unicode is unicode


def test_ssh_and_size() -> None:
    assert describe({"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}, (80, 24)).ssh
    abilities = describe({"TERM": "xterm"}, (80, 24))
    assert (abilities.ssh, abilities.columns, abilities.lines) == (False, 80, 24)


@pytest.mark.parametrize(
    ("answer", "colour"),
    [
        (b"\x1b]11;rgb:ffff/8080/0000\x1b\\", (255, 128, 0)),
        (b"\x1b]11;rgb:1e/2e/3e\x07", (0x1E, 0x2E, 0x3E)),
        (b"\x1b]11;rgb:f/0/8\x07", (255, 0, 136)),
        (b"\x1b]11;rgba:0000/0000/0000/ffff\x07", (0, 0, 0)),
        (b"\x1b[?62;c", None),
        (b"", None),
    ],
)
def test_answers(answer: bytes, colour: tuple[int, int, int] | None) -> None:
    assert parse_background(answer) == colour


@contextmanager
def terminal(*answers: bytes) -> Iterator[int]:
    """A tty whose terminal answers so once it was asked; gives the end that a program has."""
    outer, inner = pty.openpty()

    def answer() -> None:
        asked = b""
        while b"\x1b[c" not in asked:
            asked += os.read(outer, 100)
        for part in answers:
            os.write(outer, part)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield inner
    finally:
        thread.join()
        os.close(outer)
        os.close(inner)


def test_the_background_is_told_and_the_tty_is_as_before() -> None:
    with terminal(b"\x1b]11;rgb:1e1e/", b"2e2e/3e3e\x1b\\\x1b[?62", b";22c") as tty:
        before = termios.tcgetattr(tty)
        query = BackgroundQuery(tty, tty)
        assert not termios.tcgetattr(tty)[3] & termios.ECHO
        # The thread writes at once: a long time-out is never waited for.
        assert query.answer(20) == (0x1E, 0x2E, 0x3E)
        assert query.answered
        assert termios.tcgetattr(tty) == before


def test_a_terminal_that_knows_no_colour_query_is_not_waited_for() -> None:
    with terminal(b"\x1b[?1;2c") as tty:
        query = BackgroundQuery(tty, tty)
        assert query.answer(20) is None
        assert query.answered


def test_a_terminal_that_stays_silent_is_given_up() -> None:
    with terminal() as tty:
        before = termios.tcgetattr(tty)
        query = BackgroundQuery(tty, tty)
        assert query.answer(0.01) is None
        assert not query.answered
        assert termios.tcgetattr(tty) == before


def test_what_is_no_terminal_is_not_asked() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(OSError, match="ioctl"):
            BackgroundQuery(reading, writing)
        os.set_blocking(reading, False)
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
    finally:
        os.close(reading)
        os.close(writing)


def test_a_dumb_terminal_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert ask_background() is None
