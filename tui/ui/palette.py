"""The command palette: Textual's, with keys that count in the order in which they came, and without a blinking cursor."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, LoadingIndicator, OptionList

from tui.ui.compat import run_own_binding


class PaletteInput(CommandInput):
    """The line to write on."""

    async def _on_key(self, event: events.Key) -> None:
        """In its turn, also of keys that come in one piece."""
        if not event.is_printable and await run_own_binding(self, event.key):
            event.stop()
            event.prevent_default()
        else:
            await super()._on_key(event)


class LokalPalette(CommandPalette):
    """Of keys that come in one piece only the first Enter chooses: Textual 8.2 runs the command once for each, and takes
    away one screen more for each."""

    def compose(self) -> ComposeResult:
        """As Textual's, with lokal's line."""
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield PaletteInput(placeholder=self._placeholder, select_on_focus=False)
            with Vertical(id="--results"):
                yield CommandList()
                yield LoadingIndicator()

    def on_mount(self) -> None:
        """An idle screen sends nothing."""
        self.query_one(PaletteInput).cursor_blink = False

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, event: Input.Submitted | OptionList.OptionSelected) -> None:
        if not self.is_active:
            event.stop()
            event.prevent_default()

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Leave it; nothing if it was left already."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
