"""Reading what oterm exports: a text file with `*role*`, the text, and a line of three dashes after each message.

The format is that of src/oterm/app/chat_export.py of oterm; roles were `me` and `ollama` in its older versions. The file
tells neither title nor model nor time, so that the chat gets the title of its first question and the time of the file.
"""

from __future__ import annotations

import re

from tui.core.message import Message, Role
from tui.store.parsing import Node, stable_id, whole_chat
from tui.store.rows import WholeChat

_ROLES = {
    "me": Role.USER, "user": Role.USER, "ollama": Role.ASSISTANT, "assistant": Role.ASSISTANT, "system": Role.SYSTEM,
}  # fmt: skip
_HEAD = re.compile(rf"(?:\A|\n\n---\n)\*({'|'.join(_ROLES)})\*\n")
_END = "\n\n---\n"


def is_oterm(text: str) -> bool:
    """Whether a text is an export of oterm."""
    return _HEAD.match(text) is not None and text.endswith(_END)


def read(text: str, created_at: float) -> WholeChat | None:
    """The chat; None for one without a message."""
    heads = list(_HEAD.finditer(text))
    chat_id = stable_id("oterm", text)
    nodes: list[Node] = []
    ends = [head.start() for head in heads[1:]] + [len(text) - len(_END)]
    for number, (head, end) in enumerate(zip(heads, ends, strict=True)):
        message = Message(
            stable_id(chat_id, str(number)), None, _ROLES[head[1]], text[head.end() : end], created_at
        )
        nodes.append(Node(str(number), str(number - 1) if number else None, message))
    return whole_chat(chat_id, "", nodes, str(len(nodes) - 1), created_at)
