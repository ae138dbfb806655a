"""What is sent for a question, what it is recorded with, and what is told of the parameters that are not sent."""

from __future__ import annotations

import pytest

from tui.chat.requests import PreparedRequest, blank_answer, prepare
from tui.chat.state import ClientState, ConnectionStatus, ModelSettings, ServerState
from tui.core.conversation import Conversation
from tui.core.endpoint import Endpoint, ServerKind
from tui.core.message import Message, Role, Value
from tui.core.model import ServerInfo
from tui.core.presets import Preset
from tui.core.schema import RECORD
from tui.core.schema_parsing import parse
from tui.servers.connect import Connection
from tui.servers.registry import server_for

URL = "http://127.0.0.1:1"
SCHEMA = parse('{"type": "object"}', "person.json")


async def prepared(
    kind: ServerKind, values: dict[str, Value], *, embedded: bool = False, must_hold: bool | None = None
) -> PreparedRequest:
    """The request for one question; with a schema where it is said whether it must be held."""
    connection = Connection(server_for(Endpoint(URL, kind=kind)), ServerInfo(kind, URL), embedded=embedded)
    preset = Preset("own", values)
    state = ClientState(
        ServerState(ConnectionStatus.CONNECTED, connection), ModelSettings("m", None, (preset,), preset)
    )
    question = Message("q", None, Role.USER, "Well?", 1.0)
    schema = None if must_hold is None else SCHEMA
    try:
        return prepare(
            state,
            connection,
            Conversation("c", "", (question,)),
            blank_answer("q"),
            resume=False,
            schema=schema,
            must_hold=bool(must_hold),
        )
    finally:
        await connection.server.aclose()


async def test_what_a_server_does_not_take_is_told_and_not_recorded() -> None:
    made = await prepared(ServerKind.OPENAI, {"temperature": 0.5, "top_k": 30, "repeat_penalty": 1.1})
    assert made.unsent == ("top_k", "repeat_penalty")
    assert made.unsent_words("X") == "Not sent, X does not take it: top_k, repeat_penalty"
    assert made.answer.parameters == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("chosen", "lines"),
    [({"top_k"}, ("Not sent, X does not take it: top_k",)), ({"temperature"}, ()), (set(), ())],
)
async def test_only_of_what_was_chosen_it_is_told_where_that_is_wanted(
    chosen: set[str], lines: tuple[str, ...]
) -> None:
    made = await prepared(ServerKind.OPENAI, {"temperature": 0.5, "top_k": 30, "repeat_penalty": 1.1})
    assert made.unsent_lines("X", chosen) == lines


async def test_what_the_engine_was_started_with_holds_and_is_not_told() -> None:
    values: dict[str, Value] = {"context_window": 2048}
    engine = await prepared(ServerKind.LLAMACPP, values, embedded=True)
    assert (engine.at_start, engine.unsent) == (values, ())
    server = await prepared(ServerKind.LLAMACPP, values)
    assert (server.at_start, server.unsent) == ({}, ("context_window",))


async def test_a_schema_that_a_server_cannot_hold_is_left_out_and_told_unless_it_must_be_held() -> None:
    loose = await prepared(ServerKind.TEXTGEN, {}, must_hold=False)
    assert (loose.request.schema, loose.unsent) == (None, ("a JSON schema",))
    strict = await prepared(ServerKind.TEXTGEN, {}, must_hold=True)
    assert (strict.request.schema, strict.unsent) == (SCHEMA, ())
    assert strict.answer.parameters[RECORD] == SCHEMA.recorded()
