"""What the terminal can do, as far as it can be known before a byte is sent; and its background colour, by asking.

`describe` reads the environment it is given and nothing else. Only `background` and `BackgroundQuery` talk to the
terminal, and only before the app runs: after that every answer belongs to the app's own input.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Colours = Literal["truecolor", "256", "16", "none"]
Multiplexer = Literal["", "tmux", "screen", "zellij"]

# OSC 11 with `?` asks for the background (xterm, "Operating System Commands"); then DA1, which every terminal since
# the VT100 answers: its answer, read last, says that no other is on its way.
_QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
_COLOUR_ANSWER = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})/([0-9a-fA-F]{1,4})")
_LAST_ANSWER = re.compile(rb"\x1b\[\?[0-9;]*c")

_GRACE_S = 0.03

# Terminals named in TERM that have 24-bit colour without saying so in COLORTERM, which ssh does not pass on.
_TRUECOLOR_TERMS = ("alacritty", "contour", "foot", "ghostty", "iterm", "kitty", "rio", "wezterm", "-direct")
_TRUECOLOR_PROGRAMS = ("ghostty", "iTerm.app", "rio", "vscode", "WezTerm")
# Entries of ncurses' terminfo with `bce`; tmux has it since 2.4. GNU screen has not. kitty erases with colour too, but
# scrolls without: what scrolls in is rewritten in any case.
_ERASING_TERMS = ("xterm", "linux", "konsole", "vte", "gnome", "alacritty", "foot", "st-", "wezterm", "putty", "rxvt",
                  "mintty", "iterm", "ghostty", "contour", "rio", "tmux")  # fmt: skip


@dataclass(frozen=True, slots=True)
class TerminalAbilities:
    """What is known of a terminal. `columns` and `lines` are 0 when there is none to measure.

    `colours` is what may be shown, after NO_COLOR; `erases_with_colour` = erased cells take the current background.
    """

    term: str
    colours: Colours
    unicode: bool
    multiplexer: Multiplexer
    ssh: bool
    erases_with_colour: bool
    columns: int = 0
    lines: int = 0


def describe(environ: Mapping[str, str], size: tuple[int, int] = (0, 0)) -> TerminalAbilities:
    """The abilities that the environment variables tell; `size` is (columns, lines)."""
    term = environ.get("TERM", "")
    multiplexer = _multiplexer(environ, term)
    return TerminalAbilities(
        term=term,
        colours=_colours(environ, term),
        unicode=_unicode(environ),
        multiplexer=multiplexer,
        ssh=any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")),
        erases_with_colour=multiplexer == "tmux"
        or (multiplexer != "screen" and term.startswith(_ERASING_TERMS)),
        columns=size[0],
        lines=size[1],
    )


def has_truecolor() -> bool:
    """Whether the terminal of this process has 24-bit colour."""
    return describe(os.environ).colours == "truecolor"


def terminal_size() -> tuple[int, int]:
    """Columns and lines of the terminal that the process writes to; (0, 0) if it writes to none."""
    for stream in (sys.__stdout__, sys.__stderr__, sys.__stdin__):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            size = os.get_terminal_size(stream.fileno()) if stream else None
            if size and size.columns and size.lines:
                return size.columns, size.lines
    return 0, 0


class BackgroundQuery:
    """Asks the terminal for its background colour, and takes the answer later.

    Between the two the terminal does not echo, so the time can be used (for imports) while the answer is on its way.
    """

    def __init__(self, input_fd: int, output_fd: int) -> None:
        """Asks. Raises OSError if this is no terminal that can be asked."""
        import termios
        import tty

        self._input_fd = input_fd
        self._answer = b""
        try:
            self._settings = termios.tcgetattr(input_fd)
            tty.setcbreak(input_fd, termios.TCSANOW)
        except termios.error as error:
            raise OSError(*error.args) from error
        try:
            os.write(output_fd, _QUESTION)
        except OSError:
            self._restore()
            raise

    @property
    def answered(self) -> bool:
        """Whether all that the terminal had to say was read; if not, more may still come in as if typed."""
        return _LAST_ANSWER.search(self._answer) is not None

    def answer(self, timeout_s: float = 0.1) -> tuple[int, int, int] | None:
        """Red, green and blue, 0 to 255 each, or None. Waits at most `timeout_s` and gives the terminal's echo back."""
        deadline = time.monotonic() + timeout_s
        try:
            while (left := deadline - time.monotonic()) >= 0:
                if _COLOUR_ANSWER.search(self._answer) and self.answered:
                    break
                if self.answered:
                    # The other answer may still come: not everything between here and the terminal keeps the order.
                    left = min(left, _GRACE_S)
                if not select.select([self._input_fd], [], [], left)[0]:
                    break
                data = os.read(self._input_fd, 1024)
                if not data:
                    break
                self._answer += data
        except OSError:
            return None
        finally:
            self._restore()
        return parse_background(self._answer)

    def _restore(self) -> None:
        import termios

        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._input_fd, termios.TCSANOW, self._settings)


