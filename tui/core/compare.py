"""What `/compare` asks for: which columns, and the prompt for all of them.

/compare                                    the open preset and the next one, the last question again
/compare creative                           the open preset and creative
/compare technical creative: Why is it so?  a question of its own, after a colon and a blank
/compare model=llama3 model=qwen2.5:7b      models; the `model=` may go where no preset is called so
/compare creative@llama3 technical@qwen2.5:7b
/compare technical technical on lab         `on`: the column before it asks this server, a name or an address
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.core.message import Value
from tui.core.slash import one_of
from tui.core.text import safe_line, safe_name
from tui.errors import UsageError

LEAST, MOST = 2, 4
"""How many columns there can be."""
EXAMPLE = "Write it like: /compare technical creative: Why is the sky blue?"
_PROMPT = re.compile(r"(?P<columns>.*?)(?:(?<=\S)|^)\s*:(?:\s+(?P<prompt>.*)|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ColumnRequest:
    """Whom one column asks, and with which values of its own. Empty = what is open: its preset, model, server."""

    preset: str = ""
    model: str = ""
    server: str = ""
    values: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class ComparisonRequest:
    """The columns from left to right. An empty `prompt` = the last question again."""

    columns: tuple[ColumnRequest, ...]
    prompt: str = ""


def parse(
    argument: str, presets: Sequence[str], open_preset: str, models: Sequence[str]
) -> ComparisonRequest:
    """What the text after `/compare` means, for the `presets` there are and the `models` of the open server; without
    models any name is taken for one. Raises UsageError."""
    words, prompt = split_prompt(argument)
    columns: list[ColumnRequest] = []
    left = words.split()
    while left:
        word = left.pop(0)
        server = ""
        if left and left[0] == "on":
            if len(left) == 1:
                raise UsageError(
                    "On which server?", "After “on” comes its name in the config, or its address", EXAMPLE
                )
            server = left[1]
            del left[:2]
        elif word == "on":
            raise UsageError(
                "“on” follows the column that it is for", "", "Such as: /compare technical technical on lab"
            )
        columns.append(_column(word, presets, () if server else models, server))
    if len(columns) > MOST:
        raise UsageError(
            f"{len(columns)} columns do not fit on a screen", f"There can be {MOST}", "Leave some out"
        )
    if not columns:
        columns = [ColumnRequest(open_preset), ColumnRequest(_after(presets, open_preset))]
    elif len(columns) == 1:
        columns.insert(0, ColumnRequest(open_preset))
    return ComparisonRequest(
        tuple(replace(column, preset=column.preset or open_preset) for column in columns), prompt
    )


def split_prompt(argument: str) -> tuple[str, str]:
    """What stands before the colon, and the question after it; empty for none."""
    found = _PROMPT.fullmatch(argument.strip())
    return (found["columns"], (found["prompt"] or "").strip()) if found else (argument, "")


def _after(presets: Sequence[str], name: str) -> str:
    at = presets.index(name) if name in presets else -1
    return presets[(at + 1) % len(presets)]


def _column(word: str, presets: Sequence[str], models: Sequence[str], server: str) -> ColumnRequest:
    key, equals, value = word.partition("=")
    if equals and key == "preset":
        return ColumnRequest(one_of(value, presets, "preset"), "", server)
    if equals and key == "model":
        return ColumnRequest("", _model(value, models), server)
    preset, at, model = word.partition("@")
    if at and preset and model and _names(preset, presets):
        return ColumnRequest(one_of(preset, presets, "preset"), _model(model, models), server)
    if _names(word, presets):
        return ColumnRequest(one_of(word, presets, "preset"), "", server)
    if server or _names(word, models):
        return ColumnRequest("", _model(word, models), server)
    raise _nothing_so_called(word, presets, models)


def _names(word: str, names: Sequence[str]) -> bool:
    """Whether the word is, or begins, one of the names."""
    return any(name.casefold().startswith(word.casefold()) for name in names)


def _nothing_so_called(word: str, presets: Sequence[str], models: Sequence[str]) -> UsageError:
    import difflib  # some milliseconds, and only for a mistake

    near = difflib.get_close_matches(word, [*presets, *models], n=1, cutoff=0.6)
    detail = f"Did you mean {safe_name(near[0], 60)}?" if near else f"There are: {', '.join(presets)}"
    title = f"There is no preset or model “{safe_line(word, 40)}”"
    return UsageError(title, detail, "A question comes after a colon")


def _model(name: str, models: Sequence[str]) -> str:
    if not name:
        raise UsageError("Which model?", "", "Such as: /compare model=llama3 model=qwen2.5:7b")
    return one_of(name, models, "model") if models else name
