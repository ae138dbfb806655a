"""The presets that ship, their bands, and finding one."""

from __future__ import annotations

import pytest

from tui.core.advice import ADVICE, Change, Direction, about
from tui.core.parameters import BY_NAME
from tui.core.presets import SHIPPED, Preset, after, find, recommended_range
from tui.errors import UsageError

# From the owner's table: the middle of each band.
MIDDLES = {
    "technical": {"temperature": 0.4, "top_p": 0.8, "top_k": 30, "max_tokens": 512, "repeat_penalty": 1.2},
    "creative": {"temperature": 0.85, "top_p": 0.95, "top_k": 50, "max_tokens": 1024, "repeat_penalty": 1.2},
    "chatbot": {"temperature": 0.6, "top_p": 0.875, "top_k": 40, "max_tokens": 768, "repeat_penalty": 1.2},
}


def test_three_presets_ship_in_this_order_with_the_middles_of_their_bands() -> None:
    assert {preset.name: dict(preset.values) for preset in SHIPPED} == MIDDLES
    assert [preset.name for preset in SHIPPED] == list(MIDDLES)
    for preset in SHIPPED:
        assert preset.description
        for name, value in preset.values.items():
            assert type(value) is BY_NAME[name].kind
            assert BY_NAME[name].check(value) == value


@pytest.mark.parametrize("preset", SHIPPED, ids=lambda preset: preset.name)
def test_each_value_lies_in_its_band(preset: Preset) -> None:
    for name, value in preset.values.items():
        bounds = recommended_range(preset.name, name)
        assert bounds is not None
        assert isinstance(value, int | float)
        assert bounds[0] <= value <= bounds[1]


def test_a_band_belongs_to_a_shipped_preset_only() -> None:
    assert recommended_range("technical", "temperature") == (0.3, 0.5)
    assert recommended_range("technical", "min_p") is None
    assert recommended_range("mine", "temperature") is None


def test_values_are_replaced_in_a_copy() -> None:
    preset = SHIPPED[0]
    changed = preset.with_value("temperature", 0.1).with_value("top_k", None)
    assert changed.values["temperature"] == 0.1
    assert "top_k" not in changed.values
    assert dict(preset.values) == MIDDLES["technical"]
    with pytest.raises(TypeError):
        changed.values["seed"] = 1  # type: ignore[index]  # frozen: that is what is tested


def test_finding_and_following() -> None:
    assert find(SHIPPED, "creative").name == "creative"
    with pytest.raises(UsageError) as caught:
        find(SHIPPED, "poet")
    assert "technical, creative, chatbot" in caught.value.hint
    assert [after(SHIPPED, name).name for name in ("technical", "creative", "chatbot", "gone")] == [
        "creative", "chatbot", "technical", "technical",
    ]  # fmt: skip


def test_the_advice_is_the_owners_table() -> None:
    lower, higher = Direction.LOWER, Direction.RAISE
    assert {advice.symptom: advice.changes for advice in ADVICE} == {
        "makes things up": (Change("temperature", lower), Change("top_p", lower)),
        "repeats itself": (Change("repeat_penalty", higher),),
        "is slow": (Change("max_tokens", lower), Change("context_window", lower)),
        "makes too many mistakes": (Change("top_k", lower),),
        "gives answers that are too much alike": (Change("top_k", higher),),
        "stops in mid-sentence": (Change("max_tokens", higher),),
        "writes too much": (Change("max_tokens", lower),),
    }


def test_each_advice_turns_known_parameters_and_says_so() -> None:
    for advice in ADVICE:
        for change in advice.changes:
            assert change.parameter in BY_NAME
            words = advice.text.lower()
            assert change.direction in words
            assert change.parameter in words or BY_NAME[change.parameter].title in words
    assert [advice.symptom for advice in about("top_k")] == [
        "makes too many mistakes",
        "gives answers that are too much alike",
    ]
    assert about("seed") == ()