def ask_background() -> BackgroundQuery | None:
    """A question to the terminal on standard input and output; None where there is none, or none that answers."""
    if sys.platform == "win32" or not sys.__stdin__ or not sys.__stdout__:
        return None
    if os.environ.get("TERM", "dumb") in ("dumb", "unknown", ""):
        return None
    try:
        input_fd, output_fd = sys.__stdin__.fileno(), sys.__stdout__.fileno()
        return BackgroundQuery(input_fd, output_fd) if os.isatty(input_fd) and os.isatty(output_fd) else None
    except (OSError, ValueError):
        return None


def background(timeout_s: float = 0.1) -> tuple[int, int, int] | None:
    """The terminal's background colour, or None if it does not tell in time."""
    query = ask_background()
    return query.answer(timeout_s) if query else None


def read_background(input_fd: int, timeout_s: float = 0.1) -> tuple[tuple[int, int, int] | None, bytes]:
    """The answer to a question that was asked already, from a terminal in raw mode; and all that was read, with the
    answer and what a person typed meanwhile, for whoever reads the input next."""
    data = b""
    deadline = time.monotonic() + timeout_s
    while not _COLOUR_ANSWER.search(data) and (left := deadline - time.monotonic()) > 0:
        if _LAST_ANSWER.search(data):
            left = min(left, _GRACE_S)
        if not select.select([input_fd], [], [], left)[0]:
            break
        piece = os.read(input_fd, 1024)
        if not piece:
            break
        data += piece
    return parse_background(data), data


def parse_background(answer: bytes) -> tuple[int, int, int] | None:
    """The colour in an answer to OSC 11, `rgb:ffff/8000/0000` with one to four hexadecimal digits a part."""
    match = _COLOUR_ANSWER.search(answer)
    if match is None:
        return None
    red, green, blue = (round(int(part, 16) * 255 / (16 ** len(part) - 1)) for part in match.groups())
    return red, green, blue


def _colours(environ: Mapping[str, str], term: str) -> Colours:
    if environ.get("NO_COLOR") or term in ("dumb", "unknown", "") or re.match(r"vt\d", term):
        return "none"
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or environ.get("WT_SESSION"):
        return "truecolor"
    if environ.get("TERM_PROGRAM") in _TRUECOLOR_PROGRAMS or any(name in term for name in _TRUECOLOR_TERMS):
        return "truecolor"
    return "256" if "256color" in term else "16"


def _unicode(environ: Mapping[str, str]) -> bool:
    """Whether the locale's characters are UTF-8; the first of the three that is set counts (POSIX, 8.2)."""
    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environ.get(name))), "")
    return locale.lower().replace("-", "").partition("@")[0].endswith("utf8")


def _multiplexer(environ: Mapping[str, str], term: str) -> Multiplexer:
    if environ.get("TMUX") or term.startswith("tmux"):
        return "tmux"
    if environ.get("STY") or term.startswith("screen"):
        return "screen"
    return "zellij" if environ.get("ZELLIJ") else ""
