"""What is to be asked of the server for a question, and what the answer will be recorded with."""

from __future__ import annotations

import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tui.chat.state import ClientState
from tui.core import system_prompt
from tui.core.conversation import Conversation
from tui.core.message import CONTINUED, NO_PARAMETERS, Message, Role, Status, Value, new_id
from tui.core.parameters import BY_NAME, beyond, beyond_words, for_server, without
from tui.core.request import ChatRequest, Turn, turns_of
from tui.core.schema import RECORD, Schema
from tui.core.tokens import estimate

if TYPE_CHECKING:
    from tui.chat.session import ChatSession
    from tui.servers.connect import Connection

GO_ON = "Continue exactly where your last answer breaks off. Repeat nothing of it and add no remark."
"""Asked of a server that cannot take up an unfinished answer itself."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PreparedRequest:
    """`answer` is the message to be filled; `unsupported` are parameters that this server does not take, `beyond` those
    that its model says it cannot, `at_start` those that hold because the embedded engine was started with them."""

    answer: Message
    request: ChatRequest
    unsupported: tuple[str, ...]
    beyond: tuple[str, ...] = ()
    at_start: Mapping[str, Value] = field(default_factory=lambda: NO_PARAMETERS)

    @property
    def unsent(self) -> tuple[str, ...]:
        """All that is set and not sent."""
        return (*self.unsupported, *self.beyond)

    def unsent_lines(self, server: str, chosen: Container[str] | None = None) -> tuple[str, ...]:
        """What is set and not sent, and why, a line for each reason; with `chosen` only of the parameters in it."""
        unsupported, unable = (
            [name for name in names if chosen is None or name in chosen]
            for names in (self.unsupported, self.beyond)
        )
        lines = []
        if unsupported:
            lines.append(f"Not sent, {server} does not take it: {', '.join(unsupported)}")
        if unable:
            lines.append(beyond_words(unable, self.request.model))
        return tuple(lines)

    def unsent_words(self, server: str) -> str:
        """What is set and not sent, and why; empty for nothing."""
        return " · ".join(self.unsent_lines(server))


def blank_answer(question_id: str) -> Message:
    """An answer of which nothing has come."""
    return Message(new_id(), question_id, Role.ASSISTANT, "", time.time(), status=Status.STREAMING)


def unanswerable(state: ClientState, blank: Message) -> Message:
    """The answer as it is recorded when there is no server to ask."""
    return replace(blank, status=Status.STREAMING, problem=None, model=state.model, preset=state.preset.name)


def prepare(
    state: ClientState,
    connection: Connection,
    conversation: Conversation,
    blank: Message,
    *,
    resume: bool,
    schema: Schema | None = None,
    must_hold: bool = False,
) -> PreparedRequest:
    """The request for `blank`, with the state's preset and nothing of any preset before. With `resume` the answer's
    text so far is continued: by the server where it can, else by asking the model to go on. What is continued cannot be
    held to a `schema`, which begins at the beginning; it is checked as a whole all the same. With `must_hold` a server that
    cannot hold an answer to one is asked to all the same, and refuses: a program may rely on it."""
    kind = connection.server.kind
    values = state.values()
    unable = beyond(values, state.model_info)
    outgoing = for_server(without(values, unable), kind)
    holds = must_hold or connection.server.capabilities.structured
    held = schema if holds and not resume else None
    path = conversation.path_to(blank.id if resume else str(blank.parent))
    before = blank.usage.completion or estimate(blank.content) + estimate(blank.reasoning)
    answer = replace(
        blank,
        status=Status.STREAMING,
        problem=None,
        finish_reason="",
        usage=replace(blank.usage, completion=before or None) if resume else blank.usage,
        model=state.model,
        server=connection.server.endpoint.address,
        preset=state.preset.name,
        parameters={
            **outgoing.sent,
            **system_prompt.recorded(conversation.system),
            **conversation.view.recorded(path),
            **_recorded(held, blank, resume=resume),
            **({CONTINUED: before} if resume else {}),
        },
    )
    request = request_for(state, connection, conversation, path, resume=resume)
    at_start = {
        name: values[name]
        for name in outgoing.unsupported
        if connection.embedded and BY_NAME[name].engine_flag
    }
    unsupported = tuple(name for name in outgoing.unsupported if name not in at_start)
    if schema is not None and held is None and not resume:
        unsupported += ("a JSON schema",)
    # A model that cannot think is already without it.
    missed = tuple(name for name in unable if values[name] != "off")
    return PreparedRequest(answer, replace(request, schema=held), unsupported, missed, at_start)


def request_for(
    state: ClientState,
    connection: Connection,
    conversation: Conversation,
    path: Sequence[Message],
    *,
    resume: bool,
) -> ChatRequest:
    """What is sent for a branch down to a question, or to an answer that is continued."""
    turns = turns_of(path, conversation.system or state.preset.system, conversation.view)
    # An answer of which nothing was said yet, only thought, is asked for anew.
    goes_on = resume and bool(turns) and turns[-1].role is Role.ASSISTANT
    itself = goes_on and connection.server.capabilities.resumes
    if goes_on and not itself:
        turns = (*turns, Turn(Role.USER, GO_ON))
    return ChatRequest(state.model, turns, state.sendable(), itself, chat=conversation.id)


def first_request(state: ClientState, session: ChatSession | None) -> ChatRequest | None:
    """What the first question of an empty chat will be sent with before its own words, in place of which there is a dot: its
    system prompt. None where there is none, the chat has begun, or no model of the built-in engine is in use."""
    connection = state.connection
    if session is None or connection is None or not connection.embedded or connection.guide:
        return None
    conversation = session.conversation
    system = conversation.system or state.preset.system
    if not system.strip() or not state.model or conversation.path():
        return None
    turns = Turn(Role.SYSTEM, system), Turn(Role.USER, ".")
    return ChatRequest(state.model, turns, state.sendable(), chat=conversation.id)


def _recorded(held: Schema | None, blank: Message, *, resume: bool) -> Mapping[str, Value]:
    """What the answer's parameters keep of the schema; one that is continued keeps what it began with."""
    if held is not None:
        return {RECORD: held.recorded()}
    return {RECORD: blank.parameters[RECORD]} if resume and RECORD in blank.parameters else {}
