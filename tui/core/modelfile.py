'''Modelfiles: the text from which Ollama makes a model (parser/parser.go).

An instruction is a word in any case and its value: the rest of the line, or a text in `"` or `"""` that may go on over
lines and knows no escapes. `#` begins a comment only where an instruction would begin.
'''

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tui.core.text import safe_line
from tui.errors import LokalError

_ROLES = frozenset({"system", "user", "assistant"})
_NUMBERS = {
    "num_keep": int, "seed": int, "num_predict": int, "top_k": int, "repeat_last_n": int, "num_ctx": int, "num_batch": int,
    "num_gpu": int, "main_gpu": int, "num_thread": int, "draft_num_predict": int, "top_p": float, "min_p": float,
    "typical_p": float, "temperature": float, "repeat_penalty": float, "presence_penalty": float,
    "frequency_penalty": float,
}  # fmt: skip
_FLAGS = frozenset({"use_mmap"})
_OF_OLD = frozenset(
    {"penalize_newline", "low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock", "mirostat", "mirostat_tau",
     "mirostat_eta", "tfs_z", "numa"}
)  # fmt: skip
"""Parameters that Ollama no longer has: it takes them with a warning."""

Setting = int | float | bool | str


class ModelfileError(LokalError):
    """A Modelfile that cannot be understood; `line` counts from 1."""

    def __init__(self, line: int, title: str, hint: str = "") -> None:
        super().__init__(f"Line {line} of the Modelfile: {title}", "", hint)
        self.line = line


@dataclass(frozen=True, slots=True)
class Modelfile:
    """What a Modelfile says. `source` is the name of a model, or a file or folder. `parameters` are in their order; `stop`
    may be there several times. `outdated` are parameters that were left out, since Ollama no longer has them."""

    source: str = ""
    parameters: tuple[tuple[str, Setting], ...] = ()
    template: str | None = None
    system: str | None = None
    adapters: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    messages: tuple[tuple[str, str], ...] = ()
    requires: str = ""
    draft: str = ""
    renderer: str = ""
    parser: str = ""
    outdated: tuple[str, ...] = field(default=(), compare=False)


def parse_modelfile(text: str) -> Modelfile:
    """What the text of a Modelfile says. Raises ModelfileError, with the line."""
    found = Modelfile()
    line = 1
    for line, word, value in _instructions(_without_unprintable(text)):
        found = _with(found, line, word, value)
    if not found.source:
        raise ModelfileError(line, "there is no FROM", "FROM names the model or the GGUF file to begin with")
    return found


def format_modelfile(modelfile: Modelfile) -> str:
    """The text of a Modelfile. Raises LokalError for what no Modelfile can say: a text with three quotation marks."""
    lines = [f"FROM {_quoted(modelfile.source)}"]
    lines += [f"ADAPTER {_quoted(adapter)}" for adapter in modelfile.adapters]
    if modelfile.draft:
        lines.append(f"DRAFT {_quoted(modelfile.draft)}")
    lines += [f"PARAMETER {name} {_setting(value)}" for name, value in modelfile.parameters]
    for word, said in (("TEMPLATE", modelfile.template), ("SYSTEM", modelfile.system)):
        if said is not None:
            lines.append(f"{word} {_quoted(said)}")
    lines += [f"MESSAGE {role} {_quoted(said)}" for role, said in modelfile.messages]
    lines += [f"LICENSE {_quoted(license)}" for license in modelfile.licenses]
    for word, name in (
        ("RENDERER", modelfile.renderer),
        ("PARSER", modelfile.parser),
        ("REQUIRES", modelfile.requires),
    ):
        if name:
            lines.append(f"{word} {_quoted(name)}")
    return "\n".join(lines) + "\n"


def decode_modelfile(data: bytes) -> str:
    """The text in the bytes of a file: UTF-8, or UTF-16 with a byte order mark. Raises LokalError."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise LokalError(
            "The Modelfile is no text", "It is neither UTF-8 nor UTF-16 with a mark", "Save it as UTF-8"
        ) from error


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, the word and the value of each instruction; a MESSAGE and a PARAMETER have a name before their value, with
    a blank between them. Raises ModelfileError."""
    at, number = 0, 1
    while at < len(text):
        end = _end_of_line(text, at)
        word = _WORD.match(text, at, end)
        if word is None or word[1].startswith("#"):
            at, number = end + 1, number + 1
            continue
        head, place, name = word[1].upper(), word.end(), ""
        if head in ("MESSAGE", "PARAMETER") and (named := _WORD.match(text, place, end)) is not None:
            name, place = f"{named[1]} ", named.end()
        began = number
        if text.startswith('"', place):
            mark = '"""' if text.startswith('"""', place) else '"'
            close = text.find(mark, place + len(mark))
            if close < 0:
                raise ModelfileError(
                    began, f"the text that begins with {mark} has no end", f"End it with {mark}"
                )
            value = text[place + len(mark) : close]
            number += text.count("\n", at, close)
            end = _end_of_line(text, close)
            if text[close + len(mark) : end].strip():
                raise ModelfileError(
                    number,
                    f"something stands after the {mark} that ends a text",
                    'A text with quotation marks in it stands between """ and """',
                )
        else:
            value = text[place:end].strip()
        yield began, head, name + value
        at, number = end + 1, number + 1


