"""Why a command about the open chat cannot be done just now, in words for a person; empty = it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.errors import sentences

if TYPE_CHECKING:
    from tui.chat.controller import ChatController


def why_not_stop(controller: ChatController) -> str:
    """Nothing that runs can be stopped where nothing runs."""
    return "" if controller.chat.busy else "No answer is coming in, so there is none to stop"


def why_not_change(controller: ChatController) -> str:
    """Another answer or another branch can be had only while no prompt is held and no answer comes in."""
    if controller.why_held or not controller.chat.busy:
        return controller.why_held
    return sentences("An answer is coming in", f"{controller.stop_hint} stops it")


def why_not_retry(controller: ChatController) -> str:
    """To ask again needs a question."""
    return why_not_change(controller) or ("" if controller.chat.can_retry else "Nothing was asked here yet")


def why_not_continue(controller: ChatController) -> str:
    """To go on needs an answer that was stopped or cut."""
    return why_not_change(controller) or (
        ""
        if controller.chat.can_continue
        else sentences("There is nothing to continue", "The last answer is whole, or there is none")
    )
