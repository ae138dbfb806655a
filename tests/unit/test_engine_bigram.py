"""The text pieces that the test models are made of."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.support.bigram import CONTROL, build, build_script, split, unique_pieces
from tests.support.sample import MARKDOWN
from tui.servers.engine.gguf_file import inspect


@given(st.text(min_size=1))
def test_splitting_loses_nothing(text: str) -> None:
    assert "".join(split(text)) == text


@given(st.text(alphabet="ab \n`#", min_size=1, max_size=200))
def test_pieces_of_a_script_are_all_different(text: str) -> None:
    pieces = unique_pieces(text)
    assert "".join(pieces) == text
    assert len(set(pieces)) == len(pieces)


def test_a_script_may_speak_of_the_control_tokens() -> None:
    text = "The end is <|end|> and a byte is <0x0A>. The end is <|end|>"
    pieces = unique_pieces(text)
    assert "".join(pieces) == text
    assert not set(pieces) & set(CONTROL)


def test_models_are_small_and_well_formed(tmp_path: Path) -> None:
    for path in (
        build(tmp_path / "bigram.gguf", MARKDOWN, context=4096),
        build_script(tmp_path / "script.gguf", MARKDOWN * 8, context=4096),
    ):
        found = inspect(path)
        assert found.architecture == "llama"
        assert found.context_trained == 4096
        assert 500_000 < found.size < 8_000_000
