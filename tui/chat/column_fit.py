"""Whether the prompt fits into the context window of a column that is not asked about before the comparison begins: such
a column fails in words, before anything of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.chat import overflow
from tui.chat.context_check import ContextCheck, Estimate
from tui.chat.overflow import Overflow
from tui.errors import ContextOverflow

if TYPE_CHECKING:
    from tui.chat.state import ClientState
    from tui.core.conversation import Conversation
    from tui.core.request import ChatRequest


async def why_too_long(
    state: ClientState,
    conversation: Conversation,
    question_id: str,
    request: ChatRequest | None,
    alone: str,
) -> ContextOverflow | None:
    """Why `request`, made of the branch down to the question, is not sent; None = it fits, or nobody knows the window.
    `alone` is the command that goes over to its server, empty for the open one."""
    check = ContextCheck()
    measure = check.measure(conversation, conversation.path_to(question_id), state)
    if measure is None:
        return None
    if measure.estimate() is Estimate.TO_COUNT:
        await check.count(measure, request)
    if measure.over <= 0:
        return None
    found = overflow.describe(state, measure.budget, measure.window, unasked=False, tried=False)
    return _in_words(found, alone)


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
