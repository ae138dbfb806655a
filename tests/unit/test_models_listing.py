"""The order of a list of models, and what is found in it."""

from __future__ import annotations

import pytest

from tui.core.model import Model
from tui.core.model_management import Adapter, ModelDetails
from tui.models.description import as_text, description_of
from tui.models.listing import listed

MODELS = (
    Model("zażółć:7b", size=7, changed_at=3.0, loaded=False, family="qwen2"),
    Model("nomic-embed", size=1, changed_at=9.0, loaded=True, capabilities=("embedding",)),
    Model("llama3.2:3b", size=9, changed_at=1.0, loaded=True, quantization="Q4_K_M"),
)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("", ["zażółć:7b", "llama3.2:3b", "nomic-embed"]),
        ("name", ["llama3.2:3b", "zażółć:7b", "nomic-embed"]),
        ("size", ["llama3.2:3b", "zażółć:7b", "nomic-embed"]),
        ("changed", ["zażółć:7b", "llama3.2:3b", "nomic-embed"]),
        ("loaded", ["llama3.2:3b", "zażółć:7b", "nomic-embed"]),
    ],
)
def test_those_that_cannot_chat_stand_last_in_every_order(by: str, names: list[str]) -> None:
    assert [model.name for model in listed(MODELS, by)] == names


@pytest.mark.parametrize(
    ("query", "names"),
    [("ZAZOLC", ["zażółć:7b"]), ("q4 llama", ["llama3.2:3b"]), ("qwen", ["zażółć:7b"]), ("none such", [])],
)
def test_every_word_has_to_be_there_without_accents_and_case(query: str, names: list[str]) -> None:
    assert [model.name for model in listed(MODELS, query=query)] == names


def test_a_description_has_only_what_the_server_tells() -> None:
    details = ModelDetails(
        "m",
        family="llama",
        heads=32,
        kv_heads=8,
        adapters=(Adapter("lora", 0.5),),
        template="{{ .Prompt }}\n",
    )
    parts = description_of(details)
    assert [part.title for part in parts] == ["", "template"]
    assert parts[0].facts == (
        ("family", "llama"), ("heads", "32, 8 for keys and values"), ("adapter", "lora, scale 0.5"),
    )  # fmt: skip
    assert as_text("m", parts).splitlines() == [
        "m",
        "  family            llama",
        "  heads             32, 8 for keys and values",
        "  adapter           lora, scale 0.5",
        "",
        "template",
        "  {{ .Prompt }}",
    ]
