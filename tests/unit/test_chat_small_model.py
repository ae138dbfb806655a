"""The model that came as a package: whom else a person is told of, and the preset that it brings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tui.chat.connections import ServerConnected, state_after
from tui.chat.small_model import advice_on
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import PACKAGED, Model, ServerInfo
from tui.core.presets import SHIPPED
from tui.errors import Unreachable
from tui.servers.connect import Connection
from tui.servers.engine.packaged_model import PRESET
from tui.servers.kinds.llamacpp import LlamaCppServer

HERE = Endpoint("http://127.0.0.1:1", ServerKind.LLAMACPP)
UNCHOSEN = ClientState(settings=ModelSettings(preset_chosen=False))


def connection(model: str, *, embedded: bool) -> Connection:
    info = ServerInfo(ServerKind.LLAMACPP, "1")
    return Connection(LlamaCppServer(HERE), info, (Model(model),), embedded=embedded)


PACKAGED_CONNECTION = connection(PACKAGED, embedded=True)
ANOTHER = connection("llama3", embedded=False)


def with_packaged(state: ClientState) -> ClientState:
    return state_after(state, ServerConnected(PACKAGED_CONNECTION, PACKAGED, problem=Unreachable("Nobody")))


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("What is the capital of France?", ""),
        (
            "How do I switch the preset in lokal?",
            "SmolLM2-135M knows nothing of lokal. <guide.ask> asks the guide",
        ),
        (
            "Как остановить ответ?",
            "SmolLM2-135M hardly knows Russian. <guide.ask> asks the guide about lokal",
        ),
        ("Jak napisać skrypt w bashu?", "SmolLM2-135M hardly knows Polish."),
        ("Bugun havo qanday?", "SmolLM2-135M hardly knows Uzbek."),
    ],
)
def test_who_would_answer_better_is_said(question: str, said: str) -> None:
    state = with_packaged(UNCHOSEN)
    advice = advice_on(question, state, lambda id: f"<{id}>")
    assert advice.startswith(said)
    assert bool(advice) == bool(said)


def test_of_another_model_nothing_is_said() -> None:
    state = state_after(UNCHOSEN, ServerConnected(ANOTHER, "llama3"))
    assert advice_on("Как остановить ответ?", state, str) == ""


def test_it_brings_its_preset_and_the_usual_one_comes_back_after_it() -> None:
    state = with_packaged(UNCHOSEN)
    assert (state.preset.name, state.values()) == (PRESET.name, dict(PRESET.values))
    assert state.server.problem is not None
    assert state.status is ConnectionStatus.CONNECTED
    again = with_packaged(state)
    assert again.settings.usual_preset == SHIPPED[0]
    after = state_after(again, ServerConnected(ANOTHER, "llama3"))
    assert (after.preset, after.settings.usual_preset) == (SHIPPED[0], None)


def test_a_preset_that_was_chosen_stays() -> None:
    assert with_packaged(ClientState()).preset == SHIPPED[0]
    state = with_packaged(UNCHOSEN)
    chosen = state.with_settings(state.settings.chosen(SHIPPED[1]))
    assert state_after(chosen, ServerConnected(ANOTHER, "llama3")).preset == SHIPPED[1]


def test_the_system_prompt_of_the_usual_preset_goes_with_it() -> None:
    mine = replace(SHIPPED[0], system="Answer in one word.")
    state = with_packaged(ClientState(ServerState(), ModelSettings(preset=mine, preset_chosen=False)))
    assert state.preset.system == "Answer in one word."
