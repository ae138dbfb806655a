"""The app, where the state is kept: what happens when a server, a model, a preset or a theme changes.

It hands the state to the panes. Finding servers, starting the engine and opening the store run in workers, which post the
messages of `tui.ui.messages`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from textual import events, on

from tui.chat.session import ChatSession
from tui.chat.state import ConnectionStatus, ModelSettings, ServerState
from tui.chat.structured_output import word_for
from tui.config.startup import Configuration, StartOptions
from tui.core.endpoint import Endpoint
from tui.core.text import safe_line
from tui.early_frame import EarlyFrame
from tui.errors import StoreError, sentences
from tui.paths import with_tilde
from tui.startup_profile import StartupProfile
from tui.ui import keys
from tui.ui import theme as themes
from tui.ui.chat.view import ChatView
from tui.ui.messages import (
    BackgroundKnown,
    Connected,
    EngineProgress,
    ModelChosen,
    ModelsLeft,
    NotConnected,
    PresetEdited,
    PresetSaved,
    ServerLoads,
    SettingsLeft,
    StoreOpened,
    StoreRenewed,
    Trouble,
    WindowKnown,
)
from tui.ui.notice_bar import LONGEST, notice_time
from tui.ui.services import Services
from tui.ui.shell import Shell
from tui.ui.state import ScreenState
from tui.ui.status_bar import StatusBar, StatusBarState
from tui.ui.tabs import Tabs
from tui.ui.terminal.link import LinkSpeed
from tui.ui.terminal.probe import has_truecolor
from tui.ui.title_bar import TitleBar

if TYPE_CHECKING:
    pass


def _speed(said: str) -> LinkSpeed:
    """The setting `terminal_speed`, which was checked when it was read."""
    return "slow" if said == "slow" else "fast" if said == "fast" else "auto"


def _schema_word(session: ChatSession | None) -> str:
    """What the next answers are held to, in a word or two; empty for nothing."""
    return word_for(session.schema) if session is not None else ""


_BAD = ("warning", "error")
LOW_SCREEN_ROWS = 20
"""Below this height the title bar goes."""


class DeskApp(Shell):
    """Everything on the screen follows the state. Subclasses put the screen together."""

    def __init__(
        self,
        options: StartOptions,
        config: Configuration,
        theme: str,
        early_frame: EarlyFrame | None = None,
        profile: StartupProfile | None = None,
    ) -> None:
        """`theme` is the name of one of the themes; the problems of the `config` are told once on start; with a `profile` the app only starts, marks when, and leaves."""
        super().__init__(config.themes, theme, early_frame)
        self._profile = profile
        self.settings = config.settings
        self._problems = config.problems
        settings_in_use = ModelSettings(
            presets=config.presets, preset=config.preset, overrides=options.overrides
        )
        self.state = ScreenState(settings=settings_in_use, keys=config.keys)
        self.set_keymap(keys.bound(config.keys))
        self.services = Services(self, options, config.settings)
        self.on_screen = False
        self._first_theme = theme
        self.use_link_speed(_speed(config.settings.terminal_speed))

    async def on_event(self, event: events.Event) -> None:
        """A key that writes nothing here may not look as one that writes."""
        if isinstance(event, events.Key) and not event.is_forwarded:
            keys.read_as_a_shell(event, self.state.keys)
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            keys.read_as_one_line(event, self.focused)
        await super().on_event(event)

    @property
    def tabs(self) -> Tabs:
        """The three tabs."""
        return self.query_one(Tabs)

    @property
    def chat(self) -> ChatView:
        """The Chat tab."""
        return self.tabs.chat

    @property
    def is_low(self) -> bool:
        """Whether the screen is so low that the title bar goes."""
        return self.size.height < LOW_SCREEN_ROWS

    def set_state(self, state: ScreenState) -> None:
        """Everything on the screen follows the state."""
        self.state = state
        self.tabs.set_state(state, self.theme)
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
        state, chat, tab = self.state, self.chat, self.tabs.current
        place = {
            ConnectionStatus.SEARCHING: "looking for a server",
            ConnectionStatus.STARTING: f"{state.server.loads} is loading"
            if state.server.loads
            else "starting the engine",
            ConnectionStatus.NONE: "no server",
        }
        where = state.connection.place if state.connection else place.get(state.status, "")
        self.query_one(TitleBar).show(tab.capitalize(), where, state.model)
        doing = chat.controller.chat.doing if tab == "chat" else ""
        walking = chat.message_cursor.useful if tab == "chat" else ()
        useful = (
            self.place_keys()
            or walking
            or keys.useful(
                tab,
                state,
                answering=bool(chat.controller.chat.doing),
                answerable=chat.answerable,
                choices=chat.choices_key,
                held=bool(chat.controller.chat.choosing),
            )
        )
        self.query_one(StatusBar).show(
            StatusBarState(
                state,
                doing,
                chat.meter.used,
                useful,
                self.is_low,
                _schema_word(chat.session),
                chat.meter.last_timings,
                chat.words,
            )
        )

    def place_keys(self) -> tuple[str, ...]:
        """The ids of the commands that make sense where the focus is; none = those of the tab."""
        return ()

    def open_tab(self, name: str) -> None:
        """Show `chat`, `models` or `settings`."""
        self.tabs.open(name)
        if name == "models":
            self.services.refresh_models(self.state)
        self.show_state()

    def mark(self, name: str) -> None:
        """Note in the profile of this start, if one is made, that `name` is done."""
        if self._profile is not None:
            self._profile.mark(name)

    # -- presets and themes -----------------------------------------------------------------------------------------

    def use_preset(self, name: str) -> None:
        """Switch; a running answer keeps the preset it was asked with."""
        preset = next((preset for preset in self.state.presets if preset.name == name), None)
        if preset is None:
            return
        if self.state.settings.unsaved and preset.name != self.state.preset.name:
            self.chat.tell(
                f"The changes to {self.state.preset.name} are not saved; they last until lokal ends"
            )
        elif self.chat.controller.chat.doing:
            self.chat.tell(f"The next answer uses {name}", "accent")
        self.set_settings(
            replace(self.state.settings, preset=preset, unsaved=preset.name in self.services.edited)
        )

    def _use_preset_number(self, number: int) -> None:
        if number <= len(self.state.presets):
            self.use_preset(self.state.presets[number - 1].name)
        else:
            self.chat.tell(f"There is no preset number {number}")

    @on(PresetEdited)
    def _handle_parameter_form_edited(self, event: PresetEdited) -> None:
        """A value was changed in the form."""
        preset = event.preset
        self.services.edited.add(preset.name)
        self.set_settings(self.state.settings.with_edited(preset))

    @on(SettingsLeft)
    def _handle_parameter_form_left(self) -> None:
        """Esc in the settings."""
        self.open_tab("chat")

    def _save_preset(self) -> None:
        self.services.save_preset(self.state.preset)

    def _revert_preset(self) -> None:
        if not self.state.settings.unsaved:
            self.tell(f"{self.state.preset.name} is as it is saved: there is nothing to undo")
            return
        saved = self.services.saved_preset(self.state.preset.name)
        if saved is not None:
            self.services.edited.discard(saved.name)
            self.set_settings(self.state.settings.with_preset(saved))

    @on(PresetSaved)
    def _handle_preset_saved(self, event: PresetSaved) -> None:
        """The file is written."""
        if event.preset in self.state.presets:
            self.services.edited.discard(event.preset.name)
        if event.preset == self.state.preset:
            self.set_settings(replace(self.state.settings, unsaved=False))
        self.tell(f"Saved {event.path}")

    def use_theme(self, name: str) -> None:
        """Change the colours, now and for the next start."""
        if self.no_color:
            self.tell("NO_COLOR is set, so there are no themes to choose from")
            return
        self.wear(name)
        self.chat.transcript.set_palette(self.palette)
        self.services.remember("theme", name)
        self.set_state(self.state)
        self.tell(f"theme {name}")

    @on(BackgroundKnown)
    def _handle_lokal_driver_background_known(self, event: BackgroundKnown) -> None:
        """The terminal said how bright it is: the theme `auto` follows."""
        if self.settings.theme == "auto":
            name = themes.resolve_auto(event.background, truecolor=has_truecolor())
            self.services.keep_auto_theme(name)
            if name != self.theme and self.theme == self._first_theme:
                self.wear(name)
                self.chat.transcript.set_palette(self.palette)

    # -- servers and models -----------------------------------------------------------------------------------------

    def search(self, endpoint: Endpoint | None = None, *, asked: bool = False) -> None:
        """Look for servers again, or use the one that was found at the `endpoint`; the guide stays until there is one.
        `asked` = the person wants it, and is told what comes of it."""
        if self.state.connection is not None and self.state.connection.guide:
            self.tell("looking for a server")
        else:
            self.set_server(ServerState(ConnectionStatus.SEARCHING))
        self.services.find_server(self.state, endpoint, asked=asked)

    def use_server(self, endpoint: Endpoint, text: str = "") -> None:
        """Talk to another server, by the command `text`."""
        self.set_server(ServerState(ConnectionStatus.SEARCHING))
        self.services.find_server(self.state, endpoint, text)

    def use_model(self, name: str) -> None:
        """Chat with another model from the next answer on."""
        self.set_settings(replace(self.state.settings, model=name, window=None))
        self.services.remember("model", name)
        self.services.ask_window(self.state)
        self.chat.tell(
            f"{name} will answer your next question" if self.chat.controller.chat.doing else f"model {name}",
            "second",
        )

    @on(ModelChosen)
    def _handle_model_table_chosen(self, event: ModelChosen) -> None:
        """Enter in the list of models."""
        self.use_model(event.name)
        self.open_tab("chat")

    @on(ModelsLeft)
    def _handle_models_pane_left(self) -> None:
        """Esc in the list of models."""
        self.open_tab("chat")

    @on(ChatView.ServerWanted)
    def _server_wanted(self) -> None:
        """A question waits for a server."""
        self.search()

    @on(Connected)
    def _handle_connected(self, event: Connected) -> None:
        """A server answers."""
        self._end_profile("a server was found")
        before = self.state.connection
        asked_anew = before is not None and before.server is event.connection.server
        if event.refreshed and not asked_anew:
            return  # of a server that was left meanwhile
        if not event.connection.guide and self.services.leave_guide():
            self.tell(f"{event.connection.place} will answer your next question", "second")
        # Meanwhile the person may have chosen another model; the list that came is no reason to go back.
        chosen = asked_anew and self.state.model not in ("", event.model)
        settings = self.state.settings
        if not chosen:
            settings = replace(settings, model=event.model, window=event.window)
        server = ServerState(ConnectionStatus.CONNECTED, event.connection)
        self.set_state(self.state.with_server(server).with_settings(settings))

    @on(NotConnected)
    def _handle_not_connected(self, event: NotConnected) -> None:
        """No server answers."""
        self._end_profile("no server was found")
        before = self.state.connection
        if before is not None and (event.kept or before.guide):
            self.set_server(
                replace(self.state.server, status=ConnectionStatus.CONNECTED, starting=None, loads="")
            )
            told = (
                f"{event.problem.title}; the guide stays"
                if before.guide
                else sentences(str(event.problem), f"{before.place} stays connected")
            )
            self.tell(told, "warning")
            return
        if self.chat.session is not None and len(self.chat.session.conversation):
            self.tell(str(event.problem), "warning")  # an empty chat shows it whole
        self.set_server(
            ServerState(
                ConnectionStatus.NONE,
                problem=event.problem,
                engine_missing=event.engine_missing,
                may_guide=event.searched and event.engine_missing is None,
            )
        )

    def _end_profile(self, name: str) -> None:
        """With --profile-start there is nothing more to see."""
        if self._profile is not None:
            self.mark(name)
            self.leave()

    @on(EngineProgress)
    def _handle_engine_progress(self, event: EngineProgress) -> None:
        """The embedded engine loads."""
        self.set_server(
            replace(self.state.server, status=ConnectionStatus.STARTING, starting=event.progress, loads="")
        )

    @on(ServerLoads)
    def _show_loading(self, event: ServerLoads) -> None:
        """A server loads its model; one that is connected stays until it has."""
        if self.state.connection is not None:
            self.tell(f"{event.who} is still loading its model; lokal waits for it")
        elif self.state.server.loads != event.who:
            self.set_server(
                replace(self.state.server, status=ConnectionStatus.STARTING, starting=None, loads=event.who)
            )

    @on(WindowKnown)
    def _handle_window_known(self, event: WindowKnown) -> None:
        """The loaded context window was read."""
        if event.model == self.state.model:
            self.set_settings(replace(self.state.settings, window=event.window))

    # -- the store and trouble --------------------------------------------------------------------------------------

    @on(StoreOpened)
    def _handle_store_opened(self, event: StoreOpened) -> None:
        """The store is ready; a chat that was cut off is open again."""
        self.mark("the chats are open")
        self.chat.open(event.session)
        self.chat.composer.set_history(event.history)
        if event.note:
            self.chat.tell(event.note, "warning")

    @on(StoreRenewed)
    def _store_renewed(self, event: StoreRenewed) -> None:
        """The chats are in another file: what is open here comes into it, and what became of the old one stays on the
        screen until the person goes on."""
        if self.chat.session is not None:
            self.chat.session.complete()
        self.chat.notice_bar.keep(with_tilde(event.text))

    @on(ChatView.PromptRecorded)
    def _keep_prompt(self, event: ChatView.PromptRecorded) -> None:
        """For the Up key, also next time."""
        self.services.add_to_history(event.marked)

    @on(Trouble)
    def _handle_trouble(self, event: Trouble) -> None:
        """Something failed that is no answer."""
        self.tell(str(event.error), "error" if isinstance(event.error, StoreError) else "warning")

    def tell(self, text: str, tone: str = "muted") -> None:
        """Say something where the person looks, in the place of what was said last: on the rule above the composer, or
        on lines of its own elsewhere."""
        if self.tabs.current == "chat":
            self.chat.tell(text, tone)
            return
        self.chat.notice_bar.clear_notice("muted")  # what was going on there has come to this
        self.clear_notifications()
        text = safe_line(with_tilde(text), LONGEST)
        kind: Literal["warning", "information"] = "warning" if tone in _BAD else "information"
        self.notify(text, severity=kind, timeout=notice_time(text, self.size.width), markup=False)
