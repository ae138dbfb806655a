"""Slash commands about the chat as a whole: its system prompt, its title, files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.app_driver import chatting, running
from tests.support.canned_servers import chats, ollama_answer, options, questions
from tests.support.replay import as_json, held, stalling
from tests.ui.test_slash import answered, ready
from tui.store.store import Store


def stored() -> Store:
    return Store.open(Path(os.environ["XDG_DATA_HOME"]) / "lokal" / "chats.db")


@pytest.fixture
def here(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that lokal was started in."""
    folder = own_home / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# -- the chat -----------------------------------------------------------------------------------------------------------


async def test_a_system_prompt_of_the_chat() -> None:
    def system(body: dict[str, object]) -> str:
        messages = body["messages"]
        assert isinstance(messages, list)
        return str(messages[0]["content"]) if messages[0]["role"] == "system" else ""

    async with chatting() as (driver, server):
        await ready(driver)
        await driver.ask("/system")
        await driver.see("No system prompt")
        await driver.ask("/system Speak in [b]rhymes[/b].\nAlways.")
        await driver.see("System prompt of this chat from the next answer on")
        await answered(driver, "One")
        await driver.ask("/system")
        await driver.see(r"Speak in \[b\]rhymes\[/b\]\.\n Always\.")
        await driver.press("escape")
        await driver.press("ctrl+n")
        await driver.until(lambda: not len(driver.conversation), "a new chat is open")
        await answered(driver, "Another chat")
    async with running(server.url):
        pass
    assert [system(body) for body in chats(server)] == ["Speak in [b]rhymes[/b].\nAlways.", ""]


async def test_a_system_prompt_is_kept_with_the_chat() -> None:
    async with chatting() as (driver, _):
        await ready(driver)
        await driver.ask("/system Be terse.")
        await answered(driver, "One")
        session = driver.session
        await driver.ask("/system -")
        await driver.see("System prompt removed; there is none now")
        assert session.conversation.system == ""
    store = stored()
    try:
        answer = list(store.load(store.find("last").id))[-1]
    finally:
        store.close()
    assert answer.parameters["system"] == "Be terse."


async def test_rename_and_title() -> None:
    async with chatting() as (driver, server):
        await ready(driver)
        await driver.ask("/title")
        await driver.see("Nothing was said here yet")
        driver.fill("")
        await driver.ask("/rename Before the first question")
        await driver.see("This chat is now “Before the first question”")
        await answered(driver, "Why a 502?")
        assert list(Path.cwd().glob("Before*")) == []
        server.on("/api/chat", ollama_answer("**“Nginx and 502”**\n"))
        await driver.ask("/title")
        await driver.see("This chat is now “Nginx and 502”")
        body = chats(server)[-1]
        assert options(body)["num_predict"] == 24
        assert options(body)["temperature"] == 0
        assert "think" not in body, "this model cannot"
        assert "Why a 502?" in questions(server)[-1]
        session = driver.session
        assert len(session.conversation) == 2, "the chat itself knows nothing of it"
        server.on("/api/chat", ollama_answer("", thought="Hmm."))
        await driver.ask("/title")
        await driver.see("The model gave no title. It thought, and said nothing. /rename sets one")
        server.on("/api/chat", as_json(500, {"error": "out of memory"}))
        await driver.ask("/title")
        await driver.see("out of memory")
    store = stored()
    try:
        assert store.find("last").title == "Nginx and 502"
    finally:
        store.close()


async def test_a_title_that_the_person_gives_meanwhile_stays() -> None:
    async with chatting() as (driver, server):
        await answered(driver, "Why a 502?")
        session = driver.session
        server.on("/api/chat", held(ollama_answer("Nginx and 502")))
        await driver.ask("/title")
        await driver.until(lambda: len(chats(server)) == 2, "the model is asked")
        await driver.ask("/rename Mine")
        await driver.see("This chat is now “Mine”")
        server.release.set()
        assert driver.runs("title")
        await driver.until(lambda: not driver.runs("title"), "it has answered")
        assert session.conversation.title == "Mine"


async def test_a_title_for_a_chat_that_was_left_meanwhile() -> None:
    async with chatting() as (driver, server):
        await answered(driver, "Why a 502?")
        session = driver.session
        server.on("/api/chat", stalling(ollama_answer("Slow", ended=False)))
        await driver.ask("/title")
        await driver.see("Asking llama3.2:3b for a title")
        await driver.press("ctrl+n")
        await driver.until(lambda: driver.session is not session, "a new chat is open")
        driver.title_was_made(session.conversation.id, "Later")
        await driver.see("The chat from before is now “Later”")
    store = stored()
    try:
        assert store.find(session.conversation.id).title == "Later"
    finally:
        store.close()


