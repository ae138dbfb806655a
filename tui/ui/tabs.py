"""The three tabs: the chat is there from the start, the others are made when they are first opened."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import AwaitMount, Widget

from tui.ui.chat.view import ChatView
from tui.ui.state import ScreenState
from tui.ui.terminal.link import Pace

_FOCUS = {"chat": "#composer, #inline-input", "models": "#model-table, #models-choice", "settings": "#form"}
_LIST = "#chats.-open"


class Tabs(Container):
    """Shows one pane and tells all that exist of every new state."""

    def __init__(self, state: ScreenState, theme: str, pace: Callable[[], Pace]) -> None:
        super().__init__(id="body")
        self._state = state
        self._theme = theme
        self._pace = pace
        self._making: AwaitMount | None = None
        self.current = "chat"

    def compose(self) -> ComposeResult:
        yield ChatView(self._state, self._pace)

    @property
    def chat(self) -> ChatView:
        """The Chat tab."""
        return self.query_one(ChatView)

    def set_state(self, state: ScreenState, theme: str) -> None:
        """Hand the state on."""
        self._state, self._theme = state, theme
        self.chat.set_state(state)
        if len(self.children) > 1:
            from tui.ui.models.pane import ModelsPane
            from tui.ui.settings.pane import SettingsPane

            for models in self.query(ModelsPane):
                models.set_state(state)
            for settings in self.query(SettingsPane):
                settings.set_state(state, theme)

    def open(self, name: str) -> None:
        """Show `chat`, `models` or `settings`, and put the focus there."""
        if not self.query(f"#{name}"):
            self._making = self.mount(self._make(name))
        for pane in self.children:
            pane.display = pane.id == name
        self.current = name
        # At once, so that keys which come in one piece with the one that opens the tab are not given to the tab before;
        # a tab that is new has its widgets only later.
        self.screen.set_focus(None)
        self._focus()
        self.call_after_refresh(self._focus)

    async def opened(self) -> None:
        """Wait until a tab that is new has its widgets, and the focus."""
        making, self._making = self._making, None
        if making is not None:
            await making
            self._focus()

    def _make(self, name: str) -> Widget:
        if name == "models":
            from tui.ui.models.pane import ModelsPane

            return ModelsPane(self._state)
        from tui.ui.settings.pane import SettingsPane

        return SettingsPane(self._state, self._theme)

    def give_focus(self) -> None:
        """Put the focus where the keys of the open tab belong."""
        self._focus()

    def _focus(self) -> None:
        place = _FOCUS[self.current]
        if self.current == "chat" and self.query(_LIST):
            place = _LIST
        for widget in self.query(place):
            if widget.display:  # of composer and slip the one that is there to be written on
                self.screen.set_focus(widget)
