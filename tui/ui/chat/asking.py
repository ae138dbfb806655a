"""What is to be asked of the server for a question, and what the answer will be recorded with."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tui.core import system_prompt
from tui.core.conversation import Conversation
from tui.core.message import Message, Role, Status, Value, new_id
from tui.core.parameters import BY_NAME, for_server
from tui.core.request import ChatRequest, Turn, turns_of
from tui.core.schema import RECORD, Schema
from tui.ui.desk import Desk

if TYPE_CHECKING:
    from tui.servers.choice import Connection

GO_ON = "Continue exactly where your last answer breaks off. Repeat nothing of it and add no remark."
"""Asked of a server that cannot take up an unfinished answer itself."""


@dataclass(frozen=True, slots=True)
class Asking:
    """`answer` is the message to be filled; `unsupported` are parameters that this server does not take."""

    answer: Message
    request: ChatRequest
    unsupported: tuple[str, ...]


def blank_answer(question_id: str) -> Message:
    """An answer of which nothing has come."""
    return Message(new_id(), question_id, Role.ASSISTANT, "", time.time(), status=Status.STREAMING)


def unanswerable(desk: Desk, blank: Message) -> Message:
    """The answer as it is recorded when there is no server to ask."""
    return replace(blank, status=Status.STREAMING, problem=None, model=desk.model, preset=desk.preset.name)


def prepare(
    desk: Desk,
    connection: Connection,
    conversation: Conversation,
    blank: Message,
    *,
    resume: bool,
    schema: Schema | None = None,
) -> Asking:
    """The request for `blank`, with the desk's preset and nothing of any preset before. With `resume` the answer's
    text so far is continued: by the server where it can, else by asking the model to go on. What is continued cannot be
    held to a `schema`, which begins at the beginning; it is checked as a whole all the same."""
    kind = connection.server.kind
    outgoing = for_server(desk.values(), kind)
    held = schema if connection.server.capabilities.structured and not resume else None
    path = conversation.path_to(blank.id if resume else str(blank.parent))
    answer = replace(
        blank,
        status=Status.STREAMING,
        problem=None,
        finish_reason="",
        model=desk.model,
        server=connection.server.endpoint.address,
        preset=desk.preset.name,
        parameters={
            **outgoing.sent,
            **system_prompt.recorded(conversation.system),
            **conversation.view.recorded(path),
            **_recorded(held, blank, resume=resume),
        },
    )
    request = request_for(desk, connection, conversation, path, resume=resume)
    at_start = {name for name in outgoing.unsupported if connection.embedded and BY_NAME[name].engine_flag}
    unsupported = tuple(name for name in outgoing.unsupported if name not in at_start)
    if schema is not None and held is None and not resume:
        unsupported += ("a JSON schema",)
    return Asking(answer, replace(request, schema=held), unsupported)


def request_for(
    desk: Desk, connection: Connection, conversation: Conversation, path: Sequence[Message], *, resume: bool
) -> ChatRequest:
    """What is sent for a branch down to a question, or to an answer that is continued."""
    turns = turns_of(path, conversation.system or desk.preset.system, conversation.view)
    itself = resume and connection.server.capabilities.resumes
    if resume and not itself:
        turns = (*turns, Turn(Role.USER, GO_ON))
    return ChatRequest(desk.model, turns, desk.values(), itself)


def _recorded(held: Schema | None, blank: Message, *, resume: bool) -> Mapping[str, Value]:
    """What the answer's parameters keep of the schema; one that is continued keeps what it began with."""
    if held is not None:
        return {RECORD: held.recorded()}
    return {RECORD: blank.parameters[RECORD]} if resume and RECORD in blank.parameters else {}
