"""The way in and out: the terminal is taken and given back, and what it sends is read (reader.py) while nobody is woken up
by one that is idle.

It replaces the reading loop of Textual 8.2's LinuxDriver, which wakes ten times a second, sees a lone Esc only then, feeds
a paste through its parser character by character, ends the app on invalid UTF-8, and spins when the terminal is gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import threading
import time
from collections.abc import Sequence
from typing import TextIO

from textual import events
from textual.drivers.linux_driver import (
    KITTY_DISAMBIGUATE_ESCAPE_CODES,
    KITTY_REPORT_ALL_KEYS,
    KITTY_REPORT_ALTERNATE_KEYS,
    KITTY_REPORT_ASSOCIATED_TEXT,
    LinuxDriver,
)
from textual.geometry import Size
from textual.message import Message

from tui.early_frame import ANSWER_S, ASK_LAST, WHEEL_BACK, WHEEL_OFF, EarlyFrame, take_answers
from tui.ui.messages import BackgroundKnown, TerminalGone
from tui.ui.terminal.pace import Pace
from tui.ui.terminal.reader import InputReader

READ_BYTES = 65536
# What a program may leave behind that ends without tidying up: margins, origin and insert mode, keys and keypad for
# applications, another character set, attributes, reverse video, mouse reports (ECMA-48, DEC VT510, xterm).
_PLAIN = "\x1b[r\x1b[?6l\x1b[4l\x1b[?1l\x1b>\x1b(B\x0f\x1b[0m\x1b[?5l" + "".join(
    f"\x1b[?{mode}l" for mode in (9, 1000, 1002, 1003, 1005, 1006, 1015)
)

# What makes the terminal write of itself, switched off: keys in the Kitty protocol, focus events, in-band resizes.
_END_REPORTS = ("\x1b[<u", "\x1b[?1004l", "\x1b[?2048l")
# The way back from what another program may have shown: pastes and focus not reported, lines wrapped, the usual screen.
_LEAVE = "\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[?1049l\x1b[?25h"
_FIRST_ANSWER_S = 1.0  # in which a terminal that answers at all has answered its first question
_STOPPED_BY_S = 0.3


# Textual 8.2 asks for the keys of the Kitty protocol without the one that tells what a key is in a Latin layout.
_KITTY = KITTY_DISAMBIGUATE_ESCAPE_CODES | KITTY_REPORT_ALL_KEYS | KITTY_REPORT_ASSOCIATED_TEXT
# The alternate screen without keeping the cursor's place anew; no cursor, no wrapping; pastes, focus and keys as they are
# asked for at the start; no arrows for the mouse wheel.
_AGAIN = (
    "\x1b[?1047h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[?1004h"
    f"\x1b[={_KITTY | KITTY_REPORT_ALTERNATE_KEYS};1u\x1b[?1007l"
)
_ASK_FOR_KEYS, _ASK_FOR_MORE = f"\x1b[>{_KITTY}u", f"\x1b[>{_KITTY | KITTY_REPORT_ALTERNATE_KEYS}u"


class WakingEvent(threading.Event):
    """An event that can be waited for together with a file: `fd` becomes readable when it is set."""

    def __init__(self) -> None:
        super().__init__()
        self.fd, self._write_fd = os.pipe()

    def set(self) -> None:
        super().set()
        os.write(self._write_fd, b"\0")

    def clear(self) -> None:
        super().clear()
        while select.select([self.fd], [], [], 0)[0]:
            os.read(self.fd, 64)


class Outlet:
    """The terminal as Textual's writer thread sees it. One that is gone takes everything and shows nothing: an error
    would end the thread, and the app would soon wait for ever for room in the thread's queue."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class LokalDriver(LinuxDriver):
    """Textual's driver with lokal's reading loop, which takes the terminal over from the early frame, if there is one."""

    early_frame: EarlyFrame | None = None

    def __init__(
        self,
        app: object,
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | Size | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)  # type: ignore[arg-type]  # App is generic there
        if self._file is not None:
            self._file = Outlet(self._file)  # type: ignore[assignment]  # only these methods are used of a TextIO
        self._wake = WakingEvent()
        self.exit_event = self._wake
        self._listening = threading.Event()
        self._is_lent = False
        self._is_up = False  # whether the terminal is taken, and nobody is about to take or to leave it
        self._woken = False
        self._continued = False
        self._answers = False  # whether the terminal has ever answered a question
        self._asked_at = 0.0
        self._reports_ended = False

    def lend(self) -> None:
        """Give the terminal to another program, with the settings that it had before lokal, until `take_back`, or
        `give_up` if lokal ends."""
        self.suspend_application_mode()
        self._is_lent = True

    def take_back(self) -> None:
        """Have the terminal again, in whatever state the other program left it."""
        self._own_again()
        self._is_lent = False
        self.resume_application_mode()
        self.write(_PLAIN)

    def give_up(self) -> None:
        """lokal ends while the terminal is lent, and has ended the other program: leave the terminal as it was."""
        self._own_again()
        if self._file is not None:
            self._file.write(_PLAIN + _LEAVE)
            self._file.flush()

    def stop_until_continued(self) -> bool:
        """Give the terminal back and stop, as Ctrl+Z stops other programs, until the shell has lokal go on. False, at
        once, if there is no shell that could."""
        if os.getsid(0) == os.getpid():
            return False
        self._continued = False
        self.suspend_application_mode()
        self._must_signal_resume = True
        handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        try:
            # The whole job, as the key does: the shell counts it as stopped only then. Where no shell waits for it the
            # kernel takes no notice (POSIX: orphaned process group).
            os.killpg(0, signal.SIGTSTP)
            deadline = time.monotonic() + _STOPPED_BY_S
            while not self._continued and time.monotonic() < deadline:
                time.sleep(0.01)
        finally:
            signal.signal(signal.SIGTSTP, handler)
        if not self._continued:
            self._must_signal_resume = False
            self.resume_application_mode()
        return self._continued

    def _own_again(self) -> None:
        with contextlib.suppress(termios.error, OSError):
            # In the foreground again, even if a job of the other program was there; asking for it must not stop lokal.
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            try:
                os.tcsetpgrp(self.fileno, os.getpgrp())
                if self.attrs_before is not None:
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            finally:
                signal.signal(signal.SIGTTOU, before)

    def start_application_mode(self) -> None:
        """As Textual does it; but a terminal that the early frame holds is on the alternate screen already, where asking
        for it again would wipe what is painted, and its settings to go back to are those from before the early frame."""
        early_frame = self.early_frame
        self._is_up = False
        self._reports_ended = False
        if not self._asked_at:
            self._asked_at = time.monotonic()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual 8.2
        if early_frame is not None and not early_frame.handed_over:
            early_frame.handed_over = True
            self.attrs_before = early_frame.settings
        else:
            self.write(WHEEL_OFF)
        self._is_up = True
        if self._woken:
            self._woken = False
            self._sigcont_application()

    def stop_application_mode(self) -> None:
        """As Textual does it, and the mouse wheel is again what it was; where the terminal was not given back before: lokal
        may be ended while it is stopped or while its terminal is lent."""
        if self._writer_thread is not None and not self._is_lent:
            self.write(WHEEL_BACK)
            super().stop_application_mode()

    def disable_input(self) -> None:
        """End the reading; then take out of the input what the terminal has still to say, so that the next who reads it,
        mostly a shell, does not find it there. Textual 8.2 throws away what came by now, and leaves what comes later."""
        if self._key_thread is None or self._writer_thread is None or self._is_lent:
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self.exit_event.set()
        self._key_thread.join()
        self._key_thread = None
        self.exit_event.clear()
        known = ANSWER_S if self._answers else self._asked_at + _FIRST_ANSWER_S - time.monotonic()
        self.write("".join(_END_REPORTS) + (ASK_LAST.decode() if known > 0 else ""))
        self._reports_ended = True
        if known <= 0 or not take_answers(self.fileno, known):
            self._answers = False  # it has had its time
            with contextlib.suppress(termios.error):
                termios.tcflush(self.fileno, termios.TCIFLUSH)

    def close(self) -> None:
        """End the writing, after what is written."""
        super().close()
        self._writer_thread = None

    def set_up_again(self) -> None:
        """Put the terminal in the state that lokal has it in, whatever else was done to it meanwhile."""
        in_band = "\x1b[?2048h" if self._in_band_window_resize else ""
        self.write(f"{_PLAIN}{_AGAIN}{in_band}")

    def write(self, data: str) -> None:
        """Textual's, without the switch to a screen that is shown already, and without what was said just before."""
        if self._is_lent or self._writer_thread is None:
            return
        if self._reports_ended and data in _END_REPORTS:
            return
        if data == "\x1b[?1049h" and self.early_frame is not None and not self.early_frame.handed_over:
            return
        super().write(_ASK_FOR_MORE if data == _ASK_FOR_KEYS else data)

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again after a stop. Textual 8.2 starts anew at every SIGCONT, with a second pair of threads if
        it was not stopped by SIGTSTP; and the kernel sends one after the SIGHUP of a terminal that is closed, where
        these threads would keep lokal alive for ever."""
        try:
            termios.tcgetattr(self.fileno)
        except termios.error:
            return
        self._continued = True
        if not self._app.is_running or self._is_lent or self._app.return_code is not None:
            return
        signals = getattr(self._app, "end_signals", None)
        if signals is not None and signals.number:
            return  # the shell wakes what it ends: lokal ends in the background, and the terminal is the shell's
        if not self._is_up:
            self._woken = True  # it is just being taken: threads that have not begun cannot be ended
            return
        self._is_up = False
        if not self._must_signal_resume:
            self.suspend_application_mode()
        super()._sigcont_application()

    def listen(self) -> None:
        """From now on there is somebody to give the keys to; until then they wait in the kernel."""
        self._listening.set()

    def run_input_thread(self) -> None:
        """Read until the app ends, asleep while nothing comes."""
        reader = InputReader(self._line_s)
        terminal, wake = self.fileno, self._wake.fd
        while not self._listening.wait(0.02):
            if self.exit_event.is_set():
                return
        if self.early_frame is not None:
            self._give(reader, self.early_frame.typed)
            self.early_frame.typed = b""
        while not self.exit_event.is_set():
            ready = select.select([terminal, wake], [], [], reader.patience_s)[0]
            if terminal in ready:
                data = self._read(terminal)
                if not data:
                    self._app.post_message(TerminalGone())
                    select.select([wake], [], [])
                    return
                self._give(reader, data)
            elif not ready:
                self._hear(reader.silence())

    def _line_s(self) -> float:
        """How long the line needs there and back, as far as the app has measured it."""
        pace = getattr(self._app, "pace", None)
        return pace.line_s if isinstance(pace, Pace) else 0.0

    def _give(self, reader: InputReader, data: bytes) -> None:
        self._hear(reader.feed(data))
        self._answers = self._answers or reader.answered
        if reader.background is not None:
            self._app.post_message(BackgroundKnown(reader.background))
            reader.background = None

    def _hear(self, found: Sequence[Message]) -> None:
        for message in found:
            # A size is told only by a terminal that was asked to tell it.
            if self._in_band_window_resize or not isinstance(message, events.Resize):
                self.process_message(message)

    @staticmethod
    def _read(terminal: int) -> bytes:
        try:
            return os.read(terminal, READ_BYTES)
        except OSError:
            # EIO: the other side of the pseudo-terminal is closed.
            return b""


def driver_with(early_frame: EarlyFrame | None) -> type[LokalDriver]:
    """The driver class for an app that opens behind `early_frame`: Textual makes the driver itself, from a class."""
    return type("LokalDriver", (LokalDriver,), {"early_frame": early_frame})
