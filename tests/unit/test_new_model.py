"""What is typed about models in the Models tab, and the Modelfile that is proposed."""

from __future__ import annotations

import pytest

from tui.core.message import Value
from tui.core.model_management import LoadOptions
from tui.core.modelfile import parse_modelfile
from tui.errors import UsageError
from tui.models.new_model import (
    load_words,
    parse_load_options,
    parse_new_model,
    proposed_modelfile,
    summary_of,
)


@pytest.mark.parametrize(
    ("typed", "options"),
    [
        ("", LoadOptions()),
        ("8192", LoadOptions(8192)),
        ("16k 30m", LoadOptions(16384, "30m")),
        ("forever, 4096", LoadOptions(4096, "forever")),
        ("1h30m", LoadOptions(None, "1h30m")),
        ("0", LoadOptions(None, "0")),
        ("90", LoadOptions(None, "1m30s")),
    ],
)
def test_how_a_model_is_loaded(typed: str, options: LoadOptions) -> None:
    assert parse_load_options(typed) == options


@pytest.mark.parametrize("typed", ["soon", "8192 16k 30m", "30m 40m", "8k\x1b[31m", "-5"])
def test_what_is_neither_a_window_nor_a_time_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="neither a context window nor a time") as caught:
        parse_load_options(typed)
    assert "\x1b" not in str(caught.value)


def test_how_it_was_loaded_in_words() -> None:
    assert load_words(LoadOptions(16384, "forever")) == "a window of 16k, for ever"
    assert load_words(LoadOptions()) == ""


def test_the_proposal_is_a_modelfile_that_says_the_same() -> None:
    values: dict[str, Value] = {
        "temperature": 0.4,
        "top_k": 30,
        "stop": ("END", 'say "no"'),
        "keep_alive": "30m",
        "min_p": 0.05,
    }
    text = proposed_modelfile("mine", "llama3.2:3b", 'Be "terse".\nAlways.', values)
    read = parse_modelfile(text)
    assert (read.source, read.system) == ("llama3.2:3b", 'Be "terse".\nAlways.')
    assert read.parameters == (
        ("temperature", 0.4), ("top_k", 30), ("min_p", 0.05), ("stop", "END"), ("stop", 'say "no"'),
    )  # fmt: skip
    assert summary_of(read) == "from llama3.2:3b, 5 parameters, a system prompt"


def test_a_new_model_may_be_quantized() -> None:
    assert parse_new_model("mine") == ("mine", "")
    assert parse_new_model("mine Q4_k_m") == ("mine", "q4_K_M")
    for wrong in ("mine q3", "mine q4_K_M more"):
        with pytest.raises(UsageError, match="is no quantization"):
            parse_new_model(wrong)
