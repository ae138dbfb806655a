"""What is sent to `/v1/chat/completions`, and what of the parameters is told not to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tui.core.events import Event, NotSent
from tui.core.message import Value
from tui.core.parameters import Outgoing
from tui.core.request import ChatRequest
from tui.servers.errors import Asked
from tui.servers.kinds.openai_chunks import OpenAIAnswer, messages_of
from tui.servers.kinds.openai_response_format import response_format

CHAT = "/v1/chat/completions"


def chat_body(
    request: ChatRequest, outgoing: Outgoing, *, takes_json_object: bool = True
) -> dict[str, object]:
    """The body of a request whose answer is streamed and counted. `takes_json_object` = the server can be asked for JSON
    without a schema."""
    return {
        "model": request.model,
        "messages": messages_of(request.turns),
        "stream": True,
        "stream_options": {"include_usage": True},
        **outgoing.body,
        **response_format(request.schema, takes_json_object=takes_json_object),
    }


def not_sent(asked_for: Mapping[str, Value], outgoing: Outgoing) -> NotSent | None:
    """What of the parameters this server does not take, beyond those that its kind does not know; None = nothing."""
    if not outgoing.left_out:
        return None
    changed = {
        name: outgoing.sent.get(name)
        for name, value in asked_for.items()
        if name not in outgoing.unsupported and outgoing.sent.get(name) != value
    }
    return NotSent(outgoing.left_out, changed)


def without_thought(request: ChatRequest) -> ChatRequest:
    """The request as the text of an answer is continued: with no thought before it, which a template would otherwise open,
    and a reasoning parser wait for the end of. Any other request stays as it is."""
    if not request.resume:
        return request
    values = {name: value for name, value in request.parameters.items() if name not in _OF_THOUGHT}
    return replace(request, parameters={**values, "think": "off"})


_OF_THOUGHT = frozenset({"think", "thinking_budget"})


class ContinuedAnswer(OpenAIAnswer):
    """Reads an answer whose text is continued. What follows text is text, also where a reasoning parser that has seen no
    end of a thought takes it for more of one."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked, resumed=True)

    def reasoning(self, piece: str) -> list[Event]:
        return self.text(piece)


def answer_for(request: ChatRequest, asked: Asked) -> OpenAIAnswer:
    """What reads the answer to this request."""
    return ContinuedAnswer(asked) if request.resume else OpenAIAnswer(asked)
