"""Commands about the open chat as a whole: its system prompt, its title, files of it, its figures, a comparison, a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import files
from tui.chat.chat_files import TakenName
from tui.chat.commands import CommandRegistry
from tui.chat.session import ChatSession
from tui.chat.tasks import Work
from tui.core.slash import is_forced
from tui.core.text import safe_block, safe_name
from tui.core.titling import typed_title
from tui.errors import ChatsNotOpen, LokalError, UsageError
from tui.ui.context import AppContext
from tui.ui.messages import NotDone, ServiceMessage, Titled, Told

if TYPE_CHECKING:
    from tui.ui.services import Services

NOTHING = "-"
"""In the place of a system prompt: take away what there is."""


class ChatCommands:
    """One for each app."""

    def __init__(self, app: AppContext, services: Services, post: Callable[[ServiceMessage], object]) -> None:
        """`post` tells the app what came of something that was done off the screen."""
        self._app = app
        self._services = services
        self._post = post

    def add_commands(self, registry: CommandRegistry) -> None:
        """What a person can do with the open chat."""
        registry.add("chat.new", lambda _: self._new())
        registry.add("system.set", self._set_system)
        registry.add("persona.use", self._use_persona)
        registry.add("chat.rename", self._rename)
        registry.add("chat.title", lambda _: self._ask_title())
        registry.add("chat.export", self._export)
        registry.add("chat.import", self._import)
        registry.add("stats", lambda _: self._show_stats())
        registry.add("attach", self._attach)

    def _run(self, work: Work, group: str, command: str = "", *, exclusive: bool = False) -> None:
        """Do it off the screen; where it cannot be done, the command comes back to be changed."""

        def failed(problem: LokalError) -> None:
            self._post(NotDone(problem, command))

        async def guarded() -> None:
            try:
                await work()
            except LokalError as error:
                failed(error)

        self._services.tasks.start(guarded, group, exclusive=exclusive, on_mistake=failed)

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

    def _use_persona(self, argument: str) -> None:
        app, conversation = self._app, self._session().conversation
        if held := app.chat.controller.why_held:
            raise UsageError(held)
        if argument == NOTHING:
            self._set_system(NOTHING)
            return
        folder = self._services.folders.personas
        if not argument:
            from tui.ui.setting import persona_page

            app.show_page(persona_page(folder))
            return

        async def work() -> None:
            persona = await files.in_thread(lambda: load_persona(folder, argument))
            conversation.system = persona.system
            app.show_notice(
                f"{safe_name(persona.name, 40)}: {persona.words}, from the next answer on; /persona - ends it",
                "accent",
            )

        from tui.config.personas import load_persona

        self._run(work, "persona", f"/persona {argument}")

    # -- its title --------------------------------------------------------------------------------------------------

    def _rename(self, argument: str) -> None:
        title = typed_title(argument)
        self._session().rename(title)
        self._app.show_notice(f"This chat is now “{title}”", "accent")

    def _ask_title(self) -> None:
        app, state = self._app, self._app.state
        wish = self._services.chat_files.title_wish(self._session(), state)
        app.show_notice(f"Asking {safe_name(state.model, 60) or 'the model'} for a title …")

        async def work() -> None:
            from tui.chat.titles import ask_title

            self._post(Titled(wish, await ask_title(state, wish.turns)))

        self._run(work, "title", exclusive=True)

    def titled(self, event: Titled) -> None:
        """The model has answered."""
        words = self._services.chat_files.give_title(event.wish, event.title, self._app.chat.session)
        if words:
            self._app.show_notice(words, "accent")

    # -- files and figures ------------------------------------------------------------------------------------------

    def _export(self, argument: str) -> None:
        session = self._session()
        forced, name = is_forced(argument)
        command = f"/export {name}".strip()

        async def work() -> None:
            try:
                words = await self._services.chat_files.export(session, name, overwrite=forced)
            except TakenName as error:
                self._post(NotDone(error, command, sure=True))
            else:
                self._post(Told(words, "accent"))

        self._run(work, "export", command)

    def _import(self, argument: str) -> None:
        async def work() -> None:
            words, is_whole = await self._services.chat_files.import_file(argument)
            self._post(Told(words, "accent" if is_whole else "warning"))
            self._services.chat_library.index_on()

        self._session()  # raises until the chats are open
        self._app.show_notice("Reading the chats …")
        self._run(work, "import", f"/import {argument}")

    def _show_stats(self) -> None:
        from tui.ui.stats import stats_screen

        self._app.show_page(stats_screen(self._session().conversation, self._app.state))

    def _attach(self, argument: str) -> None:
        chat = self._app.chat
        if not argument and not chat.composer.has_focus:
            self._app.open_tab("chat")  # the palette is everywhere
        chat.prompt_entry.attach_named(argument)
