"""The commands of the app: which there are, doing one for a key, the palette or a slash line, and what a slash line can be
completed with. What a command does stands where its things are; each part adds its own to the registry."""

from __future__ import annotations

from collections.abc import Callable

from tui.chat.commands import CommandRegistry
from tui.chat.state import ClientState
from tui.core.commands import BY_ID, BY_SLASH, COMMANDS
from tui.core.endpoint import Endpoint
from tui.core.parameters import BY_NAME
from tui.core.secrets import names_login
from tui.core.slash import (
    FORCE,
    CompletionItem,
    CompletionSource,
    ParsedCommand,
    needs_argument,
    one_of,
)
from tui.core.text import human_size, safe_line
from tui.errors import ChatsNotOpen, LokalError, UsageError
from tui.ui.context import AppContext
from tui.ui.messages import NotDone

_SHOWN_IN_THE_CHAT = frozenset({"undo", "schema", "chat.branch", "advise"})
"""Commands of which the chat itself says what came of them."""


class AppCommands:
    """One for each app. It is the command line of the other parts: what they are asked without a name is asked for there."""

    def __init__(
        self,
        app: AppContext,
        registry: CommandRegistry,
        theme_names: Callable[[], tuple[str, ...]],
        configured: tuple[Endpoint, ...],
        add_to_history: Callable[[str], None],
        places: Callable[[], tuple[str, ...]],
    ) -> None:
        """`configured` are the servers of the settings; `places` says where the person is, the nearest place first."""
        self._app = app
        self._registry = registry
        self._theme_names = theme_names
        self._configured = configured
        self._add_to_history = add_to_history
        self._places = places
        self._source: tuple[ClientState, CompletionSource] | None = None
        self._once_more = ""
        """The command that was not done and is forced when it is sent once more."""
        self._until_open: list[tuple[str, str]] = []
        """The commands, with their arguments, that came before the chats were open."""

    def add_commands(self, registry: CommandRegistry) -> None:
        """Help on commands, parameters and keys."""
        registry.add("help", self._help)

    # -- doing one --------------------------------------------------------------------------------------------------

    def run_typed(self, typed: ParsedCommand, text: str) -> None:
        """A slash command was sent, as `text` in marked form. One that cannot be done comes back into the composer."""
        composer, bar, once_more = self._app.chat.composer, self._app.chat.notice_bar, self._once_more
        self._once_more = ""
        argument = typed.argument
        if once_more == text:
            argument = f"{FORCE} {argument}".strip()
        if not names_login(text):
            composer.remember(text)
            self._add_to_history(text)
        bar.clear_notice()
        bar.unpin()
        try:
            self._registry.run(typed.command.id, argument)
        except ChatsNotOpen:
            self._until_open.append((typed.command.id, argument))
        except LokalError as error:
            self._show_problem(error, returned=self.return_command(text))

    def chats_are_open(self) -> None:
        """Do now what came before."""
        waiting, self._until_open = self._until_open, []
        for id, argument in waiting:
            self.run(id, argument)

    def run(self, id: str, argument: str = "") -> None:
        """Do what a command's id stands for, or say why not. One that needs an argument is begun in the composer."""
        command = BY_ID[id]
        try:
            if not argument and needs_argument(command):
                self.begin(f"/{command.slash} ")
                return
            if why_not := self._registry.why_not(id):
                raise UsageError(why_not)
            if id in _SHOWN_IN_THE_CHAT and self._app.tab != "chat":
                self._app.open_tab("chat")
            self._registry.run(id, argument)
        except LokalError as error:
            self._app.show_notice(str(error), "warning")

    def not_done(self, event: NotDone) -> None:
        """What went on off the screen could not be done; its command can be changed, or sent once more."""
        returned = bool(event.text) and self.return_command(event.text)
        error = event.error
        if event.sure:
            self._once_more = event.text if returned else ""
            way = "Enter again overwrites it" if returned else "/export! overwrites it"
            error = LokalError(error.title, "", way)
        self._show_problem(error, returned=returned)

    def _show_problem(self, error: LokalError, *, returned: bool) -> None:
        """Say what went wrong; where the command is back in the composer, until it is changed."""
        if returned and self._app.tab == "chat":
            self._app.chat.show_notice_about_text(error)
        else:
            self._app.show_notice(str(error), "warning")

    def return_command(self, text: str) -> bool:
        """Put a command into the composer again; False where something else is written there by now."""
        return self._app.chat.composer.return_command(text)

    # -- asking for a name ------------------------------------------------------------------------------------------

    def choose(self, name: str, words: str) -> None:
        """Show the names that a command takes where they can be taken; `words` say what is in use."""
        if not self.begin(f"/{name} "):
            self._app.chat.show_notice(safe_line(words, 200))

    def begin(self, text: str) -> bool:
        """Write the start of a command, wherever the person is. Whether something was being written, which comes back."""
        if not self._app.chat.composer.has_focus:
            self._app.open_tab("chat")
        return self._app.chat.prompt_entry.complete(text)

    def completions(self) -> CompletionSource:
        """What slash commands can be completed with."""
        state = self._app.state
        if self._source is None or self._source[0] is not state:
            missing = frozenset(
                command.id for command in COMMANDS if command.slash and command.id not in self._registry
            )
            source = _completions(state, self._theme_names(), missing, self._configured)
            self._source = (state, source)
        return self._source[1]

    # -- help -------------------------------------------------------------------------------------------------------

    def _help(self, argument: str) -> None:
        from tui.ui.setting import explain_command, explain_parameter

        app, name = self._app, argument.removeprefix("/").lower()
        if not argument:
            from tui.ui.help import key_screen

            app.show_page(key_screen(app.state.keys, self._places()))
        elif name in BY_NAME and name not in BY_SLASH:
            app.show_page(explain_parameter(BY_NAME[name], app.state))
        else:
            command = BY_SLASH[one_of(name, list(BY_SLASH), "command")]
            app.show_page(explain_command(command, app.state))


def _completions(
    state: ClientState,
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
