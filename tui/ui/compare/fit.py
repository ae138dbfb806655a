"""Whether the prompt fits into the context window of a column that is not asked about before the comparison begins: such
a column fails in words, before anything of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.chat import overflow
from tui.chat.overflow import Overflow
from tui.chat.requests import request_for
from tui.core.budget import Budget
from tui.errors import ContextOverflow
from tui.ui.chat.several import too_long

if TYPE_CHECKING:
    from tui.chat.state import ClientState
    from tui.core.conversation import Conversation
    from tui.core.request import ChatRequest
    from tui.servers.connect import Connection


async def why_too_long(
    state: ClientState,
    connection: Connection,
    conversation: Conversation,
    question_id: str,
    request: ChatRequest | None,
    alone: str,
) -> ContextOverflow | None:
    """Why `request`, made of the branch down to the question, is not sent; None = it fits, or nobody knows the window.
    `alone` is the command that goes over to its server, empty for the open one."""
    told = request_for(state, connection, conversation, (), resume=False).turns
    path = conversation.path_to(question_id)
    budget = Budget(path, state.model, told[0].content if told else "", conversation.view)
    found = await too_long(state, budget, request)
    if found is None:
        return None
    return _in_words(overflow.describe(state, budget, found.window, unasked=False, tried=False), alone)


def _in_words(case: Overflow, alone: str) -> ContextOverflow:
    said = overflow.decision_for(case)
    if case.cut is not None:
        hint = f"{alone}: asked alone" if alone else "Asked alone"
        hint += ", the oldest can be left out"
    elif case.larger is not None:
        hint = f"Ask something shorter, or set context_window to {case.larger}"
    else:
        hint = f"Ask something shorter; no larger window: {case.no_larger}"
    return ContextOverflow(
        said.title, said.detail, hint, prompt_tokens=case.prompt.tokens, window_tokens=case.window
    )