_WORD = re.compile(r"[ \t]*(\S+)[ \t]*")


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _with(found: Modelfile, line: int, word: str, value: str) -> Modelfile:
    if word in _VALUES:
        if not value.strip() and word not in ("SYSTEM", "TEMPLATE"):
            raise ModelfileError(line, f"{word} says nothing", f"Write a value after {word}")
        return _with_value(found, word, value)
    name, _, rest = value.partition(" ")
    if word == "MESSAGE":
        if name.lower() not in _ROLES:
            raise ModelfileError(
                line, f"“{safe_line(name, 40)}” cannot speak", "Write system, user or assistant after MESSAGE"
            )
        return replace(found, messages=(*found.messages, (name.lower(), rest)))
    if word == "PARAMETER":
        if name.lower() in _OF_OLD:
            return replace(found, outdated=(*found.outdated, name.lower()))
        return replace(
            found, parameters=(*found.parameters, (name.lower(), _value(line, name.lower(), rest)))
        )
    import difflib

    close = difflib.get_close_matches(word, [*_VALUES, "MESSAGE", "PARAMETER"], n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are {', '.join(_VALUES)}, MESSAGE and PARAMETER"
    raise ModelfileError(line, f"there is no instruction “{safe_line(word, 40)}”", hint)


_VALUES = ("FROM", "TEMPLATE", "SYSTEM", "ADAPTER", "LICENSE", "REQUIRES", "DRAFT", "RENDERER", "PARSER")


def _with_value(found: Modelfile, word: str, value: str) -> Modelfile:
    match word:
        case "FROM":
            return replace(found, source=value)
        case "TEMPLATE":
            return replace(found, template=value)
        case "SYSTEM":
            return replace(found, system=value)
        case "ADAPTER":
            return replace(found, adapters=(*found.adapters, value))
        case "LICENSE":
            return replace(found, licenses=(*found.licenses, value))
        case "REQUIRES":
            return replace(found, requires=value)
        case "DRAFT":
            return replace(found, draft=value)
        case "RENDERER":
            return replace(found, renderer=value)
        case _:
            return replace(found, parser=value)


def _value(line: int, name: str, text: str) -> Setting:
    said = safe_line(text, 40)
    if name == "stop":
        return text
    if name in _FLAGS:
        if text.lower() not in ("true", "false"):
            raise ModelfileError(line, f"{name} cannot be “{said}”", "It takes true or false")
        return text.lower() == "true"
    kind = _NUMBERS.get(name)
    if kind is None:
        import difflib

        close = difflib.get_close_matches(name, [*_NUMBERS, *_FLAGS, "stop"], n=1)
        raise ModelfileError(
            line,
            f"there is no parameter “{safe_line(name, 40)}”",
            f"Did you mean {close[0]}?" if close else "",
        )
    try:
        return int(float(text)) if kind is int else float(text)
    except (ValueError, OverflowError) as error:
        raise ModelfileError(line, f"{name} cannot be “{said}”", "It takes a number") from error


def _setting(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else f"{value:.10g}"


def _quoted(text: str) -> str:
    """A value as a Modelfile has it: bare where that is the same text again."""
    if text and "\n" not in text and text == text.strip() and not text.startswith('"'):
        return text
    if '"' not in text:
        return f'"{text}"'
    if '"""' in text or text.endswith('"'):
        raise LokalError(
            "A Modelfile cannot say this text", 'It has """ in it, or a " at its end, which would end it there', "Make the model without a Modelfile"
        )  # fmt: skip
    return f'"""{text}"""'


def _without_unprintable(text: str) -> str:
    """As Ollama reads it: characters that cannot be printed, no-break spaces among them, are left out."""
    if text.isascii() and "\r" not in text:
        return text
    return "".join(
        character
        for character in text
        if character in "\n\t " or (character.isprintable() and not character.isspace())
    )
