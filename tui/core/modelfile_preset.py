"""A Modelfile as a preset, a system prompt and examples, and written from them: both ways the same.

Examples are pairs of a question and an answer, which a Modelfile has as MESSAGE and a file as `[Q]` and `[A]`, after an
`[Instruction]`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from tui.core import parameters
from tui.core.message import Value
from tui.core.modelfile import Modelfile, Setting
from tui.core.presets import Preset
from tui.errors import UsageError

Examples = tuple[tuple[str, str], ...]
"""Questions with their answers."""
NO_EXAMPLES: Examples = ()

_HEADS = re.compile(r"^\[(Instruction|Q|A)\][ \t]*", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ModelfileParts:
    """What a Modelfile says beside its model. `left_out` names what a preset cannot hold."""

    preset: Preset
    examples: Examples = ()
    left_out: tuple[str, ...] = ()


def modelfile_of(
    source: str, preset: Preset, examples: Examples = (), system: str | None = None
) -> Modelfile:
    """The Modelfile of a model with the values and the system prompt of a preset, or another one. What Ollama does not take is
    left out, as it is when a question is sent there."""
    messages = tuple(
        message for question, answer in examples for message in (("user", question), ("assistant", answer))
    )
    prompt = (preset.system if system is None else system).strip()
    return Modelfile(source, settings_of(preset.values), system=prompt or None, messages=messages)


def settings_of(values: Mapping[str, Value]) -> tuple[tuple[str, Setting], ...]:
    """The parameters of a Modelfile for the values of a preset, those with a list once for each."""
    found: list[tuple[str, Setting]] = []
    for key, value in parameters.modelfile_options(values).items():
        found += [(key, each) for each in (value if isinstance(value, list | tuple) else [value])]
    return tuple(found)


def parts_of_modelfile(modelfile: Modelfile, name: str) -> ModelfileParts:
    """The preset `name`, and the examples."""
    values: dict[str, Value] = {}
    left_out = list(modelfile.outdated)
    stops = tuple(str(value) for key, value in modelfile.parameters if key == "stop")
    for key, value in modelfile.parameters:
        try:
            parameter = parameters.find(key)
            values[parameter.name] = parameter.check(list(stops) if key == "stop" else value)
        except UsageError:
            left_out.append(key)
    for word, said in (
        ("TEMPLATE", modelfile.template), ("ADAPTER", modelfile.adapters), ("DRAFT", modelfile.draft),
        ("RENDERER", modelfile.renderer), ("PARSER", modelfile.parser), ("LICENSE", modelfile.licenses),
    ):  # fmt: skip
        if said:
            left_out.append(word)
    examples: list[tuple[str, str]] = []
    systems = [modelfile.system or ""]
    question = None
    for role, text in modelfile.messages:
        if role == "user":
            if question is not None:
                left_out.append("a question without an answer")
            question = text
        elif role == "assistant" and question is not None:
            examples.append((question, text))
            question = None
        elif role == "system":
            systems.append(text)
        else:
            left_out.append("an answer without a question")
    if question is not None:
        left_out.append("a question without an answer")
    system = "\n\n".join(filter(None, systems))
    return ModelfileParts(
        Preset(name, MappingProxyType(values), f"from a Modelfile for {modelfile.source}", system),
        tuple(examples),
        tuple(dict.fromkeys(left_out)),
    )


def format_examples(instruction: str, examples: Examples) -> str:
    """The text of a file of examples."""
    blocks = [f"[Instruction] {instruction.strip()}"] if instruction.strip() else []
    blocks += [f"[Q] {question.strip()}\n[A] {answer.strip()}" for question, answer in examples]
    return "\n\n".join(blocks) + "\n"


def parse_examples(text: str) -> tuple[str, Examples]:
    """The instruction and the examples of such a file. Raises UsageError for one that has neither."""
    instruction: list[str] = []
    examples: list[tuple[str, str]] = []
    question: str | None = None
    heads: Sequence[re.Match[str]] = list(_HEADS.finditer(text))
    for at, head in enumerate(heads):
        end = heads[at + 1].start() if at + 1 < len(heads) else len(text)
        said = text[head.end() : end].strip()
        match head[1].lower():
            case "instruction":
                instruction.append(said)
            case "q":
                question = said
            case _ if question is not None:
                examples.append((question, said))
                question = None
    if not heads:
        raise UsageError(
            "There are no examples in the file", "", "Write [Instruction], and below it [Q] and [A] in turns"
        )
    return "\n\n".join(instruction), tuple(examples)
