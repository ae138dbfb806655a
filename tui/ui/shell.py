"""What lokal's app is before it knows of chats: the terminal's driver, the frames, the palette, themes, the ways out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.binding import BindingType

from tui.config.themes import TERMINAL, ThemeSpec, ordered_names
from tui.core.keyboard import latin
from tui.early_frame import EarlyFrame
from tui.end_signals import EndSignals
from tui.ui import keys
from tui.ui import theme as themes
from tui.ui.compat import run_binding
from tui.ui.messages import TerminalGone
from tui.ui.terminal.compositor import LeanScreen
from tui.ui.terminal.hook import DeltaApp

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver


def _provider() -> type[Provider]:
    """Loaded when the palette is opened for the first time."""
    from tui.ui.palette_commands import Commands

    return Commands


def _driver(early_frame: EarlyFrame | None) -> type[Driver] | None:
    """lokal's own reading of the terminal, where it is a POSIX one and no test; None = Textual's choice."""
    if sys.platform == "win32" or not (sys.__stdin__ and sys.__stdin__.isatty()):
        return None
    from tui.ui.terminal.driver import driver_with

    return driver_with(early_frame)


class Shell(DeltaApp[None]):
    """Subclasses say how to leave, and what a command does."""

    TITLE = "lokal"
    # Textual's own key for it could not be another one; lokal's is among BINDINGS.
    ENABLE_COMMAND_PALETTE = False
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_provider}
    BINDINGS: ClassVar[list[BindingType]] = [*keys.app_bindings()]
    end_signals: EndSignals | None = None
    """What ends lokal from outside; None in a test."""

    def __init__(self, specs: Mapping[str, ThemeSpec], theme: str, early_frame: EarlyFrame | None) -> None:
        """`theme` is a name in `specs`; `early_frame` holds the terminal until the driver starts."""
        theme = TERMINAL if "NO_COLOR" in os.environ else theme
        self.palette = themes.palette_from(specs[theme])
        # Without ansi_color, Textual 8.2 answers NO_COLOR with greys, and with black on black for a terminal's own colours.
        super().__init__(driver_class=_driver(early_frame), ansi_color=True)
        self._specs = specs
        for spec in specs.values():
            self.register_theme(themes.textual_theme(spec))
        self.theme = theme

    def listen(self) -> None:
        """The keys have somewhere to go from now on."""
        tell = getattr(
            self._driver, "listen", None
        )  # Textual's own drivers, in tests and on Windows, have none
        if tell is not None:
            tell()

    @on(events.Key)
    async def run_in_another_layout(self, event: events.Key) -> None:
        """A letter that nobody wrote and no widget knows: the command of its key, if it has one in a Latin layout."""
        if latin(event.key) != event.key and await run_binding(self.screen.focused or self.screen, event.key):
            event.stop()
            event.prevent_default()

    def get_default_screen(self) -> LeanScreen:
        """The screen under all others."""
        return LeanScreen()

    # -- themes -----------------------------------------------------------------------------------------------------

    def theme_names(self) -> tuple[str, ...]:
        """The themes to choose from; without colours there is one."""
        return (TERMINAL,) if self.no_color else ordered_names(self._specs)

    def wear(self, name: str) -> None:
        """Change the colours of everything on the screen."""
        self.palette = themes.palette_from(self._specs[name])
        self.theme = name
        for widget in self.screen.query("*"):
            widget.refresh()

    # -- the palette ------------------------------------------------------------------------------------------------

    def action_command_palette(self) -> None:
        """The palette."""
        from tui.ui.palette import LokalPalette

        self.push_screen(LokalPalette(id="--command-palette"))

    # -- the ways out -----------------------------------------------------------------------------------------------

    def leave(self, *, closed: bool = False) -> None:
        """Save and end. `closed` = the terminal or the system ends lokal, and nothing may be left for later."""
        self.exit()

    async def action_quit(self) -> None:
        """Textual's own way out."""
        self.leave()

    @on(TerminalGone)
    def _handle_lokal_driver_terminal_gone(self) -> None:
        """The window was closed, or the line broke for good."""
        self.leave(closed=True)

    def end_on_signals(self) -> None:
        """A closed terminal (SIGHUP), a request to end (SIGTERM) and an interrupt from outside keep what came, as Ctrl+Q does."""
        if self.end_signals is not None:
            loop = asyncio.get_running_loop()

            def leave() -> None:
                with contextlib.suppress(RuntimeError):  # the loop has ended, and so does lokal
                    loop.call_soon_threadsafe(partial(self.leave, closed=True))

            self.end_signals.lead_to(leave)
