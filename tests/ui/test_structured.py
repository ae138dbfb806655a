"""Answers that are to be JSON: asked for, held against their schema, set out; and what is said where they are not."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from tests.support.app_driver import SIZES, AppDriver, chatting, running
from tests.support.canned_servers import chats, like_ollama, ollama_answer
from tests.support.dialects import Dialect
from tests.support.replay import as_json, replay, stalling
from tests.support.snapshot import check
from tui.config.schema_file import MAX_BYTES, schema_named
from tui.core.endpoint import ServerKind
from tui.core.message import Message, Role
from tui.core.schema import RECORD, Schema
from tui.ui.chat.structured import notice_of, shown

SCHEMA = {
    "type": "object",
    "required": ["total", "items"],
    "properties": {
        "total": {"type": "number"},
        "due": {"type": "string", "format": "date"},
        "items": {"type": "array", "items": {"properties": {"price": {"type": "number"}}}},
    },
}
FITS = '{"total": 12.50, "items": [{"name": "tea", "price": 12.50}]}'
MISFIT = '{"items": [{"name": "tea", "price": "12.50"}]}'


@pytest.fixture
def invoice(own_home: Path) -> Path:
    """A schema in a file in the home folder."""
    path = own_home / "invoice.json"
    path.write_text(json.dumps(SCHEMA))
    return path


def last_answer(driver: AppDriver) -> Message:
    return driver.last_message


async def test_any_json() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer('{"a":[1,2.50]}'))
        await driver.ask("/schema json")
        await driver.see("Answers are JSON")
        await driver.see(r"technical .*· json ·")
        await driver.ask("Give me JSON")
        await driver.see(r"valid JSON ─\n")
        assert chats(server)[0]["format"] == "json"
        assert '"a": [' in driver.text()
        assert "2.50" in driver.text()
        assert last_answer(driver).content == '{"a":[1,2.50]}'
        await driver.ask("/schema off")
        await driver.see("free text")
        await driver.ask("And now?")
        await driver.until(lambda: len(chats(server)) == 2, "the second question has been asked")
        assert "format" not in chats(server)[1]


async def test_a_schema_from_a_file(invoice: Path) -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FITS, thought="An invoice, then."), ollama_answer(MISFIT))
        await driver.ask("/schema ~/invoice.json")
        await driver.see("Answers fit invoice.json .*not checked: format date")
        await driver.see("· schema invoice.json ·")
        await driver.ask("What is on it?")
        await driver.see(r"fits invoice.json ─\n")
        assert chats(server)[0]["format"] == SCHEMA
        assert "Not checked: format date" in driver.text()
        await driver.ask("And on this?")
        await driver.see(r"does not fit invoice.json ─\n")
        assert "“total” is missing" in driver.text()
        assert "at /items/0/price: a number is wanted, there is a string" in driver.text()
        assert last_answer(driver).content == MISFIT
        await driver.ask("/schema")
        await driver.see("Answers fit invoice.json")


async def test_a_file_that_is_still_read_does_not_undo_what_was_said_after_it(
    invoice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = threading.Event()
    readers: list[threading.Thread] = []

    def slowly(path: str) -> Schema:
        readers.append(threading.current_thread())
        there.wait(60)
        return schema_named(path)

    monkeypatch.setattr("tui.config.schema_file.schema_named", slowly)
    async with chatting() as (driver, _):
        await driver.ask("/schema ~/invoice.json")
        await driver.until(lambda: bool(readers), "the file is being read")
        await driver.ask("/schema off")
        await driver.see("free text")
        there.set()
        await driver.until(
            lambda: not readers[0].is_alive(), "the file was read, and what was read handed over"
        )
        assert driver.session.schema is None


async def test_the_chat_goes_on_so_when_it_is_opened_again(invoice: Path) -> None:
    async with replay() as server:
        like_ollama(server).on("/api/chat", ollama_answer(FITS))
        async with running(server.url) as driver:
            await driver.see("ctx 0 of 8k")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            await driver.ask(f"/schema '{invoice}'")
            await driver.see("schema invoice.json")
            await driver.ask("What is on it?")
            await driver.see("fits invoice.json")
            session = driver.session
            driver.reopen_chat()
            assert driver.session is not session
            assert driver.session.schema == session.schema
            await driver.see("fits invoice.json")
            assert '"total": 12.50' in driver.text()


async def test_what_is_no_json_stays_as_it_came() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer("Sure! Here it is: {}"))
        await driver.ask("/schema json")
        await driver.ask("Give me JSON")
        await driver.see(r"not JSON ─\n")
        assert "Sure! Here it is: {}" in driver.text()
        assert "it is not JSON: line 1, column 1" in driver.text()


async def test_an_answer_that_was_cut_is_not_judged() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer('{"a": "b', tokens=512, reason="length"))
        await driver.ask("/schema json")
        await driver.ask("Give me JSON")
        await driver.see("cut at 512 tokens")
        assert "JSON ─" not in driver.text()


async def test_it_is_shown_as_it_comes() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer('{"a":1,', ended=False)))
        await driver.ask("/schema json")
        await driver.ask("Give me JSON")
        await driver.see(r'(?m)^\{"a":1,')
        await driver.press("escape")
        await driver.see("stopped by you")
        assert '{"a":1,' in driver.text()


async def test_what_cannot_be_a_schema_changes_nothing(own_home: Path) -> None:
    (own_home / "list.json").write_text("[1]")
    (own_home / "half.json").write_text('{"type":')
    with (own_home / "huge.json").open("wb") as file:
        file.truncate(200_000_000)
    assert MAX_BYTES < 200_000_000
    (own_home / "bytes.json").write_bytes(b"\xff\xfe{}")
    os.mkfifo(own_home / "pipe.json")
    async with chatting() as (driver, _):
        await driver.ask("/schema json")
        await driver.see("· json ·")
        for name, says in (
            ("~/none.json", "No such file"),
            ("~/list.json", "There is an array"),
            ("~/half.json", "is not JSON"),
            ("~/huge.json", "It has 200 MB"),
            ("~/bytes.json", "It is not UTF-8"),
            ("~/pipe.json", "a pipe, which may never end"),
            ("~", "It is a folder"),
            ("/dev/zero", "a device, which may never end"),
        ):
            await driver.ask(f"/schema {name}")
            await driver.see(says)
            assert "· json ·" in driver.text()


async def test_a_server_that_cannot_says_so() -> None:
    async with replay() as server:
        says = Dialect(ServerKind.TEXTGEN)
        server.on(
            "/v1/internal/model/info", as_json(200, {"model_name": "m", "loader": "x", "lora_names": []})
        )
        server.on("/v1/models", as_json(200, {"object": "list", "data": [{"id": "m", "owned_by": "user"}]}))
        server.on(says.path, says.stream(says.text("{}"), *says.end()))
        async with running(server.url) as driver:
            await driver.see("text-generation-webui")
            await driver.until(lambda: driver.chats_are_open, "the chats are open")
            await driver.ask("/schema json")
            await driver.see("text-generation-webui ignores that answers are to be JSON")
            await driver.ask("Give me JSON")
            await driver.see("does not take it: .*a JSON schema")
            await driver.until(lambda: says.path in server.paths(), "the question has been asked")
            assert "response_format" not in server.last(says.path).json()


# -- how it looks -------------------------------------------------------------------------------------------------------


async def test_a_schema_that_holds_and_answers_to_it(invoice: Path) -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", ollama_answer(FITS), ollama_answer(MISFIT))
        await driver.ask(f"/schema {invoice}")
        await driver.see("schema invoice.json")
        await driver.ask("What is on the first invoice?")
        await driver.see("fits invoice.json")
        await driver.ask("And on the second?")
        await driver.see("does not fit")
        driver.clear_notice()
        for size in reversed(SIZES):
            await driver.resize(*size)
            await check(driver, "structured")


def test_a_recorded_schema_that_cannot_be_used_is_said() -> None:
    schema = 'bad.json {"$ref":"#/allOf/' + "9" * 5000 + '","allOf":[{}]}'
    answer = Message("a", None, Role.ASSISTANT, "1", 0.0, parameters={RECORD: schema})
    notice = notice_of(answer)
    assert notice is not None
    assert "cannot be used" in notice.text
    assert shown(answer) == "1"
