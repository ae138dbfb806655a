"""A title for a chat, by a model: what it is asked, and what is made of what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from tui.core.commands import BY_SLASH
from tui.core.conversation import MAX_TITLE
from tui.core.message import Message, Role, Value
from tui.core.request import Turn, text_sent
from tui.core.text import cut_at_word, safe_line
from tui.errors import UsageError

PARAMETERS: Mapping[str, Value] = MappingProxyType({"temperature": 0.0, "max_tokens": 24, "think": "off"})
SEEN = 1500
"""Characters of a question or an answer that the model is shown: enough to know what it is about."""
_TASK = (
    "Name this conversation in at most six words, in its own language. Answer with the title alone: no quotation marks, "
    "no full stop, no remark."
)
_LABEL = re.compile(
    r"^\W*(?:title|titel|titre|título|название|заголовок|tytuł|tiêu đề|sarlavha)\s*[:：-]\s*", re.IGNORECASE
)
_ROUND_ABOUT = " \t#*_`\"'“”„«»‘’.:"


def typed_title(text: str) -> str:
    """The title that a person has typed after `/rename`. Raises UsageError for none, and for a slash command: it was meant as one,
    where `/rename` alone waited for the title."""
    title = safe_line(text, 200)
    if not title:
        raise UsageError("A title needs words")
    if title[0] == "/" and title[1:].split(" ")[0].lower() in BY_SLASH:
        raise UsageError(f"“{title}” is a command, and no title", "", "/rename TITLE names the chat")
    return title


def title_turns(path: Sequence[Message]) -> tuple[Turn, ...]:
    """What the model is asked; empty for a chat in which nothing was said. It is shown how the chat begins and, where it
    went on for long, its last question."""
    said = [message for message in path if text_sent(message).strip() and message.role is not Role.SYSTEM]
    shown = said[:2]
    last = next((message for message in reversed(said) if message.role is Role.USER), None)
    if last is not None and last not in shown:
        shown.append(last)
    if not shown:
        return ()
    parts = [
        f"{'Question' if message.role is Role.USER else 'Answer'}: {text_sent(message).strip()[:SEEN]}"
        for message in shown
    ]
    return (Turn(Role.USER, "\n\n".join([*parts, _TASK])),)


def title_in(answer: str) -> str:
    """The title in what the model said: one line without what models put around it; empty if there is none."""
    lines = (safe_line(line) for line in answer.splitlines())
    line = next((line for line in lines if line.strip(_ROUND_ABOUT)), "")
    return cut_at_word(_LABEL.sub("", line).strip(_ROUND_ABOUT), MAX_TITLE)
