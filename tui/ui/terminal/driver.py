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
from typing import TextIO

from textual.drivers.linux_driver import (
    KITTY_DISAMBIGUATE_ESCAPE_CODES,
    KITTY_REPORT_ALL_KEYS,
    KITTY_REPORT_ALTERNATE_KEYS,
    KITTY_REPORT_ASSOCIATED_TEXT,
    LinuxDriver,
)
from textual.geometry import Size
from textual.message import Message

from tui.curtain import WHEEL_BACK, WHEEL_OFF, Curtain
from tui.ui.terminal.link import Pace
from tui.ui.terminal.reader import InputReader

READ_BYTES = 65536
# What a program may leave behind that ends without tidying up: margins, origin and insert mode, keys and keypad for
# applications, another character set, attributes, reverse video, mouse reports (ECMA-48, DEC VT510, xterm).
_PLAIN = "\x1b[r\x1b[?6l\x1b[4l\x1b[?1l\x1b>\x1b(B\x0f\x1b[0m\x1b[?5l" + "".join(
    f"\x1b[?{mode}l" for mode in (9, 1000, 1002, 1003, 1005, 1006, 1015)
)


# Textual 8.2 asks for the keys of the Kitty protocol without the one that tells what a key is in a Latin layout.
_KITTY = KITTY_DISAMBIGUATE_ESCAPE_CODES | KITTY_REPORT_ALL_KEYS | KITTY_REPORT_ASSOCIATED_TEXT
# The alternate screen without keeping the cursor's place anew; no cursor, no wrapping; pastes, focus and keys as they are
# asked for at the start; no arrows for the mouse wheel.
_AGAIN = (
    "\x1b[?1047h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[?1004h"
    f"\x1b[={_KITTY | KITTY_REPORT_ALTERNATE_KEYS};1u\x1b[?1007l"
)
_ASK_FOR_KEYS, _ASK_FOR_MORE = f"\x1b[>{_KITTY}u", f"\x1b[>{_KITTY | KITTY_REPORT_ALTERNATE_KEYS}u"


class _WakingEvent(threading.Event):
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


class _Outlet:
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
    """Textual's driver with lokal's reading loop, which takes the terminal over from the curtain, if there is one."""

    curtain: Curtain | None = None

    class TerminalGone(Message):
        """The terminal was closed."""

    class BackgroundKnown(Message):
        """The terminal said what its background colour is: red, green, blue, 0 to 255 each."""

        def __init__(self, background: tuple[int, int, int]) -> None:
            super().__init__()
            self.background = background

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
            self._file = _Outlet(self._file)  # type: ignore[assignment]  # only these methods are used of a TextIO
        self._wake = _WakingEvent()
        self.exit_event = self._wake
        self._listening = threading.Event()
        self._is_lent = False
        self._is_up = False  # whether the terminal is taken, and nobody is about to take or to leave it
        self._woken = False

    def lend(self) -> None:
        """Give the terminal to another program, with the settings that it had before lokal, until `take_back`."""
        self.suspend_application_mode()
        self._is_lent = True

    def take_back(self) -> None:
        """Have the terminal again, in whatever state the other program left it."""
        with contextlib.suppress(termios.error, OSError):
            # In the foreground again, even if a job of the other program was there; asking for it must not stop lokal.
            before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
            try:
                os.tcsetpgrp(self.fileno, os.getpgrp())
                if self.attrs_before is not None:
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            finally:
                signal.signal(signal.SIGTTOU, before)
        self._is_lent = False
        self.resume_application_mode()
        self.write(_PLAIN)

    def start_application_mode(self) -> None:
        """As Textual does it; but a terminal that the curtain holds is on the alternate screen already, where asking
        for it again would wipe what is painted, and its settings to go back to are those from before the curtain."""
        curtain = self.curtain
        self._is_up = False
        super().start_application_mode()  # type: ignore[no-untyped-call]  # untyped in Textual 8.2
        if curtain is not None and not curtain.handed_over:
            curtain.handed_over = True
            self.attrs_before = curtain.settings
        else:
            self.write(WHEEL_OFF)
        self._is_up = True
        if self._woken:
            self._woken = False
            self._sigcont_application()

    def stop_application_mode(self) -> None:
        """As Textual does it, and the mouse wheel is again what it was."""
        self.write(WHEEL_BACK)
        super().stop_application_mode()

    def set_up_again(self) -> None:
        """Put the terminal in the state that lokal has it in, whatever else was done to it meanwhile."""
        in_band = "\x1b[?2048h" if self._in_band_window_resize else ""
        self.write(f"{_PLAIN}{_AGAIN}{in_band}")

    def write(self, data: str) -> None:
        """Textual's, without the switch to a screen that is shown already."""
        if self._is_lent:
            return
        if data == "\x1b[?1049h" and self.curtain is not None and not self.curtain.handed_over:
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
        if not self._app.is_running or self._is_lent:
            return
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
        if self.curtain is not None:
            self._give(reader, self.curtain.typed)
            self.curtain.typed = b""
        while not self.exit_event.is_set():
            ready = select.select([terminal, wake], [], [], reader.patience_s)[0]
            if terminal in ready:
                data = self._read(terminal)
                if not data:
                    self._app.post_message(self.TerminalGone())
                    select.select([wake], [], [])
                    return
                self._give(reader, data)
            elif not ready:
                for message in reader.silence():
                    self.process_message(message)

    def _line_s(self) -> float:
        """How long the line needs there and back, as far as the app has measured it."""
        pace = getattr(self._app, "pace", None)
        return pace.line_s if isinstance(pace, Pace) else 0.0

    def _give(self, reader: InputReader, data: bytes) -> None:
        for message in reader.feed(data):
            self.process_message(message)
        if reader.background is not None:
            self._app.post_message(self.BackgroundKnown(reader.background))
            reader.background = None

    @staticmethod
    def _read(terminal: int) -> bytes:
        try:
            return os.read(terminal, READ_BYTES)
        except OSError:
            # EIO: the other side of the pseudo-terminal is closed.
            return b""


def driver_with(curtain: Curtain | None) -> type[LokalDriver]:
    """The driver class for an app that opens behind `curtain`: Textual makes the driver itself, from a class."""
    return type("LokalDriver", (LokalDriver,), {"curtain": curtain})
