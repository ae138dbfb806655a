"""Every kind of server: how it is asked for JSON, and what a real llama-server makes of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import StartServer
from tests.support.dialects import HELLO, ServerUnderTest, hear
from tui.core.endpoint import ServerKind
from tui.core.schema import ANY_JSON, Schema
from tui.core.schema_parsing import parse
from tui.core.validation import check
from tui.errors import Refused
from tui.servers.base import Server
from tui.servers.registry import server_for

ROOT = {
    "type": "object",
    "required": ["name", "count"],
    "properties": {
        "name": {"type": "string", "maxLength": 8},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "additionalProperties": False,
}
SCHEMA = parse(json.dumps(ROOT), "my schema.json")


async def body_for(tested: ServerUnderTest, schema: Schema | None) -> dict[str, object]:
    """What the server is sent."""
    tested.answers(tested.dialect.stream(*tested.dialect.end()))
    await hear(tested.server.chat(replace(HELLO, schema=schema)))
    return tested.replay.last(tested.dialect.path).json()


async def test_without_a_schema_nothing_of_it_is_sent(tested: ServerUnderTest) -> None:
    assert not {"format", "response_format"} & set(await body_for(tested, None))


async def test_any_json(tested: ServerUnderTest) -> None:
    if not tested.server.capabilities.structured:
        return
    body = await body_for(tested, ANY_JSON)
    match tested.dialect.kind:
        case ServerKind.OLLAMA:
            assert body["format"] == "json"
        case ServerKind.LMSTUDIO:
            named = {"name": "json", "schema": {"type": "object"}}
            assert body["response_format"] == {"type": "json_schema", "json_schema": named}
        case _:
            assert body["response_format"] == {"type": "json_object"}


async def test_a_schema(tested: ServerUnderTest) -> None:
    if not tested.server.capabilities.structured:
        return
    body = await body_for(tested, SCHEMA)
    if tested.dialect.native:
        assert body["format"] == ROOT
    else:
        named = {"name": "my-schema_json", "schema": ROOT}
        assert body["response_format"] == {"type": "json_schema", "json_schema": named}


async def test_a_server_that_cannot_refuses_before_it_is_asked(tested: ServerUnderTest) -> None:
    if tested.server.capabilities.structured:
        assert tested.dialect.kind is not ServerKind.TEXTGEN
        return
    heard = await hear(tested.server.chat(replace(HELLO, schema=SCHEMA)))
    assert isinstance(heard.error, Refused)
    assert "cannot hold an answer to a schema" in heard.error.title
    assert tested.dialect.path not in tested.replay.paths()


@pytest.fixture
async def real(start_llama: StartServer, bigram_gguf: Path) -> AsyncIterator[Server]:
    """A real llama-server, whose model has never seen JSON."""
    server = server_for(replace(start_llama(bigram_gguf).endpoint, kind=ServerKind.LLAMACPP))
    yield server
    await server.aclose()


async def test_a_real_server_holds_even_a_model_that_knows_no_json(real: Server) -> None:
    for seed in (1, 2, 3):
        request = replace(HELLO, model="any", parameters={"seed": seed, "max_tokens": 400}, schema=SCHEMA)
        heard = await hear(real.chat(request))
        if heard.done.finish_reason == "stop":  # a model may go on with blanks until it is cut
            assert check(heard.text, SCHEMA).fits, heard.text
        else:
            assert heard.text.lstrip().startswith("{")
    heard = await hear(real.chat(replace(HELLO, parameters={"seed": 1, "max_tokens": 400}, schema=ANY_JSON)))
    assert heard.done.finish_reason == "length" or check(heard.text, ANY_JSON).fits


async def test_a_schema_that_a_real_server_cannot_use_is_refused(real: Server) -> None:
    odd = parse('{"$ref": "https://example.org/schema"}', "odd.json")
    assert isinstance((await hear(real.chat(replace(HELLO, schema=odd)))).error, Refused)
