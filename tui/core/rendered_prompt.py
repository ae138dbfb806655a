"""A prompt as a model sees it: its turns put into the chat template, with the special tokens that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from tui.core.request import Turn

_SPECIAL = re.compile(
    r"<\|[^|<>\n]{1,60}\|>|<｜[^｜<>\n]{1,60}｜>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|</?think>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>"
)
"""Tokens that stand for no text, by their shape: what ChatML, Llama, Mistral, Gemma, Phi, DeepSeek and Qwen have. A person who
writes the same in a question gets it marked too."""
_ROLE = re.compile(r"(system|user|assistant|model|tool|developer|ipython)\b")


class PieceKind(Enum):
    """What a piece of a prompt is: TEXT, a SPECIAL token, or the name of a ROLE after one."""

    TEXT = auto()
    SPECIAL = auto()
    ROLE = auto()


@dataclass(frozen=True, slots=True)
class PromptPiece:
    """A part of one line of a prompt."""

    text: str
    kind: PieceKind = PieceKind.TEXT


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The text that goes into the model. `tokens` is how many the server counts, None = it was not asked or cannot."""

    text: str
    tokens: int | None = None


def lines_of(text: str) -> list[list[PromptPiece]]:
    """The lines of a prompt in their pieces."""
    return [_pieces(line) for line in text.split("\n")]


def _pieces(line: str) -> list[PromptPiece]:
    pieces: list[PromptPiece] = []
    at = 0
    for found in _SPECIAL.finditer(line):
        if found.start() > at:
            pieces += _with_role(line[at : found.start()], pieces)
        pieces.append(PromptPiece(found[0], PieceKind.SPECIAL))
        at = found.end()
    if at < len(line):
        pieces += _with_role(line[at:], pieces)
    return pieces


def _with_role(text: str, before: Sequence[PromptPiece]) -> list[PromptPiece]:
    """A text, whose first word is a role if it follows a special token."""
    role = _ROLE.match(text) if before and before[-1].kind is PieceKind.SPECIAL else None
    if role is None:
        return [PromptPiece(text)]
    rest = text[role.end() :]
    return [PromptPiece(role[0], PieceKind.ROLE), *([PromptPiece(rest)] if rest else [])]


def as_messages(turns: Sequence[Turn]) -> str:
    """The turns one below the other, where nobody tells how they are put together."""
    return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in turns)
