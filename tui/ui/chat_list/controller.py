"""The list of chats in the app: how it is opened and left, and what comes of what is chosen in it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.containers import Container
from textual.widget import AwaitMount

from tui.core.text import safe_name
from tui.errors import ChatGone
from tui.ui.chat_list.deleted_chats import DeletedChats
from tui.ui.chat_list.messages import (
    ChatChanged,
    ChatChosen,
    ChatCommandGiven,
    ChatListLeft,
    ChatListMessage,
    ChatListModeChanged,
    ChatOpened,
    ChatsListed,
    ChatsUnlisted,
    ChatUnchanged,
    HitsFound,
    ListWanted,
    SearchWanted,
)
from tui.ui.context import AppContext

if TYPE_CHECKING:
    from tui.chat.commands import CommandRegistry
    from tui.store.store import ChatSummary
    from tui.ui.chat_list.chat_library import ChatLibrary
    from tui.ui.chat_list.pane import ChatsPane

BESIDE_COLUMNS = 120
"""The width of the screen from which on the list is beside the transcript, not over it."""
SHOWN_TITLE = 30
"""Characters of a title in a notice, so that there is room for what it says."""
PATIENCE_S = 1.0
"""How long the keys that the list has not looked at yet are waited for; it takes a moment."""


class ChatListController:
    """One for each app. The list itself is made when it is opened first."""

    def __init__(self, app: AppContext, library: ChatLibrary, new_chat: Callable[[], None]) -> None:
        self._app = app
        self._library = library
        self._new_chat = new_chat
        self._pane: ChatsPane | None = None
        self._mounting: AwaitMount | None = None
        self._deleted_chats: DeletedChats | None = None
        self._gone: frozenset[str] = frozenset()
        """Chats of which it was said that they are gone."""

    def add_commands(self, registry: CommandRegistry) -> None:
        """What opens the list."""
        registry.add("chats.open", lambda _: self._toggle())
        registry.add("search", self._search)

    @property
    def _deleted(self) -> DeletedChats:
        if self._deleted_chats is None:
            self._deleted_chats = DeletedChats()
        return self._deleted_chats

    # -- open and shut ----------------------------------------------------------------------------------------------

    @property
    def has_keys(self) -> bool:
        """Whether the list is there and has the keys."""
        return self._pane is not None and self._pane.screen.focused is self._pane

    @property
    def _is_open(self) -> bool:
        return self._pane is not None and self._pane.has_class("-open")

    @property
    def _open_id(self) -> str:
        session = self._app.chat.session
        return session.conversation.id if session is not None else ""

    async def ready(self) -> None:
        """Wait until a list that is new can take keys."""
        mounting, self._mounting = self._mounting, None
        if mounting is not None:
            await mounting

    @property
    def useful(self) -> tuple[str, ...]:
        """The three keys that make sense in the list; none while it has not the focus."""
        return self._pane.useful if self._pane is not None and self.has_keys else ()

    def fit(self) -> None:
        """The screen has another width."""
        if self._pane is not None:
            beside = self._app.columns >= BESIDE_COLUMNS
            self._pane.set_class(beside, "-beside")
            self._app.chat.transcript.display = beside or not self._is_open

    def _toggle(self) -> None:
        if self.has_keys:
            self._hand_over(())
        else:
            pane = self._show()
            pane.open_list(self._open_id)

    def _search(self, text: str) -> None:
        direct = not self.has_keys
        pane = self._show() if direct else self._pane
        if pane is not None:
            pane.open_search(self._open_id, text, direct=direct)

    def _show(self) -> ChatsPane:
        if self._app.tab != "chat":
            self._app.open_tab("chat")
        self._app.chat.message_cursor.end()
        pane = self._pane
        if pane is None:
            from tui.ui.chat_list.pane import ChatsPane

            pane = self._pane = ChatsPane(self._app.state)
            self._mounting = self._app.chat.query_one("#reading", Container).mount(pane, before=0)
        pane.add_class("-open")
        self.fit()
        self._app.chat.screen.set_focus(pane)
        self._app.show_state()
        return pane

    def close(self) -> None:
        """Take the list off the screen: it does not stay open behind a tab."""
        if self._pane is not None and self._is_open:
            self._pane.release()
            self._pane.remove_class("-open")
            self.fit()

    async def _typed_meanwhile(self) -> tuple[events.Key | events.Paste, ...]:
        """What was typed since the person chose a chat or left. Keys that come in one piece are on their way to the list
        when the first of them is done; those behind wait in the app until this is."""
        pane = self._pane
        if pane is None:
            return ()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if pane.call_later(_end, done):
            await asyncio.wait([done], timeout=PATIENCE_S)
        return pane.release()

    def _hand_over(self, typed: tuple[events.Key | events.Paste, ...]) -> None:
        """Back to the composer, with what was meant for it."""
        self.close()
        self._app.focus_tab()
        for event in typed:
            again = (
                events.Paste(event.text)
                if isinstance(event, events.Paste)
                else events.Key(event.key, event.character)
            )
            self._app.chat.composer.post_message(again)
        self._app.show_state()

    # -- what is heard ----------------------------------------------------------------------------------------------

    async def hear(self, event: ChatListMessage) -> None:
        """Do what the list asks for, and show what the library answers. Keys that are typed meanwhile wait in the app."""
        match event:
            case ChatListLeft():
                self._hand_over(await self._typed_meanwhile())
            case ChatListModeChanged():
                self._app.show_state()
            case ListWanted(wish):
                self._library.list_chats(wish)
            case SearchWanted(query, first):
                self._library.search(query, first)
            case ChatChosen():
                self._open_chosen(event)
            case ChatCommandGiven():
                self._do_command(event)
            case ChatOpened():
                await self._show_chat(event)
            case ChatChanged():
                self._chat_changed(event)
            case ChatUnchanged():
                self._chat_unchanged(event)
            case ChatsListed() | ChatsUnlisted() | HitsFound():
                self._show_read(event)

    def _show_read(self, event: ChatsListed | ChatsUnlisted | HitsFound) -> None:
        if isinstance(event, ChatsUnlisted) and event.error is not None:
            self._app.show_notice(str(event.error), "error")
        if self._pane is None:
            return
        match event:
            case ChatsListed(window, wish):
                self._pane.show_window(window, wish)
            case ChatsUnlisted(error, wish):
                self._pane.show_failure(error, wish)
            case HitsFound(found):
                self._pane.show_found(found)

    def chat_is_open(self, chat_id: str) -> None:
        """The chats are open, or another one is."""
        if self._pane is not None and self._is_open:
            self._pane.set_open(chat_id)
            self._pane.ask_again()

    # -- opening a chat ---------------------------------------------------------------------------------------------

    def _open_chosen(self, event: ChatChosen) -> None:
        """A chat is to be opened."""
        session = self._app.chat.session
        known = session is not None and event.chat_id == session.conversation.id
        if known and session is not None and event.message_id:
            known = event.message_id in session.conversation
        self._library.open_chat(event.chat_id, event.title, event.message_id, event.query, known=known)

    async def _show_chat(self, event: ChatOpened) -> None:
        """It was read: show it."""
        typed: tuple[events.Key | events.Paste, ...] | None = None
        if not event.beneath:
            if self._pane is None or not self._pane.is_leaving:
                return  # the person wants something else by now
            typed = await self._typed_meanwhile()
        chat, session = self._app.chat, event.session
        if session is not None:
            before = (
                chat.session.conversation.title
                if chat.session is not None and chat.controller.chat.doing
                else None
            )
            chat.open(session)
            if before is not None:
                self._app.show_notice(
                    f"The answer in “{safe_name(before, SHOWN_TITLE)}” was stopped; you can continue it there"
                )
        if typed is not None:
            self._hand_over(typed)
        if self._pane is not None:
            self._pane.set_open(self._open_id)
        if event.message_id and event.chat_id == self._open_id:
            self._go_to(event.message_id, event.pattern)

    def _go_to(self, message_id: str, pattern: re.Pattern[str] | None) -> None:
        """Show a message of the open chat, on the branch that it is in."""
        chat, session = self._app.chat, self._app.chat.session
        if session is None or message_id not in session.conversation:
            self._app.show_notice("This message was deleted", "warning")
            return
        if all(message.id != message_id for message in session.conversation.path()):
            if chat.controller.stop():
                self._app.show_notice("The answer on the other branch was stopped; you can continue it there")
            session.select(message_id)
            chat.show_branch()
        chat.transcript.show_match(message_id, pattern)

    def _chat_unchanged(self, event: ChatUnchanged) -> None:
        """A chat could not be read, or not changed; one that is gone leaves the list."""
        self._app.show_notice(str(event.error), "warning")
        gone = isinstance(event.error, ChatGone)
        self._deleted.failed(event.chat_id, for_good=gone)
        if self._pane is not None:
            self._pane.stay()
            self._pane.settle(event.chat_id)
            if gone:
                self._pane.drop(event.chat_id)
            self._pane.reload()

    # -- a chat that is gone ----------------------------------------------------------------------------------------

    def chat_is_gone(self, error: ChatGone) -> bool:
        """A chat was deleted in another lokal: what is written in it, if it is the open one, is kept in a new one. Whether
        that is said, now or before."""
        session = self._app.chat.session
        known = error.chat_id in self._gone
        self._gone |= {error.chat_id}
        if session is not None and error.chat_id == session.conversation.id:
            session.move(time.time())
            self._app.chat.controller.moved()
            self._app.show_notice(
                "This chat was deleted in another lokal; it goes on here as a new chat", "warning"
            )
            return True
        return known

    # -- changing chats ---------------------------------------------------------------------------------------------

    def _do_command(self, event: ChatCommandGiven) -> None:
        """A key for the chat under the cursor."""
        if event.command_id == "chats.undo":
            self._bring_back()
        elif event.chat is not None:
            self._do_to_chat(event.command_id, event.chat, event.title)

    def _do_to_chat(self, id: str, chat: ChatSummary, title: str) -> None:
        library = self._library
        session = self._app.chat.session
        match id:
            case "chats.rename" if not title:
                self._app.show_notice("A title needs words; the old title stays", "warning")
            case "chats.rename":
                if session is not None and chat.id == self._open_id:
                    session.conversation.title = title
                library.rename(chat, title)
            case "chats.pin":
                library.pin(chat, pinned=not chat.pinned)
            case "chats.archive":
                library.archive(chat, archived=not chat.archived)
            case "chats.delete":
                self._delete(chat)
            case "chats.export":
                library.export(chat)

    def _delete(self, chat: ChatSummary) -> None:
        is_open = chat.id == self._open_id
        if is_open:
            self._app.chat.controller.stop()
        self._deleted.put(chat, was_open=is_open)
        self._library.delete(chat)
        if is_open:
            self._new_chat()

    def _bring_back(self) -> None:
        chat = self._deleted.take()
        if chat is not None:
            self._library.restore(chat)
        else:
            self._library.restore_last()

    def _chat_changed(self, event: ChatChanged) -> None:
        """It is done."""
        from tui.ui.chat_list.messages import ChatChange
        from tui.ui.chat_list.rows import change_in_words

        chat, pane = event.chat, self._pane
        if event.change is ChatChange.RESTORED:
            self._restored(chat)
        if said := change_in_words(event.change, safe_name(chat.title, SHOWN_TITLE), self._app.state.keys):
            self._app.show_notice(said, "accent")
        if pane is not None:
            gone = event.change in (ChatChange.DELETED, ChatChange.ARCHIVED, ChatChange.UNARCHIVED)
            pane.settle(chat.id)
            pane.put(chat)
            pane.reload("" if gone else chat.id)

    def _restored(self, chat: ChatSummary) -> None:
        """What was shown when it was deleted is shown again, unless something else was begun."""
        was_open = self._deleted.came_back(chat.id)
        session = self._app.chat.session
        if was_open and (session is None or not len(session.conversation)):
            self._library.open_chat(chat.id, chat.title, beneath=True)


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
