"""The three tabs: the chat is there from the start, the others are made when they are first opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import AwaitMount, Widget

from tui.ui.chat.view import ChatView
from tui.ui.state import ScreenState

CHAT = "chat"
_CHAT_LIST = "#chats.-open"


class TabPane(Protocol):
    """What fills a tab."""

    def set_state(self, state: ScreenState) -> None: ...


@dataclass(frozen=True, slots=True)
class TabSpec:
    """One tab. `name` is its pane's id, and `tab.NAME` the command that opens it; `focus` selects the widgets one of which has
    the keys there; `make` makes the pane when the tab is opened first; `useful` names the three commands that make sense
    in it."""

    name: str
    focus: str
    make: Callable[[ScreenState], Widget]
    useful: Callable[[ScreenState], tuple[str, ...]]


class Tabs(Container):
    """Shows one pane and tells all that exist of every new state."""

    def __init__(self, specs: Sequence[TabSpec], state: ScreenState, chat: ChatView) -> None:
        super().__init__(id="body")
        self._specs = {spec.name: spec for spec in specs}
        self._state = state
        self._making: AwaitMount | None = None
        self.chat = chat
        self.current = CHAT

    def compose(self) -> ComposeResult:
        yield self.chat

    @property
    def useful(self) -> tuple[str, ...]:
        """The three commands that make sense in the open tab; none for the chat, where that depends on what goes on."""
        return () if self.current == CHAT else self._specs[self.current].useful(self._state)

    def set_state(self, state: ScreenState) -> None:
        """Hand the state on."""
        self._state = state
        for pane in self.children:
            cast(TabPane, pane).set_state(state)

    def open(self, name: str) -> None:
        """Show the tab of that name, and put the focus there."""
        if not self.query(f"#{name}"):
            self._making = self.mount(self._specs[name].make(self._state))
        for pane in self.children:
            pane.display = pane.id == name
        self.current = name
        # At once, so that keys which come in one piece with the one that opens the tab are not given to the tab before;
        # a tab that is new has its widgets only later.
        self.screen.set_focus(None)
        self.give_focus()
        self.call_after_refresh(self._give_focus_if_nobody_has_it)

    async def opened(self) -> None:
        """Wait until a tab that is new has its widgets, and the focus."""
        making, self._making = self._making, None
        if making is not None:
            await making
            self.give_focus()

    def _give_focus_if_nobody_has_it(self) -> None:
        """A key that came meanwhile may have opened a line to write on, which keeps the focus."""
        if self.screen.focused is None:
            self.give_focus()

    def give_focus(self) -> None:
        """Put the focus where the keys of the open tab belong."""
        place = self._specs[self.current].focus
        if self.current == CHAT and self.query(_CHAT_LIST):
            place = _CHAT_LIST
        for widget in self.query(place):
            if widget.display:  # of composer and inline input the one that is there to be written on
                self.screen.set_focus(widget)
