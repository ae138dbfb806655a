"""What is on the screen before the app is: the frame of last time, painted within some milliseconds of Enter.

It runs before anything else is imported, so it imports next to nothing itself. It takes the terminal (raw mode, alternate
screen) and paints; keys that are typed meanwhile wait in the kernel, where the app finds them. Once the command line is
known to be right, `ask_background` asks the terminal for its background. Textual's driver then takes the terminal over as
it is; whatever happens in between, `restore_terminal` puts it right again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from tui import frame_file
from tui.end_signals import EndSignals

MIN_COLUMNS, MIN_ROWS = 20, 6
# OSC 11 with `?` asks for the background; DA1, which every terminal answers, comes last.
ASK_BACKGROUND = b"\x1b]11;?\x1b\\\x1b[c"
# DSR: "are you well?" (ECMA-48 8.3.35), and the answer. Terminals answer in order, so all that was on its way before is
# in by then; lokal asks it at no other moment.
ASK_LAST, LAST_ANSWER = b"\x1b[5n", b"\x1b[0n"
ANSWER_S = 3.0
"""How long an answer may take over a slow line."""
NOT_FOR = frozenset(
    {"--plain", "ask", "bench", "doctor", "presets", "chats", "models", "-h", "--help", "--version"}
)
"""What opens no screen: commands, and options."""
# What Textual 8.2's driver switches on: bracketed paste, in-band resizes, focus events, the Kitty keyboard protocol; and
# the wrapping of lines, which it switches off.
_UNDO_DRIVER = b"\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[<u\x1b[?7h\x1b[r"
# On the alternate screen terminals send arrows for the mouse wheel (mode 1007), which would step through the prompts. What
# it was before is kept by the terminal (XTSAVE), where it can; where it cannot, on is what it mostly was.
WHEEL_OFF, WHEEL_BACK = "\x1b[?1007s\x1b[?1007l", "\x1b[?1007h\x1b[?1007r"
_ENTER = b"\x1b[?1049h" + WHEEL_OFF.encode() + b"\x1b[?25l\x1b[H"
_LEAVE = WHEEL_BACK.encode() + b"\x1b[0m\x1b[?1049l\x1b[?25h"


class EarlyFrame:
    """Holds the terminal until the app has it. `typed` is what was read of the input on the way; `asked_at` is when the
    terminal was asked for its background, by `time.monotonic`, None if it was not; `signals` are those that end lokal."""

    def __init__(
        self, input_fd: int, output_fd: int, size: tuple[int, int], environ: Mapping[str, str]
    ) -> None:
        """Take the terminal and paint. Raises OSError if it cannot be taken."""
        import termios

        self._input_fd, self._output_fd = input_fd, output_fd
        self.handed_over = False
        self.typed = b""
        self.asked_at: float | None = None
        try:
            self.settings = termios.tcgetattr(input_fd)
            raw = termios.tcgetattr(input_fd)
            raw[0] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
            raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
            raw[6][termios.VMIN] = 1
            termios.tcsetattr(input_fd, termios.TCSANOW, raw)
        except termios.error as error:
            raise OSError(*error.args) from error
        self._typed_before = _waiting(input_fd)
        self.signals = EndSignals(self._put_right)
        os.write(output_fd, _ENTER + _picture(size, environ))

    def ask_background(self) -> None:
        """Ask the terminal for its background, and take what was typed. Not before it is sure that the screen is opened: an
        answer, or a line that was meant for it, would otherwise be left for the shell, or be lost to it."""
        import time

        if self._typed_before:
            # What was typed before the terminal was raw: there Enter became a line feed on its way in.
            self.typed = os.read(self._input_fd, self._typed_before).replace(b"\n", b"\r")
        self.asked_at = time.monotonic()
        os.write(self._output_fd, ASK_BACKGROUND)

    def _put_right(self) -> None:
        """Leave the terminal as it was, also where the app's driver has begun and will not come to its end."""
        if self.handed_over:
            with contextlib.suppress(OSError):
                os.write(self._output_fd, _UNDO_DRIVER)
            self.handed_over = False
        self.restore_terminal()

    def restore_terminal(self) -> None:
        """Put the terminal right; harmless if the app has done so already. Somebody else's it stays as it is."""
        import termios

        if not in_foreground(self._input_fd):
            return
        if not self.handed_over:
            self.handed_over = True
            with contextlib.suppress(OSError):
                if self.asked_at is not None:
                    os.write(self._output_fd, ASK_LAST)
                    take_answers(self._input_fd, ANSWER_S)
                os.write(self._output_fd, _LEAVE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._input_fd, termios.TCSANOW, self.settings)


def terminal_restorer() -> Callable[[], None]:
    """What puts the terminal of this process right, as it is now, whatever an app has made of it by then."""
    settings = None
    with contextlib.suppress(ImportError, OSError, ValueError):
        import termios

        with contextlib.suppress(termios.error):
            settings = termios.tcgetattr(0)

    def restore() -> None:
        if settings is None or not in_foreground(0):
            return
        with contextlib.suppress(OSError):
            os.write(1, _UNDO_DRIVER + _LEAVE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(0, termios.TCSANOW, settings)

    return restore


def in_foreground(terminal_fd: int) -> bool:
    """Whether the terminal is this process's to write to and to change, and not that of whoever has it while this one is
    in the background. True where the terminal knows no such thing."""
    try:
        return os.tcgetpgrp(terminal_fd) == os.getpgrp()
    except (OSError, AttributeError):
        return True


def take_answers(input_fd: int, seconds: float) -> bool:
    """Take what the terminal has still to say out of the input, after ASK_LAST was written to it; the last answer's end is
    where this stops, as what comes after it is for others. False if that did not come within `seconds`. The terminal has
    to be in raw mode."""
    import select
    import time

    deadline = time.monotonic() + seconds
    end = b""
    with contextlib.suppress(OSError, ValueError):
        while (left := deadline - time.monotonic()) > 0 and select.select([input_fd], [], [], left)[0]:
            byte = os.read(input_fd, 1)
            if not byte:  # the terminal is gone
                break
            end = end[1 - len(LAST_ANSWER) :] + byte
            if end == LAST_ANSWER:
                return True
    return False


def show_early_frame(arguments: Sequence[str], environ: Mapping[str, str]) -> EarlyFrame | None:
    """Take the terminal and show the early frame, if the command line opens the screen and there is a terminal that is big enough for it."""
    if sys.platform == "win32" or not NOT_FOR.isdisjoint(arguments):
        return None
    if environ.get("TERM", "dumb") in ("", "dumb", "unknown"):
        return None
    try:
        if not (os.isatty(0) and os.isatty(1)):
            return None
        columns, rows = os.get_terminal_size(1)
        if columns < MIN_COLUMNS or rows < MIN_ROWS:
            return None
        return EarlyFrame(0, 1, (columns, rows), environ)
    except OSError:
        return None


def _waiting(input_fd: int) -> int:
    """The bytes that can be read from a terminal now."""
    import fcntl
    import termios

    try:
        return int.from_bytes(fcntl.ioctl(input_fd, termios.FIONREAD, b"\0" * 4), sys.byteorder)
    except OSError:
        return 0


def _picture(size: tuple[int, int], environ: Mapping[str, str]) -> bytes:
    kept = frame_file.read(frame_file.frame_file(environ, *size))
    return frame_file.drawn(kept, *size) or _plain(*size)


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
