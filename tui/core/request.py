"""What is asked of a server: the turns it is to see and the parameters, still in canonical names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui.core.context_trim import EVERYTHING, ContextTrim
from tui.core.message import NO_PARAMETERS, Attachment, Message, Role, Value
from tui.core.schema import Schema


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as the model sees it: never reasoning, never an error."""

    role: Role
    content: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request for an answer. With `resume` the last turn is the assistant's and is to be continued, not repeated.

    `parameters` are canonical names; a server sends those it takes (see `parameters.for_server`) and nothing else.
    With a `schema` the answer is to be JSON; a server that cannot be held to one refuses. `chat` is the id of the chat that it
    belongs to, empty for what is asked beside the chats; it is sent to nobody.
    """

    model: str
    turns: tuple[Turn, ...]
    parameters: Mapping[str, Value] = field(default_factory=lambda: NO_PARAMETERS)
    resume: bool = False
    schema: Schema | None = None
    chat: str = ""


def turns_of(path: Sequence[Message], system: str = "", view: ContextTrim = EVERYTHING) -> tuple[Turn, ...]:
    """The turns of a branch, as far as the model sees it. Empty answers (failed or stopped before a word came) are left
    out, and two questions that then follow each other become one turn, since chat templates want roles to take turns."""
    system = view.system(path, system)
    turns = [Turn(Role.SYSTEM, system)] if system.strip() else []
    for message in view.seen(path):
        content = text_sent(message)
        if message.role is Role.ASSISTANT and not content.strip():
            continue
        last = turns[-1] if turns else None
        if last is not None and last.role is message.role and message.role is not Role.SYSTEM:
            turns[-1] = Turn(
                last.role, f"{last.content}\n\n{content}", last.attachments + message.attachments
            )
        else:
            turns.append(Turn(message.role, content, message.attachments))
    return tuple(turns)


def text_sent(message: Message) -> str:
    """What a model sees of a message. Answers that were kept before lokal knew their spelling may have reasoning in their
    text, which some chat templates refuse; what a person wrote is theirs."""
    if message.role is not Role.ASSISTANT or message.edited:
        return message.content
    from tui.core.thinking import without_reasoning

    return without_reasoning(message.content)
