"""What of a value a kind of server takes."""

from __future__ import annotations

import pytest

from tui.core.endpoint import ServerKind
from tui.core.events import Done, NotSent
from tui.core.generation import Generation
from tui.core.message import Message, Role, Value
from tui.core.parameters import for_server

FIVE = ("a", "b", "c", "d", "e")


@pytest.mark.parametrize(
    ("kind", "values", "window", "sent"),
    [
        (ServerKind.VLLM, {"stop": FIVE}, None, {"stop": FIVE[:4]}),
        (ServerKind.VLLM, {"stop": FIVE[:4]}, None, {"stop": FIVE[:4]}),
        (ServerKind.TEXTGEN, {"stop": FIVE}, None, {"stop": FIVE}),
        (ServerKind.OLLAMA, {"stop": FIVE}, None, {"stop": FIVE}),
        (ServerKind.VLLM, {"max_tokens": 2049}, 2048, {}),
        (ServerKind.VLLM, {"max_tokens": 2048}, 2048, {"max_tokens": 2048}),
        (ServerKind.TEXTGEN, {"max_tokens": 2048}, 2048, {}),
        (ServerKind.TEXTGEN, {"max_tokens": 2047}, 2048, {"max_tokens": 2047}),
        (ServerKind.TEXTGEN, {"max_tokens": 9000}, None, {"max_tokens": 9000}),
        (ServerKind.TEXTGEN, {"max_tokens": -1}, 2048, {"max_tokens": -1}),
        (ServerKind.LLAMACPP, {"max_tokens": 9000}, 2048, {"max_tokens": 9000}),
        (ServerKind.TEXTGEN, {"typical_p": 0.0, "repeat_last_n": 0}, None, {}),
        (ServerKind.TEXTGEN, {"typical_p": 0.1, "repeat_last_n": 1}, None, {"typical_p": 0.1, "repeat_last_n": 1}),
        (ServerKind.LLAMACPP, {"typical_p": 0.0, "repeat_last_n": 0}, None, {"typical_p": 0.0, "repeat_last_n": 0}),
    ],
)  # fmt: skip
def test_what_is_sent(
    kind: ServerKind, values: dict[str, Value], window: int | None, sent: dict[str, Value]
) -> None:
    outgoing = for_server(values, kind, window)
    assert outgoing.sent == sent
    assert len(outgoing.left_out) == sum(sent.get(name) != value for name, value in values.items())
    assert outgoing.unsupported == ()


def test_an_answer_keeps_what_was_really_sent() -> None:
    asked_for: dict[str, Value] = {"max_tokens": 9000, "stop": FIVE, "top_k": 5}
    message = Message("a", "q", Role.ASSISTANT, "", 0.0, parameters=asked_for)
    generation = Generation(0.0)
    generation.apply(NotSent(("max_tokens 9000",), {"max_tokens": None, "stop": FIVE[:4]}), 1.0)
    generation.apply(NotSent(("max_tokens 9000", "more"), {}), 2.0)
    generation.apply(Done("stop"), 3.0)
    assert generation.not_sent == ("max_tokens 9000", "more")
    assert generation.as_message(message).parameters == {"stop": FIVE[:4], "top_k": 5}


def test_how_long_nothing_has_come() -> None:
    generation = Generation(100.0)
    said = []
    for now in (100.0, 159.0, 160.0, 279.0):
        generation.note_time(now)
        said.append(generation.silent_minutes)
    assert said == [0, 0, 1, 2]
    generation.apply(NotSent((), {}), 280.0)
    assert generation.silent_minutes == 0
    generation.note_time(341.0)
    assert generation.silent_minutes == 1
    generation.stop(342.0)
    generation.note_time(999.0)
    assert generation.silent_minutes == 0
