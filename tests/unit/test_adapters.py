"""How strongly LoRA adapters are applied, as it is typed."""

from __future__ import annotations

import pytest

from tui.core.model_management import Adapter
from tui.errors import UsageError
from tui.models.adapters import file_name, parse_scales, scales_text, scales_words

TWO = (Adapter("/lora/style.gguf", 1.0, 0), Adapter("terse.gguf", 0.5, 1))


def test_the_scales_are_typed_as_they_are_shown() -> None:
    assert scales_text(TWO) == "1 0.5"
    assert parse_scales(scales_text(TWO), 2) == (1.0, 0.5)
    assert parse_scales("0,25 -1", 2) == (0.25, -1.0)
    assert scales_words(TWO, (0.25, 0.0)) == "style.gguf 0.25, terse.gguf off"
    assert file_name(Adapter("C:\\lora\\a\x1b[31m.gguf")) == "a.gguf"


@pytest.mark.parametrize("typed", ["", "1", "1 2 3"])
def test_every_adapter_has_a_number(typed: str) -> None:
    with pytest.raises(UsageError, match=r"There are 2 adapters, and . numbers? w"):
        parse_scales(typed, 2)


@pytest.mark.parametrize("typed", ["much", "nan", "inf", "1e9", "\x1b[31m1"])
def test_what_is_no_scale(typed: str) -> None:
    with pytest.raises(UsageError, match="is no scale") as caught:
        parse_scales(typed, 1)
    assert "\x1b" not in str(caught.value)
