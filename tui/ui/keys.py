"""Which keys the app listens to, where each works, and which three are worth showing."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.binding import Binding
from textual.widget import Widget

from tui.chat.state import ConnectionStatus
from tui.core.commands import BY_ID, COMMANDS
from tui.core.keyboard import latin
from tui.core.text import safe_block
from tui.ui.state import ScreenState
from tui.ui.terminal.reader import IN_TEXT

# These belong to the widget that has the focus, which binds them itself.
_OF_A_WIDGET = frozenset(
    {
        "parameter.less", "parameter.more", "parameter.unset", "settings.leave", "preset.new", "preset.copy", "preset.rename",
        "preset.delete", "preset.undo", "preset.diff", "preset.earlier", "preset.later",
    }
)  # fmt: skip
# They move the focus at once, so that keys which come in one piece with them are not given to the composer.
_BEFORE_THE_COMPOSER = frozenset({"messages.enter"})


_ALWAYS = frozenset({"quit", "screen.redraw"})
"""What works under a page that lies over everything."""
_UNBOUND = "unbound-"
"""What a command without a key is bound to, with its id: a name that no key has. A keymap changes only what is bound."""
_MODIFIERS = frozenset({"alt", "super", "hyper", "meta"})
_AS_IN_A_SHELL = {
    "alt+b": "ctrl+left",
    "alt+f": "ctrl+right",
    "alt+d": "alt+delete",
    "alt+backspace": "ctrl+w",
}
"""Keys of every shell by the key that does the same in a text field here."""


def named_by(event: events.Key, does: Mapping[str, str]) -> str:
    """The id of the command that a key is for where nobody writes, empty for none: by its name, by its character, as Textual
    has names of its own for marks, or by what it writes in a Latin layout."""
    character = event.character or ""
    return next((does[key] for key in (event.key, character, latin(character)) if key in does), "")


def app_bindings() -> list[Binding]:
    """The keys of the app. They come before those of the focused widget, or the composer would take some of them."""
    return [
        Binding(
            command.key or _UNBOUND + command.id,
            f"command('{command.id}')",
            command.title,
            id=command.id,
            show=False,
            priority=True,
        )
        for command in COMMANDS
        if (command.where in ("everywhere", "chat", "settings", "fit") or command.id in _BEFORE_THE_COMPOSER)
        and command.id not in _OF_A_WIDGET
    ]


def bound(keys: Mapping[str, str]) -> dict[str, str]:
    """What each command's key is bound to, by its id: also of those that have none."""
    return {command.id: keys.get(command.id) or _UNBOUND + command.id for command in COMMANDS}


def read_as_a_shell(event: events.Key, keys: Mapping[str, str]) -> None:
    """A key with Alt writes nothing. Alt+B, Alt+F, Alt+D and Alt+Backspace go by words, as in every shell, where they
    are no command's."""
    if not _MODIFIERS.isdisjoint(event.key.split("+")[:-1]):
        event.character = None
        if event.key in _AS_IN_A_SHELL and event.key not in keys.values():
            event.key = _AS_IN_A_SHELL[event.key]


def read_as_one_line(event: events.Key | events.Paste, focused: Widget | None) -> None:
    """Several lines that come at once to where one line is written are joined by blanks, and hand nothing in."""
    is_line_end = (
        isinstance(event, events.Key) and event.character == IN_TEXT and event.key in ("enter", "tab")
    )
    if not is_line_end and not isinstance(event, events.Paste):
        return
    from textual.widgets import Input  # not needed before the first frame

    if not isinstance(focused, Input):
        return
    if isinstance(event, events.Key):
        event.key = "space"
        event.character = " "
    else:
        event.text = " ".join(filter(None, map(str.strip, safe_block(event.text).split("\n")))) or " "


def works(id: str, tab: str, *, covered: bool, listing: bool = False, choosing: bool = False) -> bool:
    """Whether a command's key works while `tab` is open; `covered` = a page lies over it, `listing` = the list of chats
    has the keys, `choosing` = lokal asks what to do about a question that does not fit."""
    if covered:
        return id in _ALWAYS
    if listing:
        return BY_ID[id].where == "everywhere"
    if BY_ID[id].where == "fit":
        return choosing and tab == "chat"
    return BY_ID[id].where in ("everywhere", tab) or (id in _BEFORE_THE_COMPOSER and tab == "chat")


def elsewhere(key: str, by_id: Mapping[str, str]) -> str:
    """The id of the command of the chat that `key` is for where the chat has not the keys; empty for none."""
    return next((id for id, own in by_id.items() if own == key and BY_ID[id].where == "chat"), "")


def places(tab: str, *, listing: bool, choosing: bool, in_choices: bool, walking: bool) -> tuple[str, ...]:
    """The places that one is in, the nearest first; `listing` and `choosing` as in `works`, `in_choices` = a list of ways
    on has the focus, `walking` = the cursor is on the messages."""
    if listing:
        return ("chats",)
    if tab != "chat":
        return (tab, "choices") if in_choices else (tab,)
    if choosing:
        return ("choices", "fit", "composer") if in_choices else ("fit", "composer", "choices")
    if in_choices:
        return "choices", "composer", "chat"
    return ("messages", "chat") if walking else ("composer", "chat")


def useful_in_chat(
    state: ScreenState, *, answering: bool, answerable: str = "", choices: str = "", held: bool = False
) -> tuple[str, ...]:
    """The ids of the three commands that make sense in the chat now; `answerable` is the one that gets the end of the chat
    answered, empty for none. `choices` is the one that leads to a list of ways on, or takes one where the list has the
    focus, empty while there is none; `held` = they are about a question that is not sent."""
    if answering:
        return "answer.stop", "preset.next", "help"
    if choices:
        return choices, ("answer.stop" if held else "server.search"), "help"
    if answerable:
        return answerable, "preset.next", "help"
    if state.status is ConnectionStatus.NONE:
        return "server.search", "preset.next", "help"
    return "send", "preset.next", "help"
