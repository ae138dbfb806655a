"""A Modelfile from a preset and examples, and a preset and examples from a Modelfile."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.cli.command_arguments import Models
from tui.cli.models_modelfile import modelfile
from tui.config.presets import load_presets
from tui.core.modelfile import format_modelfile, parse_modelfile
from tui.core.modelfile_preset import (
    format_examples,
    modelfile_of,
    parse_examples,
    parts_of_modelfile,
    settings_of,
)
from tui.core.presets import SHIPPED, Preset, find
from tui.errors import UsageError
from tui.paths import folders

PERSONA = """[Instruction] Answer in the style of Shakespeare.
[Q] How are you?
[A] O noble friend, my days do sing as birds at dawn!

[Q] What of the weather?
[A] This day is wrapped in mist,
as are the secrets of my soul.
"""


def test_examples_are_read_and_written() -> None:
    instruction, examples = parse_examples(PERSONA)
    assert instruction == "Answer in the style of Shakespeare."
    assert [question for question, _ in examples] == ["How are you?", "What of the weather?"]
    assert examples[1][1].endswith("\nas are the secrets of my soul.")
    assert parse_examples(format_examples(instruction, examples)) == (instruction, examples)
    with pytest.raises(UsageError):
        parse_examples("nothing of that")


@pytest.mark.parametrize("preset", SHIPPED, ids=lambda preset: preset.name)
def test_both_ways_are_the_same(preset: Preset) -> None:
    instruction, examples = parse_examples(PERSONA)
    text = format_modelfile(modelfile_of("llama3.2:3b", preset, examples, instruction))
    parts = parts_of_modelfile(parse_modelfile(text), "again")
    assert dict(parts.preset.values) == dict(preset.values)
    assert (parts.preset.system, parts.examples, parts.left_out) == (instruction, examples, ())
    again = modelfile_of("llama3.2:3b", parts.preset, parts.examples)
    assert format_modelfile(again) == text


@given(
    st.fixed_dictionaries(
        {}, optional={
            "temperature": st.floats(0, 2).map(lambda value: round(value, 3)), "top_k": st.integers(0, 100),
            "num_ctx": st.integers(256, 100_000), "seed": st.integers(0, 1000), "repeat_penalty": st.floats(0.5, 2).map(lambda value: round(value, 2)),
        },
    )
)  # fmt: skip
def test_the_parameters_of_a_modelfile_come_back(values: dict[str, float]) -> None:
    text = "FROM m\n" + "".join(f"PARAMETER {name} {value}\n" for name, value in values.items())
    parts = parts_of_modelfile(parse_modelfile(text), "p")
    assert dict(settings_of(parts.preset.values)) == dict(parse_modelfile(text).parameters)


def test_what_a_preset_cannot_hold_is_named() -> None:
    text = (
        "FROM m\nPARAMETER stop a\nPARAMETER stop b\nPARAMETER main_gpu 1\nPARAMETER mirostat 1\nTEMPLATE x\n"
        "MESSAGE system Be kind.\nMESSAGE user one\nMESSAGE user two\nMESSAGE assistant answer\nMESSAGE assistant more\n"
    )
    parts = parts_of_modelfile(parse_modelfile(text), "p")
    assert parts.examples == (("two", "answer"),)
    assert parts.preset.system == "Be kind."
    assert set(parts.left_out) == {
        "mirostat", "main_gpu", "TEMPLATE", "a question without an answer", "an answer without a question",
    }  # fmt: skip
    assert [value for key, value in settings_of(parts.preset.values) if key == "stop"] == ["a", "b"]


def test_the_command_writes_and_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    persona = tmp_path / "bard.txt"
    persona.write_text(PERSONA)
    made = Models("modelfile", source="llama3.2:3b", preset="creative", examples=persona)
    assert modelfile(made, folders()) == 0
    text = capsys.readouterr().out
    assert text.startswith("FROM llama3.2:3b\nPARAMETER temperature 0.85\n")
    assert "SYSTEM Answer in the style of Shakespeare.\nMESSAGE user How are you?\n" in text
    file = tmp_path / "Modelfile"
    file.write_text(text)
    assert modelfile(Models("modelfile", file=file, save_as="bard"), folders()) == 0
    said = capsys.readouterr()
    assert parse_examples(said.out) == parse_examples(PERSONA)
    saved = find(load_presets(folders().presets).value, "bard")
    assert saved.values == find(SHIPPED, "creative").values
    with pytest.raises(UsageError, match="already"):
        modelfile(Models("modelfile", file=file, save_as="bard"), folders())