async def test_export(here: Path) -> None:
    async with chatting() as (driver, _):
        await ready(driver)
        await driver.ask("/export")
        await driver.see("This chat is empty")
        driver.fill("")
        await answered(driver, "Why, a 502?")
        await driver.ask("/export")
        await driver.see(r"2 messages in .*here/Why-a-502\.md")
        assert "Yes." in (here / "Why-a-502.md").read_text()
        await driver.ask("/export all.json")
        await driver.see(r"here/all\.json")
        assert len(json.loads((here / "all.json").read_text())["messages"]) == 2
        (here / "all.json").write_text("precious")
        await driver.ask("/export all.json")
        await driver.see(r"all\.json is there already\. Enter again overwrites it")
        assert (here / "all.json").read_text() == "precious"
        assert driver.composer_text == "/export all.json"
        await driver.press("enter")
        await driver.see(r"2 messages in .*all\.json")
        assert (here / "all.json").read_text() != "precious"
        (here / "all.json").write_text("precious")
        await driver.ask("/export all.json")
        await driver.see("is there already")
        driver.fill("")
        await driver.ask("/export other.md")
        await driver.see(r"other\.md")
        await driver.ask("/export all.json")
        await driver.see("is there already")
        assert (here / "all.json").read_text() == "precious", (
            "what came between makes it the first time again"
        )
        driver.fill("")
        await driver.ask("/export! all.json")
        await driver.see(r"2 messages in .*all\.json")
        for argument, said in (
            ("missing/x.md", "There is no folder"),
            ("x.txt", r"lokal writes no \.txt files\. Let the name end with \.md or \.json"),
        ):
            driver.fill("")
            await driver.ask(f"/export {argument}")
            await driver.see(said)
            await driver.until(lambda: driver.composer_text != "", "the command is back, to be corrected")


async def test_an_export_counts_what_is_in_the_file(here: Path) -> None:
    async with chatting() as (driver, _):
        await answered(driver, "Why?")
        await driver.press("f5")
        await driver.see("2/2")
        await driver.until_idle()
        await driver.ask("/export one.md")
        await driver.see(r"2 messages in .*one\.md; 1 in other branches left")
        assert "2 messages · 1 more in other branches" in (here / "one.md").read_text()
        await driver.ask("/export one.json")
        await driver.see(r"3 messages in .*one\.json")
        assert len(json.loads((here / "one.json").read_text())["messages"]) == 3


async def test_import(here: Path) -> None:
    async with chatting() as (driver, _):
        await answered(driver, "Why?")
        await driver.ask("/export one.json")
        await driver.see(r"one\.json")
        await driver.ask("/import one.json")
        await driver.see(r"0 chats imported from .*one\.json; 1 chat was here already")
        exported = json.loads((here / "one.json").read_text())
        exported["id"] = "abcdefabcdef"
        exported["title"] = "Imported"
        for number, message in enumerate(exported["messages"]):
            message["id"] = f"m{number}"
            message["parent"] = f"m{number - 1}" if number else None
        exported["open_leaf"] = "m1"
        (here / "two.json").write_text(json.dumps([exported]))
        await driver.ask("/import two.json")
        await driver.see(r"1 chat imported from .*two\.json")
        (here / "bad.json").write_text('[{"messages": 7}]')
        await driver.ask("/import bad.json")
        await driver.see("bad.json")
        await driver.until(lambda: driver.composer_text == "/import bad.json", "the command is back")
        driver.fill("")
        await driver.ask("/import missing.json")
        await driver.see("Cannot read “missing.json”")
    store = stored()
    try:
        assert {chat.title for chat in store.chats()} == {"Why?", "Imported"}
        assert store.index_backlog() == 0
    finally:
        store.close()


async def test_a_question_with_a_slash_that_waited_comes_back_as_it_was_typed() -> None:
    async with chatting() as (driver, server):
        server.on("/api/chat", stalling(ollama_answer("Half", ended=False)))
        await driver.ask("first")
        await driver.ask("//help me")
        await driver.see("waiting: /help me")
        await driver.press("alt+up")
        assert driver.composer_text == "//help me"
