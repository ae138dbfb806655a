"""What is on the screen before the app is: the frame of last time, painted within some milliseconds of Enter.

It runs before anything else is imported, so it imports next to nothing itself. It takes the terminal (raw mode, alternate
screen) and paints; keys that are typed meanwhile wait in the kernel, where the app finds them. Textual's driver then takes
the terminal over as it is; whatever happens in between, `drop` puts it right again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence

MIN_COLUMNS, MIN_ROWS = 20, 6
# OSC 11 with `?` asks for the background; DA1, which every terminal answers, comes last.
ASK_BACKGROUND = b"\x1b]11;?\x1b\\\x1b[c"
_NOT_FOR = frozenset({"ask", "doctor", "presets", "chats", "-h", "--help", "--version"})
# What Textual 8.2's driver switches on: bracketed paste, in-band resizes, focus events, the Kitty keyboard protocol; and
# the wrapping of lines, which it switches off.
_UNDO_DRIVER = b"\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[?7h\x1b[r"
# On the alternate screen terminals send arrows for the mouse wheel (mode 1007), which would step through the prompts. What
# it was before is kept by the terminal (XTSAVE), where it can; where it cannot, on is what it mostly was.
WHEEL_OFF, WHEEL_BACK = "\x1b[?1007s\x1b[?1007l", "\x1b[?1007h\x1b[?1007r"
_ENTER = b"\x1b[?1049h" + WHEEL_OFF.encode() + b"\x1b[?25l\x1b[H"
_LEAVE = WHEEL_BACK.encode() + b"\x1b[0m\x1b[?1049l\x1b[?25h"


def frame_file(environ: Mapping[str, str], columns: int, rows: int) -> str:
    """The path of the kept frame for a terminal of this kind and size."""
    state = environ.get("XDG_STATE_HOME", "")
    if not state.startswith("/"):
        state = environ.get("HOME", "") + "/.local/state"
    kind = "-".join(environ.get(name, "") for name in ("TERM", "COLORTERM", "NO_COLOR"))
    safe = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in kind)
    return f"{state}/lokal/frames/{safe}-{columns}x{rows}"


class Curtain:
    """Holds the terminal until the app has it. `typed` is what was read of the input on the way."""

    def __init__(
        self, input_fd: int, output_fd: int, size: tuple[int, int], environ: Mapping[str, str]
    ) -> None:
        """Take the terminal and paint. Raises OSError if it cannot be taken."""
        import termios

        self._input_fd, self._output_fd = input_fd, output_fd
        self.handed_over = False
        try:
            self.settings = termios.tcgetattr(input_fd)
            raw = termios.tcgetattr(input_fd)
            raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
            raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            raw[6][termios.VMIN] = 1
            termios.tcsetattr(input_fd, termios.TCSANOW, raw)
        except termios.error as error:
            raise OSError(*error.args) from error
        # What was typed before the terminal was raw: there Enter became a line feed on its way in.
        self.typed = os.read(input_fd, 4096).replace(b"\n", b"\r") if _waits(input_fd) else b""
        os.write(output_fd, _ENTER + _picture(size, environ) + ASK_BACKGROUND)
        self._drop_on_signals()

    def _drop_on_signals(self) -> None:
        """Until the app has its own handlers, a request to end must leave the terminal as it was, too."""
        import signal

        def end(number: int, frame: object) -> None:
            if self.handed_over:
                # The app's driver has begun and will not come to its end.
                with contextlib.suppress(OSError):
                    os.write(self._output_fd, _UNDO_DRIVER + _LEAVE)
            self.drop()
            os._exit(128 + number)

        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)

    def drop(self) -> None:
        """Put the terminal right; harmless if the app has done so already."""
        import termios

        if not self.handed_over:
            self.handed_over = True
            with contextlib.suppress(OSError):
                os.write(self._output_fd, _LEAVE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._input_fd, termios.TCSANOW, self.settings)


def raised(arguments: Sequence[str], environ: Mapping[str, str]) -> Curtain | None:
    """A curtain, if the command line opens the screen and there is a terminal that is big enough for it."""
    if sys.platform == "win32" or not _NOT_FOR.isdisjoint(arguments):
        return None
    if environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return None
    try:
        if not (os.isatty(0) and os.isatty(1)):
            return None
        columns, rows = os.get_terminal_size(1)
        if columns < MIN_COLUMNS or rows < MIN_ROWS:
            return None
        return Curtain(0, 1, (columns, rows), environ)
    except OSError:
        return None


def _waits(input_fd: int) -> bool:
    import select

    return bool(select.select([input_fd], [], [], 0)[0])


def _picture(size: tuple[int, int], environ: Mapping[str, str]) -> bytes:
    try:
        with open(frame_file(environ, *size), "rb") as file:  # noqa: PTH123 - pathlib alone takes some milliseconds
            return file.read()
    except OSError:
        return _plain(*size)


def _plain(columns: int, rows: int) -> bytes:
    """The first time at this size: the same lines in the terminal's own colours."""
    lines = {
        1: "\x1b[2m lokal   \x1b[0;1;4mChat\x1b[0;2m  Models  Settings\x1b[0m",
        rows - 2: "\x1b[2m" + "─" * columns + "\x1b[0m",
        rows - 1: "› \x1b[7m \x1b[0m",
    }
    if rows < 20:
        del lines[1]
    return "".join(f"\x1b[{row};1H{text}" for row, text in lines.items()).encode()
