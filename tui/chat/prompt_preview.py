"""“What did the model see?”: the prompt of the next question, or of an answer that is there, as the server's template makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.chat.state import ClientState
from tui.core import system_prompt
from tui.core.context_trim import view_of
from tui.core.conversation import Conversation
from tui.core.message import Attachment, Message, Role
from tui.core.parameters import BY_NAME
from tui.core.rendered_prompt import RenderedPrompt, as_messages
from tui.core.request import ChatRequest, Turn, turns_of
from tui.core.text import count_of, human_tokens, safe_name
from tui.errors import ServerError, UsageError, sentences


@dataclass(frozen=True, slots=True)
class PromptPreview:
    """`prompt` is what goes into the model, or the messages alone where `by_template` is False; `notes` say what is to be known of
    it, a line each."""

    prompt: RenderedPrompt
    notes: tuple[str, ...]
    by_template: bool = True


async def preview_next(
    state: ClientState, conversation: Conversation, written: str, attachments: Sequence[Attachment] = ()
) -> PromptPreview:
    """The prompt of the question that is being written, which may be empty. Raises UsageError where there is no server."""
    path = conversation.path()
    turns = turns_of(path, conversation.system or state.preset.system, conversation.view)
    if written.strip():
        turns = (*turns, Turn(Role.USER, written, tuple(attachments)))
    if not any(turn.role is not Role.SYSTEM for turn in turns):
        turns = (*turns, Turn(Role.USER, "…"))
    left_out = len(path) - len(conversation.view.seen(path))
    request = ChatRequest(state.model, turns, state.sendable())
    return await _preview(state, request, left_out, ())


async def preview_of(state: ClientState, conversation: Conversation, answer: Message) -> PromptPreview:
    """The prompt that an answer was asked with, put together again from what is recorded of it. Raises UsageError."""
    if answer.role is not Role.ASSISTANT:
        raise UsageError("A question has no prompt of its own", "", "Its answer has: go there")
    path = conversation.path_to(str(answer.parent))
    preset = next((one for one in state.presets if one.name == answer.preset), state.preset)
    own = system_prompt.system_of(answer)
    view = view_of(answer)
    notes = ["Put together again from what is recorded of the answer"]
    if not own and preset.system:
        notes.append(f"The system prompt is that of the preset {safe_name(preset.name, 40)} as it is now")
    if answer.model != state.model and answer.model:
        notes.append(
            f"The answer was given by {safe_name(answer.model, 60)}; the template is that of the model named below"
        )
    values = {name: value for name, value in answer.parameters.items() if name in BY_NAME}
    lists_it = state.connection is not None and state.connection.model(answer.model) is not None
    model = answer.model if lists_it else state.model
    request = ChatRequest(model, turns_of(path, own or preset.system, view), values)
    return await _preview(state, request, len(path) - len(view.seen(path)), tuple(notes))


async def _preview(
    state: ClientState, request: ChatRequest, left_out: int, notes: tuple[str, ...]
) -> PromptPreview:
    connection = state.connection
    if connection is None:
        raise UsageError("There is no server", "Only it knows its template", "F8 looks for one")
    server, label = connection.server, connection.info.kind.label
    if left_out:
        notes = (
            *notes,
            f"{count_of(left_out, 'message')} left out at the beginning: the model does not see them",
        )
    pictures = sum(len(turn.attachments) for turn in request.turns)
    if pictures:
        notes = (*notes, f"{count_of(pictures, 'file')} sent along; of a picture the text has a mark at most")
    why_not = ""
    try:
        rendered = await server.rendered_prompt(request)
    except ServerError as error:
        rendered, why_not = None, str(error)
    if rendered is None:
        untold = f"{label} does not tell how its template puts the messages together: these are the messages that are sent"
        return PromptPreview(
            RenderedPrompt(as_messages(request.turns)),
            (sentences(untold, why_not), *notes),
            by_template=False,
        )
    if rendered.tokens is None:
        rendered = replace(rendered, tokens=await server.count_tokens(request))
    size = f"{human_tokens(rendered.tokens)} tokens, " if rendered.tokens is not None else ""
    return PromptPreview(rendered, (f"{size}{safe_name(request.model, 80)} at {label}", *notes))
