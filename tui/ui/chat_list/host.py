"""The app and its list of chats: how it is opened and left, and what comes of what is chosen in it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import events, on
from textual.containers import Container
from textual.widget import AwaitMount

from tui.core.text import safe_name
from tui.errors import ChatGone
from tui.ui.chat_list.deleted_chats import Trash
from tui.ui.chat_list.messages import (
    ChatChanged,
    ChatChosen,
    ChatCommandGiven,
    ChatListLeft,
    ChatListModeChanged,
    ChatOpened,
    ChatsListed,
    ChatsUnlisted,
    ChatUnchanged,
    HitsFound,
    ListWanted,
    SearchWanted,
)
from tui.ui.desk_app import DeskApp
from tui.ui.messages import StoreOpened, Trouble

if TYPE_CHECKING:
    from tui.store.store import ChatSummary
    from tui.ui.chat_list.pane import ChatsPane

BESIDE_COLUMNS = 120
"""The width of the screen from which on the list is beside the transcript, not over it."""
SHOWN_TITLE = 30
"""Characters of a title in a notice, so that there is room for what it says."""
PATIENCE_S = 1.0
"""How long the keys that the list has not looked at yet are waited for; it takes a moment."""


class Browsing(DeskApp):
    """Keeps the list of chats. Mixed into the app."""

    _pane: ChatsPane | None = None
    _mounting: AwaitMount | None = None
    _trash: Trash | None = None
    _gone: frozenset[str] = frozenset()
    """Chats of which it was said that they are gone."""

    def chats_actions(self) -> Mapping[str, Callable[[str], object]]:
        """What is done for a command's id, with the argument that was typed after a slash command."""
        return {"chats.open": lambda _: self._toggle_chats(), "search": self._search_chats}

    @property
    def _bin(self) -> Trash:
        if self._trash is None:
            self._trash = Trash()
        return self._trash

    # -- open and shut ----------------------------------------------------------------------------------------------

    @property
    def lists_chats(self) -> bool:
        """Whether the list is there and has the keys."""
        return self._pane is not None and self.focused is self._pane

    @property
    def _is_open(self) -> bool:
        return self._pane is not None and self._pane.has_class("-open")

    @property
    def _open_id(self) -> str:
        session = self.chat.session
        return session.conversation.id if session is not None else ""

    def open_tab(self, name: str) -> None:
        """Show `chat`, `models` or `settings`; the list does not stay open behind them."""
        self._shut()
        super().open_tab(name)

    async def chats_ready(self) -> None:
        """Wait until a list that is new can take keys."""
        mounting, self._mounting = self._mounting, None
        if mounting is not None:
            await mounting

    def place_keys(self) -> tuple[str, ...]:
        """The three keys that make sense in the list; none while it has not the focus."""
        return self._pane.useful if self._pane is not None and self.lists_chats else ()

    def fit_chats(self) -> None:
        """The screen has another width."""
        if self._pane is not None:
            beside = self.size.width >= BESIDE_COLUMNS
            self._pane.set_class(beside, "-beside")
            self.chat.transcript.display = beside or not self._is_open

    def _toggle_chats(self) -> None:
        if self.lists_chats:
            self._hand_over(())
        else:
            pane = self._show()
            pane.open_list(self._open_id)

    def _search_chats(self, text: str) -> None:
        direct = not self.lists_chats
        pane = self._show() if direct else self._pane
        if pane is not None:
            pane.open_search(self._open_id, text, direct=direct)

    def _show(self) -> ChatsPane:
        if self.tabs.current != "chat":
            self.open_tab("chat")
        self.chat.message_cursor.end()
        pane = self._pane
        if pane is None:
            from tui.ui.chat_list.pane import ChatsPane

            pane = self._pane = ChatsPane(self.state)
            self._mounting = self.chat.query_one("#reading", Container).mount(pane, before=0)
        pane.add_class("-open")
        self.fit_chats()
        self.screen_stack[0].set_focus(pane)
        self.show_state()
        return pane

    def _shut(self) -> None:
        if self._pane is not None and self._is_open:
            self._pane.release()
            self._pane.remove_class("-open")
            self.fit_chats()

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
        self._shut()
        self.tabs.give_focus()
        for event in typed:
            again = (
                events.Paste(event.text)
                if isinstance(event, events.Paste)
                else events.Key(event.key, event.character)
            )
            self.chat.composer.post_message(again)
        self.show_state()

    @on(ChatListLeft)
    async def _handle_chats_pane_left(self, event: ChatListLeft) -> None:
        """Esc."""
        event.stop()
        self._hand_over(await self._typed_meanwhile())

    @on(ChatListModeChanged)
    def _handle_chats_pane_mode_changed(self, event: ChatListModeChanged) -> None:
        """Other keys make sense."""
        event.stop()
        self.show_state()

    # -- reading ----------------------------------------------------------------------------------------------------

    @on(ListWanted)
    def _handle_chats_pane_list_wanted(self, event: ListWanted) -> None:
        """A part of the list is to be read."""
        event.stop()
        self.services.chat_library.list_chats(event.wish)

    @on(SearchWanted)
    def _handle_chats_pane_search_wanted(self, event: SearchWanted) -> None:
        """The chats are to be searched."""
        event.stop()
        self.services.chat_library.search(event.query, event.first)

    @on(StoreOpened)
    def _handle_store_opened(self, event: StoreOpened) -> None:
        """The chats are open, or a new one is."""
        if self._pane is not None and self._is_open:
            self._pane.open_id = event.session.conversation.id
            self._pane.ask_again()

    @on(ChatsListed)
    def _handle_chats_listed(self, event: ChatsListed) -> None:
        """It was read."""
        if self._pane is not None:
            self._pane.show_window(event.window, event.wish)

    @on(ChatsUnlisted)
    def _handle_chats_unlisted(self, event: ChatsUnlisted) -> None:
        """It could not be read."""
        if event.error is not None:
            self.tell(str(event.error), "error")
        if self._pane is not None:
            self._pane.show_failure(event.error, event.wish)

    @on(HitsFound)
    def _handle_hits_found(self, event: HitsFound) -> None:
        """They were."""
        if self._pane is not None:
            self._pane.show_found(event.found)

    # -- opening a chat ---------------------------------------------------------------------------------------------

    @on(ChatChosen)
    def _handle_chats_pane_chosen(self, event: ChatChosen) -> None:
        """A chat is to be opened."""
        event.stop()
        session = self.chat.session
        known = session is not None and event.chat_id == session.conversation.id
        if known and session is not None and event.message_id:
            known = event.message_id in session.conversation
        self.services.chat_library.open_chat(
            event.chat_id, event.title, event.message_id, event.query, known=known
        )

    @on(ChatOpened)
    async def _handle_chat_opened(self, event: ChatOpened) -> None:
        """It was read: show it."""
        typed: tuple[events.Key | events.Paste, ...] | None = None
        if not event.beneath:
            if self._pane is None or not self._pane.is_leaving:
                return  # the person wants something else by now
            typed = await self._typed_meanwhile()
        chat, session = self.chat, event.session
        if session is not None:
            before = (
                chat.session.conversation.title
                if chat.session is not None and chat.controller.chat.doing
                else None
            )
            chat.open(session)
            if before is not None:
                self.tell(
                    f"The answer in “{safe_name(before, SHOWN_TITLE)}” was stopped; you can continue it there"
                )
        if typed is not None:
            self._hand_over(typed)
        if self._pane is not None:
            self._pane.open_id = self._open_id
            self._pane.refresh()
        if event.message_id and event.chat_id == self._open_id:
            self._go_to(event.message_id, event.pattern)

    def _go_to(self, message_id: str, pattern: re.Pattern[str] | None) -> None:
        """Show a message of the open chat, on the branch that it is in."""
        chat, session = self.chat, self.chat.session
        if session is None or message_id not in session.conversation:
            self.tell("This message was deleted", "warning")
            return
        if all(message.id != message_id for message in session.conversation.path()):
            if chat.controller.stop():
                self.tell("The answer on the other branch was stopped; you can continue it there")
            session.select(message_id)
            chat.show_branch()
        chat.walked.show_found(message_id, pattern)

    @on(ChatUnchanged)
    def _handle_chat_unchanged(self, event: ChatUnchanged) -> None:
        """A chat could not be read, or not changed; one that is gone leaves the list."""
        self.tell(str(event.error), "warning")
        gone = isinstance(event.error, ChatGone)
        self._bin.failed(event.chat_id, for_good=gone)
        if self._pane is not None:
            self._pane.stay()
            self._pane.settle(event.chat_id)
            if gone:
                self._pane.drop(event.chat_id)
            self._pane.reload()

    # -- a chat that is gone ----------------------------------------------------------------------------------------

    @on(Trouble)
    def _handle_trouble(self, event: Trouble) -> None:
        """The open chat was deleted in another lokal: what is written is kept in a new one."""
        error, session = event.error, self.chat.session
        if not isinstance(error, ChatGone):
            return
        if session is not None and error.chat_id == session.conversation.id:
            event.prevent_default()
            session.move(time.time())
            self.chat.controller.outbox.moved()
            self.tell("This chat was deleted in another lokal; it goes on here as a new chat", "warning")
        elif error.chat_id in self._gone:
            event.prevent_default()
        self._gone |= {error.chat_id}

    # -- changing chats ---------------------------------------------------------------------------------------------

    @on(ChatCommandGiven)
    def _handle_chats_pane_commanded(self, event: ChatCommandGiven) -> None:
        """A key for the chat under the cursor."""
        event.stop()
        if event.command_id == "chats.undo":
            self._bring_back()
        elif event.chat is not None:
            self._do_to_chat(event.command_id, event.chat, event.title)

    def _do_to_chat(self, id: str, chat: ChatSummary, title: str) -> None:
        library = self.services.chat_library
        session = self.chat.session
        match id:
            case "chats.rename" if not title:
                self.tell("A title needs words; the old title stays", "warning")
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
            self.chat.controller.stop()
        self._bin.put(chat, was_open=is_open)
        self.services.chat_library.delete(chat)
        if is_open:
            self.services.new_chat()

    def _bring_back(self) -> None:
        chat = self._bin.take()
        if chat is not None:
            self.services.chat_library.restore(chat)
        else:
            self.services.chat_library.restore_last()

    @on(ChatChanged)
    def _handle_chat_changed(self, event: ChatChanged) -> None:
        """It is done."""
        from tui.ui.chat_list.messages import ChatChange
        from tui.ui.chat_list.rows import change_in_words

        chat, pane = event.chat, self._pane
        if event.change is ChatChange.RESTORED:
            self._restored(chat)
        if said := change_in_words(event.change, safe_name(chat.title, SHOWN_TITLE), self.state.keys):
            self.tell(said, "accent")
        if pane is not None:
            gone = event.change in (ChatChange.DELETED, ChatChange.ARCHIVED, ChatChange.UNARCHIVED)
            pane.settle(chat.id)
            pane.put(chat)
            pane.reload("" if gone else chat.id)

    def _restored(self, chat: ChatSummary) -> None:
        """What was shown when it was deleted is shown again, unless something else was begun."""
        was_open = self._bin.came_back(chat.id)
        session = self.chat.session
        if was_open and (session is None or not len(session.conversation)):
            self.services.chat_library.open_chat(chat.id, chat.title, beneath=True)


def _end(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
