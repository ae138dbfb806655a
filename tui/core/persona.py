"""A persona: an instruction and examples that make a model answer in a certain way, without touching its weights.

    [Instruction] Answer in the style of Shakespeare.
    [Q] How are you?
    [A] O noble friend, my days do sing as birds at dawn!

Also `.jsonl`, a line an example (`instruction`/`input`/`output`, `question`/`answer`, `q`/`a`, or `messages`), and any other
text, which is the instruction alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tui.core.modelfile_preset import Examples, format_examples
from tui.core.text import count_of, safe_block, safe_line
from tui.core.tokens import estimate
from tui.errors import LokalError

MOST_BYTES = 1 << 20
MOST_EXAMPLES = 500
_HEAD = re.compile(r"\[(instruction|q|a)\][ \t]*(.*)", re.IGNORECASE | re.DOTALL)
_PAIRS = (
    ("question", "answer"),
    ("q", "a"),
    ("input", "output"),
    ("instruction", "output"),
    ("prompt", "completion"),
)


class PersonaError(LokalError):
    """A file that is no persona; `line` counts from 1, 0 = all of it."""

    def __init__(self, line: int, title: str, hint: str = "") -> None:
        super().__init__(f"Line {line} of the persona: {title}" if line else title, "", hint)
        self.line = line


@dataclass(frozen=True, slots=True)
class Persona:
    """`name` is that of its file; `examples` are questions with their answers."""

    name: str
    instruction: str = ""
    examples: Examples = ()

    @property
    def system(self) -> str:
        """It as a system prompt, in the form of its file."""
        if not self.examples:
            return self.instruction.strip()
        return format_examples(self.instruction, self.examples).strip()

    @property
    def words(self) -> str:
        """What it is made of and what it costs, in a line."""
        examples = count_of(len(self.examples), "example") if self.examples else "an instruction"
        return f"{examples}, some {estimate(self.system):,} tokens with each question"


def parse_persona(data: bytes, name: str) -> Persona:
    """The persona in the bytes of a file. Raises PersonaError, with the line."""
    if len(data) > MOST_BYTES:
        raise PersonaError(0, f"A persona has at most {MOST_BYTES >> 20} MB", "Take fewer examples")
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise PersonaError(
            0, "This is no text in UTF-8", "Save it as UTF-8, or choose another file"
        ) from error
    if "\0" in text:
        raise PersonaError(0, "This is no text", "Choose another file")
    text = safe_block(text.replace("\r\n", "\n").replace("\r", "\n"))
    if not text.strip():
        raise PersonaError(
            0, "The persona is empty", "Write [Instruction], and below it [Q] and [A] in turns"
        )
    if name.lower().endswith(".jsonl"):
        return _from_lines(text, name.rpartition(".")[0])
    name = re.sub(r"\.(txt|md)$", "", name, flags=re.IGNORECASE)
    if _HEAD.match(text.lstrip()) is None:
        return Persona(name, text.strip())
    return _from_course(text, name)


def _from_course(text: str, name: str) -> Persona:
    instruction: list[str] = []
    examples: list[tuple[str, str]] = []
    part, asked_at = "", 0
    said: dict[str, list[str]] = {}

    def end(line: int) -> None:
        """What stood before that line is whole."""
        if part == "instruction":
            instruction.append("\n".join(said.pop("instruction")).strip())
        elif part == "a":
            question, answer = ("\n".join(said.pop(each)).strip() for each in ("q", "a"))
            if not question or not answer:
                raise PersonaError(
                    asked_at, "the question or its answer is empty", "Write both, or take it out"
                )
            examples.append((question, answer))
        elif part == "q":
            raise PersonaError(asked_at, "this question has no answer", "Write [A] below it")

    for number, line in enumerate(text.split("\n"), 1):
        head = _HEAD.fullmatch(line.strip())
        if head is None:
            if part:
                said[part].append(line)
            continue
        word = head[1].lower()
        if word == "a":
            if part != "q":
                raise PersonaError(number, "this answer has no question", "Write [Q] above it")
        else:
            end(number)
        if word == "q":
            asked_at = number
        part = word
        said[part] = [head[2]]
        if len(examples) > MOST_EXAMPLES:
            raise PersonaError(number, f"there are more than {MOST_EXAMPLES} examples", "Take fewer")
    end(0)
    return Persona(name, "\n\n".join(filter(None, instruction)), tuple(examples))


def _from_lines(text: str, name: str) -> Persona:
    instruction: list[str] = []
    examples: list[tuple[str, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise PersonaError(number, "this is no JSON", "Each line is one object") from error
        if isinstance(entry, list):
            entry = {"messages": entry}
        if not isinstance(entry, dict):
            raise PersonaError(number, "this is no object", "Each line is one example in { }")
        if isinstance(entry.get("messages"), list):
            _add_messages(entry["messages"], number, instruction, examples)
        else:
            _add_pair(entry, number, instruction, examples)
        if len(examples) > MOST_EXAMPLES:
            raise PersonaError(number, f"there are more than {MOST_EXAMPLES} examples", "Take fewer")
    return Persona(name, "\n\n".join(dict.fromkeys(filter(None, instruction))), tuple(examples))


def _add_pair(
    entry: dict[str, object], number: int, instruction: list[str], examples: list[tuple[str, str]]
) -> None:
    told = {key.lower(): value.strip() for key, value in entry.items() if isinstance(value, str)}
    for asks, answers in _PAIRS:
        if told.get(asks) and told.get(answers):
            examples.append((told[asks], told[answers]))
            if asks != "instruction":
                instruction.append(told.get("instruction", ""))
            return
    keys = safe_line(", ".join(entry), 60)
    raise PersonaError(
        number, f"no question with an answer is in {keys or 'it'}", "Such as question and answer"
    )


def _add_messages(
    messages: list[object], number: int, instruction: list[str], examples: list[tuple[str, str]]
) -> None:
    question = ""
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        said = message.get("content") if isinstance(message, dict) else None
        if not isinstance(role, str) or not isinstance(said, str):
            raise PersonaError(number, "a message has no role or no content", "Each has both, as text")
        if role == "system":
            instruction.append(said.strip())
        elif role == "user":
            question = said.strip()
        elif role == "assistant" and question:
            examples.append((question, said.strip()))
            question = ""
