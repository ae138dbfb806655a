"""Whether a column's prompt fits into the context window of whom it asks. No person is asked here: a column that does not
fit fails in words, before anything of it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.core.attaching import is_picture
from tui.core.budget import Budget
from tui.core.tokens import IMAGE_TOKENS
from tui.errors import ContextOverflow
from tui.ui.chat import fitting
from tui.ui.chat.asking import request_for
from tui.ui.chat.fitting import Shortfall

if TYPE_CHECKING:
    from tui.core.conversation import Conversation
    from tui.core.request import ChatRequest
    from tui.servers.choice import Connection
    from tui.ui.desk import Desk


async def overflow(
    desk: Desk, connection: Connection, conversation: Conversation, question_id: str, request: ChatRequest
) -> ContextOverflow | None:
    """Why `request`, made of the branch down to the question, is not sent; None = it fits, or nobody knows the window. As
    in the chat the server is only asked to count where more than half of the window is taken."""
    window = fitting.window_of(desk)
    if window is None:
        return None
    told = request_for(desk, connection, conversation, (), resume=False).turns
    path = conversation.path_to(question_id)
    budget = Budget(path, desk.model, told[0].content if told else "", conversation.view)
    limit = window - fitting.room_of(desk, window)
    if budget.prompt.tokens <= min(limit, window // 2):
        return None
    if connection.server.capabilities.counts_tokens:
        tokens = await connection.server.count_tokens(request)
        if tokens is not None:
            pictures = sum(is_picture(file) for message in budget.seen for file in message.attachments)
            budget.counted(tokens + pictures * IMAGE_TOKENS, exact=not pictures)
    if budget.prompt.tokens <= limit:
        return None
    return _in_words(fitting.shortfall(desk, budget, window, unasked=False, tried=False), desk)


def _in_words(case: Shortfall, desk: Desk) -> ContextOverflow:
    said = fitting.dilemma_of(case)
    if case.cut is not None:
        hint = f"Keep this column and ask again with {desk.key('answer.retry')}: there the oldest can be left out"
    elif case.larger is not None:
        hint = f"Ask something shorter, or set context_window to {case.larger}"
    else:
        hint = f"Ask something shorter; no larger window: {case.no_larger}"
    return ContextOverflow(
        said.title, said.detail, hint, prompt_tokens=case.prompt.tokens, window_tokens=case.window
    )
