"""What is said of a parameter where it is set."""

from __future__ import annotations

import pytest

from tui.chat.parameter_words import assigned
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.model import ServerInfo
from tui.servers.connect import Connection
from tui.servers.kinds.llamacpp import LlamaCppServer


def with_engine(*, embedded: bool = True) -> ClientState:
    server = LlamaCppServer(Endpoint("http://127.0.0.1:1", ServerKind.LLAMACPP))
    connection = Connection(server, ServerInfo(ServerKind.LLAMACPP, ""), embedded=embedded)
    return ClientState(ServerState(ConnectionStatus.CONNECTED, connection), ModelSettings("m"))


def test_that_the_engine_would_not_start_is_said_where_it_is_set() -> None:
    overrides, words = assigned("cache_type=q8_0 flash_attention=off", with_engine())
    assert overrides == {"cache_type": "q8_0", "flash_attention": "off"}
    assert words.endswith(
        "a KV cache of q8_0 needs flash attention, which is off: the engine would not start"
    )


@pytest.mark.parametrize(
    "argument", ["cache_type=q8_0", "flash_attention=off", "cache_type=q8_0 flash_attention=on"]
)
def test_nothing_is_said_of_what_can_be(argument: str) -> None:
    assert "would not start" not in assigned(argument, with_engine())[1]


def test_a_server_of_the_persons_own_is_not_spoken_for() -> None:
    words = assigned("cache_type=q8_0 flash_attention=off", with_engine(embedded=False))[1]
    assert "would not start" not in words
