"""What a person is told who asks the small model in the box something that it cannot know."""

from __future__ import annotations

from collections.abc import Callable

from tui.chat.state import ClientState
from tui.core.model import PACKAGED_CALLED
from tui.errors import sentences


def advice_on(question: str, state: ClientState, hint: Callable[[str], str]) -> str:
    """Who would answer the question better, where the model that came as a package is asked it; empty for none. `hint` gives
    the key or the slash command of a command."""
    if state.connection is None or not state.connection.packaged:
        return ""
    from tui.core.language import NAMES, about_lokal, other_language

    guide, file = hint("guide.ask"), hint("gguf.open")
    if about_lokal(question):
        return sentences(f"{PACKAGED_CALLED} knows nothing of lokal", f"{guide} asks the guide, which does")
    language = other_language(question)
    if language is None:
        return ""
    named = NAMES.get(language, "this language")
    ways = f"{guide} asks the guide about lokal, {file} opens a bigger model"
    return sentences(f"{PACKAGED_CALLED} hardly knows {named}", ways)
