"""The list of chats and its keys: over the transcript, or beside it where there is room. It takes keys, shows, and says
what is wanted; it neither reads nor writes chats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from tui.core.commands import COMMANDS
from tui.ui.chat_list.contents import ChatListContents, Mode
from tui.ui.chat_list.messages import (
    ChatChosen,
    ChatCommandGiven,
    ChatListLeft,
    ChatListModeChanged,
    ListWanted,
    ListWish,
    SearchHits,
    SearchWanted,
)
from tui.ui.chat_list.renderer import ChatListRenderer
from tui.ui.chat_list.window import Hits
from tui.ui.keys import named_by
from tui.ui.terminal.reader import IN_TEXT
from tui.ui.widgets.line import LineWidget
from tui.ui.widgets.line_edit import LineEdit

if TYPE_CHECKING:
    from tui.errors import StoreError
    from tui.store.store import ChatSummary, ListWindow
    from tui.ui.state import ScreenState

SEARCH_REST_S = 0.12
"""How long the keys rest before a search."""
_OWN_KEYS = frozenset({"up", "down", "pageup", "pagedown", "home", "end", "escape"})
"""What moves the cursor, or leaves the line that is written."""
Typed = events.Key | events.Paste


class ChatsPane(LineWidget, can_focus=True):
    """All keys come in here, also those that write, so that they count in the order in which they came."""

    OWN_COMMANDS: ClassVar = frozenset(command.id for command in COMMANDS if command.where == "chats")
    """The commands whose keys it reads itself, while it has the focus."""

    def __init__(self, state: ScreenState) -> None:
        super().__init__(id="chats")
        self.contents = ChatListContents()
        self._renderer = ChatListRenderer(self, self.contents, state)
        ids = [command.id for command in COMMANDS if command.where == "chats"]
        self._does: Mapping[str, str] = {state.keys[id]: id for id in ids if state.keys.get(id)}
        chat_keys = {state.keys.get(command.id, "") for command in COMMANDS if command.where == "chat"}
        self._foreign = chat_keys - self._does.keys() - _OWN_KEYS  # keys of the chat
        self._direct = False  # the search was opened from the chat, and Esc leads back there
        self._awaits_hit = False  # Enter came before the search had an answer
        self._reads = False  # a part of the list is being read
        self._renamed: ChatSummary | None = None
        self._wish = 0  # the number of the last one
        self._going: set[str] = set()  # chats that leave the list, and may be on the disk still
        self._timer: Timer | None = None
        self._early: list[Typed] = []  # what came before there was a list
        self._typed: list[Typed] = []  # what came after the list was left

    @property
    def is_leaving(self) -> bool:
        """Whether the keys are no longer for the list."""
        return self.contents.mode is Mode.LEAVING

    @property
    def useful(self) -> tuple[str, ...]:
        """The ids of the three commands that make sense now."""
        if self.contents.mode is Mode.RENAME:
            return "chats.leave", "help"
        return "chats.use", "chats.leave", "help"

    @property
    def rows(self) -> int:
        """How many chats or hits are in sight; a large number as long as the list is not laid out."""
        return self._renderer.rows

    def fit(self) -> None:
        """Bring the cursors into sight."""
        self.contents.listed.cursor.fit(self.rows)
        self.contents.hits.cursor.fit(self.rows)

    def line_at(self, y: int, width: int) -> Strip:
        if y == 0:
            self.fit()  # only now is it certain how high the list is
        return self._renderer.line_at(y, width)

    # -- what it is told --------------------------------------------------------------------------------------------

    def open_list(self, open_id: str) -> None:
        """Show the list, with the cursor on the chat that is open."""
        self.contents.open_id, self.contents.archived = open_id, False
        self.contents.listed.forget()
        self._enter(Mode.LIST)
        self.reload(open_id)

    def open_search(self, open_id: str, text: str = "", *, direct: bool) -> None:
        """Write a search; `direct` = Esc leads back to the chat, not to the list."""
        if direct:
            self.open_list(open_id)
        if self.contents.mode is not Mode.SEARCH:
            self._begin_search()
            self._direct = direct
        if text:
            self.contents.line_edit = LineEdit(text)
            self._search()

    def show_window(self, window: ListWindow, wish: int) -> None:
        """A part of the list was read; of two answers the one to the newer wish counts."""
        if wish != self._wish:
            return
        self._reads = False
        if self.contents.mode is Mode.RENAME:
            return  # nothing moves under the line that is written; the list is read again after it
        self.contents.listed.show(window, self.rows)
        for chat_id in self._going:
            self.contents.listed.drop(chat_id, self.rows)
        self._read_on()
        self.refresh()
        early, self._early = self._early, []
        for event in early:
            self._take(event)

    def show_failure(self, error: StoreError | None, wish: int) -> None:
        """A part of the list could not be read; None = not yet, as the chats are still being opened."""
        if wish == self._wish:
            self._reads = False
            self.contents.listed.fail(error)
            if error is not None:
                self._early.clear()  # it was meant for a list
            self.refresh()

    def show_found(self, found: SearchHits) -> None:
        """A search has an answer; one to what is no longer asked is dropped."""
        if found.query != self.contents.line_edit.text or self.contents.mode not in (
            Mode.SEARCH,
            Mode.LEAVING,
        ):
            return
        self.contents.hits.show(found, self.rows)
        self.fit()  # with as many rows as there are for hits
        if self._awaits_hit:
            self._awaits_hit = False
            self.contents.mode = Mode.SEARCH
            self._use()
            if self.contents.mode is Mode.SEARCH:
                self._typed.clear()  # there is no chat that it was meant for
        self.refresh()

    def set_open(self, chat_id: str) -> None:
        """Another chat is open."""
        self.contents.open_id = chat_id
        self.refresh()

    def drop(self, chat_id: str) -> None:
        """A chat is there no longer."""
        self.contents.listed.drop(chat_id, self.rows)
        self.contents.hits.drop(chat_id, self.rows)
        self.refresh()

    def put(self, chat: ChatSummary) -> None:
        """A chat has changed."""
        self.contents.listed.put(chat)
        self.refresh()

    def reload(self, chat_id: str = "") -> None:
        """Read again what is in sight; the cursor follows that chat."""
        self._read(self.contents.listed.cursor.at, chat_id)

    def ask_again(self) -> None:
        """There may be more to list and to find than before."""
        self.reload()
        if self.contents.line_edit.text.strip() and self.contents.mode is not Mode.RENAME:
            self._search()

    def settle(self, chat_id: str) -> None:
        """What was to be done to a chat is done, or could not be."""
        self._going.discard(chat_id)

    def release(self) -> tuple[Typed, ...]:
        """It is closed; what was typed since the person left it."""
        typed, self._typed, self._early = self._typed, [], []
        self._stop_timer()
        self.contents.mode, self.contents.line_edit, self.contents.hits = Mode.LIST, LineEdit(), Hits()
        return tuple(typed)

    def stay(self) -> None:
        """It is not left after all."""
        if self.contents.mode is Mode.LEAVING:
            self._typed.clear()
            self._enter(Mode.SEARCH if self.contents.line_edit.text else Mode.LIST)

    # -- keys -------------------------------------------------------------------------------------------------------

    def on_key(self, event: events.Key) -> None:
        """A key; none is for anything else, and the app says of those of the chat that they mean nothing here."""
        if self.contents.mode is not Mode.LEAVING and event.key in self._foreign and not event.is_printable:
            return
        event.stop()
        event.prevent_default()
        self._take(event)

    def on_paste(self, event: events.Paste) -> None:
        """A paste goes into the line that is written."""
        event.stop()
        event.prevent_default()
        self._take(event)

    def _take(self, event: Typed) -> None:
        key = event.key if isinstance(event, events.Key) else ""
        match self.contents.mode:
            case Mode.LEAVING if key == "escape":
                self.stay()
            case Mode.LEAVING:
                self._typed.append(event)
            case Mode.LIST if not self.contents.listed.known and key != "escape":
                self._early.append(event)
            case Mode.LIST:
                self._list_key(key, named_by(event, self._does) if isinstance(event, events.Key) else "")
            case _ if isinstance(event, events.Key):
                self._line_key(event)
            case _:
                self.contents.line_edit.insert(event.text)
                self._written_on()

    def _list_key(self, key: str, id: str) -> None:
        chat = self.contents.listed.current
        match id:
            case "":
                self._walk(key)
            case "chats.use":
                self._use()
            case "chats.leave":
                self._leave_for(ChatListLeft())
            case "chats.search":
                self._begin_search()
            case "chats.archived":
                self.contents.archived = not self.contents.archived
                self.contents.listed.forget()
                self.reload()
            case "chats.rename" if chat is not None:
                self._renamed = chat
                self._enter(Mode.RENAME)
                self.contents.line_edit = LineEdit(chat.title)
            case "chats.archive" | "chats.delete" if chat is not None:
                # At once, so that a key which comes right after it is for the next chat.
                self._going.add(chat.id)
                self.drop(chat.id)
                self.post_message(ChatCommandGiven(id, chat))
            case _:
                self.post_message(ChatCommandGiven(id, chat))
        self.refresh()

    def _line_key(self, event: events.Key) -> None:
        id = "" if event.is_printable else self._does.get(event.key, "")
        if event.key in ("enter", "tab") and event.character == IN_TEXT:
            self.contents.line_edit.insert(" ")  # of several lines that came at once
            self._written_on()
        elif id == "chats.use" or event.key == "enter":
            if self.contents.mode is Mode.SEARCH:
                self._use()
            else:
                self._rename()
        elif id == "chats.leave" or event.key == "escape":
            if self.contents.mode is Mode.SEARCH and self._direct:
                self._leave_for(ChatListLeft())
            elif self.contents.mode is Mode.RENAME:
                self._end_renaming()
            else:
                self._enter(Mode.LIST)
        elif event.key in ("up", "down", "pageup", "pagedown"):
            if self.contents.mode is Mode.SEARCH:
                self._walk(event.key)
        else:
            before = self.contents.line_edit.text
            if self.contents.line_edit.key(event.key, event.character):
                self._written_on(changed=before != self.contents.line_edit.text)

    def _walk(self, key: str) -> None:
        cursor, rows = self.contents.cursor, self.rows
        far = cursor.count
        steps = {"up": -1, "down": 1, "pageup": -rows, "pagedown": rows, "home": -far, "end": far}
        if key not in steps:
            return
        cursor.go(cursor.at + steps[key], rows)
        self.refresh()
        if not self.contents.shows_hits:
            self._read_on()
        elif self.contents.hits.take_wish():
            self.post_message(SearchWanted(self.contents.hits.query, self.contents.hits.read))

    def _read_on(self) -> None:
        wanted = self.contents.listed.wanted(self.rows)
        if wanted is not None and not self._reads:
            self._read(wanted)

    def _read(self, middle: int, chat_id: str = "") -> None:
        self._reads = True
        self._wish += 1
        limit = self.contents.listed.size(self.rows)
        self.post_message(ListWanted(ListWish(self._wish, middle, limit, self.contents.archived, chat_id)))

    def _use(self) -> None:
        if self.contents.mode is Mode.SEARCH and self.contents.line_edit.text.strip():
            hit = self.contents.hits.current
            if self.contents.hits.query != self.contents.line_edit.text:
                self._awaits_hit = True
                self.contents.mode = Mode.LEAVING
                self._search()
            elif hit is not None:
                self._leave_for(ChatChosen(hit.chat_id, hit.title, hit.message_id, self.contents.hits.query))
        elif (chat := self.contents.listed.current) is not None:
            self._leave_for(ChatChosen(chat.id, chat.title))

    def _rename(self) -> None:
        chat, title = self._renamed, self.contents.line_edit.text.strip()
        self._end_renaming()
        if chat is not None and title != chat.title:
            self.post_message(ChatCommandGiven("chats.rename", chat, title))

    def _end_renaming(self) -> None:
        chat, self._renamed = self._renamed, None
        self._enter(Mode.LIST)
        self.reload(chat.id if chat is not None else "")

    def _leave_for(self, message: Message) -> None:
        self._stop_timer()
        self.contents.mode = Mode.LEAVING
        self.post_message(message)

    def _enter(self, mode: Mode) -> None:
        self._stop_timer()
        self._awaits_hit = False
        self.contents.mode = mode
        if mode is not Mode.SEARCH:
            self.contents.line_edit, self.contents.hits, self._direct = LineEdit(), Hits(), False
        self.fit()
        self.refresh()
        self.post_message(ChatListModeChanged())

    # -- searching --------------------------------------------------------------------------------------------------

    def _begin_search(self) -> None:
        self._enter(Mode.LIST)
        self._enter(Mode.SEARCH)

    def _written_on(self, *, changed: bool = True) -> None:
        self.refresh()
        if not changed or self.contents.mode is not Mode.SEARCH:
            return
        self._stop_timer()
        if self.contents.line_edit.text.strip():
            self._timer = self.set_timer(SEARCH_REST_S, self._search)
        else:
            self.contents.hits = Hits()

    def _search(self) -> None:
        self._stop_timer()
        self.post_message(SearchWanted(self.contents.line_edit.text))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def on_resize(self) -> None:
        """The cursors stay in sight."""
        self.fit()
        self._read_on()
