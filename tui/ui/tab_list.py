"""Which tabs there are. A tab is one line here, its pane, its `.tcss` and its command."""

from __future__ import annotations

from textual.widget import Widget

from tui.chat.state import ConnectionStatus
from tui.ui.state import ScreenState
from tui.ui.tabs import CHAT, TabSpec


def _chat_pane(state: ScreenState) -> Widget:
    raise AssertionError("the chat is there from the start")


def _models_pane(state: ScreenState) -> Widget:
    from tui.ui.models.pane import ModelsPane

    return ModelsPane(state)


def _settings_pane(state: ScreenState) -> Widget:
    from tui.ui.settings.pane import SettingsPane

    return SettingsPane(state)


def _useful_in_models(state: ScreenState) -> tuple[str, ...]:
    """Enter takes a model or one of the ways on; while a server is looked for there is neither."""
    if state.connection is None and state.status is not ConnectionStatus.NONE:
        enter = "server.search"
    elif state.connection is not None and state.connection.models:
        enter = "model.use"
    else:
        enter = "choices.take"
    return enter, _back("models.leave", state), "help"


def _useful_in_settings(state: ScreenState) -> tuple[str, ...]:
    first = "preset.save" if state.settings.unsaved else "preset.next"
    return first, _back("settings.leave", state), "help"


def _back(leave: str, state: ScreenState) -> str:
    """The command that leads back to the chat: `leave`, unless a person has taken its key away."""
    return leave if state.keys.get(leave) else "tab.chat"


TABS = (
    TabSpec(CHAT, "#composer, #inline-input", _chat_pane, lambda _: ()),
    TabSpec("models", "#model-table, #models-choice, #model-prompt", _models_pane, _useful_in_models),
    TabSpec("settings", "#form", _settings_pane, _useful_in_settings),
)
