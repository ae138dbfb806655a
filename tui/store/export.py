"""Chats as text for other programs and for people: JSON that has everything, Markdown that reads well."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

from tui.core.conversation import Conversation
from tui.core.endings import LENGTH, remark
from tui.core.message import Attachment, Message, Role, Status
from tui.core.text import count_of, finite, human_size, json_text
from tui.store.nested_markdown import code, nested, plain, quoted
from tui.store.rows import ChatSummary

FORMAT, VERSION = "lokal chat", 1
"""What the JSON of a whole chat says that it is."""

_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
_SPEAKERS: Mapping[Role, str] = {Role.SYSTEM: "System prompt", Role.USER: "You", Role.ASSISTANT: "Assistant"}
_ENDINGS: Mapping[Status, str] = {
    Status.STOPPED: "Stopped by you: the answer is not complete.",
    Status.INTERRUPTED: "Interrupted: the connection or lokal ended before the answer did. It is not complete.",
    Status.FAILED: "Failed: the answer is not complete.",
    Status.STREAMING: "Still being written.",
}


def chat_as_json(conversation: Conversation, summary: ChatSummary) -> str:
    """The whole tree: an object with the chat, `open_leaf`, and every message with the bytes of its attachments.

    Messages stand in the order of their making, so that a parent comes before its children. Times stand there twice: in
    ISO 8601 to be read, and in seconds since the epoch to the last digit, so that `tui.store.importing` gets the very
    same chat out of it.
    """
    leaf = conversation.leaf
    messages = [_message(message, whole=True) for message in conversation]
    chat = {
        "format": FORMAT,
        "version": VERSION,
        **chat_fields(summary),
        "created_s": finite(summary.created_at),
        "updated_s": finite(summary.updated_at),
        "pinned": summary.pinned,
        "archived": summary.archived,
    }
    return json_text({**chat, "open_leaf": None if leaf is None else leaf.id, "messages": messages})


def branch_as_json(conversation: Conversation, summary: ChatSummary) -> str:
    """The open branch: an object with the chat and the messages of that branch, first message first."""
    return json_text(
        {**chat_fields(summary), "messages": [_message(message) for message in conversation.path()]}
    )


def chat_as_markdown(conversation: Conversation, summary: ChatSummary) -> str:
    """The open branch as a Markdown document, one section a message; what an answer lacks is said in words."""
    path = conversation.path()
    facts = [
        f"Chat {code(summary.id)}",
        f"started {_minute(summary.created_at)}",
        count_of(len(path), "message"),
    ]
    others = len(conversation) - len(path)
    if others:
        facts.append(f"{others} more in other branches")
    parts = [f"# {plain(summary.title) or 'Untitled chat'}", " · ".join(facts)]
    for message in path:
        parts += _section(message)
    return "\n\n".join(parts) + "\n"


def _section(message: Message) -> list[str]:
    parts = [f"## {_SPEAKERS[message.role]}", f"*{' · '.join(_facts(message))}*"]
    parts += [
        f"Attached: {code(file.name)} ({plain(file.media_type)}, {human_size(len(file.data))})"
        for file in message.attachments
    ]
    if message.reasoning.strip():
        parts.append(quoted("**Reasoning**\n\n" + nested(message.reasoning, levels=3)))
    if message.content.strip():
        parts.append(nested(message.content, levels=2))
    elif message.role is Role.ASSISTANT:
        parts.append("*No text came.*")
    ending = _ending(message)
    return [*parts, f"**{ending}**"] if ending else parts


def _facts(message: Message) -> list[str]:
    facts = [_minute(message.created_at)]
    if message.model:
        facts.append(code(message.model))
    if message.server:
        facts.append(f"on {plain(message.server)}")
    if message.preset:
        facts.append(f"preset {plain(message.preset)}")
    if message.edited:
        facts.append("edited by you")
    if message.usage.completion is not None:
        facts.append(f"{message.usage.completion} tokens")
    if message.timings.tokens_per_s is not None:
        facts.append(f"{message.timings.tokens_per_s:.1f} tokens/s")
    return facts


def _ending(message: Message) -> str:
    if message.status is Status.COMPLETE:
        remarked = remark(message.finish_reason)
        return _cut(message) if message.finish_reason == LENGTH else plain(f"{remarked}.") if remarked else ""
    words = [_ENDINGS[message.status]]
    if message.problem is not None:
        title = message.problem.title
        said = (title[:1].upper() + title[1:], message.problem.detail)
        words += [plain(part if part.endswith(".") else f"{part}.") for part in said if part]
    return " ".join(words)


def _cut(message: Message) -> str:
    full = "max_tokens" in message.parameters and message.cut_at is None
    return "Cut off at the end of the context window." if full else "Cut off at the token limit."


def chat_fields(summary: ChatSummary) -> dict[str, object]:
    """What a chat is called, when it was, and how long it is, as JSON has it."""
    return {
        "id": summary.id,
        "title": summary.title,
        "created_at": iso_time(summary.created_at),
        "updated_at": iso_time(summary.updated_at),
        "message_count": summary.message_count,
    }


def _message(message: Message, whole: bool = False) -> dict[str, object]:
    facts: dict[str, object] = {
        "id": message.id,
        "parent": message.parent,
        "role": message.role.value,
        "content": message.content,
        "reasoning": message.reasoning,
        "status": message.status.value,
        "model": message.model,
        "server": message.server,
        "preset": message.preset,
        "parameters": {name: finite(value) for name, value in message.parameters.items()},
        "timings": {name: finite(value) for name, value in asdict(message.timings).items()},
        "usage": asdict(message.usage),
        "finish_reason": message.finish_reason,
        "created_at": iso_time(message.created_at),
        "problem": None if message.problem is None else asdict(message.problem),
        "attachments": [_attachment(file, whole) for file in message.attachments],
        "edited": message.edited,
    }
    return {**facts, "created_s": finite(message.created_at)} if whole else facts


def _attachment(file: Attachment, with_data: bool) -> dict[str, object]:
    facts: dict[str, object] = {"name": file.name, "media_type": file.media_type, "size": len(file.data)}
    return {**facts, "data": base64.b64encode(file.data).decode()} if with_data else facts


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, 0.0), _LATEST), UTC)


def iso_time(seconds: float) -> str:
    """A moment in seconds since the epoch as ISO 8601 in UTC, with milliseconds."""
    return _moment(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _minute(seconds: float) -> str:
    return f"{_moment(seconds):%Y-%m-%d %H:%M} UTC"
