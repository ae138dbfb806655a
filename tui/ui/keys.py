"""Which keys the app listens to, where each works, and which three are worth showing."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.binding import Binding

from tui.core.commands import BY_ID, COMMANDS
from tui.core.keyboard import latin
from tui.ui.desk import Desk, Link

# These belong to the widget that has the focus, which binds them itself.
_OF_A_WIDGET = frozenset({"parameter.less", "parameter.more", "parameter.unset"})
# They move the focus at once, so that keys which come in one piece with them are not given to the composer.
_BEFORE_THE_COMPOSER = frozenset({"messages.enter"})


_ALWAYS = frozenset({"quit", "screen.redraw"})
"""What works under a page that lies over everything."""


def named_by(event: events.Key, does: Mapping[str, str]) -> str:
    """The id of the command that a key is for where nobody writes, empty for none: by its name, by its character, as Textual
    has names of its own for marks, or by what it writes in a Latin layout."""
    character = event.character or ""
    return next((does[key] for key in (event.key, character, latin(character)) if key in does), "")


def app_bindings() -> list[Binding]:
    """The keys of the app. They come before those of the focused widget, or the composer would take some of them."""
    return [
        Binding(
            command.key, f"command('{command.id}')", command.title, id=command.id, show=False, priority=True
        )
        for command in COMMANDS
        if command.key
        and (command.where in ("everywhere", "chat", "settings") or command.id in _BEFORE_THE_COMPOSER)
        and command.id not in _OF_A_WIDGET
    ]


def works(id: str, tab: str, *, covered: bool, listing: bool = False) -> bool:
    """Whether a command's key works while `tab` is open; `covered` = a page lies over it, `listing` = the list of chats
    has the keys."""
    if covered:
        return id in _ALWAYS
    if listing:
        return BY_ID[id].where == "everywhere"
    return BY_ID[id].where in ("everywhere", tab) or (id in _BEFORE_THE_COMPOSER and tab == "chat")


def useful(
    tab: str, desk: Desk, *, answering: bool, answerable: str = "", choosing: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The ids of the three commands that make sense now; `answerable` is the one that gets the end of the chat
    answered, empty for none."""
    match tab:
        case "models":
            has_models = desk.connection is not None and desk.connection.models
            return ("model.use" if has_models else "server.search"), "tab.chat", "help"
        case "settings":
            return ("preset.save" if desk.unsaved else "tab.chat"), "preset.next", "help"
        case _ if choosing and not answering:
            return *[id for id in choosing if id != "fit.cancel"][:2], "fit.cancel"
        case _ if answering:
            return "answer.stop", "preset.next", "help"
        case _ if answerable:
            return answerable, "preset.next", "help"
        case _ if desk.link is Link.NONE:
            return "server.search", "preset.next", "help"
        case _:
            return "send", "preset.next", "help"
