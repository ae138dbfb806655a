"""Reading `conversations.json` of a ChatGPT data export: chats whose messages are the nodes of a graph, `mapping`.

OpenAI does not document the format; this follows what exports of 2023 to 2026 have. Nodes without a message, hidden and
system ones, calls of tools and what tools answered are not shown. What a model thought comes in a node of its own before
the answer. An answer that does not name its model is of the chat's own, `default_model_slug`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tui.core.message import Message, Role, Status
from tui.store.parsing import Node, Value, as_listed, stable_id, whole_chat
from tui.store.rows import WholeChat

_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}
_STATUSES = {"in_progress": Status.INTERRUPTED, "finished_partial_completion": Status.STOPPED}
_TEXTS = ("text", "multimodal_text", "code")


def is_chatgpt(raw: Any) -> bool:
    """Whether a value is a chat of a ChatGPT export."""
    return isinstance(raw, dict) and isinstance(raw.get("mapping"), dict)


def read(chat: Value) -> WholeChat | None:
    """The chat; None for one without a message. Raises Unfit."""
    title = chat["title"].text("")
    entries = chat["mapping"].objects()
    foreign_id = chat["conversation_id"].text("") or chat["id"].text("") or "\0".join([title, *entries])
    chat_id = stable_id("chatgpt", foreign_id)
    created_at = chat["create_time"].moment(0.0)
    usual = chat["default_model_slug"].raw
    usual_model = usual if isinstance(usual, str) else ""
    nodes: list[Node] = []
    thoughts: dict[str, str] = {}
    for id, entry in entries.items():
        parent = entry["parent"]
        message = entry["message"]
        if message.raw is not None and message["content"].members().get("content_type") == "thoughts":
            thoughts[id] = _thoughts(message["content"])
        shown = None if message.raw is None else _message(message, chat_id, id, created_at, usual_model)
        nodes.append(Node(id, None if parent.raw is None else parent.text(), shown, entry.where))
    nodes = as_listed(nodes, {id: entry["children"] for id, entry in entries.items()})
    by_id = {node.id: node for node in nodes}
    return whole_chat(
        chat_id,
        title,
        [_with_thoughts(node, by_id, thoughts) for node in nodes],
        chat["current_node"].text(""),
        created_at,
        chat["update_time"].moment(0.0),
        chat["is_starred"].raw is True or chat["pinned_time"].raw is not None,
        chat["is_archived"].raw is True,
    )


def _message(message: Value, chat_id: str, id: str, created_at: float, usual_model: str) -> Message | None:
    metadata, content = message["metadata"], message["content"]
    hidden = isinstance(metadata.raw, dict) and (
        metadata["is_visually_hidden_from_conversation"].raw is True
        or metadata["is_user_system_message"].raw is True
    )
    role = _ROLES.get(message["author"]["role"].text())
    kind = content["content_type"].text("text")
    if role is None or hidden or kind not in _TEXTS or message["recipient"].text("all") != "all":
        return None
    text = _text(content, kind)
    if not text.strip():
        return None
    model = metadata["model_slug"].text("") if isinstance(metadata.raw, dict) else ""
    return Message(
        id=stable_id(chat_id, id),
        parent=None,
        role=role,
        content=text,
        created_at=message["create_time"].moment(created_at),
        status=_STATUSES.get(message["status"].text(""), Status.COMPLETE),
        model=(model or usual_model) if role is Role.ASSISTANT else "",
        finish_reason="length" if _was_cut(metadata) else "",
    )


def _was_cut(metadata: Value) -> bool:
    details = metadata["finish_details"] if isinstance(metadata.raw, dict) else metadata
    return isinstance(details.raw, dict) and details.raw.get("type") == "max_tokens"


def _text(content: Value, kind: str) -> str:
    if kind == "code":
        language = content["language"].text("")
        return f"```{'' if language == 'unknown' else language}\n{content['text'].text('')}\n```"
    return "\n\n".join(filter(None, map(_part, content["parts"].items())))


def _part(part: Value) -> str:
    """A text, what was understood of speech, or a word in place of what the file does not hold."""
    if isinstance(part.raw, str):
        return part.raw
    if part["content_type"].raw == "audio_transcription":
        return part["text"].text("")
    return "[image]" if part["content_type"].raw == "image_asset_pointer" else ""


def _thoughts(content: Value) -> str:
    parts = [thought for thought in content["thoughts"].items() if isinstance(thought.raw, dict)]
    return "\n\n".join(filter(None, (part["content"].text("") or part["summary"].text("") for part in parts)))


def _with_thoughts(node: Node, nodes: dict[str, Node], thoughts: dict[str, str]) -> Node:
    """The node with what was thought in the nodes above it that are not shown."""
    if node.message is None or node.message.role is not Role.ASSISTANT:
        return node
    found: list[str] = []
    seen: set[str] = set()
    above = node.parent
    while above in nodes and above not in seen and nodes[above].message is None:
        seen.add(above)
        found.append(thoughts.get(above, ""))
        above = nodes[above].parent
    reasoning = "\n\n".join(filter(None, reversed(found)))
    return replace(node, message=replace(node.message, reasoning=reasoning)) if reasoning else node
