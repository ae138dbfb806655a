"""How a Textual app is made to send its frames through the frame writer.

`DeltaApp` takes the place of `App`. It overrides `App._display`, the one place where Textual 8.2 turns a compositor
update into bytes; every other part of Textual stays as it is. Whatever the writer cannot show goes the stock way, and
the next frame is then sent in full.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Generic, Literal, TypeVar

from rich.color import ColorSystem
from rich.console import RenderableType
from rich.text import Text
from textual import messages
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App, ScreenStackError
from textual.css.query import NoMatches
from textual.dom import NoScreen
from textual.driver import Driver
from textual.events import Resize
from textual.screen import Screen

from tui import frame_file
from tui.ui.terminal.pace import Pace, TerminalSpeed
from tui.ui.terminal.probe import describe
from tui.ui.terminal.sgr import RESET, UnknownSgr
from tui.ui.terminal.strips import StripReader, UnusualUpdate
from tui.ui.terminal.writer import FrameWriter

FrameWay = Literal["delta", "stock"]
ReturnType = TypeVar("ReturnType")

_SYNC_START, _SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
# The sync mode's state, which Textual asks for at its start too and whose answer it takes out of the input.
_PING = "\x1b[?2026$p"
# Bytes up to which a frame is one write and one packet, so that no terminal shows a half of it: the 16 bytes of
# synchronized output would often be more than the frame.
_ONE_PACKET = 512
_COLOURS: Mapping[str | None, ColorSystem] = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "windows": ColorSystem.WINDOWS,
}


class DeltaApp(App[ReturnType], Generic[ReturnType]):
    """An App that sends only what changed.

    `frame_writer` is `"delta"`, or `"stock"` for Textual's own way; the environment's `LOKAL_FRAMES=stock` sets it.
    `pace` says how often a streamed answer is worth a frame. `frame_writer_failure` is the error that made the app
    give up on the writer, if one did.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        abilities = describe(os.environ)
        stock = os.environ.get("LOKAL_FRAMES") == "stock" or sys.platform == "win32"
        self.frame_writer: FrameWay = "stock" if stock else "delta"
        self.frame_writer_failure: Exception | None = None
        self.pace = Pace("auto", over_ssh=abilities.ssh)
        self._frames = FrameWriter(erases_with_colour=abilities.erases_with_colour)
        self._strips = StripReader(_COLOURS.get(self.console.color_system, ColorSystem.TRUECOLOR))
        # Counts the times that the terminal's content was lost, also by a signal in the midst of a frame.
        self._losses = 0
        self._shown_theme = ""
        # Whether the terminal's pen is one that the writer left.
        self._pen_left = False
        self._pinged_at: float | None = None
        self._is_lent = False
        self._has_failed = False
        self.driver_class = _telling_driver(self.driver_class)

    def use_terminal_speed(self, speed: TerminalSpeed) -> None:
        """Takes the person's word on the line: `auto`, `fast` or `slow`."""
        self.pace = Pace(speed, over_ssh=self.pace.over_ssh)

    def forget_frame(self) -> None:
        """Makes the next frame a full one, as after a key that asks for the screen to be drawn anew."""
        self._losses += 1
        self._pinged_at = None
        self._frames.forget()

    def redraw(self) -> None:
        """Draw everything anew on a terminal that may be in any state: something else wrote on it, or it was reset."""
        getattr(self._driver, "set_up_again", lambda: None)()
        self.forget_frame()
        self.refresh(layout=True)

    @property
    def exit_status(self) -> int:
        """What the process is to end with: never 0 after an error of lokal's own, whatever was said of it later, nor where
        nobody asked the app to end."""
        code = self.return_code
        return 1 if code is None or (self._has_failed and not code) else code

    def picture(self) -> str:
        """What is on the screen, as tui/frame_file.py keeps it; empty if that is not known or cannot be kept."""
        return frame_file.to_text(row.looks() for row in self._frames.rows) if self._frames.rows else ""

    def send_aside(self, sequence: str) -> None:
        """Sends a sequence that draws nothing, whole and between two frames."""
        if sequence and self._driver is not None and not self._is_lent:
            self._driver.write(sequence)
            self._driver.flush()

    @contextlib.contextmanager
    def lent_terminal(self) -> Iterator[bool]:
        """Hands the terminal to another program: while it lasts nothing is read from it and nothing written to it, but
        everything else in the app goes on. False where there is no terminal to hand over, as in a test.

        Textual 8.2's own `suspend` goes on writing, and does not come back when what it was left for fails.
        """
        driver = self._driver
        if driver is None or not driver.can_suspend:
            yield False
            return
        self._is_lent = True
        lend, take_back = driver.suspend_application_mode, driver.resume_application_mode
        getattr(driver, "lend", lend)()
        try:
            with driver.no_automatic_restart():
                yield True
        finally:
            if self.return_code is not None:  # lokal ends, and nothing is shown any more
                getattr(driver, "give_up", lambda: None)()
            else:
                getattr(driver, "take_back", take_back)()
                self._is_lent = False
                self.forget_frame()
                self.refresh(layout=True)

    def stop_until_continued(self) -> bool:
        """Leave the terminal to the shell that lokal was started from, and stop until that has it go on. False where there
        is none."""
        stop = getattr(self._driver, "stop_until_continued", None)
        return stop is not None and bool(stop())

    # Textual 8.2: the only way from the compositor to the driver, called by Screen for each update.
    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self._is_lent:
            return
        if not self._writes_now() or renderable is None:
            super()._display(screen, renderable)
            return
        if self.frame_writer == "delta" and isinstance(renderable, LayoutUpdate | ChopsUpdate):
            try:
                sent = self._send_frame(screen, renderable)
            except (UnusualUpdate, UnknownSgr):
                sent = False
            except Exception as failure:  # noqa: BLE001 - a fault here would show on every frame: Textual takes over
                self.frame_writer, self.frame_writer_failure, sent = "stock", failure, False
                self.log.error(f"frame writer: {failure!r}")
            if sent:
                self.post_display_hook()
                return
        if self._pen_left and self._driver is not None:
            # Textual's own frames count on the default pen.
            self._driver.write(RESET)
            self._pen_left = False
        self.forget_frame()
        super()._display(screen, renderable)

    def _writes_now(self) -> bool:
        """The conditions under which Textual 8.2's `App._display` writes an update of the full-screen kind."""
        driver = self._driver
        return (
            not self._batch_count
            and self._running
            and not self._closed
            and driver is not None
            and not (driver.is_headless or driver.is_inline or driver.is_web)
        )

    def _send_frame(self, screen: Screen[Any], update: LayoutUpdate | ChopsUpdate) -> bool:
        """Sends what the update changes; False if it has to go the stock way."""
        if self.theme != self._shown_theme:
            self._shown_theme = self.theme
            self._frames.forget()
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        losses = self._losses
        text = self._encode(screen, update, (cursor.x, cursor.y))
        if losses != self._losses:
            # Suspended and resumed meanwhile (SIGTSTP is handled between any two steps): nothing is on the terminal.
            self._frames.forget()
            text = self._encode(screen, update, (cursor.x, cursor.y))
        # Textual 8.2 keeps it for the end of an inline app; kept true for whoever reads it.
        self._previous_cursor_position = cursor
        if text:
            self._write(text)
        return True

    def _encode(
        self, screen: Screen[Any], update: LayoutUpdate | ChopsUpdate, cursor: tuple[int, int]
    ) -> str:
        if isinstance(update, ChopsUpdate):
            if len(self._frames.rows) == len(update.chops):
                return self._frames.patch(self._strips.patches(update), cursor)
            # A part is no use without the rest. Textual 8.2: Compositor.render_update is what Screen itself calls.
            whole = screen._compositor.render_update(full=True, screen_stack=self._background_screens)
            if not isinstance(whole, LayoutUpdate):
                raise UnusualUpdate("no full update to be had")
            update = whole
        return self._frames.frame(self._strips.rows(update), cursor)

    def _write(self, text: str) -> None:
        driver = self._driver
        if driver is None:
            return
        # Textual 8.2: set when the terminal said that it has synchronized output (mode 2026).
        if self._sync_available and len(text) > _ONE_PACKET:
            text = f"{_SYNC_START}{text}{_SYNC_END}"
        started_at = perf_counter()
        if self._pinged_at is not None:
            self.pace.waiting(started_at - self._pinged_at, started_at)
        elif self._sync_available and self.pace.wants_round_trip(started_at):
            self._pinged_at = started_at
            text += _PING
        queued = _queued_writes(driver)
        self._pen_left = True
        driver.write(text)
        driver.flush()
        self.pace.wrote(perf_counter() - started_at, queued, started_at)

    def _on_terminal_supports_synchronized_output(
        self, message: messages.TerminalSupportsSynchronizedOutput
    ) -> None:
        """Textual calls the handlers of all base classes, its own among them; this one times the answer to a ping."""
        if self._pinged_at is not None:
            now = perf_counter()
            self.pace.round_trip(now - self._pinged_at, now)
            self._pinged_at = None

    def _handle_exception(self, error: Exception) -> None:
        """Not where lokal ends already and a key that came just before meets a screen from which Textual 8.2 has taken the
        widgets away: that is no mistake, and nothing is left to be done for that key."""
        if self.return_code is None or not isinstance(error, NoMatches | NoScreen | ScreenStackError):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End after a mistake of lokal's own, and say which.

        Textual 8.2 shows the values of all variables too: parts of the conversation, which would stay in the scrollback
        and go into reports.
        """
        import traceback

        self._has_failed = True
        self.bell()
        what = "lokal made a mistake and has to end; what was said is kept. Please report this:"
        self._exit_renderables.append(Text(f"{what}\n\n{traceback.format_exc()}"))
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """Textual's end after an error outside of its messages, such as in the thread that reads the terminal."""
        self._has_failed = True
        super().panic(*renderables)

    async def _on_resize(self, event: Resize) -> None:
        """A terminal may lose or move what it showed, even if it has its old size again; App's handler runs too.

        App does nothing about a size that it has already, but that is also how Textual 8.2 comes back from Ctrl+Z.
        """
        self.forget_frame()
        if event.size == self._size:
            self.refresh()


def _queued_writes(driver: Driver) -> int:
    """Frames that wait in the driver's writer thread; Textual 8.2 shows the queue nowhere else."""
    thread = getattr(driver, "_writer_thread", None)
    return thread._queue.qsize() if thread is not None else 0


def _telling_driver(base: type[Driver]) -> type[Driver]:
    """A driver class that tells its app when the terminal's content is lost, and gives the pen back first.

    Drivers start and stop application mode around Ctrl+Z, `App.suspend` and the app's end; no event says so in time.
    """

    class TellingDriver(base):  # type: ignore[misc, valid-type]  # the base is known at run time only
        def start_application_mode(self) -> None:
            super().start_application_mode()
            _tell_loss(self._app)

        def stop_application_mode(self) -> None:
            self.write(RESET)
            _tell_loss(self._app)
            super().stop_application_mode()

    TellingDriver.__name__ = base.__name__
    return TellingDriver


def _tell_loss(app: App[Any]) -> None:
    if isinstance(app, DeltaApp):
        app.forget_frame()
