"""`lokal ask --schema`: what is asked, what is printed, and how it ends when the answer does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.app import answer, bodies, model_server
from tests.support.command import lokal_command
from tests.support.replay import replay

SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number", "format": "x"}}}


@pytest.fixture
def schema(own_home: Path) -> Path:
    """A schema in the folder that the command runs in."""
    path = own_home / "invoice.json"
    path.write_text(json.dumps(SCHEMA))
    return path


async def test_an_answer_that_fits(schema: Path) -> None:
    async with model_server(answer('{"total":', " 12.50}")) as server:
        ended = await lokal_command("ask", "--server", server.url, "--schema", "invoice.json", "How much?")
    assert (ended.status, ended.text) == (0, '{"total": 12.50}\n')
    assert "Not checked: format x" in ended.err
    assert bodies(server)[0]["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "invoice_json", "schema": SCHEMA},
    }


async def test_an_answer_that_does_not_fit(schema: Path) -> None:
    async with model_server(answer('{"total": "much"}')) as server:
        ask = "ask", "--server", server.url, "--schema", str(schema)
        ended = await lokal_command(*ask, "How much?")
        told = await lokal_command(*ask, "--json", "--save", "How much?")
    assert ended.text == '{"total": "much"}\n'
    assert "does not fit invoice.json" in (said := ended.failed(4))
    assert "At /total: a number is wanted, there is a string" in said
    assert told.status == 4
    assert told.json()["error"]["title"] == "The answer does not fit invoice.json"
    assert told.json()["text"] == '{"total": "much"}'
    kept = await lokal_command("chats", "show", told.json()["chat"], "--json")
    assert kept.json()["messages"][1]["status"] == "complete"


async def test_any_json() -> None:
    async with model_server(answer("[1, 2]"), answer("Sure!"), answer('{"a"', reason="length")) as server:
        ask = "ask", "--server", server.url, "--schema", "json", "Numbers"
        assert (await lokal_command(*ask)).status == 0
        assert "The answer is not JSON" in (await lokal_command(*ask)).failed(4)
        cut = await lokal_command(*ask)
    assert cut.status == 4
    assert "It was cut before its end" in " ".join(cut.err.split())
    assert bodies(server)[0]["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.json", "No such file"),
        (".", "It is a folder"),
        ("/dev/zero", "It is a device"),
        ("text.json", "text.json is not JSON Line 1, column 1"),
    ],
)
async def test_a_schema_that_cannot_be_used_asks_nobody(own_home: Path, name: str, says: str) -> None:
    (own_home / "text.json").write_text("Hello")
    async with replay() as server:
        ended = await lokal_command("ask", "--server", server.url, "--schema", name, "Hi")
    assert says in ended.failed(2)
    assert server.seen == []
