"""Reading chats that Open WebUI exported: a list of chats, each with a tree of messages by id.

The format: https://docs.openwebui.com/features/chat-conversations/data-controls/import-export/ and, for what an answer
carries beside its text, backend/open_webui/models/chats.py of Open WebUI. What a model thought stands in the text as a
`details` block with quoted lines, and what it asked of tools in others.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Iterator
from typing import Any

from tui.core.message import Attachment, Message, Problem, Role, Status, Usage
from tui.store.parsing import Node, Value, as_listed, stable_id, whole_chat
from tui.store.rows import WholeChat

_MARK = re.compile(
    r'^[ \t]*<details type="(reasoning|tool_calls|code_interpreter)"[^>]*>|^ {0,3}(?P<fence>`{3,}|~{3,})',
    re.MULTILINE,
)
_END = "</details>"
_SUMMARY, _END_SUMMARY = "<summary>", "</summary>"
_QUOTED = re.compile(r"^(?:>|&gt;) ?", re.MULTILINE)
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,(.*)", re.DOTALL)
_ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM}


def is_webui(raw: Any) -> bool:
    """Whether a value is a chat as Open WebUI exports it, with its wrapper or, as older ones, without."""
    chat = raw.get("chat", raw) if isinstance(raw, dict) else None
    return isinstance(chat, dict) and isinstance(chat.get("history"), dict) and "messages" in chat["history"]


def read(value: Value) -> WholeChat | None:
    """The chat; None for one without a message. Raises Unfit."""
    chat = value["chat"] if isinstance(value.raw.get("chat"), dict) else value
    title = chat["title"].text("") or value["title"].text("")
    entries = chat["history"]["messages"].objects()
    created_at = value["created_at"].moment(chat["timestamp"].moment(0.0))
    foreign_id = value["id"].text("") or chat["id"].text("") or "\0".join([title, *entries])
    chat_id = stable_id("open-webui", foreign_id)
    models = chat["models"].raw
    usual_model = (
        models[0] if isinstance(models, list) and len(models) == 1 and isinstance(models[0], str) else ""
    )
    nodes = [
        Node(id, _parent_of(entry), _message(entry, chat_id, id, created_at, usual_model), entry.where)
        for id, entry in entries.items()
    ]
    return whole_chat(
        chat_id,
        title,
        as_listed(nodes, {id: entry["childrenIds"] for id, entry in entries.items()}),
        chat["history"]["currentId"].text(""),
        created_at,
        value["updated_at"].moment(0.0),
        value["pinned"].raw is True,
        value["archived"].raw is True,
    )


def _parent_of(entry: Value) -> str | None:
    parent = entry["parentId"]
    return None if parent.raw in (None, "") else parent.text()


def _message(entry: Value, chat_id: str, id: str, created_at: float, usual_model: str) -> Message | None:
    role = _ROLES.get(entry["role"].text(""))
    if role is None:
        return None
    content, reasoning = _text(entry["content"]), ""
    if role is Role.ASSISTANT:
        content, reasoning = _without_blocks(content)
    problem = _problem(entry["error"])
    unfinished = role is Role.ASSISTANT and entry["done"].raw is False
    return Message(
        id=stable_id(chat_id, id),
        parent=None,
        role=role,
        content=content,
        created_at=entry["timestamp"].moment(created_at),
        reasoning=reasoning,
        status=Status.FAILED if problem else Status.INTERRUPTED if unfinished else Status.COMPLETE,
        model=(entry["model"].text("") or usual_model) if role is Role.ASSISTANT else "",
        usage=_usage(entry["usage"]),
        problem=problem,
        attachments=tuple(filter(None, map(_image, entry["files"].items()))),
    )


def _without_blocks(content: str) -> tuple[str, str]:
    """An answer without the blocks that Open WebUI folds away, and what was thought in them. What a tool was asked and
    what it gave is no text; of the interpreter's blocks the program stays. One that has no end is left as it is."""
    kept: list[str] = []
    thoughts: list[str] = []
    at = 0
    for block in _blocks(content):
        begin, inside, end = block.start(), block.end(), content.find(_END, block.end())
        if begin < at:  # inside the one before
            continue
        if end < 0:
            break
        body = _without_summary(content[inside:end].strip())
        kept.append(content[at:begin].rstrip())
        if block[1] == "reasoning":
            thoughts.append(html.unescape(_QUOTED.sub("", body)))
        elif block[1] == "code_interpreter":
            kept.append(body)
        at = end + len(_END)
    if not at:
        return content, ""
    kept.append(content[at:].lstrip())
    return "\n\n".join(filter(None, kept)), "\n\n".join(filter(None, thoughts))


def _blocks(content: str) -> Iterator[re.Match[str]]:
    """The beginnings of blocks; not those that are shown as text, in a block of code."""
    fence = ""
    at = 0
    while found := _MARK.search(content, at):
        at = found.end()
        if found["fence"]:
            if not fence:
                fence = found["fence"]
            elif found["fence"].startswith(fence):
                fence = ""
        elif not fence:
            yield found
            # Code inside of a block is no matter of the text around it.
            at = max(at, content.find(_END, at))


def _without_summary(body: str) -> str:
    if body.startswith(_SUMMARY) and (summary := body.find(_END_SUMMARY)) >= 0:
        return body[summary + len(_END_SUMMARY) :].strip()
    return body


def _text(content: Value) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(content.raw, list):
        parts = [part for part in content.items() if isinstance(part.raw, dict)]
        return "\n\n".join(part["text"].text() for part in parts if part["type"].raw == "text")
    return content.text("")


def _problem(error: Value) -> Problem | None:
    if isinstance(error.raw, dict) and isinstance(error["content"].raw, str):
        return Problem("The server reported an error", error["content"].text())
    return Problem("The server reported an error", error.text()) if isinstance(error.raw, str) else None


def _usage(usage: Value) -> Usage:
    if not isinstance(usage.raw, dict):
        return Usage()
    return Usage(
        usage["prompt_tokens" if "prompt_tokens" in usage.raw else "prompt_eval_count"].count(),
        usage["completion_tokens" if "completion_tokens" in usage.raw else "eval_count"].count(),
    )


def _image(file: Value) -> Attachment | None:
    """An image that the export itself holds; of others there is only an address."""
    if not isinstance(file.raw, dict) or not isinstance(file["url"].raw, str):
        return None
    found = _DATA_URL.match(file["url"].raw)
    if found is None:
        return None
    try:
        data = base64.b64decode(found[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise file["url"].unfit("is not base64") from error
    name = file["name"].raw
    return Attachment(name if isinstance(name, str) and name else "image", found[1], data)
