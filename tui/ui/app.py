"""The app: it keeps what is in use, shows it, and hands each message and each key to the part that does something about it.

The parts are plain objects: `services` work off the screen, the controllers (`servers`, `presets`, `chat_list`, ...) decide what
the screen shows of it. Each adds its commands to the one registry.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.timer import Timer

from tui.chat.commands import CommandRegistry
from tui.chat.state import ModelSettings, ServerState
from tui.chat.structured_output import word_for
from tui.config.startup import Configuration, StartOptions
from tui.config.themes import AUTO, TERMINAL, ordered_names
from tui.core.commands import BY_ID
from tui.core.keyboard import latin
from tui.core.text import safe_line
from tui.early_frame import EarlyFrame
from tui.errors import ChatGone, StoreError
from tui.paths import with_tilde
from tui.startup_profile import StartupProfile
from tui.ui import keys
from tui.ui import theme as themes
from tui.ui.chat.decision_prompt import DecisionPrompt
from tui.ui.chat.view import ChatView, ChatViewMessage
from tui.ui.chat_commands import ChatCommands
from tui.ui.chat_list.controller import ChatListController
from tui.ui.chat_list.messages import ChatListMessage
from tui.ui.commands import AppCommands
from tui.ui.compare import commands as compare_commands
from tui.ui.compat import run_binding
from tui.ui.leaving import WaysOut
from tui.ui.messages import (
    BackgroundKnown,
    CommandWanted,
    ModelChosen,
    NotDone,
    PaneMessage,
    PresetCommandGiven,
    PresetEdited,
    PresetSaved,
    ServerHeard,
    ServiceMessage,
    StoreOpened,
    StoreRenewed,
    TerminalGone,
    TerminalMessage,
    Titled,
    Told,
    Trouble,
)
from tui.ui.models_part import ModelsPart
from tui.ui.notice_bar import LONGEST, notice_time
from tui.ui.output import Copied, CopyWanted, FileWritten, OutputMessage, WriteWanted
from tui.ui.presets import PresetController
from tui.ui.servers import ServerController
from tui.ui.services import Services
from tui.ui.state import ScreenState
from tui.ui.status_bar import StatusBar, StatusBarState
from tui.ui.tab_list import TABS
from tui.ui.tabs import CHAT, Tabs
from tui.ui.terminal.compositor import LeanScreen
from tui.ui.terminal.hook import DeltaApp
from tui.ui.terminal.pace import named_speed
from tui.ui.theme_choice import ThemeChoice
from tui.ui.title_bar import TitleBar, place_of

if TYPE_CHECKING:
    from textual.command import Provider
    from textual.driver import Driver

    from tui.chat.comparison import Comparison
    from tui.end_signals import EndSignals

LOW_SCREEN_ROWS = 20
"""Below this height the title bar goes."""
_BAD = ("warning", "error")


def _palette_provider() -> type[Provider]:
    """Loaded when the palette is opened for the first time."""
    from tui.ui.palette_commands import Commands

    return Commands


def _driver(early_frame: EarlyFrame | None) -> type[Driver] | None:
    """lokal's own reading of the terminal, where it is a POSIX one and no test; None = Textual's choice."""
    if sys.platform == "win32" or not (sys.__stdin__ and sys.__stdin__.isatty()):
        return None
    from tui.ui.terminal.driver import driver_with

    return driver_with(early_frame)


class LokalApp(DeltaApp[None]):
    """lokal on a terminal."""

    TITLE = "lokal"
    CSS_PATH = "app.tcss"
    # Textual's own key for it could not be another one; lokal's is among BINDINGS.
    ENABLE_COMMAND_PALETTE = False
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_palette_provider}
    BINDINGS: ClassVar[list[BindingType]] = [*keys.app_bindings()]
    end_signals: EndSignals | None = None
    """What ends lokal from outside; None in a test."""
    comparison: Comparison | None = None
    """The comparison that is open."""

    def __init__(
        self,
        options: StartOptions,
        config: Configuration,
        theme: str,
        early_frame: EarlyFrame | None = None,
        profile: StartupProfile | None = None,
    ) -> None:
        """`theme` is the name of one of the themes; `early_frame` holds the terminal until the driver starts. The problems of
        the `config` are told once on start. With a `profile` the app only starts, marks when, and leaves."""
        theme = TERMINAL if "NO_COLOR" in os.environ else theme
        self._specs = config.themes
        self.palette = themes.palette_from(self._specs[theme])
        # Without ansi_color, Textual 8.2 answers NO_COLOR with greys, and with black on black for a terminal's own colours.
        super().__init__(driver_class=_driver(early_frame), ansi_color=True)
        for spec in self._specs.values():
            self.register_theme(themes.textual_theme(spec))
        self.theme = theme
        self._profile = profile
        self._problems = config.problems
        self.settings = config.settings
        settings = ModelSettings(
            presets=config.presets,
            preset=config.preset,
            overrides=options.overrides,
            preset_chosen=options.preset_chosen,
        )
        self.state = ScreenState(settings=settings, keys=config.keys, theme=theme)
        self.set_keymap(keys.bound(config.keys))
        self.use_terminal_speed(named_speed(config.settings.terminal_speed))
        self.on_screen = False
        self._is_frozen = False  # whether the garbage collector leaves alone what the start has loaded
        self.registry = CommandRegistry()
        self.services = Services(self, options, config.settings)
        self.chat = ChatView(
            self.state, lambda: self.pace, self.registry, self.services.connections.engines.warm_chats
        )
        self.chat.controller.on_answer = self.services.connections.note_answer
        self._make_parts(options)

    def _make_parts(self, options: StartOptions) -> None:
        """The controllers, each with its commands in the registry."""
        services, registry = self.services, self.registry
        configured = self.settings.servers
        self.ways_out = WaysOut(self)
        self.commands = AppCommands(
            self, registry, self.theme_names, configured, services.add_to_history, self.places
        )
        self.servers = ServerController(
            self,
            services.connections,
            services.tasks,
            self.chat.post,
            self.commands,
            services.remember,
            self._search_ended,
            self.settings.model_folders,
        )
        self.presets = PresetController(
            self,
            options.folders.presets,
            services.queue,
            self.commands,
            self.post_message,
            lambda name: self.servers.use_model(name),
            lambda name: self.commands.run("persona.use", name),
        )
        self.theme_choice = ThemeChoice(
            self,
            self.commands,
            services.remember,
            services.next_start.keep_auto_theme,
            automatic=self.settings.theme == AUTO,
        )
        self.models = ModelsPart(
            self, services, options.folders.pulls, configured, lambda: self.tabs.query("#models")
        )
        self.chat_commands = ChatCommands(self, services, self.post_message)
        self.chat_list = ChatListController(self, services.chat_library, services.new_chat)
        for part in (
            self.commands,
            self.servers,
            self.presets,
            self.theme_choice,
            self.chat_commands,
            self.chat_list,
        ):
            part.add_commands(registry)
        for spec in TABS:
            registry.add(f"tab.{spec.name}", partial(self._open_tab, spec.name))
        compare_commands.add_commands(registry, self)
        registry.add("screen.redraw", lambda _: self.redraw())
        registry.add("palette", lambda _: self.action_command_palette())
        registry.add("suspend", lambda _: self.ways_out.suspend())
        registry.add("quit", lambda _: self.leave())

    # -- the screen -------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield TitleBar(tuple(spec.name.capitalize() for spec in TABS))
        yield Tabs(TABS, self.state, self.chat)
        yield StatusBar()

    def get_default_screen(self) -> LeanScreen:
        """The screen under all others."""
        return LeanScreen()

    def on_mount(self) -> None:
        """The first frame comes first; all else after it."""
        self.on_screen = True
        if self.end_signals is not None:
            self.ways_out.end_on(self.end_signals)
        self.chat.prompt_entry.offer_names(self.commands.completions)
        self.chat.composer.focus()
        self.mark("the app is laid out and takes keys")
        # The keys have somewhere to go from now on. Textual's own drivers, in tests and on Windows, need not be told.
        getattr(self._driver, "listen", lambda: None)()
        self.show_state()
        self.call_after_refresh(self._after_first_frame)

    def _after_first_frame(self) -> None:
        gc.enable()
        self.mark("the app's first frame is on its way")
        if self.settings.show_reasoning:
            self.chat.transcript.toggle_reasoning()
        if not self.chat.composer.text:
            # A picture with words in it is not kept: they are nobody's business, and would be shown at the next start.
            self.services.next_start.keep_frame(self.picture(), (self.size.width, self.size.height))
        self.services.begin()
        self.services.connections.find(self.state)
        if self._problems:
            first, more = self._problems[0], len(self._problems) - 1
            self.show_notice(f"{first}" + (f" (and {more} more: lokal doctor)" if more else ""), "warning")

    def on_unmount(self) -> None:
        """lokal ends, and so does what goes on beside the screen."""
        self.services.tasks.close()

    def on_resize(self) -> None:
        """A low screen does without the title bar. The app's own size is the new one only after this message."""
        self.call_later(self._fit)

    def _fit(self) -> None:
        self.screen_stack[0].set_class(self.is_low, "-short")
        self.chat_list.fit()
        self.show_state()

    @property
    def tabs(self) -> Tabs:
        """The three tabs."""
        return self.query_one(Tabs)

    @property
    def tab(self) -> str:
        """The name of the tab that is open."""
        return self.tabs.current

    @property
    def columns(self) -> int:
        """The width of the screen."""
        return self.size.width

    @property
    def is_low(self) -> bool:
        """Whether the screen is so low that the title bar goes."""
        return self.size.height < LOW_SCREEN_ROWS

    def open_tab(self, name: str) -> None:
        """Show `chat`, `models` or `settings`; the list of chats does not stay open behind it."""
        self.chat_list.close()
        self.tabs.open(name)
        if name == "models":
            self.services.connections.refresh_models(self.state)
        self.show_state()

    def _open_tab(self, name: str, _: str) -> None:
        self.open_tab(name)

    def focus_tab(self) -> None:
        """Put the focus where the keys of the open tab belong."""
        self.tabs.give_focus()

    def show_page(self, page: Screen[Any], closed: Callable[[Any], None] | None = None) -> None:
        """Lay a page over everything; `closed` hears what it was dismissed with."""
        self.push_screen(page, closed)

    def every(self, seconds: float, call: Callable[[], object]) -> Timer:
        """Do something again and again, until the timer is stopped."""
        return self.set_interval(seconds, call)

    # -- what is in use ---------------------------------------------------------------------------------------------

    def set_state(self, state: ScreenState) -> None:
        """Everything on the screen follows the state."""
        self.state = state
        self.pace.engine_here = state.connection is not None and state.connection.server.endpoint.built_in
        self.tabs.set_state(state)
        self.servers.watch(state)
        self.models.server_changed(state.connection)
        self.show_state()

    def set_server(self, server: ServerState) -> None:
        """Another server, or another state of it."""
        self.set_state(self.state.with_server(server))

    def set_settings(self, settings: ModelSettings) -> None:
        """Another model, preset or value."""
        self.set_state(self.state.with_settings(settings))

    def show_state(self) -> None:
        """Bring the title bar and the status bar up to date."""
        if not self.on_screen:
            return
        state, chat, tabs = self.state, self.chat, self.tabs
        in_chat = tabs.current == CHAT
        self.query_one(TitleBar).show(tabs.current.capitalize(), place_of(state), state.model)
        useful = self.chat_list.useful or (chat.useful if in_chat else tabs.useful)
        session = chat.session
        self.query_one(StatusBar).show(
            StatusBarState(
                state,
                chat.controller.chat.doing if in_chat else "",
                chat.meter.used,
                useful,
                self.is_low,
                word_for(session.schema) if session is not None else "",
                chat.meter.last_timings,
                chat.words,
                self.models.words,
            )
        )

    def theme_names(self) -> tuple[str, ...]:
        """The themes to choose from; without colours there is one."""
        return (TERMINAL,) if self.no_color else ordered_names(self._specs)

    def apply_theme(self, name: str) -> None:
        """Change the colours of everything on the screen."""
        self.palette = themes.palette_from(self._specs[name])
        self.theme = name
        for widget in self.screen.query("*"):
            widget.refresh()
        self.chat.transcript.set_palette(self.palette)
        self.set_state(replace(self.state, theme=name))

    def show_notice(self, text: str, tone: str = "muted") -> None:
        """Say something where the person looks, in the place of what was said last: on the rule above the composer, or
        on lines of its own elsewhere."""
        if self.tab == CHAT:
            self.chat.show_notice(text, tone)
            return
        self.chat.notice_bar.clear_notice("muted")  # what was going on there has come to this
        self.clear_notifications()
        text = safe_line(with_tilde(text), LONGEST)
        kind: Literal["warning", "information"] = "warning" if tone in _BAD else "information"
        self.notify(text, severity=kind, timeout=notice_time(text, self.size.width), markup=False)

    # -- messages ---------------------------------------------------------------------------------------------------

    @on(ServerHeard)
    def _hear_of_server(self, event: ServerHeard) -> None:
        self.servers.hear(event.event)

    @on(ChatListMessage)
    async def _hear_chat_list(self, event: ChatListMessage) -> None:
        event.stop()
        await self.chat_list.hear(event)

    @on(ChatViewMessage)
    def _hear_chat(self, event: ChatViewMessage) -> None:
        event.stop()
        match event:
            case ChatView.Changed():
                self.show_state()
            case ChatView.Finished():
                self.servers.answer_finished()
            case ChatView.Commanded(typed, text):
                self.commands.run_typed(typed, text)
            case ChatView.PromptRecorded(marked):
                self.services.add_to_history(marked)
            case ChatView.ServerWanted():
                self.servers.search()
            case ChatView.GuideWanted():
                self.servers.ask_guide_instead()
            case ChatView.WindowWanted(tokens):
                self.servers.enlarge_window(tokens)
            case ChatView.SettingsWanted(settings):
                self.set_settings(settings)
            case ChatView.PresetSaveWanted(preset):
                self.presets.edited(preset)
                self.presets.save()
            case ChatView.OfferRefused():
                self.servers.refuse_offer()

    @on(PaneMessage)
    def _hear_pane(self, event: PaneMessage) -> None:
        event.stop()
        match event:
            case ModelChosen(name):
                self.servers.use_model(name)
                self.open_tab(CHAT)
            case CommandWanted(id):
                self.commands.run(id)
            case PresetEdited(preset):
                self.presets.edited(preset)
            case PresetCommandGiven(verb):
                self.presets.key(verb)
            case _:
                self.models.hear(event)

    @on(ServiceMessage)
    def _hear_service(self, event: ServiceMessage) -> None:
        match event:
            case StoreOpened():
                self._open_first_chat(event)
            case StoreRenewed(text):
                # What is open here comes into the new file, and what became of the old one stays on the screen until the
                # person goes on.
                if self.chat.session is not None:
                    self.chat.session.complete()
                self.chat.notice_bar.pin(with_tilde(text))
            case Trouble(error):
                if not (isinstance(error, ChatGone) and self.chat_list.chat_is_gone(error)):
                    self.show_notice(str(error), "error" if isinstance(error, StoreError) else "warning")
            case Told(text, tone):
                self.show_notice(text, tone)
            case NotDone():
                self.commands.not_done(event)
            case Titled():
                self.chat_commands.titled(event)
            case PresetSaved(preset, path):
                self.presets.saved(preset, path)

    def _open_first_chat(self, event: StoreOpened) -> None:
        """The chats are open, or a new one is; a chat that was cut off is open again."""
        self.mark("the chats are open")
        self.chat.open(event.session)
        self.chat.composer.set_history(event.history)
        if event.note:
            self.chat.show_notice(event.note, "warning")
        self.chat_list.chat_is_open(event.session.conversation.id)
        self.commands.chats_are_open()

    @on(OutputMessage)
    def _hear_output(self, event: OutputMessage) -> None:
        match event:
            case CopyWanted(make):
                self.services.output.copy(make)
            case Copied(delivery):
                self.send_aside(delivery.sequence)
                self.show_notice(*self.chat.message_cursor.copied(delivery))
            case WriteWanted(make, name, overwrite=overwrite):
                self.services.output.write(make, name, overwrite=overwrite)
            case FileWritten():
                self.chat.message_cursor.edits.written(event)

    @on(DecisionPrompt.Made)
    def _take_choice(self, event: DecisionPrompt.Made) -> None:
        """One of the ways on, of whatever list."""
        event.stop()
        self.commands.run(event.command_id, event.argument)
        self.chat.leave_choice()

    @on(TerminalMessage)
    def _hear_terminal(self, event: TerminalMessage) -> None:
        match event:
            case TerminalGone():  # the window was closed, or the line broke for good
                self.leave(closed=True)
            case BackgroundKnown(background):
                self.theme_choice.follow(background)

    # -- keys and commands ------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """A key that writes nothing here may not look as one that writes."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            keys.read_as_a_shell(event, self.state.keys)
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            keys.read_as_one_line(event, self.focused)
        await super().on_event(event)

    async def action_command(self, id: str) -> None:
        """A key. Those typed right after it are for the tab that it opens."""
        if id != "answer.stop":
            self.commands.run(id)
        elif not self.chat.handle_escape():
            self.registry.handler(id)("")  # this key does much else, and says nothing where there is nothing
        await self.tabs.opened()
        await self.chat_list.ready()

    @on(events.Key)
    async def _take_stray_key(self, event: events.Key) -> None:
        """A key that no widget took. A letter does what its key does in a Latin layout; a key of the chat that means nothing in
        this tab, or in the list of chats, says so."""
        if latin(event.key) != event.key and await run_binding(self.screen.focused or self.screen, event.key):
            event.stop()
            event.prevent_default()
            return
        listing = self.chat_list.has_keys
        in_chat = self.tab == "chat" and not listing
        id = "" if in_chat or not self.on_screen else keys.elsewhere(event.key, self.state.keys)
        if not id or len(self.screen_stack) > 1:
            return
        event.stop()
        event.prevent_default()
        if not await run_binding(self.focused or self.screen, event.key):
            way = self.state.key("chats.leave" if listing else "tab.chat")
            goes = f"; {way} goes there" if way else ""
            self.show_notice(f"“{BY_ID[id].title}” works in the chat{goes}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of a tab work in that tab only."""
        if action != "command" or not self.on_screen:
            return True
        id = str(parameters[0])
        if self.chat.takes(self.state.keys.get(id, "")):
            return False
        covered = len(self.screen_stack) > 1
        choosing = bool(self.chat.controller.chat.choosing)
        return keys.works(id, self.tab, covered=covered, listing=self.chat_list.has_keys, choosing=choosing)

    def places(self) -> tuple[str, ...]:
        """Where the person is, the nearest place first, as the commands name their places."""
        cursor = self.chat.message_cursor
        return keys.places(
            self.tab,
            listing=self.chat_list.has_keys,
            choosing=bool(self.chat.controller.chat.choosing),
            in_choices=isinstance(self.focused, DecisionPrompt),
            walking=cursor.mark is not None and not cursor.edits.is_open,
        )

    def action_command_palette(self) -> None:
        """The palette."""
        from tui.ui.palette import LokalPalette

        self.push_screen(LokalPalette(id="--command-palette"))

    def action_help_quit(self) -> None:
        """Ctrl+C ends an answer; it does not end lokal, and says what does."""
        if not self.chat.controller.stop():
            self.show_notice(f"{self.state.key('quit')} leaves lokal")

    # -- the way out ------------------------------------------------------------------------------------------------

    def leave(self, *, closed: bool = False) -> None:
        """Save and end. `closed` = the terminal or the system ends lokal, and nothing may be left for later."""
        self.ways_out.leave(closed=closed)

    async def action_quit(self) -> None:
        """Textual's own way out."""
        self.leave()

    # -- the profile of a start -------------------------------------------------------------------------------------

    def mark(self, name: str) -> None:
        """Note in the profile of this start, if one is made, that `name` is done."""
        if self._profile is not None:
            self._profile.mark(name)

    def _search_ended(self, name: str) -> None:
        """What came of a search. With --profile-start there is nothing more to see."""
        if not self._is_frozen:
            # What was loaded until now stays for good, so no collection need look at it again.
            self._is_frozen = True
            gc.collect()
            gc.freeze()
        if self._profile is not None:
            self.mark(name)
            self.leave()
