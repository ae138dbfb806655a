"""The app: what is on the screen, what the keys do, and how it is opened and left."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult

from tui.core import presets as preset_rules
from tui.core.commands import BY_ID
from tui.errors import UsageError
from tui.ui import keys
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.view import ChatView
from tui.ui.chat_list.host import Browsing
from tui.ui.compat import run_binding
from tui.ui.output import Copied, CopyWanted, FileWritten, OutputService, WriteWanted
from tui.ui.slash_app import SlashApp
from tui.ui.status_bar import StatusBar
from tui.ui.tabs import Tabs
from tui.ui.title_bar import TitleBar
from tui.ui.window_keeper import WindowKeeper

if TYPE_CHECKING:
    from tui.chat.comparison import Comparison

FLUSH_S = 2.0
"""How long a signal to end waits for the disk."""


class LokalApp(WindowKeeper, Browsing, SlashApp):
    """lokal on a terminal."""

    CSS_PATH = "app.tcss"
    comparison: Comparison | None = None
    """The comparison that is open."""

    # -- the screen -------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield TitleBar()
        yield Tabs(self.state, self.theme, lambda: self.pace)
        yield StatusBar()

    def on_mount(self) -> None:
        """The first frame comes first; all else after it."""
        self.on_screen = True
        self.end_on_signals()
        self.chat.offer_names(self.names)
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
            self.services.keep_frame(self.picture(), (self.size.width, self.size.height))
        self.services.begin()
        self.services.find_server(self.state)
        if self._problems:
            first, more = self._problems[0], len(self._problems) - 1
            self.tell(f"{first}" + (f" (and {more} more: lokal doctor)" if more else ""), "warning")

    def on_resize(self) -> None:
        """A low screen does without the title bar. The app's own size is the new one only after this message."""
        self.call_later(self._fit)

    def _fit(self) -> None:
        self.screen_stack[0].set_class(self.is_low, "-short")
        self.fit_chats()
        self.show_state()

    @on(ChatView.Changed)
    def _chat_changed(self) -> None:
        """A phase, a rate or the context has changed."""
        self.show_state()

    @on(ChatView.Finished)
    def _answer_finished(self) -> None:
        """Many servers load a model with the first question and know its context window only then."""
        if self.state.window is None:
            self.services.ask_window(self.state)

    # -- out of the chat ---------------------------------------------------------------------------------------------

    @cached_property
    def _handout(self) -> OutputService:
        return OutputService(self)

    @on(CopyWanted)
    def _handle_copy_wanted(self, event: CopyWanted) -> None:
        """A text is to go to a clipboard."""
        self._handout.copy(event.make)

    @on(Copied)
    def _handle_copied(self, event: Copied) -> None:
        """Say which way it went."""
        delivery, key = event.delivery, self.state.key
        self.send_aside(delivery.sequence)
        hint = f"{key('message.write')} writes a file" if not delivery.is_sure else ""
        if self.chat.message_cursor.mark is None:
            hint = f"{key('messages.enter')} {hint}" if delivery.is_too_large else ""
        said = f"{delivery} · {hint}" if hint else str(delivery)
        self.tell(said, "warning" if delivery.is_too_large else "accent")

    @on(WriteWanted)
    def _handle_write_wanted(self, event: WriteWanted) -> None:
        """A text is to go to a file."""
        self._handout.write(event.make, event.name, overwrite=event.overwrite)

    @on(FileWritten)
    def _handle_written(self, event: FileWritten) -> None:
        """Say where it is, or why it is not."""
        self.chat.message_cursor.edits.written(event)

    # -- commands ---------------------------------------------------------------------------------------------------

    async def action_command(self, id: str) -> None:
        """A key. Those typed right after it are for the tab that it opens."""
        if id != "answer.stop":
            self.run_command(id)
        elif not self.chat.step_back():
            self.chat.actions()[id]("")  # this key does much else, and says nothing where there is nothing
        await self.tabs.opened()
        await self.chats_ready()

    @on(events.Key)
    async def say_where_it_works(self, event: events.Key) -> None:
        """A key of the chat that means nothing in this tab says so."""
        id = keys.elsewhere(event.key, self.state.keys, self.tabs.current) if self.on_screen else ""
        if not id or len(self.screen_stack) > 1:
            return
        event.stop()
        event.prevent_default()
        if not await run_binding(self.focused or self.screen, event.key):
            way = self.state.key("tab.chat")
            goes = f"; {way} goes there" if way else ""
            self.tell(f"“{BY_ID[id].title}” works in the chat{goes}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of a tab work in that tab only."""
        if action != "command" or not self.on_screen:
            return True
        id = str(parameters[0])
        if self.chat.takes(self.state.keys.get(id, "")):
            return False
        covered = len(self.screen_stack) > 1
        choosing = bool(self.chat.controller.chat.choosing)
        return keys.works(id, self.tabs.current, covered=covered, listing=self.lists_chats, choosing=choosing)

    def places(self) -> tuple[str, ...]:
        """Where the person is, the nearest place first, as the commands name their places."""
        chat = self.chat
        return keys.places(
            self.tabs.current,
            listing=self.lists_chats,
            choosing=bool(chat.controller.chat.choosing),
            in_choices=isinstance(self.focused, DecisionPrompt),
            walking=chat.message_cursor.mark is not None and not chat.message_cursor.edits.is_open,
        )

    def _actions(self) -> Mapping[str, Callable[[str], object]]:
        return {
            **self.chat.actions(),
            **self.slash_actions(),
            **self.chats_actions(),
            "preset.next": lambda _: self._next_preset(),
            "preset.save": lambda _: self._save_preset(),
            "preset.revert": lambda _: self._revert_preset(),
            "chat.new": lambda _: self._new_chat(),
            "tab.chat": lambda _: self.open_tab("chat"),
            "tab.models": lambda _: self.open_tab("models"),
            "tab.settings": lambda _: self.open_tab("settings"),
            "guide.ask": lambda _: self.ask_guide(),
            "gguf.open": self.open_file,
            "server.help": lambda _: self.explain_servers(),
            "server.search": lambda _: self.look_again(),
            "screen.redraw": lambda _: self.redraw(),
            "palette": lambda _: self.action_command_palette(),
            "attach": self._attach_named,
            "compare": self._compare,
            "suspend": lambda _: self._suspend(),
            "quit": lambda _: self.leave(),
        }

    def action_help_quit(self) -> None:
        """Ctrl+C ends an answer; it does not end lokal, and says what does."""
        if not self.chat.controller.stop():
            self.tell(f"{self.state.key('quit')} leaves lokal")

    def leave(self, *, closed: bool = False) -> None:
        """Keep what came of a running answer, and end; at once on the disk if nobody waits for lokal any more."""
        if self.comparison is not None:
            self.comparison.leave(closed=closed)
        self.chat.leave(closed=closed)
        if closed:
            self.services.flush(FLUSH_S)
        elif self._may_stay():
            return
        self.exit()

    def _may_stay(self) -> bool:
        """What cannot be written is offered a file, once; False = there is nothing like that, or the person has seen it."""
        from tui.ui.leaving import LeavePage

        problem = None if isinstance(self.screen, LeavePage) else self.services.unwritten
        if problem is not None:
            self.push_screen(LeavePage(problem, self.services), self._leave_page_closed)
        return problem is not None

    def _leave_page_closed(self, leaves: str | None) -> None:
        if leaves:
            self.exit()

    def _suspend(self) -> None:
        """Stop until the shell brings lokal back. What was written is on the disk by then: it may never do so."""
        self.chat.controller.outbox.save()
        self.services.flush(FLUSH_S)
        if not self.stop_until_continued():
            raise UsageError(
                "There is no shell to go back to",
                "lokal was not started from one that could bring it back",
                f"{self.state.key('quit')} leaves lokal",
            )

    def _attach_named(self, argument: str) -> None:
        if not argument and not self.chat.composer.has_focus:
            self.open_tab("chat")  # the palette is everywhere
        self.chat.attach_named(argument)

    def _compare(self, argument: str) -> None:
        from tui.ui.compare.start import start

        start(self, argument)

    def _next_preset(self) -> None:
        presets, name = self.state.presets, self.state.preset.name
        if len(presets) == 1:
            raise UsageError(f"{name} is the only preset")
        self.use_preset(preset_rules.after(presets, name).name)

    def _new_chat(self) -> None:
        self.chat.controller.stop()
        self.open_tab("chat")
        self.services.new_chat()
