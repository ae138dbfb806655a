"""The app: what is on the screen, what the keys do, and how it is opened and left."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping

from textual.app import ComposeResult

from tui.core import presets as preset_rules
from tui.ui import keys
from tui.ui import theme as themes
from tui.ui.desk_app import DeskApp
from tui.ui.instrument import InstrumentLine
from tui.ui.tabs import Tabs
from tui.ui.topline import TopLine

FLUSH_S = 2.0
"""How long a signal to end waits for the disk."""


class LokalApp(DeskApp):
    """lokal on a terminal."""

    CSS_PATH = "app.tcss"

    # -- the screen -------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield TopLine()
        yield Tabs(self.desk, self.theme, lambda: self.pace)
        yield InstrumentLine()

    def on_mount(self) -> None:
        """The first frame comes first; all else after it."""
        self.on_screen = True
        self.end_on_signals()
        self.chat.composer.focus()
        self.mark("the app is laid out and takes keys")
        self.listen()
        self.show_state()
        self.call_after_refresh(self._after_first_frame)

    def _after_first_frame(self) -> None:
        # What was loaded until now stays for good, so no collection need look at it again.
        gc.freeze()
        gc.enable()
        self.mark("the app's first frame is on its way")
        if self.settings.show_reasoning:
            self.chat.transcript.toggle_reasoning()
        if not self.chat.composer.text:
            # A picture with words in it is not kept: they are nobody's business, and would be shown at the next start.
            self.backstage.keep_frame(self.picture(), (self.size.width, self.size.height))
        self.backstage.begin()
        self.backstage.find_server(self.desk)
        if self._problems:
            first, more = self._problems[0], len(self._problems) - 1
            self.tell(f"{first}" + (f" (and {more} more: lokal doctor)" if more else ""), "warning")

    def on_resize(self) -> None:
        """A low screen does without the top line. The app's own size is the new one only after this message."""
        self.call_later(self._fit)

    def _fit(self) -> None:
        self.screen_stack[0].set_class(self.is_low, "-short")
        self.show_state()

    def on_chat_pane_changed(self) -> None:
        """A phase, a rate or the context has changed."""
        self.show_state()

    def on_chat_pane_finished(self) -> None:
        """Many servers load a model with the first question and know its context window only then."""
        if self.desk.window is None:
            self.backstage.ask_window(self.desk)

    # -- commands ---------------------------------------------------------------------------------------------------

    async def action_command(self, id: str) -> None:
        """A key. Those typed right after it are for the tab that it opens."""
        self.run_command(id)
        await self.tabs.opened()

    def run_command(self, id: str) -> None:
        """Do what a command's id stands for."""
        if id.startswith("preset.") and id[7:].isdigit():
            self._use_preset_number(int(id[7:]))
            return
        self._actions()[id]()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of a tab work in that tab only."""
        if action != "command" or not self.on_screen:
            return True
        return keys.works(str(parameters[0]), self.tabs.current, covered=len(self.screen_stack) > 1)

    def _actions(self) -> Mapping[str, Callable[[], object]]:
        chat = self.chat
        transcript = chat.transcript
        return {
            "answer.stop": chat.stop,
            "answer.retry": chat.retry,
            "answer.continue": chat.continue_answer,
            "reasoning.toggle": transcript.toggle_reasoning,
            "scroll.page_up": transcript.page_up,
            "scroll.page_down": transcript.page_down,
            "scroll.start": transcript.to_start,
            "scroll.end": transcript.follow,
            "preset.next": lambda: self.use_preset(
                preset_rules.after(self.desk.presets, self.desk.preset.name).name
            ),
            "preset.save": self._save_preset,
            "preset.revert": self._revert_preset,
            "chat.new": self._new_chat,
            "tab.chat": lambda: self.open_tab("chat"),
            "tab.models": lambda: self.open_tab("models"),
            "tab.settings": lambda: self.open_tab("settings"),
            "server.search": self.search,
            "theme.next": lambda: self.use_theme(themes.after(self.theme_names(), self.theme)),
            "help": self._show_keys,
            "palette": self.action_command_palette,
            "quit": self.leave,
        }

    def action_help_quit(self) -> None:
        """Ctrl+C ends an answer; it does not end lokal, and says what does."""
        if not self.chat.stop():
            self.chat.tell(f"{self.desk.key('quit')} leaves lokal")

    def leave(self, *, closed: bool = False) -> None:
        """Keep what came of a running answer, and end; at once on the disk if nobody waits for lokal any more."""
        self.chat.leave(closed=closed)
        if closed:
            self.backstage.flush(FLUSH_S)
        self.exit()

    def _show_keys(self) -> None:
        from tui.ui.help import KeyScreen

        self.push_screen(KeyScreen(self.desk.keys))

    def _new_chat(self) -> None:
        self.chat.stop()
        self.open_tab("chat")
        self.backstage.new_chat()
