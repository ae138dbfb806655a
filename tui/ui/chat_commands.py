"""Commands about the open chat as a whole: its system prompt, its title, files of it, its figures, a comparison, a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.chat.commands import CommandRegistry
from tui.chat.session import ChatSession
from tui.core.slash import is_forced
from tui.core.text import safe_block, safe_line, safe_name
from tui.errors import ChatsNotOpen, UsageError
from tui.ui.chat_file_service import Titled
from tui.ui.context import AppContext

if TYPE_CHECKING:
    from tui.ui.services import Services

NOTHING = "-"
"""In the place of a system prompt: take away what there is."""


class ChatCommands:
    """One for each app."""

    def __init__(self, app: AppContext, services: Services) -> None:
        self._app = app
        self._services = services

    def add_commands(self, registry: CommandRegistry) -> None:
        """What a person can do with the open chat."""
        registry.add("chat.new", lambda _: self._new())
        registry.add("system.set", self._set_system)
        registry.add("chat.rename", self._rename)
        registry.add("chat.title", lambda _: self._ask_title())
        registry.add("chat.export", self._export)
        registry.add("chat.import", self._services.chat_files.import_file)
        registry.add("stats", lambda _: self._show_stats())
        registry.add("attach", self._attach)

    def _session(self) -> ChatSession:
        session = self._app.chat.session
        if session is None:
            raise ChatsNotOpen()
        return session

    def _new(self) -> None:
        self._app.chat.controller.stop()
        self._app.open_tab("chat")
        self._services.new_chat()

    def _set_system(self, argument: str) -> None:
        app, conversation, preset = self._app, self._session().conversation, self._app.state.preset
        if argument and (held := app.chat.controller.why_held):
            raise UsageError(held)  # what is held was measured with the one that it has
        if not argument:
            if not conversation.system and not preset.system:
                app.show_notice("No system prompt. /system TEXT gives this chat one")
            else:
                from tui.ui.setting import system_page

                app.show_page(system_page(conversation.system, preset))
        elif argument == NOTHING:
            had, conversation.system = conversation.system, ""
            after = f"that of {preset.name} is used again" if preset.system else "there is none now"
            app.show_notice(
                f"System prompt removed; {after}" if had else "This chat has no system prompt of its own"
            )
        else:
            conversation.system = safe_block(argument)
            instead = f" instead of that of {preset.name}" if preset.system else ""
            app.show_notice(
                f"System prompt of this chat from the next answer on{instead}; /system - removes it",
                "accent",
            )

    # -- its title --------------------------------------------------------------------------------------------------

    def _rename(self, argument: str) -> None:
        title = safe_line(argument, 200)
        if not title:
            raise UsageError("A title needs words")
        self._session().rename(title)
        self._app.show_notice(f"This chat is now “{title}”", "accent")

    def _ask_title(self) -> None:
        from tui.core.titling import title_turns

        app, chat, state = self._app, self._session().conversation, self._app.state
        turns = title_turns(chat.path())
        if not turns:
            raise UsageError("Nothing was said here yet", "", "/rename TITLE names the chat")
        if state.connection is None or state.connection.guide:
            raise UsageError("There is no model to ask for a title", "", "/rename TITLE sets one")
        app.show_notice(f"Asking {safe_name(state.model, 60) or 'the model'} for a title …")
        self._services.chat_files.ask_title(state, chat.id, chat.title, turns)

    def titled(self, event: Titled) -> None:
        """The model has answered; meanwhile another chat may be open."""
        session = self._app.chat.session
        if session is not None and session.conversation.id == event.chat_id:
            if session.conversation.title != event.instead_of:
                return  # the person has given it one meanwhile
            session.rename(event.title)
            self._app.show_notice(f"This chat is now “{event.title}”", "accent")
        else:
            self._services.chat_files.rename(event.chat_id, event.title)
            self._app.show_notice(f"The chat from before is now “{event.title}”", "accent")

    # -- files and figures ------------------------------------------------------------------------------------------

    def _export(self, argument: str) -> None:
        chat = self._session().conversation
        if not len(chat):
            raise UsageError("This chat is empty: there is nothing to write")
        forced, name = is_forced(argument)
        self._services.chat_files.export(chat.id, chat.title, name, overwrite=forced)

    def _show_stats(self) -> None:
        from tui.ui.stats import stats_screen

        self._app.show_page(stats_screen(self._session().conversation, self._app.state))

    def _attach(self, argument: str) -> None:
        chat = self._app.chat
        if not argument and not chat.composer.has_focus:
            self._app.open_tab("chat")  # the palette is everywhere
        chat.prompt_entry.attach_named(argument)
