"""The app and its slash commands: those about presets, models, servers, parameters and the chat as a whole. What others
bring with them (copying, editing, comparing) is where they are; a command's text comes through here all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from textual import on

from tui.chat.parameter_words import set_words
from tui.chat.session import ChatSession
from tui.chat.state import ConnectionStatus
from tui.core.commands import BY_ID, BY_SLASH, COMMANDS
from tui.core.endpoint import Endpoint
from tui.core.message import Value
from tui.core.parameters import BY_NAME, find, parse_assignment, split_assignments
from tui.core.secrets import names_login
from tui.core.slash import FORCE, CompletionItem, CompletionSource, is_forced, needs_argument, one_of
from tui.core.text import human_size, safe_block, safe_line, safe_name
from tui.errors import LokalError, UsageError
from tui.ui import theme as themes
from tui.ui.chat.view import ChatView
from tui.ui.chat_file_service import NotDone, Titled, Told
from tui.ui.messages import NotConnected
from tui.ui.newcomer import Newcomer
from tui.ui.setting import explain_command, explain_parameter, set_page, system_page
from tui.ui.state import ScreenState

NOTHING = "-"
"""In the place of a text or a value: take away what there is."""


_OF_THE_REQUEST = frozenset({"system.set", "schema"})
"""What their commands set is in every request of the chat, whatever else it is asked with."""


_TOLD_IN_THE_CHAT = frozenset({"undo", "schema", "chat.branch"})
"""Commands of which the chat itself says what came of them."""


class SlashApp(Newcomer):
    """What is done for a slash command. Subclasses put the screen together."""

    _named: tuple[ScreenState, CompletionSource] | None = None
    _once_more = ""

    @on(ChatView.Commanded)
    def _slash_command(self, event: ChatView.Commanded) -> None:
        """A slash command was typed. One that cannot be done stays in the composer."""
        event.stop()
        typed, composer, once_more = event.typed, self.chat.composer, self._once_more
        self._once_more = ""
        argument = typed.argument
        if once_more == event.text:
            argument = f"{FORCE} {argument}".strip()
        if not names_login(event.text):
            composer.remember(event.text)
            self.services.add_to_history(event.text)
        self.chat.notice_bar.clear_notice()
        self.chat.notice_bar.let_go()
        self.clear_notifications()
        try:
            self._refuse(typed.command.id, argument)
            self.do_command(typed.command.id, argument)
        except LokalError as error:
            self._tell_of(error, back=self._give_back(event.text))

    def _refuse(self, id: str, argument: str) -> None:
        """Raise UsageError for what would do nothing, and for what would change a question that was measured already."""
        chat = self.chat
        if chat.controller.why_held and (
            id in ("answer.retry", "answer.continue") or (argument and id in _OF_THE_REQUEST)
        ):
            raise UsageError(chat.controller.why_held)
        if id == "answer.stop" and not chat.controller.chat.busy:
            raise UsageError("No answer is coming in, so there is none to stop")
        if id in ("answer.retry", "answer.continue") and chat.controller.chat.busy:
            raise UsageError("An answer is coming in", "", f"{self.state.key('answer.stop')} stops it")
        if id == "answer.retry" and not chat.controller.chat.can_retry:
            raise UsageError("Nothing was asked here yet")
        if id == "answer.continue" and not chat.controller.chat.can_continue:
            raise UsageError("There is nothing to continue", "The last answer is whole, or there is none")

    def run_command(self, id: str, argument: str = "") -> None:
        """Do what a command's id stands for, or say why not. One that needs an argument is begun in the composer."""
        command = BY_ID[id]
        try:
            if not argument and needs_argument(command):
                self._begin(f"/{command.slash} ")
                return
            self._refuse(id, argument)
            if id in _TOLD_IN_THE_CHAT and self.tabs.current != "chat":
                self.open_tab("chat")
            self.do_command(id, argument)
        except LokalError as error:
            self.tell(str(error), "warning")

    def do_command(self, id: str, argument: str = "") -> None:
        """Do what a command's id stands for; `argument` is what was typed after a slash command. Raises LokalError."""
        if id.startswith("preset.") and id[7:].isdigit():
            self._use_preset_number(int(id[7:]))
            return
        action = self._actions().get(id)
        if action is None:
            raise UsageError(f"“{BY_ID[id].title}” cannot be done here")
        action(argument)

    def can(self, id: str) -> bool:
        """Whether there is something to do for a command's id."""
        return id in self._actions()

    def _actions(self) -> Mapping[str, Callable[[str], object]]:
        """What is done for each command's id, with the argument that was typed."""
        return {}

    def slash_actions(self) -> Mapping[str, Callable[[str], object]]:
        """Those that are done here."""
        return {
            "preset.use": self._preset,
            "model.choose": self._model,
            "server.use": self._server,
            "theme.use": self._theme,
            "theme.next": lambda _: self.use_theme(themes.after(self.theme_names(), self.theme)),
            "help": self._help,
            "parameter.set": self._set,
            "system.set": self._system,
            "stats": lambda _: self._stats(),
            "chat.rename": self._rename,
            "chat.title": lambda _: self._title(),
            "chat.export": self._export,
            "chat.import": self.services.chat_files.import_file,
        }

    def names(self) -> CompletionSource:
        """What slash commands can be completed with."""
        if self._named is None or self._named[0] is not self.state:
            missing = frozenset(
                command.id for command in COMMANDS if command.slash and not self.can(command.id)
            )
            self._named = (
                self.state,
                _vocabulary(self.state, self.theme_names(), missing, self.settings.servers),
            )
        return self._named[1]

    # -- presets, models, servers, themes ---------------------------------------------------------------------------

    def _preset(self, argument: str) -> None:
        if not argument:
            self._choose("preset", f"{self.state.preset.name} is in use")
            return
        name = one_of(argument, [preset.name for preset in self.state.presets], "preset")
        self.chat.tell(f"preset {name}", "accent")
        self.use_preset(name)

    def _model(self, argument: str) -> None:
        connection = self.state.connection
        if connection is None:
            raise UsageError(
                "No server, so no models", "", f"{self.state.key('server.search')} looks for one"
            )
        names = [model.name for model in connection.models]
        if not argument:
            if not names:
                raise UsageError(
                    f"{connection.info.kind.label} lists no models", "", "/model NAME uses one anyway"
                )
            self._choose("model", f"{self.state.model} is in use")
            return
        # A server that lists none may have one all the same, and then says itself if it has not this one.
        self.use_model(one_of(argument, names, "model") if names else argument)

    def _server(self, argument: str) -> None:
        connection = self.state.connection
        if not argument:
            self._choose("server", f"{connection.place} is in use" if connection else "No server is in use")
            return
        endpoint = self.services.endpoint_named(argument)
        known = connection.others if connection else ()
        if not endpoint.login:  # with a new one it is another
            endpoint = next((other for other in known if other.url == endpoint.url), endpoint)
        if connection is None or connection.guide or self.state.status is not ConnectionStatus.CONNECTED:
            self.use_server(endpoint, f"/server {argument}")
            return
        self.tell(f"Asking {endpoint.url} …")
        self.services.chat_files.use_server(self.state, endpoint, f"/server {argument}")

    def _theme(self, argument: str) -> None:
        if argument:
            self.use_theme(one_of(argument, self.theme_names(), "theme"))
        elif self.no_color:
            self.use_theme(self.theme)  # which says that there is nothing to choose
        else:
            self._choose("theme", f"{self.theme} is in use")

    def _choose(self, name: str, words: str) -> None:
        """Show the names that a command takes where they can be taken."""
        if not self._begin(f"/{name} "):
            self.chat.tell(safe_line(words, 200))

    def _begin(self, text: str) -> bool:
        """Write the start of a command, wherever the person is. Whether something was being written, which comes back."""
        if not self.chat.composer.has_focus:
            self.open_tab("chat")
        return self.chat.complete(text)

    # -- help, parameters, figures ----------------------------------------------------------------------------------

    def _help(self, argument: str) -> None:
        if not argument:
            self._show_keys()
            return
        name = argument.removeprefix("/").lower()
        if name in BY_SLASH:
            self.push_screen(explain_command(BY_SLASH[name], self.state))
        elif name in BY_NAME:
            self.push_screen(explain_parameter(BY_NAME[name], self.state))
        else:
            self.push_screen(explain_command(BY_SLASH[one_of(name, list(BY_SLASH), "command")], self.state))

    def _set(self, argument: str) -> None:
        if not argument:
            self.push_screen(set_page(self.state))
            return
        if argument == NOTHING:
            self._override({}, "What was set for this run is removed; the preset is used")
            return
        if "=" not in argument:
            self.push_screen(explain_parameter(find(argument), self.state))
            return
        overrides, words = dict(self.state.overrides), []
        for part in split_assignments(argument):
            name, value = parse_assignment(part)
            words.append(set_words(name, value, self.state))
            overrides[name] = value
        self._override(overrides, "; ".join(words))

    def _override(self, overrides: Mapping[str, Value | None], words: str) -> None:
        self.set_settings(replace(self.state.settings, overrides=overrides))
        self.tell(words, "accent")

    def _stats(self) -> None:
        from tui.ui.stats import stats_screen

        self.push_screen(stats_screen(self._session().conversation, self.state))

    def _session(self) -> ChatSession:
        session = self.chat.session
        if session is None:
            raise UsageError("The chats are not open yet", "", "Try again in a moment")
        return session

    # -- the chat ---------------------------------------------------------------------------------------------------

    def _system(self, argument: str) -> None:
        chat, preset = self._session().conversation, self.state.preset
        if not argument:
            if not chat.system and not preset.system:
                self.tell("No system prompt. /system TEXT gives this chat one")
            else:
                self.push_screen(system_page(chat.system, preset))
        elif argument == NOTHING:
            had, chat.system = chat.system, ""
            after = f"that of {preset.name} is used again" if preset.system else "there is none now"
            self.tell(
                f"System prompt removed; {after}" if had else "This chat has no system prompt of its own"
            )
        else:
            chat.system = safe_block(argument)
            instead = f" instead of that of {preset.name}" if preset.system else ""
            self.tell(
                f"System prompt of this chat from the next answer on{instead}; /system - removes it",
                "accent",
            )

    def _rename(self, argument: str) -> None:
        title = safe_line(argument, 200)
        if not title:
            raise UsageError("A title needs words")
        self._session().rename(title)
        self.tell(f"This chat is now “{title}”", "accent")

    def _title(self) -> None:
        from tui.core.titling import title_turns

        chat, connection = self._session().conversation, self.state.connection
        turns = title_turns(chat.path())
        if not turns:
            raise UsageError("Nothing was said here yet", "", "/rename TITLE names the chat")
        if connection is None or connection.guide:
            raise UsageError("There is no model to ask for a title", "", "/rename TITLE sets one")
        self.tell(f"Asking {safe_name(self.state.model, 60) or 'the model'} for a title …")
        self.services.chat_files.ask_title(self.state, chat.id, chat.title, turns)

    @on(Titled)
    def _handle_titled(self, event: Titled) -> None:
        """The model has answered; meanwhile another chat may be open."""
        session = self.chat.session
        if session is not None and session.conversation.id == event.chat_id:
            if session.conversation.title != event.instead_of:
                return  # the person has given it one meanwhile
            session.rename(event.title)
            self.tell(f"This chat is now “{event.title}”", "accent")
        else:
            self.services.chat_files.rename(event.chat_id, event.title)
            self.tell(f"The chat from before is now “{event.title}”", "accent")

    def _export(self, argument: str) -> None:
        chat = self._session().conversation
        if not len(chat):
            raise UsageError("This chat is empty: there is nothing to write")
        forced, name = is_forced(argument)
        self.services.chat_files.export(chat.id, chat.title, name, overwrite=forced)

    # -- what came of it --------------------------------------------------------------------------------------------

    @on(Told)
    def _handle_told(self, event: Told) -> None:
        """It is done."""
        self.tell(event.text, event.tone)

    @on(NotDone)
    def _handle_not_done(self, event: NotDone) -> None:
        """It is not; the command can be changed, or said once more."""
        back = bool(event.text) and self._give_back(event.text)
        error = event.error
        if event.sure:
            self._once_more = event.text if back else ""
            way = "Enter again overwrites it" if back else "/export! overwrites it"
            error = LokalError(error.title, "", way)
        self._tell_of(error, back=back)

    @on(NotConnected)
    def _handle_not_connected(self, event: NotConnected) -> None:
        """The command that asked for a server or a file can be changed."""
        if event.text and self._give_back(event.text):
            # What is told of it, which comes right after this, is about the command.
            self.call_later(lambda: self.chat.notice_bar.goes_with(self.chat.written))

    def _tell_of(self, error: LokalError, *, back: bool) -> None:
        """Say what went wrong; where the command is `back` in the composer, until it is changed."""
        if back and self.tabs.current == "chat":
            self.chat.tell_of_text(error)
        else:
            self.tell(str(error), "warning")

    def _give_back(self, text: str) -> bool:
        """Put a command into the composer again, unless something else is written there by now."""
        return self.chat.composer.bring_back(text)

    def places(self) -> tuple[str, ...]:
        """Where the person is, the nearest place first, as the commands name their places."""
        raise NotImplementedError

    def _show_keys(self) -> None:
        from tui.ui.help import key_screen

        self.push_screen(key_screen(self.state.keys, self.places()))


def _vocabulary(
    state: ScreenState,
    theme_names: tuple[str, ...],
    missing: frozenset[str],
    configured: tuple[Endpoint, ...],
) -> CompletionSource:
    connection = state.connection
    models = connection.models if connection else ()
    servers = {endpoint.url: CompletionItem(endpoint.name or endpoint.url, endpoint.url if endpoint.name else "from the config")
               for endpoint in configured}  # fmt: skip
    for endpoint in connection.others if connection else ():
        label = endpoint.kind.label if endpoint.kind else "a server"
        servers.setdefault(endpoint.url, CompletionItem(endpoint.url, label))
    return CompletionSource(
        presets=tuple(CompletionItem(preset.name, preset.description) for preset in state.presets),
        models=tuple(
            CompletionItem(model.name, ", ".join(part for part in (model.parameters, model.quantization,
                   human_size(model.size) if model.size else "") if part))
            for model in models
        ),
        servers=tuple(servers.values()),
        themes=tuple(CompletionItem(name) for name in theme_names),
        missing=missing,
        values=state.values(),
    )  # fmt: skip
