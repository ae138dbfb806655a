"""A title for a chat, by the model that is in use."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from tui.chat.state import ClientState
from tui.core.events import Failed, TextDelta
from tui.core.request import ChatRequest, Turn
from tui.core.text import safe_line
from tui.core.titling import PARAMETERS, title_in
from tui.errors import ServerError, Unreachable

TITLE_TIMEOUT_S = 180.0
"""How long a title is waited for: a server may have to load the model first."""


async def ask_title(state: ClientState, turns: tuple[Turn, ...]) -> str:
    """What the state's model calls a chat with these turns. Raises LokalError."""
    if state.connection is None:
        raise Unreachable("There is no model to ask for a title", "", "/rename sets one")
    answer = ""
    try:
        async with asyncio.timeout(TITLE_TIMEOUT_S):
            request = ChatRequest(state.model, turns, state.sendable(PARAMETERS))
            async with aclosing(state.connection.server.chat(request)) as events:
                async for event in events:
                    if isinstance(event, TextDelta):
                        answer += event.text
                    elif isinstance(event, Failed):
                        raise event.error
    except TimeoutError as error:
        raise ServerError("No title came", f"{TITLE_TIMEOUT_S:.0f} s are over", "/rename sets one") from error
    title = title_in(answer)
    if not title:
        said = "It thought, and said nothing" if not answer.strip() else f"It said: {safe_line(answer, 60)}"
        raise ServerError("The model gave no title", said, "/rename sets one")
    return title
