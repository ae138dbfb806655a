"""A model of one's own, made on the server: what is proposed for its Modelfile, and what is typed to name it and to load it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tui.core.keep_alive import FORM, normal_time
from tui.core.message import Value
from tui.core.model_management import LoadOptions
from tui.core.modelfile import Modelfile, format_modelfile
from tui.core.modelfile_preset import modelfile_of
from tui.core.presets import Preset
from tui.core.text import count_of, human_tokens, safe_line, safe_name
from tui.errors import UsageError

QUANTIZATIONS = ("q8_0", "q4_K_M", "q4_K_S")
"""What Ollama makes of a model of 16 or 32 bits a weight."""
_HEAD = """\
# The model “{name}”: save and close to go on.
# FROM may also be a GGUF file or a folder with one, from the folder where lokal was started.
"""
_TOKENS = re.compile(r"(\d+)(k?)")


def proposed_modelfile(name: str, source: str, system: str, values: Mapping[str, Value]) -> str:
    """The Modelfile of a model that answers as `source` does with these parameters and that system prompt, to be edited.
    Parameters that a Modelfile cannot have are left out."""
    modelfile = modelfile_of(source, Preset(name, values, system=system))
    return _HEAD.format(name=safe_name(name, 60)) + format_modelfile(modelfile)


def parse_new_model(typed: str) -> tuple[str, str]:
    """The name of a new model, and how it is to be quantized, empty for not, from `NAME [QUANTIZATION]`. Raises UsageError."""
    name, *more = typed.split()
    if len(more) > 1 or (more and more[0].lower() not in [each.lower() for each in QUANTIZATIONS]):
        raise UsageError(
            f"“{safe_line(' '.join(more), 40)}” is no quantization",
            "",
            f"After the name: {', '.join(QUANTIZATIONS)}",
        )
    quantize = next((each for each in QUANTIZATIONS if more and each.lower() == more[0].lower()), "")
    return name, quantize


def summary_of(modelfile: Modelfile) -> str:
    """What a Modelfile says, in a line."""
    parts = [f"from {safe_name(modelfile.source, 40)}"]
    if modelfile.parameters:
        parts.append(count_of(len(modelfile.parameters), "parameter"))
    if modelfile.system:
        parts.append("a system prompt")
    if modelfile.messages:
        parts.append(count_of(len(modelfile.messages), "message"))
    return ", ".join(parts)


def parse_load_options(typed: str) -> LoadOptions:
    """How a model is to be loaded, from a context window and a time to keep it, in any order and both optional: `8192 30m`,
    `16k`, `forever`. Raises UsageError."""
    window: int | None = None
    keep: str | None = None
    for word in typed.lower().replace(",", " ").split():
        tokens = _TOKENS.fullmatch(word)
        if tokens is not None and window is None and (tokens[2] or int(tokens[1][:9]) >= 256):
            window = int(tokens[1][:9]) * (1024 if tokens[2] else 1)
        elif keep is None and (time := normal_time(word)) is not None:
            keep = time
        else:
            raise UsageError(
                f"“{safe_line(word, 30)}” is neither a context window nor a time", "",
                f"A window in tokens such as 8192 or 16k, and {FORM}",
            )  # fmt: skip
    return LoadOptions(window, keep)


def load_words(options: LoadOptions) -> str:
    """The same in words; empty for what the server does by itself."""
    parts = []
    if options.context_window is not None:
        parts.append(f"a window of {human_tokens(options.context_window)}")
    if options.keep_alive is not None:
        parts.append("for ever" if options.keep_alive == "forever" else f"for {options.keep_alive}")
    return ", ".join(parts)
